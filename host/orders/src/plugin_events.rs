use qiao_events::{Attempt, AttemptOutcome, Event, PluginDelivery};
use qiao_model::{InstitutionId, MandateId, OrderId, Scope, UserId};
use qiao_payments::MandateState;
use qiao_runtime::Happening;
use serde::Deserialize;

use crate::error::Error;
use crate::order::state_from_name;
use crate::orders::Orders;
use crate::store;

/// What events of followers say of whom.
#[derive(Deserialize)]
struct Follower {
    user: String,
}

impl Orders {
    /// Has the plugin of a claimed delivery handle its event. The caller hands
    /// the attempt to `Events::finish`.
    pub async fn deliver_to_plugin(&self, delivery: &PluginDelivery) -> Attempt {
        let began = self.inner().env.now();
        let delivered = self.hand_over(delivery).await;
        let (outcome, detail) = match delivered {
            Ok(detail) => (AttemptOutcome::Delivered, detail),
            Err(detail) => (AttemptOutcome::Failed, detail),
        };
        let ended = self.inner().env.now();
        Attempt {
            outcome,
            status: None,
            duration_ms: ended.as_millis().saturating_sub(began.as_millis()),
            detail,
        }
    }

    async fn hand_over(&self, delivery: &PluginDelivery) -> Result<String, String> {
        let plugins = &self.inner().plugins;
        let serving = plugins.serving(delivery.plugin).await;
        let Some(serving) = serving.map_err(|error| error.to_string())? else {
            return Err("no release of the plugin serves".to_owned());
        };
        let happening = self.happening(&delivery.event, serving.institution).await;
        let Some(happening) = happening.map_err(|error| error.to_string())? else {
            return Ok("plugins are not told of such events".to_owned());
        };
        let event = qiao_runtime::Event {
            id: delivery.event.id,
            at: delivery.event.created_at,
            happening,
        };
        let handled = plugins.handle_event(&serving, event).await;
        handled
            .map(|()| "handled".to_owned())
            .map_err(|error| error.to_string())
    }

    /// What plugins of this contract know of the event; none when they do not.
    async fn happening(
        &self,
        event: &Event,
        institution: InstitutionId,
    ) -> Result<Option<Happening>, Error> {
        if let Some(name) = event.kind.strip_prefix("order.") {
            let Some(state) = state_from_name(name) else {
                return Ok(None);
            };
            let Ok(order) = event.subject.parse::<OrderId>() else {
                return Ok(None);
            };
            let found = store::orders::find(&self.inner().db, order).await?;
            return Ok(found.map(|found| Happening::OrderChanged {
                order,
                state,
                user: found.quote.user,
            }));
        }
        if let Some(name) = event.kind.strip_prefix("mandate.") {
            return self.mandate_happening(name, &event.subject).await;
        }
        let follower: fn(UserId) -> Happening = match event.kind.as_str() {
            "account.followed" => |user| Happening::Followed { user },
            "account.unfollowed" => |user| Happening::Unfollowed { user },
            _ => return Ok(None),
        };
        let Ok(payload) = serde_json::from_str::<Follower>(&event.payload) else {
            return Ok(None);
        };
        let auth = &self.inner().auth;
        let user = auth.user_of_subject(institution, &payload.user).await?;
        Ok(user.map(follower))
    }

    async fn mandate_happening(
        &self,
        name: &str,
        subject: &str,
    ) -> Result<Option<Happening>, Error> {
        let state = match name {
            "given" => MandateState::Active,
            "revoked" => MandateState::Revoked,
            "used-up" => MandateState::UsedUp,
            _ => return Ok(None),
        };
        let Ok(id) = subject.parse::<MandateId>() else {
            return Ok(None);
        };
        let inner = self.inner();
        let lookup = inner
            .auth
            .permit_system("events of mandates", Scope::PaymentsRead);
        let found = inner.payments.mandate(&lookup, id).await?;
        Ok(found.map(|mandate| Happening::MandateChanged {
            mandate: id,
            state,
            user: mandate.user,
            reference: mandate.reference,
        }))
    }
}
