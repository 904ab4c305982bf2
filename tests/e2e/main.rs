//! Journeys through the public doors of a real host.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and starts tasks"
)]

mod browser;
mod clicks;
mod crash;
mod mandates;
mod plugin;
mod sandbox;
mod scenario;
mod uploads;
