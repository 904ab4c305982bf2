use std::ops::ControlFlow;

use qiao_catalog::{Capture, OrderKind};
use qiao_model::OrderId;
use qiao_runtime::{CallError, FulfilError, Fulfilment, OrderState, PlacedOrder};

use crate::crash::CrashPoint;
use crate::error::Error;
use crate::fulfiller::Serving;
use crate::machine::{Command, Outcome, Refused};
use crate::order::Order;
use crate::orders::Orders;
use crate::redemption::Arrival;
use crate::rules::{Change, Refusal};
use crate::store;

/// What an order needs next of whoever has its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Capture,
    Fulfil,
    Cancel,
    /// Nothing now: it has ended, or another call is due later.
    Rest,
}

impl Orders {
    /// Drives an order whose lease this node has, until it has ended or must wait.
    pub(crate) async fn drive(&self, mut order: Order) -> Result<Order, Error> {
        loop {
            if awaits_money(&order) {
                match self.set_aside(order).await? {
                    ControlFlow::Continue(funded) => order = funded,
                    ControlFlow::Break(rests) => return Ok(rests),
                }
            }
            order = match next_step(&order) {
                Step::Rest => return Ok(order),
                Step::Capture => {
                    let order = self.change(order, Change::Capture).await?;
                    self.inner().crash.at(CrashPoint::AfterCapture)?;
                    order
                }
                Step::Fulfil => {
                    let change = self.fulfil(&order).await?;
                    self.inner().crash.at(CrashPoint::AfterFulfil)?;
                    let order = self.change(order, change).await?;
                    self.inner().crash.at(CrashPoint::AfterSettle)?;
                    order
                }
                Step::Cancel => {
                    self.inner().crash.at(CrashPoint::BeforeCancel)?;
                    let change = self.cancel(&order).await?;
                    self.inner().crash.at(CrashPoint::AfterCancel)?;
                    self.change(order, change).await?
                }
            };
        }
    }

    /// Sets the money of a redemption aside whose day has come. Breaks with the
    /// order when there is too little: it stays held and is tried again.
    async fn set_aside(&self, order: Order) -> Result<ControlFlow<Order, Order>, Error> {
        let arrivals = self.arrivals(&[order.id]).await?;
        match arrivals.get(&order.id) {
            Some(Arrival::Later(_)) => {}
            Some(Arrival::Instant(_)) | None => return Ok(ControlFlow::Continue(order)),
        }
        match self.submit_change(&order, Change::SetAside).await? {
            Ok(order) => Ok(ControlFlow::Continue(order)),
            Err(Refused::Payment(refusal)) => {
                tracing::warn!(order.id = %order.id, institution.id = %order.quote.institution, %refusal, "the money of a redemption whose day has come is not there");
                let problem = format!("the money cannot be set aside: {refusal}");
                let rests = self.change(order, Change::Short(problem)).await?;
                Ok(ControlFlow::Break(rests))
            }
            Err(Refused::Order(refusal)) => self
                .overtaken(&order, refusal)
                .await
                .map(ControlFlow::Break),
        }
    }

    /// The order as whoever drives it now has stored it.
    async fn overtaken(&self, order: &Order, refusal: Refusal) -> Result<Order, Error> {
        match refusal {
            Refusal::Overtaken { .. } | Refusal::WrongState { .. } => {
                let mut stored = self.stored(order.id).await?;
                stored.standing.lease = None;
                Ok(stored)
            }
            refusal @ (Refusal::Missing(_) | Refusal::LotsChanged(_)) => {
                Err(Error::Refused(refusal))
            }
        }
    }

    /// The order as it is stored.
    pub(crate) async fn stored(&self, id: OrderId) -> Result<Order, Error> {
        let found = store::orders::find(&self.inner().db, id).await?;
        found.ok_or(Error::Refused(Refusal::Missing(id)))
    }

    /// Stores a change, and with it what it does to the money. When the payment
    /// is refused, nobody knows how the order ends: it becomes unknown.
    async fn change(&self, order: Order, change: Change) -> Result<Order, Error> {
        let doubt = match self.submit_change(&order, change).await? {
            Ok(order) => return Ok(order),
            Err(Refused::Payment(refusal)) => {
                tracing::error!(order.id = %order.id, %refusal, "an order's payment was refused after it was held");
                Change::Doubt(format!("the payment was refused: {refusal}"))
            }
            // Another call of the plugin is on, or decided before this one.
            Err(Refused::Order(refusal)) => return self.overtaken(&order, refusal).await,
        };
        match self.submit_change(&order, doubt).await? {
            Ok(order) => Ok(order),
            Err(Refused::Order(refusal)) => Err(Error::Refused(refusal)),
            Err(Refused::Payment(refusal)) => Err(Error::Payment(refusal)),
        }
    }

