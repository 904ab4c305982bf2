use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use qiao_model::PluginId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits;

/// Who may run now. A *seat* is a core: whoever holds one computes, and gives it up while
/// a host call waits. A *flight* is a call that has begun and not ended; a plugin has only
/// some of them, so that a slow one leaves room for its neighbours.
pub(crate) struct Seats {
    seats: Arc<Semaphore>,
    flights: Arc<Semaphore>,
    flights_of: Mutex<HashMap<PluginId, Arc<Semaphore>>>,
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
        Self {
            seats: Arc::new(Semaphore::new(cores.max(1))),
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
    pub(crate) async fn sit(&self) -> Result<OwnedSemaphorePermit, Full> {
        if let Some(seat) = self.try_sit() {
            return Ok(seat);
        }
        let seat = Arc::clone(&self.seats).acquire_owned();
        match tokio::time::timeout(limits::WAIT_TURN_MAX, seat).await {
            Ok(Ok(seat)) => Ok(seat),
            Ok(Err(_)) | Err(_) => Err(Full),
        }
    }

    /// A core, if one is free.
    pub(crate) fn try_sit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }

    /// A core again, for a guest that gave its up while it waited.
    pub(crate) async fn sit_again(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).acquire_owned().await.ok()
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
}
