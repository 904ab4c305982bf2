//! A small store of the plugin's own, shared by all its releases. Scope `storage`.

#[cfg(target_arch = "wasm32")]
use crate::bindings::qiao::host::storage as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports::storage as host;
use crate::{EventError, JobError};

pub use crate::bindings::qiao::host::storage::StorageError;

/// The value of a key.
///
/// # Errors
/// [`StorageError::InvalidKey`] when the key is not 1 to 128 bytes of plain text.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, StorageError> {
    host::get(key)
}

/// Sets the value of a key.
///
/// # Errors
/// [`StorageError::ValueTooLarge`] and [`StorageError::QuotaExceeded`] say the limit.
pub fn set(key: &str, value: impl AsRef<[u8]>) -> Result<(), StorageError> {
    host::set(key, value.as_ref())
}

/// Removes a key; removing what is not there is no error.
///
/// # Errors
/// [`StorageError::InvalidKey`] when the key is not 1 to 128 bytes of plain text.
pub fn delete(key: &str) -> Result<(), StorageError> {
    host::delete(key)
}

/// The keys that begin with `prefix`, in byte order, at most 100, after `after`.
///
/// # Errors
/// [`StorageError::Denied`] without the scope.
pub fn keys(prefix: &str, after: Option<&str>) -> Result<Vec<String>, StorageError> {
    host::keys(prefix, after)
}

impl From<StorageError> for EventError {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<StorageError> for JobError {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.to_string())
    }
}
