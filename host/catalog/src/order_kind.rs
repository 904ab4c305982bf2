use std::fmt;
use std::str::FromStr;

/// What an order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderKind {
    /// Buy units of a product.
    Purchase,
    /// Give units back for money.
    Redeem,
    /// Pay for a thing or a service.
    Pay,
}

impl OrderKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Purchase, Self::Redeem, Self::Pay];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Redeem => "redeem",
            Self::Pay => "pay",
        }
    }
}

impl fmt::Display for OrderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no kind of order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of order")]
pub struct ParseOrderKindError(String);

impl FromStr for OrderKind {
    type Err = ParseOrderKindError;

    fn from_str(text: &str) -> Result<Self, ParseOrderKindError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| ParseOrderKindError(text.chars().take(40).collect()))
    }
}
