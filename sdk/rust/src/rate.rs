use std::fmt;

use crate::decimal::{self, DecimalError};

/// Decimal places of a percentage in parts per million.
const PERCENT_PLACES: u32 = 4;

/// A rate in parts per million: 1.3 % is 13,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u32);

impl Rate {
    /// All of it: 100 %.
    pub const WHOLE: Self = Self(1_000_000);

    /// A rate in parts per million.
    #[must_use]
    pub const fn ppm(ppm: u32) -> Self {
        Self(ppm)
    }

    /// A rate in whole per cent.
    #[must_use]
    pub const fn percent(percent: u16) -> Self {
        Self(percent as u32 * 10_000)
    }

    /// Reads a percentage: `"0.05"` is 500 parts per million.
    ///
    /// # Errors
    /// [`DecimalError`] when it is no number, finer than a part per million, or too large.
    pub fn parse_percent(text: &str) -> Result<Self, DecimalError> {
        let ppm = decimal::parse(text, PERCENT_PLACES)?;
        u32::try_from(ppm)
            .map(Self)
            .map_err(|_| DecimalError::TooLarge)
    }

    /// The rate in parts per million.
    #[must_use]
    pub const fn as_ppm(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = decimal::format(i64::from(self.0), PERCENT_PLACES);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;
    use crate::DecimalError;

    #[test]
    fn a_percentage_is_read_and_written() {
        assert_eq!(Rate::parse_percent("0.05"), Ok(Rate::ppm(500)));
        assert_eq!(Rate::ppm(500).to_string(), "0.05%");
        assert_eq!(Rate::percent(70).to_string(), "70%");
        assert_eq!(Rate::ppm(18_250).to_string(), "1.825%");
        assert_eq!(Rate::ppm(0).to_string(), "0%");
    }

    #[test]
    fn a_rate_that_is_too_fine_or_too_large_is_refused() {
        assert_eq!(
            Rate::parse_percent("0.00001"),
            Err(DecimalError::TooPrecise(4))
        );
        assert_eq!(
            Rate::parse_percent("429496.7296"),
            Err(DecimalError::TooLarge)
        );
    }
}
