//! The net asset value of a day.
//!
//! A real fund computes it from its bonds; this one derives it from the day, so that every
//! run of a day publishes the same value: 1.0000 in 2026 and about 3.65 % more each year.

use qiao_sdk::{Date, JobError, Price, catalog};

use crate::fund;

/// The day that the fund began on.
const FIRST_DAY: Date = Date {
    year: 2026,
    month: 1,
    day: 1,
};
/// The largest loss and gain of a day around its trend, in 1/10000.
const SWING_E4: u64 = 5;

/// Publishes the net asset value of a day.
pub(crate) fn publish(day: Date) -> Result<(), JobError> {
    Ok(catalog::publish_price(fund::CODE, price_of(day))?)
}

/// The price of a day, always the same for the same day.
pub(crate) fn price_of(day: Date) -> Price {
    let age = day.days_since_epoch() - FIRST_DAY.days_since_epoch();
    let trend = fund::FIRST_NAV_E4 + u64::try_from(age).unwrap_or(0);
    Price {
        day,
        nav_e4: trend + swing_e4(age) - SWING_E4,
        income_per_10k_e4: None,
        yield_7d_ppm: None,
    }
}

/// From 0 to twice the swing; neighbouring days differ (a SplitMix64 step).
fn swing_e4(age: i64) -> u64 {
    let mut mixed = age.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^= mixed >> 27;
    mixed % (2 * SWING_E4 + 1)
}
