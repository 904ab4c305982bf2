//! Payments on real databases, both engines.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod access;
mod audit;
mod capture;
mod contention;
mod expiry;
mod giver;
mod idempotency;
mod income;
mod mandate_access;
mod mandate_races;
mod mandates;
mod money;
mod planted;
mod reads;
mod receivables;
mod refunds;
mod world;
