use std::fmt;

use crate::Money;
use crate::decimal::{self, DecimalError};

/// How many decimal places a currency has (ISO 4217).
const fn minor_places(currency: &[u8]) -> u32 {
    match currency {
        b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF"
        | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
        b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
        _ => 2,
    }
}

impl Money {
    /// An amount in minor units of a currency: `Money::new(100_000, "CNY")` is 1000.00 CNY.
    #[must_use]
    pub fn new(minor: i64, currency: &str) -> Self {
        Self {
            minor,
            currency: currency.to_owned(),
        }
    }

    /// An amount in fen.
    #[must_use]
    pub fn cny(fen: i64) -> Self {
        Self::new(fen, "CNY")
    }

    /// Reads an amount in main units: `"1000.00"`.
    ///
    /// # Errors
    /// [`DecimalError`] when it is no number or finer than the currency's minor unit.
    pub fn parse(text: &str, currency: &str) -> Result<Self, DecimalError> {
        Ok(Self::new(
            decimal::parse(text, minor_places(currency.as_bytes()))?,
            currency,
        ))
    }

    /// The amount in main units without its currency: `1000.00`.
    #[must_use]
    pub fn decimal(&self) -> String {
        decimal::format(self.minor, minor_places(self.currency.as_bytes()))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use crate::{DecimalError, Money};

    #[test]
    fn the_currency_decides_the_places() {
        assert_eq!(Money::parse("1000.00", "CNY"), Ok(Money::cny(100_000)));
        assert_eq!(Money::parse("1000", "JPY"), Ok(Money::new(1000, "JPY")));
        assert_eq!(
            Money::parse("1000.5", "JPY"),
            Err(DecimalError::TooPrecise(0))
        );
        assert_eq!(Money::parse("0.001", "KWD"), Ok(Money::new(1, "KWD")));
    }

    #[test]
    fn money_is_written_with_its_currency() {
        assert_eq!(Money::cny(100_050).to_string(), "1000.50 CNY");
        assert_eq!(Money::new(1000, "JPY").to_string(), "1000 JPY");
    }
}
