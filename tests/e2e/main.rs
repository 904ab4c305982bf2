//! Journeys through the public doors of a real host.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it fails"
)]

mod browser;
mod sandbox;
mod scenario;
