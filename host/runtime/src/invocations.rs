use qiao_db::Db;
use qiao_model::{InvocationId, PluginId, Timestamp};

use crate::store::invocation as store;
use crate::{Invocation, Runtime};

/// Records of invocations that one page gives.
pub const INVOCATIONS_PAGE: usize = 50;

/// The records of invocations in the database.
#[derive(Clone, Debug)]
pub struct Invocations {
    db: Db,
}

/// The records could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the records of invocations are not available")]
pub struct InvocationsError(#[from] qiao_db::Error);

impl Invocations {
    /// The records in this database.
    #[must_use]
    pub const fn new(db: Db) -> Self {
        Self { db }
    }

    /// Writes what waits in the runtime, batch after batch; gives how many were written.
    ///
    /// # Errors
    /// The database failed; the batch waits again.
    pub async fn write_waiting(&self, runtime: &Runtime) -> Result<usize, InvocationsError> {
        let mut written = 0_usize;
        loop {
            let batch = runtime.0.recorder.take();
            if batch.is_empty() {
                return Ok(written);
            }
            let stored = self
                .db
                .write(|| async {
                    let mut tx = self.db.begin().await?;
                    store::insert(&mut tx, &batch).await?;
                    tx.commit().await
                })
                .await;
            if let Err(error) = stored {
                runtime.0.recorder.put_back(batch);
                return Err(error.into());
            }
            written = written.saturating_add(batch.len());
        }
    }

    /// Waits until the runtime has something to be written.
    pub async fn arrived(&self, runtime: &Runtime) {
        runtime.0.recorder.arrived().await;
    }

    /// The newest invocations of a plugin, newest first, before `before`, at most
    /// [`INVOCATIONS_PAGE`].
    ///
    /// # Errors
    /// The database failed.
    pub async fn of_plugin(
        &self,
        plugin: PluginId,
        before: Option<InvocationId>,
    ) -> Result<Vec<Invocation>, InvocationsError> {
        let rows = i64::try_from(INVOCATIONS_PAGE).unwrap_or(i64::MAX);
        Ok(store::page_of_plugin(&self.db, plugin, before, rows).await?)
    }

    /// Forgets what ended before; gives how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_before(&self, before: Timestamp) -> Result<u64, InvocationsError> {
        let forget = || async {
            let mut tx = self.db.begin().await?;
            let deleted = store::delete_before(&mut tx, before).await?;
            tx.commit().await?;
            Ok::<_, qiao_db::Error>(deleted)
        };
        Ok(self.db.write(forget).await?)
    }
}
