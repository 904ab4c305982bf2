use std::sync::Arc;

use qiao_model::{Scope, is_plain_text};

use crate::bindings::v0_1_0::qiao::host::storage::{Host, StorageError};
use crate::guest::Guest;
use crate::host::{Answer, Refusal};
use crate::limits::{STORAGE_BYTES_MAX, STORAGE_KEY_BYTES_MAX, STORAGE_VALUE_BYTES_MAX};
use crate::ports::StoragePortError;

impl Refusal for StorageError {
    fn denied(reason: String) -> Self {
        Self::Denied(reason)
    }

    fn unavailable() -> Self {
        Self::Unavailable
    }
}

impl From<StoragePortError> for StorageError {
    fn from(error: StoragePortError) -> Self {
        match error {
            StoragePortError::QuotaExceeded => Self::QuotaExceeded(STORAGE_BYTES_MAX as u64),
            StoragePortError::Unavailable => Self::Unavailable,
        }
    }
}

impl Host for Guest {
    fn get(&mut self, key: String) -> Answer<Option<Vec<u8>>, StorageError> {
        self.call(Scope::Storage, |guest, permit| {
            let ports = Arc::clone(&guest.shared.ports);
            let plugin = guest.shared.release.plugin;
            if let Err(refusal) = check_key(&key) {
                return Ok(Err(refusal));
            }
            Ok(settle(guest.wait(ports.storage.get(permit, plugin, &key))))
        })
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Answer<(), StorageError> {
        self.call(Scope::Storage, |guest, permit| {
            let ports = Arc::clone(&guest.shared.ports);
            let plugin = guest.shared.release.plugin;
            if let Err(refusal) = check_key(&key) {
                return Ok(Err(refusal));
            }
            if value.len() > STORAGE_VALUE_BYTES_MAX {
                let bytes_max = u32::try_from(STORAGE_VALUE_BYTES_MAX).unwrap_or(u32::MAX);
                return Ok(Err(StorageError::ValueTooLarge(bytes_max)));
            }
            let set = ports.storage.set(permit, plugin, &key, &value);
            Ok(settle(guest.wait(set)))
        })
    }

    fn delete(&mut self, key: String) -> Answer<(), StorageError> {
        self.call(Scope::Storage, |guest, permit| {
            let ports = Arc::clone(&guest.shared.ports);
            let plugin = guest.shared.release.plugin;
            if let Err(refusal) = check_key(&key) {
                return Ok(Err(refusal));
            }
            Ok(settle(
                guest.wait(ports.storage.delete(permit, plugin, &key)),
            ))
        })
    }

    fn keys(&mut self, prefix: String, after: Option<String>) -> Answer<Vec<String>, StorageError> {
        self.call(Scope::Storage, |guest, permit| {
            let ports = Arc::clone(&guest.shared.ports);
            let plugin = guest.shared.release.plugin;
            let is_none = |key: &String| key.len() > STORAGE_KEY_BYTES_MAX || !is_plain_text(key);
            if is_none(&prefix) || after.as_ref().is_some_and(is_none) {
                return Ok(Err(StorageError::InvalidKey));
            }
            let keys = ports
                .storage
                .keys(permit, plugin, &prefix, after.as_deref());
            Ok(settle(guest.wait(keys)))
        })
    }
}

fn check_key(key: &str) -> Result<(), StorageError> {
    if !(1..=STORAGE_KEY_BYTES_MAX).contains(&key.len()) || !is_plain_text(key) {
        return Err(StorageError::InvalidKey);
    }
    Ok(())
}

fn settle<T>(answer: Option<Result<T, StoragePortError>>) -> Result<T, StorageError> {
    match answer {
        Some(answer) => answer.map_err(StorageError::from),
        None => Err(StorageError::Unavailable),
    }
}
