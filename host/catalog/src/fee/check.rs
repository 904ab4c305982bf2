use std::collections::BTreeSet;

use qiao_model::Rate;

use super::form::check_form;
use super::line::{Band, Charge, FeeForm, FeeLine, Share};
use super::monotone::check_monotone;
use crate::error::Problem;
use crate::order_kind::OrderKind;
use crate::product::{is_code, is_text};

/// Lines of one schedule at most.
pub const LINES_MAX: usize = 16;
/// Shares of one line at most.
pub const SHARES_MAX: usize = 50;
/// Shares of all lines of one kind of order at most: with the principal they are
/// the 50 splits of a payment.
pub const SHARES_OF_ORDER_MAX: usize = 49;
/// A flat charge, a minimum, a maximum or a tier's bound at most, in minor units.
pub const FEE_MINOR_MAX: i64 = 1_000_000_000_000_000;
/// Characters of a line's code at most.
pub const FEE_CODE_CHARS_MAX: usize = 32;
/// Characters of a line's name at most.
pub const FEE_NAME_CHARS_MAX: usize = 64;

/// Checks the lines of a schedule before they are registered:
///
/// - codes are unique, texts and counts are within their limits;
/// - nothing is negative or above [`FEE_MINOR_MAX`], no rate is above the
///   whole, and the highest rates of the lines of one kind of order together
///   are not above it either;
/// - tiers begin at 0, follow each other without a gap or an overlap, and only
///   the last one is open; a flat charge of a tier is never above the amounts
///   of that tier; graduated tiers charge rates and are not paid out of the
///   principal, for which no arithmetic is defined;
/// - a back load is of redemptions; its tiers begin at 0 days, follow each other
///   and end open; a surcharge names each channel once;
/// - a minimum is not above its maximum, nor the least of a band above its most;
/// - a line that is declared monotone is;
/// - shares name each receiver once and sum to the whole, and all lines of one
///   kind of order together have at most [`SHARES_OF_ORDER_MAX`].
///
/// # Errors
/// The first problem, with its place: `fees.lines[0].form.tiers[2]`.
pub fn check(lines: &[FeeLine]) -> Result<(), Problem> {
    if lines.len() > LINES_MAX {
        let cause = format!("a schedule has at most {LINES_MAX} lines");
        return Err(Problem::new("fees.lines", cause));
    }
    let mut codes = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        let at = format!("fees.lines[{index}]");
        check_line(line, &at)?;
        if !codes.insert(&line.code) {
            let cause = format!("the code `{}` is used twice", line.code);
            return Err(Problem::new(format!("{at}.code"), cause));
        }
    }
    for kind in OrderKind::ALL {
        let of_kind = || lines.iter().filter(|line| line.applies_to == kind);
        let together: i64 = of_kind().map(|line| line.highest_rate().ppm()).sum();
        if together > Rate::ONE.ppm() {
            let cause = format!(
                "the rates of the `{kind}` lines together are {}, so their fees are above the amount",
                Rate::from_ppm(together)
            );
            return Err(Problem::new("fees.lines", cause));
        }
        if of_kind().map(|line| line.shares.len()).sum::<usize>() > SHARES_OF_ORDER_MAX {
            let cause =
                format!("the `{kind}` lines together have more than {SHARES_OF_ORDER_MAX} shares");
            return Err(Problem::new("fees.lines", cause));
        }
    }
    Ok(())
}

fn check_line(line: &FeeLine, at: &str) -> Result<(), Problem> {
    check_code(&line.code, at)?;
    check_name(&line.name, at)?;
    check_form(line, &format!("{at}.form"))?;
    check_bounds(line, at)?;
    check_monotone(line, at)?;
    if let Some(band) = &line.band {
        check_band(band, &format!("{at}.band"))?;
    }
    check_shares(&line.shares, &format!("{at}.shares"))
}

pub(super) fn check_code(code: &str, at: &str) -> Result<(), Problem> {
    if is_code(code, FEE_CODE_CHARS_MAX) {
        return Ok(());
    }
    let cause = "a code is 1 to 32 characters of a-z 0-9 -";
    Err(Problem::new(format!("{at}.code"), cause))
}

pub(super) fn check_name(name: &str, at: &str) -> Result<(), Problem> {
    if is_text(name, FEE_NAME_CHARS_MAX) && !name.trim().is_empty() {
        return Ok(());
    }
    let cause = "a name is 1 to 64 characters on one line";
    Err(Problem::new(format!("{at}.name"), cause))
}

