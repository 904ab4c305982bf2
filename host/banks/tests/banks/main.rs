//! The banks room against sandbox-bank, a real small bank over HTTP, on both
//! engines.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod access;
mod advances;
mod audit;
mod callbacks;
mod crashes;
mod custody;
mod faults;
mod linking;
mod operate;
mod payouts;
mod routes;
mod schema;
mod transfers;
mod world;
