//! The settlement room against sandbox-bank, a real small bank over HTTP, on both
//! engines.

mod access;
mod custody;
mod payouts;
mod reconciliation;
mod schema;
mod statements;
mod world;
