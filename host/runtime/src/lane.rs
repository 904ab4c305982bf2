use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::v0_1_0::Plugin;
use crate::engine;
use crate::guest::Guest;
use crate::seats::Seat;

/// Lanes of a host at most: the engine of each reserves 2 TiB of addresses for all its
/// instances, and a process has 128 TiB. With more cores, some share a lane.
const LANES_MAX: usize = 8;

/// An engine for one core. Guests of one engine share its pool and the reference counts
/// of its code, so two cores that call into one engine wait for each other's cache lines:
/// bare wasmtime answers 1.3 times as many quotes on two cores as on one, and 1.9 times
/// with an engine for each.
pub(crate) struct Lane {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Guest>,
    quotes: AtomicU64,
}

impl Lane {
    /// Starts an engine, and links what guests may call.
    fn start() -> wasmtime::Result<Self> {
        let engine = engine::running()?;
        let mut linker = Linker::new(&engine);
        Plugin::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)?;
        Ok(Self {
            engine,
            linker,
            quotes: AtomicU64::new(0),
        })
    }

    /// Counts a quote that went well: it leaves no record.
    pub(crate) fn count_quote(&self) {
        self.quotes.fetch_add(1, Ordering::Relaxed);
    }

    /// Quotes that went well.
    pub(crate) fn quotes(&self) -> u64 {
        self.quotes.load(Ordering::Relaxed)
    }
}

/// One of something for each lane of the host, which has at least one.
pub(crate) struct Lanes<T> {
    first: T,
    others: Box<[T]>,
}

impl Lanes<Arc<Lane>> {
    /// A lane for each core, as far as there are addresses for them.
    pub(crate) fn start(cores: usize) -> wasmtime::Result<Self> {
        let lane = || Lane::start().map(Arc::new);
        Ok(Self {
            first: lane()?,
            others: (1..cores.min(LANES_MAX))
                .map(|_| lane())
                .collect::<Result<_, _>>()?,
        })
    }
}

impl<T> Lanes<T> {
    /// The lane of a seat. Guests that compute at once sit on different seats, so they are
    /// on different lanes until seats outnumber lanes.
    pub(crate) fn of(&self, seat: &Seat) -> &T {
        let lane = seat.number() % (1 + self.others.len());
        let other = lane.checked_sub(1).and_then(|other| self.others.get(other));
        other.unwrap_or(&self.first)
    }

    /// Any lane, for what is the same on all of them.
    pub(crate) const fn first(&self) -> &T {
        &self.first
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The same for each lane.
    pub(crate) fn each<U, E>(&self, make: impl Fn(&T) -> Result<U, E>) -> Result<Lanes<U>, E> {
        Ok(Lanes {
            first: make(&self.first)?,
            others: self.others.iter().map(make).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::seats::Seats;

    fn numbered(lanes: usize) -> Lanes<usize> {
        Lanes {
            first: 0,
            others: (1..lanes).collect(),
        }
    }

    #[tokio::test]
    async fn guests_that_compute_at_once_are_on_different_lanes() {
        let (seats, lanes) = (Seats::new(3), numbered(3));
        let mut sitting = Vec::new();
        for _ in 0..3 {
            sitting.push(seats.sit().await.unwrap());
        }
        let taken: BTreeSet<_> = sitting.iter().map(|seat| *lanes.of(seat)).collect();
        assert_eq!(taken, BTreeSet::from([0, 1, 2]));
    }

    #[tokio::test]
    async fn more_seats_than_lanes_share_them_evenly() {
        let (seats, lanes) = (Seats::new(4), numbered(2));
        let mut sitting = Vec::new();
        for _ in 0..4 {
            sitting.push(seats.sit().await.unwrap());
        }
        let on_first = sitting.iter().filter(|seat| *lanes.of(seat) == 0).count();
        assert_eq!(on_first, 2);
    }

    #[test]
    fn a_machine_of_many_cores_has_so_many_lanes_and_not_one_more() {
        let lanes = |cores| Lanes::start(cores).unwrap().iter().count();
        assert_eq!(lanes(0), 1);
        assert_eq!(lanes(LANES_MAX), LANES_MAX);
        assert_eq!(lanes(LANES_MAX + 1), LANES_MAX);
    }
}
