use qiao_auth::Permit;
use qiao_catalog::fee::{self, Aged, Basis};
use qiao_catalog::{FeeSchedule, OrderKind, Product};
use qiao_model::{OfferId, OrderId, Scope};
use qiao_payments::Method;
use qiao_runtime::{CallError, QuoteError, QuoteRequest, Quoted};

use crate::error::Error;
use crate::fulfiller::Serving;
use crate::lots::{self, LotEffect, LotsDigest};
use crate::offer::{Offer, Sealed};
use crate::orders::Orders;
use crate::plan::{Parties, Plan, PlanError, Terms};
use crate::quote::{QUOTE_LIFETIME_SECS, Quote, QuoteContext, QuoteId};
use crate::store;

/// What asking a plugin for a stored quote again gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The order whose quote it was.
    pub order: OrderId,
    /// What was stored: input hash, output hash, fuel.
    pub stored: ([u8; 32], [u8; 32], u64),
    /// What it is now.
    pub replayed: ([u8; 32], [u8; 32], u64),
}

/// What an order would do to its user's lots.
struct QuotedLots {
    effect: LotEffect,
    ages: Vec<Aged>,
    digest: Option<LotsDigest>,
}

impl QuotedLots {
    const NONE: Self = Self {
        effect: LotEffect::Unkept,
        ages: Vec::new(),
        digest: None,
    };
}

impl Replay {
    /// Whether the same release gave the same bytes for the same fuel.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.stored == self.replayed
    }
}

impl Orders {
    /// Prices an offer for a way to pay: the plugin the thing itself, the host every
    /// fee of the registered schedule, also what the method's channel adds. That a
    /// bank account is the user's and of its channel is up to the caller, who asked
    /// the banks. Nothing is written. Scope `account`.
    ///
    /// # Errors
    /// The offer is not this user's or has expired, it is not paid by that method,
    /// the plugin refuses, fails or proposes a fee outside its band, or its price and
    /// the fees make no order.
    pub async fn quote(
        &self,
        permit: &Permit,
        offer: OfferId,
        context: QuoteContext,
    ) -> Result<Quote, Error> {
        let offer = self.live_offer(permit, offer).await?;
        check_method(offer.terms.kind, context.method)?;
        self.price(&offer, self.inner().env.id(), context).await
    }

    /// Prices an offer as the quote of that id.
    pub(crate) async fn price(
        &self,
        offer: &Sealed,
        id: QuoteId,
        context: QuoteContext,
    ) -> Result<Quote, Error> {
        let inner = self.inner();
        let serving = inner.plugins.serving(offer.plugin).await?;
        let serving = serving.ok_or_else(|| Error::NotServing(offer.plugin.to_string()))?;
        let catalog = &inner.catalog;
        let product = catalog.product(offer.product).await?;
        let product = product.ok_or(Error::OfferNotFound(offer.id))?;
        let now = inner.env.now();
        let schedule = catalog.schedule(product.id, now.day()).await?;
        let price = match product.in_units {
            true => catalog.latest_price(product.id).await?,
            false => None,
        };
        let request = QuoteRequest {
            offer: offer.terms.clone(),
            price,
            today: now.day(),
        };
        let quoted = inner.plugins.quote(&serving, request).await;
        let quoted = quoted.map_err(quote_refusal)?;
        check_answer(offer, &quoted, &product)?;
        let lots = self.quoted_lots(offer, &product, &schedule).await?;
        let parties = Parties {
            channel: context.channel(),
            developer: serving.developer,
            scene: offer.scene,
        };
        let principal = quoted.quote.principal;
        let basis = Basis {
            kind: offer.terms.kind,
            principal,
            channel: parties.channel,
            ages: &lots.ages,
            proposals: &quoted.quote.proposals,
        };
        let fees = fee::charge(&schedule.lines, &basis)
            .map_err(PlanError::Fees)
            .map_err(Error::Unpriceable)?;
        let terms = Terms {
            kind: offer.terms.kind,
            user: offer.user,
            institution: offer.institution,
            product: offer.product,
            principal,
            lines: &fees.lines,
            parties,
            unit_price_e4: quoted.quote.unit_price_e4,
            units_minor: offer.terms.units_minor,
        };
        let plan = Plan::new(&terms).map_err(Error::Unpriceable)?;
        let quote = Quote {
            id,
            token: String::new(),
            offer: offer.id,
            offer_digest: offer.digest,
            title: offer.terms.title.clone(),
            reference: offer.terms.reference.clone(),
            user: offer.user,
            plugin: offer.plugin,
            institution: offer.institution,
            product: product.id,
            product_code: product.code.clone(),
            kind: offer.terms.kind,
            method: context.method,
            capture: product.capture,
            release: serving.release,
            release_digest: serving.digest,
            schedule_version: schedule.version,
            day: now.day(),
            price,
            principal,
            lines: fees.lines,
            parties,
            proposals: quoted.quote.proposals,
            ages: lots.ages,
            lots: lots.effect,
            lots_digest: lots.digest,
            unit_price_e4: quoted.quote.unit_price_e4,
            amount: plan.amount,
            units_minor: plan.units_minor,
            notes: quoted.quote.notes,
            input_hash: quoted.input_hash,
            output_hash: quoted.output_hash,
            fuel: quoted.fuel,
            made_at: now,
            expires_at: now.plus_secs(QUOTE_LIFETIME_SECS).min(offer.expires_at),
        };
        Ok(inner.signer.sign(quote))
    }

