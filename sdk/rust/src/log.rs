//! Lines for the plugin's author. No scope is needed. Past the invocation's log
//! limit the call fails, so log little.

#[cfg(target_arch = "wasm32")]
use crate::bindings::qiao::host::log as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports::log as host;

pub use crate::bindings::qiao::host::log::Level;

/// Writes a line for the author's own tracing.
pub fn debug(message: &str) {
    host::write(Level::Debug, message);
}

/// Writes an ordinary line.
pub fn info(message: &str) {
    host::write(Level::Info, message);
}

/// Writes a line about something to look at.
pub fn warn(message: &str) {
    host::write(Level::Warn, message);
}

/// Writes a line about something that failed.
pub fn error(message: &str) {
    host::write(Level::Error, message);
}
