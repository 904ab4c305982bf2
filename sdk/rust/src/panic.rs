//! A trap says nothing; the log line before it says where and why.

use crate::log;

/// Sends the message of a panic to the author's log before the instance traps.
pub(crate) fn report_through_log() {
    std::panic::set_hook(Box::new(|panic| log::error(&panic.to_string())));
}
