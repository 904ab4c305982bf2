use std::collections::{BTreeMap, BTreeSet};

use qiao_model::{Day, Rate};

use super::line::{FeeForm, FeeLine};

/// A bound of an age tier at most: ten years.
pub const AGE_DAYS_MAX: u32 = 3_650;

/// Units held from `from_days` (inclusive) up to `below_days` (exclusive). Units
/// that were acquired on a day are held for one day on the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeTier {
    /// Inclusive lower bound; the first tier begins at 0.
    pub from_days: u32,
    /// Exclusive upper bound; none for the last tier alone.
    pub below_days: Option<u32>,
    /// The share of the proceeds.
    pub rate: Rate,
}

impl AgeTier {
    pub(super) fn holds(&self, days: u32) -> bool {
        self.from_days <= days && self.below_days.is_none_or(|below| days < below)
    }
}

/// Units that were acquired on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// The day, in Asia/Shanghai.
    pub acquired: Day,
    /// How many of them are given back, in hundredths.
    pub units_minor: i64,
}

/// Units of a redemption by how long they were held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aged {
    /// Days, counted down to the bound of an age tier.
    pub days: u32,
    /// How many, in hundredths.
    pub units_minor: i64,
}

/// Sums the lots of a redemption by the ages that the back loads of the lines
/// tell apart, the youngest first. A lot of a later day is held for no day.
#[must_use]
pub fn ages(lines: &[FeeLine], lots: &[Lot], redeemed_on: Day) -> Vec<Aged> {
    let bounds = bounds(lines);
    let mut units: BTreeMap<u32, i64> = BTreeMap::new();
    for lot in lots {
        let days = redeemed_on.days_since(lot.acquired);
        let days = u32::try_from(days.max(0)).unwrap_or(u32::MAX);
        let bound = bounds.range(..=days).next_back().copied().unwrap_or(0);
        let of_age = units.entry(bound).or_default();
        *of_age = of_age.saturating_add(lot.units_minor);
    }
    let aged = |(days, units_minor)| Aged { days, units_minor };
    units.into_iter().map(aged).collect()
}

fn bounds(lines: &[FeeLine]) -> BTreeSet<u32> {
    let tiers = lines.iter().filter_map(|line| match &line.form {
        FeeForm::BackLoad(tiers) => Some(tiers),
        FeeForm::Flat(_)
        | FeeForm::Percent(_)
        | FeeForm::Graduated(_)
        | FeeForm::Slab(_)
        | FeeForm::ByChannel(_) => None,
    });
    tiers.flatten().map(|tier| tier.from_days).collect()
}
