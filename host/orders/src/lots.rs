//! Which units a redemption takes: first in, first out. Pure.
//!
//! A purchase of a product whose redemptions are charged by holding days leaves
//! a lot when it is posted. Units that no lot holds are the oldest: those bought
//! before the product had a back load, and income that was credited in units.
//! A redemption takes them first, then its lots, when it is placed; what it took
//! comes back when it is voided or refunded.

mod batch;

use std::collections::BTreeMap;

use qiao_catalog::fee::{self, AGE_DAYS_MAX};
use qiao_model::{Day, OrderId};
use sha2::{Digest, Sha256};

pub(crate) use batch::{LoadedLots, Wanted};

/// SHA-256 of what a redemption takes of the lots of which days.
pub type LotsDigest = [u8; 32];

/// What an order does to its user's lots of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LotEffect {
    /// Nothing: the product's units have no lots.
    Unkept,
    /// Its purchase leaves a lot.
    Added,
    /// Its redemption takes lots.
    Taken,
}

impl LotEffect {
    const ALL: [Self; 3] = [Self::Unkept, Self::Added, Self::Taken];

    /// The name in the quote and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unkept => "unkept",
            Self::Added => "added",
            Self::Taken => "taken",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.name() == name)
    }
}

/// Units that one order bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lot {
    /// The purchase.
    pub(crate) order: OrderId,
    /// The day that it was posted on.
    pub(crate) acquired: Day,
    /// How many are still held, in hundredths, and not taken by an open redemption.
    pub(crate) left_minor: i64,
    /// How often that has changed.
    pub(crate) changes: i64,
}

/// What a redemption takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Of which lot; none for units that no lot holds.
    pub(crate) lot: Option<Lot>,
    /// How many, in hundredths.
    pub(crate) minor: i64,
}

/// What a redemption of so many units takes of a holding, the oldest first. Units
/// that are not there are taken of no lot: the hold will refuse them.
pub(crate) fn take(lots: &[Lot], available_minor: i64, units_minor: i64) -> Vec<Taken> {
    let in_lots = lots
        .iter()
        .fold(0_i64, |sum, lot| sum.saturating_add(lot.left_minor));
    let mut wanted = units_minor;
    let mut taken = Vec::new();
    let mut of = |lot: Option<Lot>, minor: i64| {
        let minor = minor.min(wanted);
        if minor > 0 {
            wanted -= minor;
            taken.push(Taken { lot, minor });
        }
    };
    of(None, available_minor.saturating_sub(in_lots));
    for lot in lots {
        of(Some(*lot), lot.left_minor);
    }
    of(None, i64::MAX);
    taken
}

/// The lots of a redemption as the fee engine reads them.
pub(crate) fn lots_of(taken: &[Taken], redeemed_on: Day) -> Vec<fee::Lot> {
    let oldest = redeemed_on.plus_days(-i64::from(AGE_DAYS_MAX));
    let lot = |taken: &Taken| fee::Lot {
        acquired: taken.lot.map_or(oldest, |lot| lot.acquired),
        units_minor: taken.minor,
    };
    taken.iter().map(lot).collect()
}

/// Says in 32 bytes how much is taken of the lots of each day: lots of one day
/// cost the same, whichever of them is taken.
pub(crate) fn digest(taken: &[Taken]) -> LotsDigest {
    let mut by_day: BTreeMap<Option<Day>, i64> = BTreeMap::new();
    for taken in taken {
        let of_day = by_day.entry(taken.lot.map(|lot| lot.acquired)).or_default();
        *of_day = of_day.saturating_add(taken.minor);
    }
    let mut hash = Sha256::new();
    for (day, minor) in by_day {
        hash.update(day.map_or_else(String::new, |day| day.to_string()));
        hash.update([0]);
        hash.update(minor.to_be_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
