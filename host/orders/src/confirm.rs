use std::sync::Arc;

use qiao_auth::{Permit, PinProof};
use qiao_catalog::OrderKind;
use qiao_model::{Amount, Asset, Money, OrderId, Timestamp, UserId};
use qiao_payments::{Account, Command, Delivery, IdempotencyKey, Keyed, Method, NewPayment, Party};
use qiao_runtime::OrderState;

use crate::crash::CrashPoint;
use crate::error::Error;
use crate::head::Head;
use crate::machine::{Command as OrderCommand, Outcome, Placement, Refused};
use crate::offer::Sealed;
use crate::order::{Captured, Lease, Order, Standing};
use crate::orders::Orders;
use crate::pages::demand_person;
use crate::plan::Plan;
use crate::quote::Quote;
use crate::rules::{LEASE_SECS, Refusal};
use crate::store;

/// How often a command is handed in again after another node had the same idea.
const PLACE_TRIES_MAX: u32 = 3;

/// A user's yes to a quote.
#[derive(Debug)]
pub struct Confirmation {
    /// The quote's token.
    pub token: String,
    /// The amount that the user saw and agreed to.
    pub amount: Money,
    /// How the user pays: as it was quoted. What a bank was asked for is in the
    /// balance by then.
    pub method: Method,
    /// The payment PIN, just given.
    pub pin: PinProof,
    /// The caller's idempotency key: the same key and quote again gives the same
    /// order, the same key and another quote is refused.
    pub key: IdempotencyKey,
}

/// What a quote's token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// What was quoted.
    pub quote: Quote,
    /// The order that it made before; none while it can be confirmed.
    pub placed: Option<OrderId>,
}

impl Orders {
    /// Reads a quote as [`Orders::confirm`] would, before anything moves for it:
    /// whoever asks a bank for the money looks here first. Without a method the
    /// quote's own is agreed to. Nothing is written. Scope `account`.
    ///
    /// # Errors
    /// As [`Orders::confirm`], without the PIN, the key and the payment.
    pub async fn review(
        &self,
        permit: &Permit,
        token: &str,
        amount: Money,
        method: Option<Method>,
    ) -> Result<Reviewed, Error> {
        let user = demand_person(permit)?;
        let quote = self.inner().signer.verify(token)?;
        let placed = store::orders::find(&self.inner().db, quote.order()).await?;
        if let Some(order) = placed.filter(|order| order.quote.user == user) {
            let placed = Some(order.id);
            return Ok(Reviewed { quote, placed });
        }
        let agreed = Agreed {
            user,
            amount,
            method: method.unwrap_or(quote.method),
        };
        check_consent(&quote, agreed, self.inner().env.now())?;
        self.current_offer(&quote).await?;
        Ok(Reviewed {
            quote,
            placed: None,
        })
    }

    /// Makes the order of a quote: stores it and holds the money in one
    /// transaction, has the plugin fulfil it, and posts, voids or refunds. One
    /// quote makes at most one order, however often it is confirmed. Scope `account`.
    ///
    /// The order that comes back has not always ended: a plugin may need longer,
    /// or give no answer, and then the worker goes on.
    ///
    /// # Errors
    /// The quote is altered, expired, outdated or somebody else's; the amount or the
    /// way to pay is another; the PIN or key is not good; or the payment was refused. Then
    /// nothing is held. After a storage error the same confirmation can be sent again.
    pub async fn confirm(
        &self,
        permit: &Permit,
        confirmation: Confirmation,
    ) -> Result<Order, Error> {
        let user = demand_person(permit)?;
        let now = self.inner().env.now();
        if confirmation.pin.is_of(permit, now).is_err() {
            return Err(Error::PinForeign);
        }
        let in_flight = self.inner().payments.in_flight();
        let _in_flight = in_flight.enter(&confirmation.key)?;
        let quote = self.inner().signer.verify(&confirmation.token)?;
        if let Some(order) = self.order_before(&quote, user, &confirmation).await? {
            return Ok(order);
        }
        let agreed = Agreed {
            user,
            amount: confirmation.amount,
            method: confirmation.method,
        };
        check_consent(&quote, agreed, now)?;
        let offer = self.current_offer(&quote).await?;
        let plan = quote.plan().map_err(Error::Unpriceable)?;
        let payment = payment_of(&quote, plan, &offer.terms.title);
        let (payment, later) = match self.is_instant(&quote).await? {
            true => {
                let later = paid_by(Party::Clearing(quote.institution), &payment);
                let at_once = paid_by(Party::Advance(quote.institution), &payment);
                (at_once, Some(later))
            }
            false => (payment, None),
        };
        let hold = |payment| Keyed::new(Command::Hold(payment), Some(confirmation.key));
        let lease = Lease {
            node: self.inner().node.clone(),
            until: now.plus_secs(LEASE_SECS),
        };
        let placement = Placement {
            later: later.map(hold),
            ..self.placement(quote, hold(payment), Some(lease), now)?
        };
        let order = placement.order.clone();
        match self.place(&placement).await? {
            Placed::New => {
                self.inner().crash.at(CrashPoint::AfterHold)?;
                self.drive(order).await
            }
            Placed::Before | Placed::ForLater => self.stored(order.id).await,
        }
    }

    /// The offer of a quote whose plugin still sells it so.
    async fn current_offer(&self, quote: &Quote) -> Result<Arc<Sealed>, Error> {
        let serving = self.inner().plugins.serving(quote.plugin).await?;
        if serving.is_none_or(|serving| serving.digest != quote.release_digest) {
            return Err(Error::QuoteOutdated(quote.id));
        }
        let offer = self.offer_of(quote.user, quote.offer).await?;
        if offer.digest != quote.offer_digest {
            return Err(Error::QuoteOutdated(quote.id));
        }
        Ok(offer)
    }

