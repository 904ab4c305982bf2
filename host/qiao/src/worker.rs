//! The work between requests: orders driven on, events delivered, jobs run,
//! income credited, the old swept away. Every step may run on several nodes at
//! once: each claims what it takes.

use std::time::Duration;

use qiao_auth::Auth;
use qiao_banks::Banks;
use qiao_events::{Delivery, Egress, Events};
use qiao_orders::Orders;
use qiao_payments::Payments;
use qiao_runtime::{Invocations, Runtime};
use qiao_settlement::Settlement;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Pause of a step that found nothing to do.
const ORDERS_PAUSE: Duration = Duration::from_millis(250);
const BANKS_PAUSE: Duration = Duration::from_millis(500);
const PAYOUTS_PAUSE: Duration = Duration::from_secs(1);
const DAYS_PAUSE: Duration = Duration::from_secs(30);
const DELIVERIES_PAUSE: Duration = Duration::from_millis(250);
const HOLDS_PAUSE: Duration = Duration::from_secs(1);
const DEBTS_PAUSE: Duration = Duration::from_secs(10);
const JOBS_PAUSE: Duration = Duration::from_millis(500);
const ACCRUALS_PAUSE: Duration = Duration::from_millis(500);
const RECORDS_PAUSE: Duration = Duration::from_millis(300);
const UPKEEP_PAUSE: Duration = Duration::from_secs(60);
/// Pause after a step that failed.
const FAILURE_PAUSE: Duration = Duration::from_secs(2);
/// Deliveries that are made at once.
const DELIVERIES_MAX: usize = 32;

/// The rooms that the worker drives.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) auth: Auth,
    pub(crate) events: Events,
    pub(crate) egress: Egress,
    pub(crate) orders: Orders,
    pub(crate) banks: Banks,
    pub(crate) settlement: Settlement,
    pub(crate) payments: Payments,
    pub(crate) runtime: Runtime,
    pub(crate) invocations: Invocations,
}

/// What a step found.
enum Found {
    Something,
    Nothing,
}

impl Worker {
    /// Works until told to stop; a step in hand is finished.
    pub(crate) async fn run(self, stop: CancellationToken) {
        tokio::join!(
            repeat("resuming orders", ORDERS_PAUSE, &stop, || self
                .drive_orders()),
            repeat("asking banks", BANKS_PAUSE, &stop, || self.ask_banks()),
            repeat("paying institutions", PAYOUTS_PAUSE, &stop, || self
                .pay_out()),
            repeat("ending days", DAYS_PAUSE, &stop, || self.end_days()),
            self.deliver(&stop),
            repeat("expiring holds", HOLDS_PAUSE, &stop, || self.expire_holds()),
            repeat("settling debts", DEBTS_PAUSE, &stop, || self.settle_debts()),
            repeat("running jobs", JOBS_PAUSE, &stop, || self.run_jobs()),
            repeat("accruing income and fees", ACCRUALS_PAUSE, &stop, || self
                .accrue()),
            repeat("recording invocations", RECORDS_PAUSE, &stop, || self
                .record()),
            repeat("sweeping", UPKEEP_PAUSE, &stop, || self.sweep()),
            async {
                stop.cancelled().await;
                self.orders.stop_resuming();
            },
        );
    }

    async fn drive_orders(&self) -> anyhow::Result<Found> {
        Ok(found(self.orders.resume().await?))
    }

    async fn ask_banks(&self) -> anyhow::Result<Found> {
        Ok(found(self.banks.repair().await?))
    }

    async fn pay_out(&self) -> anyhow::Result<Found> {
        let planned = self.settlement.plan_payouts().await?;
        let driven = self.settlement.drive_payouts().await?;
        Ok(found(planned + driven))
    }

    async fn end_days(&self) -> anyhow::Result<Found> {
        Ok(found(self.settlement.end_days().await?))
    }

