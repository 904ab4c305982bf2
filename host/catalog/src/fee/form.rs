//! What a form must be to be registered.

use std::collections::BTreeSet;

use super::age::{AGE_DAYS_MAX, AgeTier};
use super::check::{check_charge, check_count, check_minor, check_rate};
use super::line::{ChannelCharge, Charge, FeeForm, FeeLine, Payer, Tier};
use crate::error::Problem;
use crate::order_kind::OrderKind;

/// Tiers of one line at most.
pub const TIERS_MAX: usize = 32;
/// Channels of one surcharge at most.
pub const CHANNELS_MAX: usize = 32;

pub(super) fn check_form(line: &FeeLine, at: &str) -> Result<(), Problem> {
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
        FeeForm::BackLoad(_) if line.applies_to != OrderKind::Redeem => Err(Problem::new(
            at,
            "a back load is of redemptions: no other order gives units back",
        )),
        FeeForm::BackLoad(tiers) => check_age_tiers(tiers, &format!("{at}.tiers")),
        FeeForm::ByChannel(charges) => check_channels(charges, &format!("{at}.channels")),
    }
}

fn check_age_tiers(tiers: &[AgeTier], at: &str) -> Result<(), Problem> {
    check_count(tiers.len(), TIERS_MAX, "tiers", at)?;
    let mut expected = Some(0);
    for (index, tier) in tiers.iter().enumerate() {
        let at = format!("{at}[{index}]");
        check_rate(tier.rate, &at)?;
        let Some(days) = expected else {
            return Err(Problem::new(at, "only the last tier is open above"));
        };
        if tier.from_days > days {
            let cause = format!(
                "a gap: no tier charges ages from {days} below {} days",
                tier.from_days
            );
            return Err(Problem::new(at, cause));
        }
        if tier.from_days < days {
            let cause = format!(
                "an overlap: ages from {} days are in the tier before",
                tier.from_days
            );
            return Err(Problem::new(at, cause));
        }
        if tier.below_days.is_some_and(|below| below <= days) {
            let cause = "the tier holds no age: `below-days` is not above `from-days`";
            return Err(Problem::new(at, cause));
        }
        if tier.below_days.is_some_and(|below| below > AGE_DAYS_MAX) {
            let cause = format!("a bound is at most {AGE_DAYS_MAX} days");
            return Err(Problem::new(at, cause));
        }
        expected = tier.below_days;
    }
    match expected {
        None => Ok(()),
        Some(_) => Err(Problem::new(
            format!("{at}[{}]", tiers.len() - 1),
            "a gap: the last tier is open above, or older units have no fee",
        )),
    }
}

fn check_channels(charges: &[ChannelCharge], at: &str) -> Result<(), Problem> {
    check_count(charges.len(), CHANNELS_MAX, "channels", at)?;
    let mut channels = BTreeSet::new();
    for (index, of) in charges.iter().enumerate() {
        let at = format!("{at}[{index}]");
        check_charge(of.charge, &at)?;
        if !channels.insert(of.channel) {
            let cause = format!("the channel `{}` is named twice", of.channel);
            return Err(Problem::new(at, cause));
        }
    }
    Ok(())
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
    check_count(tiers.len(), TIERS_MAX, "tiers", at)?;
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
        check_charge(tier.charge, &at)?;
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