fn check_band(band: &Band, at: &str) -> Result<(), Problem> {
    check_charge(band.least, &format!("{at}.least"))?;
    check_charge(band.most, &format!("{at}.most"))?;
    let is_above = match (band.least, band.most) {
        (Charge::Rate(least), Charge::Rate(most)) => least > most,
        (Charge::Flat(least), Charge::Flat(most)) => least > most,
        (Charge::Rate(_), Charge::Flat(_)) | (Charge::Flat(_), Charge::Rate(_)) => {
            let cause = "the bounds of a band are two rates or two flat amounts";
            return Err(Problem::new(at, cause));
        }
    };
    if is_above {
        return Err(Problem::new(at, "the least of the band is above its most"));
    }
    Ok(())
}

pub(super) fn check_count(count: usize, max: usize, what: &str, at: &str) -> Result<(), Problem> {
    if (1..=max).contains(&count) {
        return Ok(());
    }
    Err(Problem::new(at, format!("there are 1 to {max} {what}")))
}

pub(super) fn check_charge(charge: Charge, at: &str) -> Result<(), Problem> {
    match charge {
        Charge::Rate(rate) => check_rate(rate, at),
        Charge::Flat(minor) => check_minor(minor, at),
    }
}

fn check_bounds(line: &FeeLine, at: &str) -> Result<(), Problem> {
    if let Some(minimum) = line.minimum {
        check_minor(minimum, &format!("{at}.minimum"))?;
    }
    if let Some(maximum) = line.maximum {
        check_minor(maximum, &format!("{at}.maximum"))?;
    }
    match (line.minimum, line.maximum) {
        (Some(minimum), Some(maximum)) if minimum > maximum => Err(Problem::new(
            format!("{at}.minimum"),
            format!("the minimum of {minimum} is above the maximum of {maximum}"),
        )),
        _ => Ok(()),
    }
}

pub(super) fn check_shares(shares: &[Share], at: &str) -> Result<(), Problem> {
    check_count(shares.len(), SHARES_MAX, "shares", at)?;
    let mut receivers = BTreeSet::new();
    for (index, share) in shares.iter().enumerate() {
        let at = format!("{at}[{index}]");
        check_rate(share.rate, &at)?;
        if !receivers.insert(share.receiver) {
            return Err(Problem::new(at, "a receiver is named twice"));
        }
    }
    let sum: i64 = shares.iter().map(|share| share.rate.ppm()).sum();
    if sum != Rate::ONE.ppm() {
        let cause = format!("the shares sum to {sum} parts per million, not to 1000000");
        return Err(Problem::new(at, cause));
    }
    Ok(())
}

pub(super) fn check_rate(rate: Rate, at: &str) -> Result<(), Problem> {
    if (Rate::ZERO..=Rate::ONE).contains(&rate) {
        Ok(())
    } else {
        let cause = format!("a rate of {rate} is not between 0 % and 100 %");
        Err(Problem::new(at, cause))
    }
}

pub(super) fn check_minor(minor: i64, at: &str) -> Result<(), Problem> {
    if (0..=FEE_MINOR_MAX).contains(&minor) {
        Ok(())
    } else {
        let cause = format!("{minor} minor units are not between 0 and {FEE_MINOR_MAX}");
        Err(Problem::new(at, cause))
    }
}

impl FeeLine {
    /// The highest rate that any order is charged, by the form or by a proposal.
    fn highest_rate(&self) -> Rate {
        let of_band = self.band.map_or(Rate::ZERO, |band| band.most.rate());
        self.form.highest_rate().max(of_band)
    }
}

impl FeeForm {
    /// The highest rate that any amount is charged.
    fn highest_rate(&self) -> Rate {
        let highest = |rates: &mut dyn Iterator<Item = Rate>| rates.max().unwrap_or(Rate::ZERO);
        match self {
            Self::Flat(_) => Rate::ZERO,
            Self::Percent(rate) => *rate,
            Self::Graduated(tiers) | Self::Slab(tiers) => {
                highest(&mut tiers.iter().map(|tier| tier.charge.rate()))
            }
            Self::BackLoad(tiers) => highest(&mut tiers.iter().map(|tier| tier.rate)),
            Self::ByChannel(charges) => highest(&mut charges.iter().map(|of| of.charge.rate())),
        }
    }
}

impl Charge {
    fn rate(self) -> Rate {
        match self {
            Self::Rate(rate) => rate,
            Self::Flat(_) => Rate::ZERO,
        }
    }
}