    async fn submit_change(
        &self,
        order: &Order,
        change: Change,
    ) -> Result<Result<Order, Refused>, Error> {
        let command = Command::Change {
            order: order.id,
            attempt: order.standing.attempt,
            change,
        };
        let outcome = self.inner().batcher.submit(command).await?;
        Ok(match outcome {
            Ok(Outcome::Changed(standing)) => Ok(Order {
                standing,
                ..order.clone()
            }),
            Ok(
                Outcome::Placed
                | Outcome::PlacedForLater
                | Outcome::Existing
                | Outcome::Refunded(_),
            ) => Ok(order.clone()),
            Err(refused) => Err(refused),
        })
    }

    async fn fulfil(&self, order: &Order) -> Result<Change, Error> {
        let Some(serving) = self.serving_of(order).await else {
            return Ok(Change::Doubt("no release of the plugin serves".to_owned()));
        };
        let placed = self.placed_order(order).await?;
        let plugins = &self.inner().plugins;
        let answer = plugins.fulfil(&serving, placed).await;
        Ok(match answer {
            Ok(Fulfilment::Done(receipt)) => Change::Complete(receipt),
            Ok(Fulfilment::Pending(seconds)) => Change::Wait(seconds),
            Err(CallError::Guest(FulfilError::Rejected(reason))) => Change::Reject(reason),
            Err(error) => {
                let problem = error.to_string();
                tracing::warn!(order.id = %order.id, plugin.id = %serving.plugin, attempt = order.standing.attempt, problem, "an order's outcome is unknown");
                Change::Doubt(problem)
            }
        })
    }

    async fn cancel(&self, order: &Order) -> Result<Change, Error> {
        let Some(serving) = self.serving_of(order).await else {
            return Ok(Change::CancelFailed);
        };
        let placed = self.placed_order(order).await?;
        let plugins = &self.inner().plugins;
        let answer = plugins.cancel(&serving, placed).await;
        Ok(match answer {
            // A plugin that refuses to cancel has nothing to undo.
            Ok(()) | Err(CallError::Guest(FulfilError::Rejected(_))) => Change::Cancelled,
            Err(error) => {
                let problem = error.to_string();
                tracing::warn!(order.id = %order.id, plugin.id = %serving.plugin, problem, "a plugin did not cancel an order");
                Change::CancelFailed
            }
        })
    }

    async fn serving_of(&self, order: &Order) -> Option<Serving> {
        match self.inner().plugins.serving(order.quote.plugin).await {
            Ok(serving) => serving,
            Err(error) => {
                tracing::warn!(order.id = %order.id, %error, "the plugin of an order was not found");
                None
            }
        }
    }

    async fn placed_order(&self, order: &Order) -> Result<PlacedOrder, Error> {
        let quote = &order.quote;
        let offer = self.offer_of(quote.user, quote.offer).await?;
        Ok(PlacedOrder {
            id: order.id,
            offer: offer.terms.clone(),
            user: quote.user,
            principal: quote.principal,
            units_minor: quote.units_minor,
            attempt: order.standing.attempt,
        })
    }
}

/// Whether a redemption may have to find its money before it goes on.
fn awaits_money(order: &Order) -> bool {
    let standing = &order.standing;
    order.quote.kind == OrderKind::Redeem
        && standing.state == OrderState::Held
        && standing.lease.is_some()
}

fn next_step(order: &Order) -> Step {
    let standing = &order.standing;
    if standing.lease.is_none() {
        return Step::Rest;
    }
    match (standing.state, order.quote.capture) {
        (OrderState::Held, Capture::BeforeFulfilment) => Step::Capture,
        (OrderState::Held, Capture::OnFulfilment) | (OrderState::Paid | OrderState::Unknown, _) => {
            Step::Fulfil
        }
        (OrderState::Voided | OrderState::Refunded, _) if standing.next_at.is_some() => {
            Step::Cancel
        }
        (OrderState::Completed | OrderState::Voided | OrderState::Refunded, _) => Step::Rest,
    }
}
