//! Journeys through the public doors of a real host.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stops where it fails, starts tasks, and tells how long a start took"
)]

mod audit;
mod browser;
mod clicks;
mod cluster;
mod crash;
mod disk;
mod mandates;
mod outage;
mod plugin;
mod process;
mod sandbox;
mod scenario;
mod till;
mod uploads;
