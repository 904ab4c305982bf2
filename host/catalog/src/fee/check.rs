use std::collections::BTreeSet;

use qiao_model::Rate;

use super::line::{Charge, FeeForm, FeeLine, Payer, Share, Tier};
use crate::error::Problem;
use crate::order_kind::OrderKind;
use crate::product::{is_code, is_text};

/// Lines of one schedule at most.
pub const LINES_MAX: usize = 16;
/// Tiers of one line at most.
pub const TIERS_MAX: usize = 32;
/// Shares of one line at most.
pub const SHARES_MAX: usize = 50;
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
/// - a minimum is not above its maximum;
/// - shares name each receiver once and sum to the whole.
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
        let rates = lines.iter().filter(|line| line.applies_to == kind);
        let together: i64 = rates.map(|line| line.form.highest_rate().ppm()).sum();
        if together > Rate::ONE.ppm() {
            let cause = format!(
                "the rates of the `{kind}` lines together are {}, so their fees are above the amount",
                Rate::from_ppm(together)
            );
            return Err(Problem::new("fees.lines", cause));
        }
    }
    Ok(())
}

fn check_line(line: &FeeLine, at: &str) -> Result<(), Problem> {
    if !is_code(&line.code, FEE_CODE_CHARS_MAX) {
        let cause = "a code is 1 to 32 characters of a-z 0-9 -";
        return Err(Problem::new(format!("{at}.code"), cause));
    }
    if !is_text(&line.name, FEE_NAME_CHARS_MAX) || line.name.trim().is_empty() {
        let cause = "a name is 1 to 64 characters on one line";
        return Err(Problem::new(format!("{at}.name"), cause));
    }
    check_form(line, &format!("{at}.form"))?;
    check_bounds(line, at)?;
    check_shares(&line.shares, &format!("{at}.shares"))
}

fn check_form(line: &FeeLine, at: &str) -> Result<(), Problem> {
    match &line.form {
        FeeForm::Flat(minor) => check_minor(*minor, at),
        FeeForm::Percent(rate) => check_rate(*rate, at),
        FeeForm::Graduated(_) if line.payer == Payer::UserInside => Err(Problem::new(
            at,
            "a graduated fee cannot be paid out of the principal: use a slab or another payer",
        )),
        FeeForm::Graduated(tiers) => {
            let at = format!("{at}.tiers");
            check_tiers(tiers, &at)?;
            let flat = |tier: &Tier| matches!(tier.charge, Charge::Flat(_));
            match tiers.iter().position(flat) {
                Some(index) => Err(Problem::new(
                    format!("{at}[{index}]"),
                    "a graduated tier charges a rate: a flat charge needs a slab",
                )),
                None => Ok(()),
            }
        }
        FeeForm::Slab(tiers) => {
            let at = format!("{at}.tiers");
            check_tiers(tiers, &at)?;
            for (index, tier) in tiers.iter().enumerate() {
                check_flat_charge(tier, &format!("{at}[{index}]"))?;
            }
            Ok(())
        }
    }
}

/// A flat charge is not above the tier's smallest amount. In the first tier,
/// which begins at 0, it is not above the largest one: `charge` refuses the rest.
fn check_flat_charge(tier: &Tier, at: &str) -> Result<(), Problem> {
    let Charge::Flat(minor) = tier.charge else {
        return Ok(());
    };
    let bound = match (tier.from, tier.below) {
        (0, None) => return Ok(()),
        (0, Some(below)) => below - 1,
        (from, _) => from,
    };
    if minor > bound {
        let cause = format!("the flat charge of {minor} is above the amounts of its tier");
        return Err(Problem::new(at, cause));
    }
    Ok(())
}

fn check_tiers(tiers: &[Tier], at: &str) -> Result<(), Problem> {
    if tiers.is_empty() || tiers.len() > TIERS_MAX {
        let cause = format!("there are 1 to {TIERS_MAX} tiers");
        return Err(Problem::new(at, cause));
    }
    let mut expected = 0;
    for (index, tier) in tiers.iter().enumerate() {
        let at = format!("{at}[{index}]");
        if tier.from > expected {
            let cause = format!(
                "a gap: no tier charges amounts from {expected} below {}",
                tier.from
            );
            return Err(Problem::new(at, cause));
        }
        if tier.from < expected {
            let cause = format!(
                "an overlap: amounts from {} are in the tier before",
                tier.from
            );
            return Err(Problem::new(at, cause));
        }
        match tier.charge {
            Charge::Rate(rate) => check_rate(rate, &at)?,
            Charge::Flat(minor) => check_minor(minor, &at)?,
        }
        let is_last = index + 1 == tiers.len();
        match tier.below {
            None if is_last => {}
            None => return Err(Problem::new(at, "only the last tier is open above")),
            Some(_) if is_last => {
                let cause = "a gap: the last tier is open above, or larger amounts have no fee";
                return Err(Problem::new(at, cause));
            }
            Some(below) if below <= tier.from => {
                let cause = "the tier holds no amount: `below` is not above `from`";
                return Err(Problem::new(at, cause));
            }
            Some(below) => {
                check_minor(below, &at)?;
                expected = below;
            }
        }
    }
    Ok(())
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

fn check_shares(shares: &[Share], at: &str) -> Result<(), Problem> {
    if shares.is_empty() || shares.len() > SHARES_MAX {
        let cause = format!("there are 1 to {SHARES_MAX} shares");
        return Err(Problem::new(at, cause));
    }
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

fn check_rate(rate: Rate, at: &str) -> Result<(), Problem> {
    if (Rate::ZERO..=Rate::ONE).contains(&rate) {
        Ok(())
    } else {
        let cause = format!("a rate of {rate} is not between 0 % and 100 %");
        Err(Problem::new(at, cause))
    }
}

fn check_minor(minor: i64, at: &str) -> Result<(), Problem> {
    if (0..=FEE_MINOR_MAX).contains(&minor) {
        Ok(())
    } else {
        let cause = format!("{minor} minor units are not between 0 and {FEE_MINOR_MAX}");
        Err(Problem::new(at, cause))
    }
}

impl FeeForm {
    /// The highest rate that any amount is charged.
    fn highest_rate(&self) -> Rate {
        let rate_of = |tier: &Tier| match tier.charge {
            Charge::Rate(rate) => rate,
            Charge::Flat(_) => Rate::ZERO,
        };
        match self {
            Self::Flat(_) => Rate::ZERO,
            Self::Percent(rate) => *rate,
            Self::Graduated(tiers) | Self::Slab(tiers) => {
                tiers.iter().map(rate_of).max().unwrap_or(Rate::ZERO)
            }
        }
    }
}
