use qiao_auth::Permit;
use qiao_db::Db;
use qiao_model::PluginId;

use crate::limits::{STORAGE_BYTES_MAX, STORAGE_KEYS_PAGE};
use crate::ports::{Answering, StoragePort, StoragePortError};
use crate::store::storage as store;

/// The plugins' small stores in the database.
pub(crate) struct DbStorage(pub(crate) Db);

impl StoragePort for DbStorage {
    fn get<'a>(
        &'a self,
        _permit: &'a Permit,
        plugin: PluginId,
        key: &'a str,
    ) -> Answering<'a, Result<Option<Vec<u8>>, StoragePortError>> {
        Box::pin(async move { Ok(store::get(&self.0, plugin, key).await?) })
    }

    fn set<'a>(
        &'a self,
        _permit: &'a Permit,
        plugin: PluginId,
        key: &'a str,
        value: &'a [u8],
    ) -> Answering<'a, Result<(), StoragePortError>> {
        Box::pin(async move {
            let fits = self.0.write(|| self.put(plugin, key, value)).await?;
            if fits {
                Ok(())
            } else {
                Err(StoragePortError::QuotaExceeded)
            }
        })
    }

    fn delete<'a>(
        &'a self,
        _permit: &'a Permit,
        plugin: PluginId,
        key: &'a str,
    ) -> Answering<'a, Result<(), StoragePortError>> {
        Box::pin(async move { Ok(self.0.write(|| self.remove(plugin, key)).await?) })
    }

    fn keys<'a>(
        &'a self,
        _permit: &'a Permit,
        plugin: PluginId,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> Answering<'a, Result<Vec<String>, StoragePortError>> {
        Box::pin(async move {
            let rows = i64::try_from(STORAGE_KEYS_PAGE).unwrap_or(i64::MAX);
            let after = after.unwrap_or("");
            Ok(store::keys(&self.0, plugin, prefix, after, rows).await?)
        })
    }
}

impl DbStorage {
    /// Whether the value fits into the quota; it is kept if so. The plugin's row of usage
    /// is locked first, so calls at once see each other's bytes.
    async fn put(&self, plugin: PluginId, key: &str, value: &[u8]) -> Result<bool, qiao_db::Error> {
        let mut tx = self.0.begin().await?;
        store::lock_usage(&mut tx, plugin).await?;
        let before = store::bytes_of(&mut tx, plugin, key).await?;
        let after = bytes(key.len().saturating_add(value.len()));
        let added = after.saturating_sub(before);
        let bytes_max = bytes(STORAGE_BYTES_MAX);
        if !store::use_bytes(&mut tx, plugin, added, bytes_max).await? {
            return Ok(false);
        }
        store::put(&mut tx, plugin, key, value).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn remove(&self, plugin: PluginId, key: &str) -> Result<(), qiao_db::Error> {
        let mut tx = self.0.begin().await?;
        store::lock_usage(&mut tx, plugin).await?;
        let before = store::bytes_of(&mut tx, plugin, key).await?;
        store::use_bytes(&mut tx, plugin, before.saturating_neg(), 0).await?;
        store::delete(&mut tx, plugin, key).await?;
        tx.commit().await
    }
}

fn bytes(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl From<qiao_db::Error> for StoragePortError {
    fn from(error: qiao_db::Error) -> Self {
        tracing::error!(%error, "a plugin's storage failed");
        Self::Unavailable
    }
}
