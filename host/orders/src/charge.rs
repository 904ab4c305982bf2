//! Orders that a mandate pays for: quoted and placed as at a checkout, but
//! nobody is asked, since the mandate is the consent.

use std::sync::Arc;

use qiao_auth::Permit;
use qiao_catalog::OrderKind;
use qiao_model::{OrderId, Timestamp};
use qiao_payments::{Charge, ChargeCapture, Command, Keyed, Mandate, Method, Refusal};
use qiao_runtime::{ChargePortError, ChargeRequest, ChargedOrder};

use crate::confirm::payment_of;
use crate::error::Error;
use crate::offer::{Offer, Sealed};
use crate::order::Order;
use crate::orders::Orders;
use crate::quote::{Quote, QuoteContext, QuoteId};
use crate::store;
use crate::store::mandates::{self, ChargeKey};

/// How long the offer of a charge is kept when it leads to no order: a plugin
/// tries a failed job again within this time.
const CHARGE_OFFER_SECS: i64 = 3 * 86_400;

impl Orders {
    /// Places the order of a charge and holds its money, once per plugin and key;
    /// the worker has it fulfilled. A charge that was refused can be tried again
    /// under its key. Scope `payments:charge`.
    ///
    /// # Errors
    /// The mandate is not this plugin's or does not allow it, the plugin does not
    /// sell it or its quote refuses, the key was used for another charge, or the
    /// user has too little money. Then nothing is held.
    pub async fn charge(
        &self,
        permit: &Permit,
        request: &ChargeRequest<'_>,
    ) -> Result<ChargedOrder, Error> {
        let inner = self.inner();
        let mandate = inner.payments.chargeable(permit, request.mandate).await?;
        let offer = self.charge_offer(&mandate, request).await?;
        let quote_id: QuoteId = offer.id.derive("charge", 0);
        let order: OrderId = quote_id.derive("order", 0);
        if let Some(placed) = store::orders::find(&inner.db, order).await? {
            return Ok(charged(&placed));
        }
        let context = QuoteContext {
            method: Method::Mandate(mandate.id),
        };
        let quote = self.price(&offer, quote_id, context).await?;
        let now = inner.env.now();
        let hold = hold_of(&quote, &offer)?;
        let placement = self.placement(quote, hold, None, now)?;
        self.place(&placement).await?;
        Ok(charged(&self.stored(order).await?))
    }

    /// The offer that the key led to first.
    async fn charge_offer(
        &self,
        mandate: &Mandate,
        request: &ChargeRequest<'_>,
    ) -> Result<Arc<Sealed>, Error> {
        let db = &self.inner().db;
        if let Some(first) = mandates::find_charge(db, request.plugin, request.key).await? {
            return self.same_charge(mandate, request, first).await;
        }
        let offer = self.new_charge_offer(mandate, request).await?;
        let insert =
            || async { mandates::insert_charge(db, &offer, request.key, mandate.id).await };
        if db.write(insert).await? {
            return Ok(Arc::new(offer.into()));
        }
        let first = mandates::find_charge(db, request.plugin, request.key).await?;
        let first = first.ok_or(Error::OfferNotFound(offer.id))?;
        self.same_charge(mandate, request, first).await
    }

    async fn same_charge(
        &self,
        mandate: &Mandate,
        request: &ChargeRequest<'_>,
        first: ChargeKey,
    ) -> Result<Arc<Sealed>, Error> {
        if first.mandate != mandate.id {
            return Err(Error::ChargeKeyReused);
        }
        let offer = self.offer_of(mandate.user, first.offer).await?;
        if offer.terms != request.offer {
            return Err(Error::ChargeKeyReused);
        }
        Ok(offer)
    }

    async fn new_charge_offer(
        &self,
        mandate: &Mandate,
        request: &ChargeRequest<'_>,
    ) -> Result<Offer, Error> {
        match request.offer.kind {
            OrderKind::Purchase | OrderKind::Pay => {}
            OrderKind::Redeem => return Err(Error::NotChargeable(OrderKind::Redeem)),
        }
        let inner = self.inner();
        let product = self.sold(request.plugin, &request.offer.product).await?;
        let made_at: Timestamp = inner.env.now();
        Ok(Offer {
            id: inner.env.id(),
            user: mandate.user,
            plugin: request.plugin,
            institution: mandate.institution,
            product: product.id,
            scene: None,
            terms: request.offer.clone(),
            made_at,
            expires_at: made_at.plus_secs(CHARGE_OFFER_SECS),
        })
    }
}

/// The hold of a charge: the mandate that it was quoted for pays, and is consumed
/// with it.
fn hold_of(quote: &Quote, offer: &Offer) -> Result<Keyed, Error> {
    let plan = quote.plan().map_err(Error::Unpriceable)?;
    let charge = Charge {
        product: Some(quote.product),
        capture: ChargeCapture::Later,
        payment: payment_of(quote, plan, &offer.terms.title),
    };
    Ok(Keyed::from(Command::Charge(charge)))
}

fn charged(order: &Order) -> ChargedOrder {
    ChargedOrder {
        order: order.id,
        state: order.standing.state,
        amount: order.quote.amount,
    }
}

/// What a guest is told of it.
pub(crate) fn refusal(request: &ChargeRequest<'_>, error: Error) -> ChargePortError {
    match error {
        Error::Denied(denied) => ChargePortError::Denied(denied.reason().to_owned()),
        Error::Payment(Refusal::UnknownMandate(mandate)) => {
            ChargePortError::UnknownMandate(mandate)
        }
        Error::Payment(Refusal::Mandate { cause, .. }) => ChargePortError::Refused(cause),
        Error::Payment(Refusal::InsufficientFunds { .. }) => ChargePortError::InsufficientFunds,
        Error::NotChargeable(_)
        | Error::ChargeKeyReused
        | Error::OfferNotAvailable(_)
        | Error::AmountOutOfRange(_)
        | Error::NotServing(_)
        | Error::PluginFailed(_) => ChargePortError::NotOrderable(error.to_string()),
        Error::Unpriceable(cause) => ChargePortError::NotOrderable(cause.to_string()),
        other => {
            tracing::warn!(plugin.id = %request.plugin, mandate.id = %request.mandate, error = %other, "a charge was not placed");
            ChargePortError::Unavailable
        }
    }
}
