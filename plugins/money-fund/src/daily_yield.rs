//! The price of a day: what 10,000 units earned, and the annualised yield of a week.
//!
//! A real fund computes it from its assets; this one draws it from the day, so that
//! every run of a day publishes the same price.

use qiao_sdk::{Date, JobError, Price, catalog};

use crate::fund;

/// The smallest income of a day per 10,000 units, in 1/10000 CNY.
const INCOME_E4_MIN: u64 = 4_500;
/// How far apart the smallest and the largest income are.
const INCOME_E4_SPREAD: u64 = 1_101;
/// Days of the annualised yield.
const WEEK_DAYS: i64 = 7;
const YEAR_DAYS: u64 = 365;

/// Publishes the price of a day.
pub(crate) fn publish(day: Date) -> Result<(), JobError> {
    Ok(catalog::publish_price(fund::CODE, price_of(day))?)
}

/// The price of a day, always the same for the same day.
pub(crate) fn price_of(day: Date) -> Price {
    let today = day.days_since_epoch();
    let week_e4: u64 = (0..WEEK_DAYS).map(|ago| income_e4(today - ago)).sum();
    Price {
        day,
        nav_e4: fund::NAV_E4,
        income_per_10k_e4: Some(income_e4(today)),
        yield_7d_ppm: u32::try_from(annualised_ppm(week_e4)).ok(),
    }
}

/// The income of a week, in 1/10000 CNY per 10,000 units, as a yearly rate: a seventh
/// of it times 365, over 10,000 units at 1.0000 CNY.
fn annualised_ppm(week_e4: u64) -> u64 {
    // e4 / 10^4 / 10^4 * 10^6 = e4 / 100.
    let divisor = 7 * 100;
    (week_e4 * YEAR_DAYS + divisor / 2) / divisor
}

/// Between 0.4500 and 0.5600 CNY; neighbouring days differ (a SplitMix64 step).
fn income_e4(day: i64) -> u64 {
    let mut mixed = day.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^= mixed >> 27;
    INCOME_E4_MIN + mixed % INCOME_E4_SPREAD
}
