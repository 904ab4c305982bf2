//! The network between callers and host: it loses, delays, doubles and reorders.

use std::collections::BTreeMap;

use crate::ask::{Sent, Told};
use crate::chance::Chance;

/// What is on its way.
#[derive(Clone, Debug)]
pub(crate) enum Parcel {
    /// To the host, from the caller of this errand.
    Request(usize, Sent),
    /// To the caller of this errand.
    Answer(usize, Told),
}

/// One in so many parcels is lost; as many are doubled.
const LOST_ONE_IN: u64 = 10;
const DOUBLED_ONE_IN: u64 = 8;
const DELAY_MS_MAX: i64 = 1_500;

/// Parcels by the time of their arrival.
#[derive(Debug, Default)]
pub(crate) struct Network {
    on_the_way: BTreeMap<(i64, u64), Parcel>,
    sent: u64,
    /// Whether it does its work from now on.
    pub(crate) is_healed: bool,
}

impl Network {
    /// Takes a parcel; whether and when it arrives is up to chance.
    pub(crate) fn send(&mut self, chance: &mut Chance, now: i64, parcel: &Parcel) {
        if self.is_healed {
            return self.carry(now, parcel.clone());
        }
        let copies = if chance.one_in(LOST_ONE_IN) {
            0
        } else {
            1 + u64::from(chance.one_in(DOUBLED_ONE_IN))
        };
        for _ in 0..copies {
            let at = now + chance.between(0, DELAY_MS_MAX);
            self.carry(at, parcel.clone());
        }
    }

    fn carry(&mut self, at: i64, parcel: Parcel) {
        self.sent += 1;
        self.on_the_way.insert((at, self.sent), parcel);
    }

    /// What has arrived by now, in the order of arrival.
    pub(crate) fn arrived(&mut self, now: i64) -> Vec<Parcel> {
        let later = self.on_the_way.split_off(&(now + 1, 0));
        std::mem::replace(&mut self.on_the_way, later)
            .into_values()
            .collect()
    }
}
