//! What happened, and who is told: the outbox, deliveries to webhooks and to
//! plugins, and the one way out of the host ([`Egress`]).
//!
//! A room that changes something calls [`append`] in the same transaction. The
//! worker of the binary calls [`Events::claim`], matches each [`Delivery`],
//! makes the attempt and hands its end to [`Events::finish`].
//!
//! Guarantees: an event is delivered at least once or ends as failed where its
//! institution sees it, to the endpoints that it had registered when it
//! happened; an attempt that outlived its lease changes nothing; a webhook is
//! signed (Standard Webhooks); its secret is sealed at rest; no request of a
//! guest or an institution reaches a private network that the operator did not
//! name.
//!
//! What is absent: no call of a plugin (the worker does it), no order among the
//! events of one receiver, no task of its own.

mod delivery;
mod dispatch;
pub mod egress;
mod endpoint;
mod error;
mod event;
mod events;
mod retry;
pub mod seal;
mod store;
mod webhook;

pub use delivery::{
    Attempt, AttemptOutcome, AttemptRow, DETAIL_CHARS_MAX, Delivery, DeliveryRow, DeliveryState,
    PluginDelivery, Ticket, WebhookDelivery,
};
pub use dispatch::{CLAIM_MAX, EVENTS_KEPT_DAYS, FAN_OUT_MAX};
pub use egress::{
    Egress, EgressError, EgressRequest, EgressResponse, Exchange, Method, Policy, Wire,
};
pub use endpoint::{
    ENDPOINTS_MAX, Endpoint, EndpointState, KIND_CHARS_MAX, KINDS_MAX, NewEndpoint, URL_CHARS_MAX,
};
pub use error::Error;
pub use event::{Event, NewEvent, PAYLOAD_BYTES_MAX, WEBHOOK_BODY_BYTES_MAX};
pub use events::{DELIVERY_PAGE_ROWS, Events};
pub use retry::{
    DISABLED_AFTER_SECS, LEASE_SECS, PAUSE_AFTER_FAILURE_SECS, RETRY_DELAYS_SECS, TRIES_MAX,
};
pub use seal::Sealer;
pub use store::audit::{StoredEvent, each_event};
pub use store::outbox::{ATTESTED, append, append_attested};
pub use webhook::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WEBHOOK_TIMEOUT, sign_webhook};

/// The schema of this room.
pub const MIGRATIONS: &[qiao_db::Migration] = &[qiao_db::Migration {
    version: 202_611_220_401,
    name: "outbox",
    sql: include_str!("../migrations/202611220401_outbox.sql"),
    sqlite: "",
    postgres: "",
}];