    /// Keeps up to [`DELIVERIES_MAX`] deliveries under way; a slow receiver holds up nobody else.
    async fn deliver(&self, stop: &CancellationToken) {
        let mut under_way = JoinSet::new();
        while !stop.is_cancelled() {
            while under_way.try_join_next().is_some() {}
            let free = DELIVERIES_MAX - under_way.len();
            let pause = match self.events.claim(free).await {
                Ok(deliveries) if deliveries.is_empty() => DELIVERIES_PAUSE,
                Ok(deliveries) => {
                    for delivery in deliveries {
                        under_way.spawn(self.clone().attempt(delivery));
                    }
                    if under_way.len() < DELIVERIES_MAX {
                        continue;
                    }
                    DELIVERIES_PAUSE
                }
                Err(error) => {
                    tracing::error!(%error, "claiming deliveries failed; it is tried again");
                    FAILURE_PAUSE
                }
            };
            wait(pause, stop).await;
        }
        while under_way.join_next().await.is_some() {}
    }

    /// Makes one attempt: the one place that knows who receives an event.
    async fn attempt(self, delivery: Delivery) {
        let ticket = delivery.ticket();
        let attempt = match &delivery {
            Delivery::Webhook(webhook) => self.events.send_webhook(&self.egress, webhook).await,
            Delivery::Plugin(plugin) => self.orders.deliver_to_plugin(plugin).await,
        };
        match self.events.finish(ticket, attempt).await {
            Ok(()) => {}
            Err(error @ qiao_events::Error::LeaseLost(_)) => {
                tracing::info!(%error, "somebody else has the delivery now");
            }
            Err(error) => tracing::error!(%error, "an attempt was not recorded; it is made again"),
        }
    }

    async fn expire_holds(&self) -> anyhow::Result<Found> {
        let holds = self.payments.expire_holds().await?;
        let mandates = self.payments.expire_mandates().await?;
        Ok(found(holds + mandates))
    }

    /// What institutions owe to payers and to their banks; debts that stay are
    /// looked at again after the pause.
    async fn settle_debts(&self) -> anyhow::Result<Found> {
        self.payments.recover_receivables().await?;
        self.orders.repay_advances().await?;
        Ok(Found::Nothing)
    }

    async fn run_jobs(&self) -> anyhow::Result<Found> {
        Ok(found(self.orders.run_due_jobs().await?))
    }

    /// Income first: a day's fees count the income of the days before it.
    async fn accrue(&self) -> anyhow::Result<Found> {
        let credited = self.orders.accrue_income().await;
        let accrued = self.orders.accrue_fees().await;
        Ok(found(credited?.days + accrued?.days))
    }

    async fn record(&self) -> anyhow::Result<Found> {
        self.invocations.write_waiting(&self.runtime).await?;
        Ok(Found::Nothing)
    }

    async fn sweep(&self) -> anyhow::Result<Found> {
        self.auth.sweep().await?;
        self.banks.sweep().await?;
        // Each takes so many rows at most; a busy host makes more in a minute.
        drain(|| self.payments.sweep()).await?;
        drain(|| self.orders.prune_offers()).await?;
        drain(|| self.events.prune()).await?;
        Ok(Found::Nothing)
    }
}

const fn found(count: usize) -> Found {
    if count == 0 {
        Found::Nothing
    } else {
        Found::Something
    }
}

/// Repeats a step that takes so many rows at most, until it finds none.
async fn drain<F, Fut, E>(step: F) -> Result<(), E>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<u64, E>>,
{
    while step().await? > 0 {}
    Ok(())
}

/// Repeats a step; the failure of one is logged here, once, and tried again.
async fn repeat<F, Fut>(what: &str, pause: Duration, stop: &CancellationToken, step: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = anyhow::Result<Found>>,
{
    while !stop.is_cancelled() {
        let pause = match step().await {
            Ok(Found::Something) => continue,
            Ok(Found::Nothing) => pause,
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "{what} failed; it is tried again"
                );
                FAILURE_PAUSE
            }
        };
        wait(pause, stop).await;
    }
}

/// Waits, or less when told to stop.
async fn wait(pause: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_one_sweep_leaves_the_next_takes_at_once() {
        let rows = Cell::new(25_000_u64);
        let swept = drain(|| async {
            let taken = rows.get().min(10_000);
            rows.set(rows.get() - taken);
            Ok::<_, &str>(taken)
        });
        assert_eq!(swept.await, Ok(()));
        assert_eq!(rows.get(), 0);
        assert_eq!(drain(|| async { Err("storage") }).await, Err("storage"));
    }
}
