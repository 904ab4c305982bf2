//! Journeys through the public doors of a real host.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it fails"
)]

mod browser;
mod clicks;
mod crash;
mod plugin;
mod sandbox;
mod scenario;
mod uploads;
