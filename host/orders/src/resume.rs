use crate::error::Error;
use crate::orders::Orders;
use crate::rules::LEASE_SECS;
use crate::store;

/// Orders that one call of [`Orders::resume`] drives at most.
pub const RESUME_ORDERS_MAX: usize = 64;
/// Orders that it drives at once.
const RESUME_AT_ONCE: usize = 8;

impl Orders {
    /// Worker step: drives orders that are due and that nobody drives: those of
    /// a host that ended, of plugins that gave no answer or are not done yet.
    /// Gives how many it drove.
    ///
    /// # Errors
    /// The database failed, or a test made the host stop. What was not driven
    /// stays due.
    pub async fn resume(&self) -> Result<usize, Error> {
        let mut driven = 0;
        let mut first_error = None;
        while driven < RESUME_ORDERS_MAX {
            let due = self.claim().await?;
            if due.is_empty() {
                break;
            }
            driven += due.len();
            // The tasks end with this call: a dropped set aborts them, and the leases run out.
            let mut tasks = tokio::task::JoinSet::new();
            for order in due {
                let orders = self.clone();
                tasks.spawn(async move {
                    let id = order.id;
                    (id, orders.drive(order).await)
                });
            }
            while let Some(done) = tasks.join_next().await {
                let Ok((id, outcome)) = done else {
                    tracing::error!("a task that drives an order panicked");
                    continue;
                };
                if let Err(error) = outcome {
                    tracing::warn!(order.id = %id, %error, "an order was not driven on");
                    first_error.get_or_insert(error);
                }
            }
            if first_error.is_some() {
                break;
            }
        }
        first_error.map_or(Ok(driven), Err)
    }

    async fn claim(&self) -> Result<Vec<crate::order::Order>, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        if !store::leases::is_any_due(&inner.db, now).await? {
            return Ok(Vec::new());
        }
        let claim = store::leases::Claim {
            node: &inner.node,
            now,
            until: now.plus_secs(LEASE_SECS),
            limit: RESUME_AT_ONCE,
        };
        let claim = &claim;
        inner
            .db
            .write(|| async { Ok(store::leases::claim(&inner.db, claim).await?) })
            .await
    }
}
