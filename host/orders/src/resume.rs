use std::collections::HashMap;
use std::time::Duration;

use qiao_model::PluginId;

use crate::error::Error;
use crate::order::Order;
use crate::orders::Orders;
use crate::rules::LEASE_SECS;
use crate::store;

/// Orders that [`Orders::resume`] drives at once.
pub const RESUME_AT_ONCE: usize = 64;
/// Of these, orders of one plugin, which gets more when they are done: one that
/// hangs keeps nobody else's waiting.
pub const RESUME_PLUGIN_SHARE: usize = 8;
/// Pause until it looks for more while some are under way.
const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// The orders that a call drives: each plugin has a share.
#[derive(Default)]
struct UnderWay {
    // The tasks end with the call: a dropped set aborts them, and the leases run out.
    tasks: tokio::task::JoinSet<(PluginId, Result<(), Error>)>,
    by_plugin: HashMap<PluginId, usize>,
}

impl Orders {
    /// Worker step: drives orders that are due and that nobody drives: those of
    /// a host that ended, of plugins that gave no answer or are not done yet;
    /// until there are no more, or [`Orders::stop_resuming`] was called. Gives how
    /// many it drove.
    ///
    /// # Errors
    /// The database failed, or a test made the host stop. What was not driven
    /// stays due.
    pub async fn resume(&self) -> Result<usize, Error> {
        let mut under_way = UnderWay::default();
        let (mut driven, mut first_error) = (0, None);
        loop {
            let is_over = first_error.is_some() || self.inner().is_stopping();
            if !is_over {
                let busy = under_way.busy();
                let free = RESUME_AT_ONCE.saturating_sub(under_way.tasks.len());
                match self.claim(&busy, free).await {
                    Ok(due) => {
                        driven += due.len();
                        due.into_iter().for_each(|order| under_way.add(self, order));
                    }
                    Err(error) => first_error = Some(error),
                }
            }
            if under_way.tasks.is_empty() {
                return first_error.map_or(Ok(driven), Err);
            }
            if let Some(error) = under_way.next_error().await {
                first_error.get_or_insert(error);
            }
        }
    }

    /// From now on [`Orders::resume`] takes no more orders; those that it drives it
    /// drives on.
    pub fn stop_resuming(&self) {
        self.inner().stop();
    }

    /// Takes due orders, of each plugin no more than its share.
    async fn claim(&self, busy: &[PluginId], limit: usize) -> Result<Vec<Order>, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        if limit == 0 || !store::leases::is_any_due(&inner.db, now, busy).await? {
            return Ok(Vec::new());
        }
        let claim = store::leases::Claim {
            node: &inner.node,
            now,
            until: now.plus_secs(LEASE_SECS),
            limit,
            share: RESUME_PLUGIN_SHARE,
            busy,
        };
        let claim = &claim;
        inner
            .db
            .write(|| async { Ok(store::leases::claim(&inner.db, claim).await?) })
            .await
    }
}

impl UnderWay {
    fn add(&mut self, orders: &Orders, order: Order) {
        let plugin = order.quote.plugin;
        *self.by_plugin.entry(plugin).or_default() += 1;
        let orders = orders.clone();
        self.tasks.spawn(async move {
            let id = order.id;
            let driven = orders.drive(order).await.map(drop);
            if let Err(error) = &driven {
                tracing::warn!(order.id = %id, %error, "an order was not driven on");
            }
            (plugin, driven)
        });
    }

    /// Plugins that have their share.
    fn busy(&self) -> Vec<PluginId> {
        let plugins = self.by_plugin.iter();
        plugins
            .filter(|(_, orders)| **orders > 0)
            .map(|(plugin, _)| *plugin)
            .collect()
    }

    /// Waits until one is done, and not for long: others may be due by then. Gives
    /// why it was not driven.
    async fn next_error(&mut self) -> Option<Error> {
        let done = tokio::select! {
            done = self.tasks.join_next() => done?,
            () = tokio::time::sleep(LOOK_PAUSE) => return None,
        };
        let Ok((plugin, outcome)) = done else {
            tracing::error!("a task that drives an order panicked");
            return None;
        };
        if let Some(orders) = self.by_plugin.get_mut(&plugin) {
            *orders = orders.saturating_sub(1);
        }
        outcome.err()
    }
}
