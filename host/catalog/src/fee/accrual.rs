use std::collections::BTreeSet;

use qiao_model::{Currency, Rate};

use super::check::{check_code, check_name, check_rate, check_shares};
use super::line::{Receiver, Share};
use crate::error::Problem;

/// Accrued fees of one schedule at most.
pub const ACCRUED_MAX: usize = 8;
/// Days over which a yearly rate is spread, in every year.
pub const ACCRUAL_DAYS_OF_YEAR: i64 = 365;

/// Hundredths of a unit in a unit.
const UNIT_MINOR: i128 = 100;
/// A net asset value counts 1/10000 of the currency's main unit.
const NAV_SCALE: i128 = 10_000;

/// A fee that a fund pays for every day, of its net asset value: management, custody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccruedFee {
    /// The plugin's own key, unique in the schedule: `management`.
    pub code: String,
    /// What people read.
    pub name: String,
    /// The rate of a year.
    pub rate: Rate,
    /// Who gets it; the shares sum to [`Rate::ONE`].
    pub shares: Vec<Share>,
}

/// What a fund is worth on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetAssetValue {
    /// Units in circulation, in hundredths.
    pub units_minor: i64,
    /// What one is worth, in 1/10000 of the main unit.
    pub nav_e4: i64,
    /// The currency.
    pub currency: Currency,
}

/// What some days cost, and the fraction that the next ones begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accrual {
    /// The fee, in whole minor units.
    pub minor: i64,
    /// What is left below a minor unit, in parts of [`ACCRUAL_DAYS_OF_YEAR`] ×
    /// 10^12 of it: never rounded, so that a year sums to its rate.
    pub carried: i64,
}

/// Accrues a yearly rate for some days on a net asset value, beginning with the
/// fraction that the days before left. None above 64 bits of minor units, or
/// for figures that are negative.
#[must_use]
pub fn accrue(rate: Rate, value: NetAssetValue, days: u32, carried: i64) -> Option<Accrual> {
    let figures = [value.units_minor, value.nav_e4, rate.ppm(), carried];
    if figures.iter().any(|figure| *figure < 0) {
        return None;
    }
    let whole =
        UNIT_MINOR * NAV_SCALE * i128::from(Rate::ONE.ppm()) * i128::from(ACCRUAL_DAYS_OF_YEAR);
    let parts = i128::from(value.units_minor)
        .checked_mul(i128::from(value.nav_e4))?
        .checked_mul(10_i128.pow(value.currency.exponent()))?
        .checked_mul(i128::from(rate.ppm()))?
        .checked_mul(i128::from(days))?
        .checked_add(i128::from(carried))?;
    Some(Accrual {
        minor: i64::try_from(parts / whole).ok()?,
        carried: i64::try_from(parts % whole).ok()?,
    })
}

/// Checks the accrued fees of a schedule before they are registered: codes are
/// unique, also among `codes` of its lines, texts and counts are within their
/// limits, the rates together are at most the whole, and the shares sum to the
/// whole and name no party of an order.
///
/// # Errors
/// The first problem, with its place: `fees.accrued[0].shares`.
pub fn check_accrued(fees: &[AccruedFee], codes: &[&str]) -> Result<(), Problem> {
    if fees.len() > ACCRUED_MAX {
        let cause = format!("a schedule has at most {ACCRUED_MAX} accrued fees");
        return Err(Problem::new("fees.accrued", cause));
    }
    let mut codes: BTreeSet<&str> = codes.iter().copied().collect();
    for (index, fee) in fees.iter().enumerate() {
        let at = format!("fees.accrued[{index}]");
        check_code(&fee.code, &at)?;
        check_name(&fee.name, &at)?;
        check_rate(fee.rate, &format!("{at}.rate"))?;
        check_shares(&fee.shares, &format!("{at}.shares"))?;
        if let Some(share) = fee.shares.iter().position(is_of_an_order) {
            let cause = "an accrued fee belongs to no order: it has no channel and no scene";
            return Err(Problem::new(format!("{at}.shares[{share}]"), cause));
        }
        if !codes.insert(&fee.code) {
            let cause = format!("the code `{}` is used twice", fee.code);
            return Err(Problem::new(format!("{at}.code"), cause));
        }
    }
    let together: i64 = fees.iter().map(|fee| fee.rate.ppm()).sum();
    check_rate(Rate::from_ppm(together), "fees.accrued")
}

fn is_of_an_order(share: &Share) -> bool {
    match share.receiver {
        Receiver::Channel | Receiver::Scene => true,
        Receiver::Institution | Receiver::Platform | Receiver::Developer => false,
    }
}
