use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use qiao_auth::Auth;
use qiao_banks::Banks;
use qiao_catalog::Catalog;
use qiao_db::Db;
use qiao_events::Events;
use qiao_ledger::Ledger;
use qiao_model::{Env, ManualClock};
use qiao_orders::Orders;
use qiao_payments::Payments;
use qiao_registry::{Activator, ComponentCheck, Registry};
use qiao_runtime::{Invocations, Runtime};
use qiao_settlement::Settlement;

use crate::Metrics;

/// The state of every handler: the rooms behind one shared pointer.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    rooms: Rooms,
    /// The OpenAPI document, written when the router is built.
    document: OnceLock<Bytes>,
}

/// The rooms that the doors open onto.
pub struct Rooms {
    /// For readiness only; the doors have no SQL.
    pub db: Db,
    /// Time and chance.
    pub env: Env,
    /// Who may do what.
    pub auth: Auth,
    /// The books.
    pub ledger: Ledger,
    /// Products, fee schedules and prices.
    pub catalog: Catalog,
    /// The outbox and its deliveries.
    pub events: Events,
    /// Payments and refunds.
    pub payments: Payments,
    /// Institutions, public accounts and releases.
    pub registry: Registry,
    /// The plugins.
    pub runtime: Runtime,
    /// What an upload is compiled and measured by.
    pub component_check: Arc<dyn ComponentCheck>,
    /// What starts a release that is about to serve.
    pub activator: Arc<dyn Activator>,
    /// The records of plugins' invocations.
    pub invocations: Invocations,
    /// Pages, offers, quotes and orders.
    pub orders: Orders,
    /// Bank links, channels and transfers.
    pub banks: Banks,
    /// Statements, payouts, custody and cases.
    pub settlement: Settlement,
    /// What an operator sets.
    pub config: WebConfig,
    /// The clock of a sandbox, which a request may move.
    pub sandbox_clock: Option<Arc<dyn SandboxClock>>,
    /// The recorder behind `/metrics`.
    pub metrics: Metrics,
}

impl App {
    /// The state around these rooms.
    #[must_use]
    pub fn new(rooms: Rooms) -> Self {
        Self(Arc::new(Shared {
            rooms,
            document: OnceLock::new(),
        }))
    }

    /// Keeps the document of the router's routes; the first one stays.
    pub(crate) fn publish(&self, document: Bytes) -> &Bytes {
        self.0.document.get_or_init(|| document)
    }

    /// Whether people get play money: in a sandbox, where no bank gives them any.
    pub(crate) fn gives_play_money(&self) -> bool {
        self.config.sandbox && !self.banks.is_any_configured()
    }

    /// The OpenAPI document; empty until the router is built.
    pub(crate) fn document(&self) -> Bytes {
        self.0.document.get().cloned().unwrap_or_default()
    }
}

impl Deref for App {
    type Target = Rooms;

    fn deref(&self) -> &Rooms {
        &self.0.rooms
    }
}

/// What an operator sets for the doors.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// How the host is reached from outside, without a slash at the end:
    /// `https://qiao.example`.
    pub public_url: String,
    /// Whether play money and a movable clock exist on this host.
    pub sandbox: bool,
}

impl WebConfig {
    /// Whether people reach the host over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The session cookie's name. Over TLS it has the `__Host-` prefix, so that no
    /// sibling domain can set it (RFC 6265bis section 4.1.3.2).
    #[must_use]
    pub fn session_cookie(&self) -> &'static str {
        if self.is_https() {
            "__Host-qiao"
        } else {
            "qiao"
        }
    }
}

/// A clock that a request to the sandbox may move.
pub trait SandboxClock: Send + Sync {
    /// Moves it forward.
    fn advance_millis(&self, millis: i64);
}

impl SandboxClock for ManualClock {
    fn advance_millis(&self, millis: i64) {
        Self::advance_millis(self, millis);
    }
}
