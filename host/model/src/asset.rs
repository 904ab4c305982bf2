use std::fmt;
use std::str::FromStr;

use crate::ProductId;

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Renminbi.
    pub const CNY: Self = Self(*b"CNY");

    /// The alphabetic code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the decimal point.
    #[must_use]
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"JPY" | b"KRW" | b"VND" => 0,
            _ => 2,
        }
    }
}

/// Currencies that the platform keeps books in.
const KNOWN: [&str; 10] = [
    "CNY", "HKD", "MOP", "USD", "EUR", "GBP", "SGD", "JPY", "KRW", "VND",
];

impl FromStr for Currency {
    type Err = ParseAssetError;

    fn from_str(text: &str) -> Result<Self, ParseAssetError> {
        match text.as_bytes() {
            [a, b, c] if KNOWN.contains(&text) => Ok(Self([*a, *b, *c])),
            _ => Err(ParseAssetError(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What a ledger account counts: a currency in minor units, or units of a
/// product in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asset {
    /// Money.
    Currency(Currency),
    /// Units of a fund or the like.
    Units(ProductId),
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Currency(currency) => currency.fmt(f),
            Self::Units(product) => product.fmt(f),
        }
    }
}

/// The text names no currency of the platform and no product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a supported ISO 4217 code nor a product id")]
pub struct ParseAssetError(String);

impl FromStr for Asset {
    type Err = ParseAssetError;

    fn from_str(text: &str) -> Result<Self, ParseAssetError> {
        if let Ok(product) = text.parse() {
            return Ok(Self::Units(product));
        }
        text.parse().map(Self::Currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_survives_its_text() {
        let units = Asset::Units(ProductId::from_u128(9));
        assert_eq!(units.to_string().parse(), Ok(units));
        assert_eq!("CNY".parse(), Ok(Asset::Currency(Currency::CNY)));
        assert!("cny".parse::<Asset>().is_err());
        assert!("ABC".parse::<Currency>().is_err());
    }
}
