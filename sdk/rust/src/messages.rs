//! Messages of the public account to a follower. Scope `messages:send`.

use crate::EventError;
#[cfg(target_arch = "wasm32")]
use crate::bindings::qiao::host::messages as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports::messages as host;

pub use crate::bindings::qiao::host::messages::MessagesError;

/// Sends plain text of 1 to 600 characters.
///
/// # Errors
/// [`MessagesError::NotFollower`] and [`MessagesError::QuotaExceeded`] are ordinary:
/// a plugin that can do without the message ignores them.
pub fn send(user: &str, text: &str) -> Result<(), MessagesError> {
    host::send(user, text)
}

impl From<MessagesError> for EventError {
    fn from(error: MessagesError) -> Self {
        Self::Failed(error.to_string())
    }
}
