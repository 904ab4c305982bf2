//! The real rooms behind the ports. Each function hands the guest's permit on: the rooms
//! check scope and ownership themselves.

mod catalog;
mod egress;
mod gate;
mod messages;
mod payments;
mod users;

use std::sync::{Arc, OnceLock};

use qiao_auth::Auth;
use qiao_catalog::Catalog;
use qiao_db::Db;
use qiao_events::{Egress, Policy};
use qiao_payments::Payments;
use qiao_registry::Registry;

use crate::Ports;
use crate::storage::DbStorage;

/// The rooms that guests reach.
#[derive(Clone)]
pub struct RoomPorts {
    /// The database of the plugins' small stores.
    pub db: Db,
    /// The one gate, and who users are.
    pub auth: Auth,
    /// Products, fee schedules, prices.
    pub catalog: Catalog,
    /// The money of orders.
    pub payments: Payments,
    /// Messages to followers.
    pub registry: Registry,
    /// The one way out of the host.
    pub egress: Egress,
    /// Which private addresses the operator allows.
    pub egress_policy: Policy,
}

impl From<RoomPorts> for Ports {
    fn from(rooms: RoomPorts) -> Self {
        Self {
            gate: Arc::new(rooms.auth.clone()),
            catalog: Arc::new(rooms.catalog),
            payments: Arc::new(payments::RoomPayments(rooms.payments.clone())),
            orders: Arc::new(OnceLock::new()),
            users: Arc::new(rooms.auth.clone()),
            messages: Arc::new(messages::RoomMessages {
                auth: rooms.auth,
                payments: rooms.payments,
                registry: rooms.registry,
            }),
            storage: Arc::new(DbStorage(rooms.db)),
            egress: Arc::new(EgressDoor {
                egress: rooms.egress,
                policy: rooms.egress_policy,
            }),
        }
    }
}

/// The way out of the host, with what the operator allows.
#[derive(Clone, Debug)]
pub struct EgressDoor {
    /// The way out.
    pub egress: Egress,
    /// Which private addresses may be reached.
    pub policy: Policy,
}
