//! The outbox, deliveries and webhooks on both engines, and the way out.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its arrangement fails"
)]

mod deliveries;
mod egress;
mod endpoints;
mod fixture;
mod outbox;
mod server;
mod webhooks;
