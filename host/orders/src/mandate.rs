use std::sync::Arc;

use qiao_auth::{Permit, PinProof};
use qiao_model::{InstitutionId, MandateId, OfferId, PluginId, ProductId, Timestamp, UserId};
use qiao_payments::{Mandate, NewMandate, SpendLimits};

use crate::error::Error;
use crate::fulfiller::Serving;
use crate::offer::OFFER_LIFETIME_SECS;
use crate::orders::Orders;
use crate::pages::demand_person;
use crate::store::mandates as store;

/// A mandate that a plugin proposed to one user, as the host keeps it. It never
/// changes; the user agrees to it as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MandateOffer {
    /// Which.
    pub id: OfferId,
    /// To whom it was made; nobody else sees it.
    pub user: UserId,
    /// The plugin that made it.
    pub plugin: PluginId,
    /// The plugin's institution.
    pub institution: InstitutionId,
    /// What it pays for.
    pub product: ProductId,
    /// What the plugin proposed.
    pub terms: qiao_runtime::MandateOffer,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

impl MandateOffer {
    /// The mandate that agreeing makes: one offer, one mandate.
    #[must_use]
    pub fn mandate(&self) -> MandateId {
        self.id.derive("mandate", 0)
    }

    /// What agreeing allows: charges for the product, paid to the institution.
    #[must_use]
    pub fn new_mandate(&self) -> NewMandate {
        let terms = &self.terms;
        NewMandate {
            id: self.mandate(),
            user: self.user,
            institution: self.institution,
            plugin: Some(self.plugin),
            title: terms.title.clone(),
            purpose: terms.purpose.clone(),
            reference: terms.reference.clone(),
            limits: SpendLimits {
                currency: terms.per_payment.currency,
                per_payment: terms.per_payment.minor,
                per_day: terms.per_day,
                per_month: terms.per_month,
                count: terms.count,
                payees: vec![self.institution],
                products: vec![self.product],
                expires_at: terms.until.plus_days(1).start(),
            },
        }
    }
}

impl Orders {
    /// A mandate that was offered to the caller. Scope `account`.
    ///
    /// # Errors
    /// There is none of that id for this user, or it has expired.
    pub async fn mandate_offer(&self, permit: &Permit, id: OfferId) -> Result<MandateOffer, Error> {
        let user = demand_person(permit)?;
        let inner = self.inner();
        let found = store::find_for_user(&inner.db, id, user).await?;
        let offer = found.ok_or(Error::OfferNotFound(id))?;
        if inner.env.now() >= offer.expires_at {
            return Err(Error::OfferExpired(id));
        }
        Ok(offer)
    }

    /// Makes the mandate of an offer: the user has read it and given the PIN. One
    /// offer makes one mandate, however often it is agreed to. Scope `account`.
    ///
    /// # Errors
    /// The offer is not this user's or has expired, its plugin was stopped, or
    /// the PIN is not good.
    pub async fn agree(
        &self,
        permit: &Permit,
        id: OfferId,
        pin: PinProof,
    ) -> Result<Mandate, Error> {
        let offer = self.mandate_offer(permit, id).await?;
        let inner = self.inner();
        if inner.plugins.serving(offer.plugin).await?.is_none() {
            return Err(Error::NotServing(offer.plugin.to_string()));
        }
        let new = offer.new_mandate();
        Ok(inner.payments.give_mandate(permit, new, &pin).await?)
    }

    /// Keeps a mandate that a plugin proposes.
    pub(crate) async fn store_mandate_offer(
        &self,
        serving: &Serving,
        user: UserId,
        terms: qiao_runtime::MandateOffer,
    ) -> Result<MandateOffer, Error> {
        let inner = self.inner();
        let product = self.sold(serving.plugin, &terms.product).await?;
        let made_at = inner.env.now();
        let offer = MandateOffer {
            id: inner.env.id(),
            user,
            plugin: serving.plugin,
            institution: serving.institution,
            product: product.id,
            terms,
            made_at,
            expires_at: made_at.plus_secs(OFFER_LIFETIME_SECS),
        };
        if product.currency != offer.terms.per_payment.currency {
            let cause = "it offers a mandate in another currency than its product's";
            return Err(Error::PluginFailed(cause.to_owned()));
        }
        offer.new_mandate().check(made_at).map_err(|invalid| {
            Error::PluginFailed(format!("it offers a mandate that is none: {invalid}"))
        })?;
        store::insert(&inner.db, &offer).await?;
        Ok(offer)
    }

    /// The product of that code, if this plugin sells it.
    pub(crate) async fn sold(
        &self,
        plugin: PluginId,
        code: &str,
    ) -> Result<Arc<qiao_catalog::Product>, Error> {
        let found = self.inner().catalog.product_by_code(plugin, code).await?;
        found.ok_or_else(|| {
            Error::PluginFailed(format!("it offers `{code}`, which it does not sell"))
        })
    }
}
