use crate::store::sweep as store;
use crate::throttle::LOGIN_FORGET_SECS;
use crate::{Auth, Error};

impl Auth {
    /// Deletes what has expired and can do nothing any more: sessions, used
    /// assertions, revocations, forgotten failures. A step of the worker; gives
    /// the number of rows that went.
    ///
    /// # Errors
    /// The database did not take it.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let mut rows = store::delete_expired(&mut tx, now).await?;
                let quiet_since = now.plus_secs(-LOGIN_FORGET_SECS);
                rows += store::delete_quiet_throttles(&mut tx, quiet_since).await?;
                tx.commit().await?;
                Ok(rows)
            })
            .await
    }
}
