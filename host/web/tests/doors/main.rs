//! The doors of a whole host: every room real, on both engines, no socket.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where its host does not answer"
)]

mod banks;
mod bond;
mod browser;
mod caller;
mod checkout;
mod coverage;
mod holds;
mod host;
mod instant;
mod institutions;
mod limits;
mod mandates;
mod methods;
mod pages;
mod payments;
mod people;
mod releases;
mod settlement;
mod surroundings;
mod webhooks;
