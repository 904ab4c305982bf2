use qiao_db::Tx;
use qiao_model::{EndpointId, InstitutionId};
use url::Url;

use crate::delivery::{
    Attempt, AttemptOutcome, Delivery, DeliveryState, PluginDelivery, Ticket, WebhookDelivery,
};
use crate::error::Error;
use crate::events::Events;
use crate::retry::{DISABLED_AFTER_SECS, LEASE_SECS, PAUSE_AFTER_FAILURE_SECS, delay_secs};
use crate::store::delivery::{Claimed, ClaimedReceiver};
use crate::store::outbox::{NewDelivery, Pending, Receiver};
use crate::store::{self, endpoint::Subscriber};

/// Deliveries of one claim at most.
pub const CLAIM_MAX: usize = 256;
/// Events of one fan-out at most.
pub const FAN_OUT_MAX: usize = 500;
/// Days that an event is kept after it reached everybody.
pub const EVENTS_KEPT_DAYS: i64 = 30;
/// Events of one pruning at most.
const PRUNE_MAX: i64 = 500;

impl Events {
    /// Queues the deliveries of the oldest new events, at most [`FAN_OUT_MAX`];
    /// tells how many events it took. Several hosts may do it at once.
    ///
    /// # Errors
    /// The database failed.
    pub async fn fan_out(&self) -> Result<usize, Error> {
        // A worker asks often and mostly for nothing: reading does not hold up
        // the writer of the money path.
        if !store::outbox::any_pending(&self.db).await? {
            return Ok(0);
        }
        let limit = i64::try_from(FAN_OUT_MAX).unwrap_or(i64::MAX);
        self.db
            .write(|| async {
                let mut tx = self.db.begin().await?;
                let pending = store::outbox::pending(&mut tx, limit).await?;
                if pending.is_empty() {
                    return Ok(0);
                }
                let mut institutions: Vec<InstitutionId> = pending
                    .iter()
                    .filter_map(|event| event.institution)
                    .collect();
                institutions.sort_unstable();
                institutions.dedup();
                let subscribers = store::endpoint::subscribers(&mut tx, &institutions).await?;
                let deliveries: Vec<NewDelivery> = pending
                    .iter()
                    .flat_map(|event| receivers_of(event, &subscribers))
                    .collect();
                let now = self.env.now();
                store::outbox::fan_out(&mut tx, now, &pending, &deliveries).await?;
                tx.commit().await?;
                Ok(pending.len())
            })
            .await
    }

    /// Fans new events out and takes due deliveries, at most `limit` and
    /// [`CLAIM_MAX`]. Each is leased for [`LEASE_SECS`]: begin all attempts at
    /// once, or claim no more than are made within the lease. A webhook whose
    /// secret does not open is finished here as failed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim(&self, limit: usize) -> Result<Vec<Delivery>, Error> {
        self.fan_out().await?;
        if !store::delivery::any_due(&self.db, self.env.now()).await? {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(limit.min(CLAIM_MAX)).unwrap_or(i64::MAX);
        let claimed = self
            .db
            .write(|| async {
                let mut tx = self.db.begin().await?;
                let now = self.env.now();
                let lease_until = now.plus_secs(LEASE_SECS);
                let claimed = store::delivery::claim(&mut tx, now, lease_until, limit).await?;
                tx.commit().await?;
                Ok::<_, Error>(claimed)
            })
            .await?;
        let mut deliveries = Vec::with_capacity(claimed.len());
        for claimed in claimed {
            let ticket = claimed.ticket;
            match self.open(claimed) {
                Ok(delivery) => deliveries.push(delivery),
                Err(error) => self.finish(ticket, unusable(&error)).await?,
            }
        }
        Ok(deliveries)
    }

    /// Records the end of an attempt: the delivery ends, or waits for its next
    /// try, and an endpoint that failed for [`DISABLED_AFTER_SECS`] is disabled.
    ///
    /// # Errors
    /// The lease ran out and somebody else has the delivery, or the database failed.
    pub async fn finish(&self, ticket: Ticket, attempt: Attempt) -> Result<(), Error> {
        self.db
            .write(|| async {
                let mut tx = self.db.begin().await?;
                self.finish_in(&mut tx, ticket, &attempt).await?;
                Ok(tx.commit().await?)
            })
            .await
    }

