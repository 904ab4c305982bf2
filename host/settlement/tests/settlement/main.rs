//! The settlement room against sandbox-bank, a real small bank over HTTP, on both
//! engines.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is not there"
)]

mod access;
mod audit;
mod custody;
mod payouts;
mod reconciliation;
mod schema;
mod statements;
mod world;
