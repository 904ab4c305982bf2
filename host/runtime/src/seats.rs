use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use qiao_model::PluginId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::limits;

/// Who may run now. A *seat* is a core: whoever holds one computes, and gives it up while
/// a host call waits. A *flight* is a call that has begun and not ended; a plugin has only
/// some of them, so that a slow one leaves room for its neighbours.
pub(crate) struct Seats {
    seats: Arc<Row>,
    flights: Arc<Semaphore>,
    flights_of: Mutex<HashMap<PluginId, Arc<Semaphore>>>,
}

/// The seats themselves: as many permits as places.
struct Row {
    permits: Semaphore,
    places: Box<[Place]>,
}

/// Whether a seat is taken, on a cache line of its own: a core that sits down where it
/// sat before waits for no other.
#[derive(Default)]
#[repr(align(64))]
struct Place {
    taken: AtomicBool,
}

/// A core, until it is dropped.
pub(crate) struct Seat {
    row: Arc<Row>,
    number: usize,
}

impl Seat {
    /// Which of the host's seats; nobody else has it meanwhile.
    pub(crate) const fn number(&self) -> usize {
        self.number
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(place) = self.row.places.get(self.number) {
            place.taken.store(false, Ordering::Release);
        }
        self.row.permits.add_permits(1);
    }
}

impl Row {
    /// A seat for whoever has a permit: the one that this thread had last, or the next that
    /// is free. The seat keeps the permit.
    fn seat(self: &Arc<Self>, permit: SemaphorePermit<'_>) -> Seat {
        permit.forget();
        thread_local!(static LAST: Cell<usize> = const { Cell::new(0) });
        let free = |number: &usize| {
            let place = self.places.get(*number);
            place.is_some_and(|place| !place.taken.swap(true, Ordering::Acquire))
        };
        let places = self.places.len();
        let last = LAST.get();
        loop {
            // There is one: no more permits are out than places are taken. It may be behind
            // us when another thread got up and sat down meanwhile.
            let from_last = (0..places).map(|step| (last + step) % places);
            if let Some(number) = from_last.into_iter().find(free) {
                LAST.set(number);
                let row = Arc::clone(self);
                return Seat { row, number };
            }
        }
    }
}

/// A call that has begun.
pub(crate) struct Flight {
    _host: OwnedSemaphorePermit,
    _plugin: OwnedSemaphorePermit,
}

/// The host is too busy.
#[derive(Debug)]
pub(crate) struct Full;

impl Seats {
    pub(crate) fn new(cores: usize) -> Self {
        let places: Box<[_]> = (0..cores.max(1)).map(|_| Place::default()).collect();
        let row = Row {
            permits: Semaphore::new(places.len()),
            places,
        };
        Self {
            seats: Arc::new(row),
            flights: Arc::new(Semaphore::new(limits::CALLS_IN_FLIGHT_MAX)),
            flights_of: Mutex::default(),
        }
    }

    /// The flights of one plugin, shared by all its releases.
    pub(crate) fn flights_of(&self, plugin: PluginId) -> Arc<Semaphore> {
        let mut flights_of = self.flights_of.lock();
        let flights = flights_of
            .entry(plugin)
            .or_insert_with(|| Arc::new(Semaphore::new(limits::CALLS_IN_FLIGHT_OF_PLUGIN_MAX)));
        Arc::clone(flights)
    }

    /// Begins a call: the plugin's own limit first, so that its waiters hold nothing that
    /// others need.
    pub(crate) async fn take_off(&self, plugin: &Arc<Semaphore>) -> Result<Flight, Full> {
        let both = async {
            let plugin = Arc::clone(plugin).acquire_owned().await?;
            let host = Arc::clone(&self.flights).acquire_owned().await?;
            Ok::<_, tokio::sync::AcquireError>(Flight {
                _host: host,
                _plugin: plugin,
            })
        };
        match tokio::time::timeout(limits::WAIT_TURN_MAX, both).await {
            Ok(Ok(flight)) => Ok(flight),
            Ok(Err(_)) | Err(_) => Err(Full),
        }
    }

    /// A core, at once or when one is free.
    pub(crate) async fn sit(&self) -> Result<Seat, Full> {
        if let Ok(permit) = self.seats.permits.try_acquire() {
            return Ok(self.seats.seat(permit));
        }
        match tokio::time::timeout(limits::WAIT_TURN_MAX, self.sit_again()).await {
            Ok(Some(seat)) => Ok(seat),
            Ok(None) | Err(_) => Err(Full),
        }
    }

    /// A core again, for a guest that gave its up while it waited: it waits for as long as
    /// it takes.
    pub(crate) async fn sit_again(&self) -> Option<Seat> {
        let permit = self.seats.permits.acquire().await.ok()?;
        Some(self.seats.seat(permit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_plugin_cannot_take_the_flights_of_its_neighbours() {
        let seats = Seats::new(1);
        let greedy = seats.flights_of(PluginId::from_u128(1));
        let mut flights = Vec::new();
        for _ in 0..limits::CALLS_IN_FLIGHT_OF_PLUGIN_MAX {
            flights.push(seats.take_off(&greedy).await.unwrap());
        }
        assert!(seats.take_off(&greedy).await.is_err());
        let neighbour = seats.flights_of(PluginId::from_u128(2));
        assert!(seats.take_off(&neighbour).await.is_ok());
        flights.pop();
        assert!(seats.take_off(&greedy).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_host_takes_so_many_calls_and_not_one_more() {
        let seats = Seats::new(1);
        let mut flights = Vec::new();
        for call in 0..limits::CALLS_IN_FLIGHT_MAX {
            let plugin = call / limits::CALLS_IN_FLIGHT_OF_PLUGIN_MAX;
            let plugin = seats.flights_of(PluginId::from_u128(plugin as u128));
            flights.push(seats.take_off(&plugin).await.unwrap());
        }
        let late = seats.flights_of(PluginId::from_u128(99));
        assert!(seats.take_off(&late).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn one_guest_runs_on_a_core() {
        let seats = Seats::new(1);
        let seat = seats.sit().await.unwrap();
        assert!(seats.sit().await.is_err());
        drop(seat);
        assert!(seats.sit().await.is_ok());
    }

    #[tokio::test]
    async fn nobody_sits_where_another_sits() {
        let seats = Seats::new(2);
        let first = seats.sit().await.unwrap();
        let second = seats.sit().await.unwrap();
        assert_ne!(first.number(), second.number());
        let free = first.number();
        drop(first);
        assert_eq!(seats.sit().await.unwrap().number(), free);
        drop(second);
    }

    #[test]
    fn threads_that_sit_down_and_get_up_never_share_a_seat() {
        const SEATS: usize = 2;
        let seats = Seats::new(SEATS);
        let sitting: Vec<_> = (0..SEATS).map(|_| AtomicBool::new(false)).collect();
        std::thread::scope(|scope| {
            for _ in 0..2 * SEATS {
                scope.spawn(|| {
                    let waits = tokio::runtime::Builder::new_current_thread();
                    let waits = { waits }.enable_time().build().unwrap();
                    for _ in 0..2_000 {
                        let seat = waits.block_on(seats.sit()).unwrap();
                        assert!(!sitting[seat.number()].swap(true, Ordering::SeqCst));
                        sitting[seat.number()].store(false, Ordering::SeqCst);
                    }
                });
            }
        });
    }
}
