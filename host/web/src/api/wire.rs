//! What several nouns share on the wire.

use qiao_model::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::{Kind, Problem};

/// Money: minor units of a currency of ISO 4217.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money)]
pub(crate) struct MoneyBody {
    /// Minor units: fen, cents.
    #[schema(example = 100_000)]
    pub(crate) minor: i64,
    /// The alphabetic code.
    #[schema(example = "CNY")]
    pub(crate) currency: String,
}

impl From<Money> for MoneyBody {
    fn from(money: Money) -> Self {
        Self {
            minor: money.minor,
            currency: money.currency.to_string(),
        }
    }
}

impl TryFrom<MoneyBody> for Money {
    type Error = Problem;

    fn try_from(body: MoneyBody) -> Result<Self, Problem> {
        let currency: Currency = parse(&body.currency)?;
        if body.minor <= 0 {
            return Err(Problem::new(
                Kind::Invalid,
                "an amount is at least 1 minor unit",
            ));
        }
        Ok(Self::new(body.minor, currency))
    }
}

/// A list of one page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    /// What is listed.
    pub(crate) items: Vec<T>,
}

impl<T> Listing<T> {
    pub(crate) fn of<D>(items: impl IntoIterator<Item = D>) -> Self
    where
        T: From<D>,
    {
        Self {
            items: items.into_iter().map(T::from).collect(),
        }
    }
}

/// RFC 3339 in UTC.
pub(crate) fn time(at: Timestamp) -> String {
    at.rfc3339()
}

/// A value of the body; text that is not one is 422 with the reason.
pub(crate) fn parse<T>(text: &str) -> Result<T, Problem>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.parse()
        .map_err(|error: T::Err| Problem::new(Kind::Invalid, error.to_string()))
}
