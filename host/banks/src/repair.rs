use qiao_db::Claim;

use crate::banks::Banks;
use crate::error::Error;
use crate::rules::LEASE_SECS;
use crate::store;
use crate::transfer::BankTransfer;

/// Transfers that one call of [`Banks::repair`] asks about at most.
pub const REPAIR_TRANSFERS_MAX: usize = 64;

impl Banks {
    /// Worker step: asks the banks about transfers that are due and that nobody
    /// asks about: those of a host that ended, and those that no bank has given a
    /// final answer on. Gives how many it asked about.
    ///
    /// # Errors
    /// The database failed, or a test made the host stop. What was not asked about
    /// stays due.
    pub async fn repair(&self) -> Result<usize, Error> {
        let mut asked = 0_usize;
        let mut first_error = None;
        while asked < REPAIR_TRANSFERS_MAX && first_error.is_none() {
            let due = self.claim().await?;
            if due.is_empty() {
                break;
            }
            asked = asked.saturating_add(due.len());
            // The tasks end with this call: a dropped set aborts them, and the leases run out.
            let mut tasks = tokio::task::JoinSet::new();
            for transfer in due {
                let banks = self.clone();
                tasks.spawn(async move {
                    let id = transfer.id;
                    (id, banks.drive(transfer).await)
                });
            }
            while let Some(done) = tasks.join_next().await {
                let Ok((id, outcome)) = done else {
                    tracing::error!("a task that asks about a bank transfer panicked");
                    continue;
                };
                if let Err(error) = outcome {
                    tracing::warn!(transfer.id = %id, %error, "a bank was not asked about a transfer");
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(asked), Err)
    }

    async fn claim(&self) -> Result<Vec<BankTransfer>, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        if !store::lease::TRANSFERS.is_any_due(&inner.db, now).await? {
            return Ok(Vec::new());
        }
        let claim = &Claim {
            node: &inner.node,
            now,
            until: now.plus_secs(LEASE_SECS),
            limit: inner.repair_at_once,
        };
        inner
            .db
            .write(|| async { Ok(store::lease::claim(&inner.db, claim).await?) })
            .await
    }
}
