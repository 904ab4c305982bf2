//! The saga on both engines, with real books and a plugin that says what the
//! test wants: every transition, every refusal, and a crash at every step.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is not there"
)]

mod accrual;
mod audit;
mod bond;
mod books;
mod crashes;
mod fulfilment;
mod income;
mod instant;
mod jobs;
mod leases;
mod lots;
mod mandates;
mod ownership;
mod pages;
mod planted;
mod plugin;
mod plugin_events;
mod quotes;
mod receivers;
mod refunds;
mod refusals;
mod schema;
mod stuck;
mod world;
