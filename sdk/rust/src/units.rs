use std::fmt;

use crate::decimal::{self, DecimalError};

/// Decimal places of units.
const UNIT_PLACES: u32 = 2;
/// What `nav-e4` and hundredths of a unit have in common: 1/1,000,000 of the main unit,
/// and a minor unit is 10,000 of these.
const NAV_SCALE: u64 = 10_000;

/// Units of a product, in hundredths of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Units(pub i64);

impl Units {
    /// Reads units: `"200.00"`.
    ///
    /// # Errors
    /// [`DecimalError`] when it is no number or finer than a hundredth.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        decimal::parse(text, UNIT_PLACES).map(Self)
    }

    /// What the units are worth in minor units of a currency with two places, at a net
    /// asset value in 1/10000, half a minor unit rounded up. `None` when they are
    /// negative or too large.
    #[must_use]
    pub fn worth_minor(self, nav_e4: u64) -> Option<i64> {
        let scaled = u64::try_from(self.0).ok()?.checked_mul(nav_e4)?;
        i64::try_from(scaled.checked_add(NAV_SCALE / 2)? / NAV_SCALE).ok()
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal::format(self.0, UNIT_PLACES))
    }
}

#[cfg(test)]
mod tests {
    use super::Units;

    #[test]
    fn units_are_worth_their_net_asset_value() {
        assert_eq!(Units(20_000).worth_minor(10_000), Some(20_000));
        assert_eq!(Units(100).worth_minor(10_423), Some(104));
        assert_eq!(Units(1).worth_minor(15_000), Some(2));
        assert_eq!(Units(1).worth_minor(14_999), Some(1));
    }

    #[test]
    fn units_that_are_negative_or_too_large_have_no_worth() {
        assert_eq!(Units(-1).worth_minor(10_000), None);
        assert_eq!(Units(i64::MAX).worth_minor(10_000), None);
    }
}