    async fn finish_in(&self, tx: &mut Tx, ticket: Ticket, attempt: &Attempt) -> Result<(), Error> {
        let id = ticket.delivery;
        let Some(leased) = store::delivery::leased(tx, ticket).await? else {
            return Err(Error::LeaseLost(id));
        };
        let now = self.env.now();
        store::delivery::record(tx, ticket, now, attempt).await?;
        match (attempt.outcome, delay_secs(leased.tries)) {
            (AttemptOutcome::Delivered, _) => {
                store::delivery::end(tx, id, DeliveryState::Delivered, now).await?;
            }
            (AttemptOutcome::Failed, Some(secs)) => {
                store::delivery::wait(tx, id, now.plus_secs(secs)).await?;
            }
            (AttemptOutcome::Failed, None) | (AttemptOutcome::Gone, _) => {
                store::delivery::end(tx, id, DeliveryState::Failed, now).await?;
            }
        }
        match leased.endpoint {
            Some(endpoint) => self.note_health(tx, endpoint, attempt.outcome).await,
            None => Ok(()),
        }
    }

    async fn note_health(
        &self,
        tx: &mut Tx,
        endpoint: EndpointId,
        outcome: AttemptOutcome,
    ) -> Result<(), Error> {
        let now = self.env.now();
        let disable = match outcome {
            AttemptOutcome::Delivered => {
                store::endpoint::recovered(tx, endpoint).await?;
                false
            }
            AttemptOutcome::Failed => {
                let paused_until = now.plus_secs(PAUSE_AFTER_FAILURE_SECS);
                store::endpoint::failed(tx, endpoint, now, paused_until)
                    .await?
                    .is_some_and(|since| since.plus_secs(DISABLED_AFTER_SECS) <= now)
            }
            AttemptOutcome::Gone => true,
        };
        if disable && store::endpoint::disable(tx, endpoint).await? {
            let given_up = store::delivery::give_up_for(tx, endpoint, now).await?;
            tracing::warn!(
                endpoint.id = %endpoint,
                deliveries = given_up,
                "a webhook endpoint was disabled and what waited for it was given up"
            );
        }
        Ok(())
    }

    /// Forgets some of the events that reached everybody [`EVENTS_KEPT_DAYS`]
    /// ago; tells how many, so that the worker calls again until there is none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn prune(&self) -> Result<u64, Error> {
        self.db
            .write(|| async {
                let mut tx = self.db.begin().await?;
                let before = self.env.now().plus_secs(-EVENTS_KEPT_DAYS * 24 * 3600);
                let events = store::outbox::prune(&mut tx, before, PRUNE_MAX).await?;
                tx.commit().await?;
                Ok(events)
            })
            .await
    }

    fn open(&self, claimed: Claimed) -> Result<Delivery, Error> {
        let Claimed {
            ticket,
            event,
            receiver,
        } = claimed;
        match receiver {
            ClaimedReceiver::Plugin(plugin) => Ok(Delivery::Plugin(PluginDelivery {
                ticket,
                event,
                plugin,
            })),
            ClaimedReceiver::Endpoint {
                id,
                url,
                sealed_secret,
            } => {
                let key = self
                    .sealer
                    .open(&id.to_string(), &sealed_secret)
                    .map_err(|error| Error::SealedSecret(id, error))?;
                let url = Url::parse(&url).map_err(|_| Error::InvalidUrl {
                    url,
                    cause: "it is not an address",
                })?;
                Ok(Delivery::Webhook(WebhookDelivery {
                    ticket,
                    event,
                    endpoint: id,
                    url,
                    key,
                }))
            }
        }
    }
}

/// A delivery that cannot even be attempted: it fails by itself and holds
/// nothing else up.
fn unusable(error: &Error) -> Attempt {
    tracing::error!(%error, "a webhook cannot be attempted");
    Attempt {
        outcome: AttemptOutcome::Failed,
        status: None,
        duration_ms: 0,
        detail: error.to_string(),
    }
}

/// Whom an event goes to. The ids follow from the event and its receiver.
fn receivers_of(event: &Pending, subscribers: &[Subscriber]) -> Vec<NewDelivery> {
    let to = |label: String, receiver| NewDelivery {
        id: event.id.derive(&label, 0),
        event: event.id,
        institution: event.institution,
        receiver,
    };
    let plugin = event
        .plugin
        .map(|id| to(id.to_string(), Receiver::Plugin(id)));
    let endpoints = subscribers
        .iter()
        .filter(|subscriber| Some(subscriber.institution) == event.institution)
        .filter(|subscriber| subscriber.kinds.is_empty() || subscriber.kinds.contains(&event.kind))
        .map(|subscriber| to(subscriber.id.to_string(), Receiver::Endpoint(subscriber.id)));
    plugin.into_iter().chain(endpoints).collect()
}
