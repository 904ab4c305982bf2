//! The outbox, deliveries and webhooks on both engines, and the way out.

mod deliveries;
mod egress;
mod endpoints;
mod fixture;
mod outbox;
mod server;
mod webhooks;