    /// What an order of the offer would do to its user's lots.
    async fn quoted_lots(
        &self,
        offer: &Offer,
        product: &Product,
        schedule: &FeeSchedule,
    ) -> Result<QuotedLots, Error> {
        let inner = self.inner();
        let (kind, units) = (offer.terms.kind, offer.terms.units_minor);
        let units = match (kind, units) {
            (OrderKind::Purchase, _) if schedule.has_back_load() => {
                return Ok(QuotedLots {
                    effect: LotEffect::Added,
                    ..QuotedLots::NONE
                });
            }
            (OrderKind::Redeem, Some(units)) if product.in_units => units,
            (OrderKind::Purchase | OrderKind::Pay | OrderKind::Redeem, _) => {
                return Ok(QuotedLots::NONE);
            }
        };
        let lots = store::lots::of_holder(&inner.db, offer.user, product.id).await?;
        // Lots of an older schedule are taken, too, so that they stay true.
        if lots.is_empty() && !schedule.has_back_load() {
            return Ok(QuotedLots::NONE);
        }
        let permit = inner.auth.permit_system("quotes", Scope::HoldingsRead);
        let held = inner.payments.holding(&permit, offer.user, product.id);
        let held = held.await?;
        let taken = lots::take(&lots, held.balance.available(), units);
        let today = inner.env.today();
        Ok(QuotedLots {
            effect: LotEffect::Taken,
            ages: fee::ages(&schedule.lines, &lots::lots_of(&taken, today), today),
            digest: Some(lots::digest(&taken)),
        })
    }

    /// Asks the plugin for an order's quote again, from what the order keeps.
    /// None when there is no such order, or another release serves now. Scope `operate`.
    ///
    /// # Errors
    /// The plugin refuses or fails, or the database failed.
    pub async fn replay(&self, permit: &Permit, order: OrderId) -> Result<Option<Replay>, Error> {
        permit.covers(Scope::Operate)?;
        let inner = self.inner();
        let Some(order) = store::orders::find(&inner.db, order).await? else {
            return Ok(None);
        };
        let quote = &order.quote;
        let serving = inner.plugins.serving(quote.plugin).await?;
        let Some(serving) = serving.filter(|s: &Serving| s.digest == quote.release_digest) else {
            return Ok(None);
        };
        let offer = self.offer_of(quote.user, quote.offer).await?;
        let request = QuoteRequest {
            offer: offer.terms.clone(),
            price: quote.price,
            today: quote.day,
        };
        let again = inner.plugins.quote(&serving, request).await;
        let again = again.map_err(quote_refusal)?;
        Ok(Some(Replay {
            order: order.id,
            stored: (quote.input_hash, quote.output_hash, quote.fuel),
            replayed: (again.input_hash, again.output_hash, again.fuel),
        }))
    }
}

/// A person pays from the balance or from a bank, and gets back to the balance
/// alone. A charge by a mandate has no quote that anybody confirms.
const fn check_method(kind: OrderKind, method: Method) -> Result<(), Error> {
    match (kind, method) {
        (_, Method::Balance) | (OrderKind::Purchase | OrderKind::Pay, Method::Bank { .. }) => {
            Ok(())
        }
        (OrderKind::Redeem, Method::Bank { .. }) | (_, Method::Mandate(_)) => {
            Err(Error::NotPayableBy { kind, method })
        }
    }
}

/// What the plugin may answer to this offer.
fn check_answer(offer: &Offer, quoted: &Quoted, product: &Product) -> Result<(), Error> {
    let answer = &quoted.quote;
    if answer.principal.currency != product.currency {
        return Err(Error::Unpriceable(PlanError::Inconsistent));
    }
    if answer.unit_price_e4.is_some() != product.in_units {
        return Err(Error::Unpriceable(PlanError::UnitPrice));
    }
    match offer.terms.kind {
        OrderKind::Redeem if !product.in_units => Err(Error::Unpriceable(PlanError::UnitPrice)),
        OrderKind::Redeem => Ok(()),
        // The user agreed to spend the offer's amount, and no plugin asks for more.
        OrderKind::Purchase | OrderKind::Pay if offer.terms.amount != Some(answer.principal) => {
            Err(Error::Unpriceable(PlanError::Inconsistent))
        }
        OrderKind::Purchase | OrderKind::Pay => Ok(()),
    }
}

fn quote_refusal(error: CallError<QuoteError>) -> Error {
    match error {
        CallError::Guest(QuoteError::NotAvailable(why)) => Error::OfferNotAvailable(why),
        CallError::Guest(QuoteError::AmountOutOfRange(why)) => Error::AmountOutOfRange(why),
        CallError::Trap(fault) => Error::PluginFailed(fault.to_string()),
        CallError::Unavailable => Error::Busy,
    }
}