    /// A quote that made its order answers with it ever after, whatever became of
    /// its plugin, its release or its offer since.
    async fn order_before(
        &self,
        quote: &Quote,
        user: UserId,
        confirmation: &Confirmation,
    ) -> Result<Option<Order>, Error> {
        if quote.user != user || quote.amount != confirmation.amount {
            return Ok(None);
        }
        let found = store::orders::find(&self.inner().db, quote.order()).await?;
        if found.is_some() {
            self.inner().payments.check_key(&confirmation.key).await?;
        }
        Ok(found)
    }

    /// The order of a quote with its hold. Without a lease the worker drives it.
    pub(crate) fn placement(
        &self,
        quote: Quote,
        hold: Keyed,
        lease: Option<Lease>,
        now: Timestamp,
    ) -> Result<Placement, Error> {
        let inner = self.inner();
        let plan = quote.plan().map_err(Error::Unpriceable)?;
        let standing = Standing {
            state: OrderState::Held,
            capture: Captured::No,
            // Whoever claims it counts its own first try.
            attempt: u32::from(lease.is_some()),
            failures: 0,
            next_at: Some(now),
            lease,
            problem: None,
            receipt: None,
            posted_at: None,
            returned_at: None,
            changed_at: now,
        };
        let subject = inner.auth.subject(quote.institution, quote.user);
        let head = Head {
            id: quote.order(),
            user: quote.user,
            subject: subject.clone(),
            plugin: quote.plugin,
            institution: quote.institution,
            product: quote.product,
            kind: quote.kind,
            reference: quote.reference.clone(),
            payment: quote.payment(),
            principal: quote.principal,
            amount: quote.amount,
            paid: plan.paid,
            units_minor: plan.units_minor,
            lots: quote.lots,
            standing: standing.clone(),
        };
        Ok(Placement {
            order: Order {
                id: head.id,
                payment: head.payment,
                quote,
                subject,
                standing,
                confirmed_at: now,
            },
            head,
            hold,
            later: None,
        })
    }

    pub(crate) async fn place(&self, placement: &Placement) -> Result<Placed, Error> {
        let mut tries = 1;
        loop {
            let command = OrderCommand::Place(Box::new(placement.clone()));
            match self.inner().batcher.submit(command).await {
                Ok(Ok(Outcome::Placed | Outcome::Changed(_) | Outcome::Refunded(_))) => {
                    return Ok(Placed::New);
                }
                Ok(Ok(Outcome::PlacedForLater)) => return Ok(Placed::ForLater),
                Ok(Ok(Outcome::Existing)) => return Ok(Placed::Before),
                Ok(Err(Refused::Payment(refusal))) => return Err(Error::Payment(refusal)),
                Ok(Err(Refused::Order(Refusal::LotsChanged(_)))) => {
                    return Err(Error::QuoteOutdated(placement.order.quote.id));
                }
                Ok(Err(Refused::Order(refusal))) => return Err(Error::Refused(refusal)),
                // Two nodes stored the same order at once: the second look finds it.
                Err(error) if error.is_unique_violation() && tries < PLACE_TRIES_MAX => tries += 1,
                Err(error) => return Err(Error::Storage(error)),
            }
        }
    }
}

pub(crate) enum Placed {
    New,
    ForLater,
    Before,
}

/// What a person said yes to.
#[derive(Clone, Copy)]
struct Agreed {
    user: UserId,
    amount: Money,
    method: Method,
}

fn check_consent(quote: &Quote, agreed: Agreed, now: Timestamp) -> Result<(), Error> {
    if quote.user != agreed.user {
        return Err(Error::QuoteForeign(quote.id));
    }
    if now >= quote.expires_at {
        return Err(Error::QuoteExpired(quote.id));
    }
    if quote.amount != agreed.amount {
        return Err(Error::AmountDiffers {
            quoted: quote.amount,
            confirmed: agreed.amount,
        });
    }
    if quote.method != agreed.method {
        return Err(Error::MethodDiffers {
            quoted: quote.method,
            confirmed: agreed.method,
        });
    }
    Ok(())
}

/// The same payment out of another account of the institution: what its bank
/// advanced, or what it sets aside on the day.
fn paid_by(payer: Party, payment: &NewPayment) -> NewPayment {
    NewPayment {
        payer,
        ..payment.clone()
    }
}

/// The payment of a quote: money by the plan's splits, units beside it.
pub(crate) fn payment_of(quote: &Quote, plan: Plan, title: &str) -> NewPayment {
    let holding = Account::Holding(quote.user);
    let sides = match quote.kind {
        OrderKind::Purchase => Some((Account::Issuance, holding)),
        OrderKind::Redeem => Some((holding, Account::Issuance)),
        OrderKind::Pay => None,
    };
    let units = sides.zip(plan.units_minor);
    NewPayment {
        id: quote.payment(),
        order: Some(quote.order()),
        institution: Some(quote.institution),
        payer: plan.payer,
        method: quote.method,
        amount: plan.paid,
        splits: plan.splits,
        deliveries: units
            .map(|((from, to), minor)| Delivery {
                from,
                to,
                amount: Amount {
                    minor,
                    asset: Asset::Units(quote.product),
                },
            })
            .into_iter()
            .collect(),
        description: title.to_owned(),
        // The saga ends every hold, and must find it whenever it goes on.
        expires_at: None,
    }
}
