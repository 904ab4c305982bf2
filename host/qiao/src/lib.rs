//! The binary: configuration, wiring, the worker loop, and the subcommands.
//!
//! `serve` runs a host; `demo` plays the whole scenario through the public
//! doors of one; `plugin …` is a plugin developer's day; `admin …` is the
//! operator's shell; `key new` makes a key pair. This is the one crate that
//! starts tasks, reads the clock and draws chance; it decides nothing that a
//! room decides.

mod admin;
mod chance;
mod cli;
mod config;
mod demo;
mod host;
mod key;
mod plugin;
mod serve;
mod terminal;
mod worker;

use std::sync::Arc;

pub use admin::audit;
pub use chance::{HostClock, HostEntropy};
pub use cli::run;
pub use config::{Config, DEFAULT_TOML, DataArgs, ServeArgs};
pub use demo::person::{Page, Person};
pub use demo::{PASSWORD, PIN, SANDBOX_BANK, Scenario, ScenarioOptions};
pub use host::{Host, HostOptions};
pub use plugin::publish::{Client, PublishArgs};
pub use serve::Serving;

use qiao_model::Env;

/// Time and chance of the operating system.
#[must_use]
pub fn host_env() -> Env {
    Env::new(Arc::new(HostClock::default()), Arc::new(HostEntropy))
}
