use std::sync::Arc;

use qiao_auth::{Permit, PinProof};
use qiao_model::{
    InstitutionId, MandateId, OfferId, PluginId, ProductId, Scope, Timestamp, UserId,
};
use qiao_payments::{Mandate, NewMandate, Refusal, SpendLimits};
use qiao_runtime::MandateTerms;

use crate::error::Error;
use crate::fulfiller::Serving;
use crate::offer::OFFER_LIFETIME_SECS;
use crate::orders::Orders;
use crate::pages::demand_person;
use crate::store::mandates as store;

/// How long a mandate that servers propose can be given: people get to it by a link.
pub const MANDATE_PROPOSAL_LIFETIME_SECS: i64 = 7 * 86_400;
/// Mandates that an institution's servers have proposed to one person at once, at most.
pub const MANDATE_PROPOSALS_MAX: i64 = 20;
/// Proposals that a person is shown at most, the newest.
pub const MANDATE_PROPOSALS_LISTED_MAX: i64 = 20;

/// Who proposes a mandate and may charge it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposer {
    /// A plugin, for orders of one of its products.
    Plugin {
        /// Which.
        plugin: PluginId,
        /// What the mandate pays for.
        product: ProductId,
    },
    /// The institution's servers, for plain money.
    Servers,
}

/// A mandate that was proposed to one user, as the host keeps it. It never
/// changes; the user agrees to it as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MandateOffer {
    /// Which.
    pub id: OfferId,
    /// To whom it was made; nobody else sees it.
    pub user: UserId,
    /// By whom.
    pub proposer: Proposer,
    /// The plugin's institution, or the servers'.
    pub institution: InstitutionId,
    /// What was proposed.
    pub terms: MandateTerms,
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

    /// The plugin that made it; none when servers did.
    #[must_use]
    pub const fn plugin(&self) -> Option<PluginId> {
        match self.proposer {
            Proposer::Plugin { plugin, .. } => Some(plugin),
            Proposer::Servers => None,
        }
    }

    /// What it pays for; none is plain money.
    #[must_use]
    pub const fn product(&self) -> Option<ProductId> {
        match self.proposer {
            Proposer::Plugin { product, .. } => Some(product),
            Proposer::Servers => None,
        }
    }

    /// What agreeing allows: charges for the product or of plain money, paid to the
    /// institution.
    #[must_use]
    pub fn new_mandate(&self) -> NewMandate {
        let terms = &self.terms;
        NewMandate {
            id: self.mandate(),
            user: self.user,
            institution: self.institution,
            plugin: self.plugin(),
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
                products: self.product().into_iter().collect(),
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

    /// What servers of institutions propose to the caller and is neither given nor
    /// expired, newest first. Scope `account`.
    ///
    /// # Errors
    /// The caller is no person, or the database failed.
    pub async fn mandate_proposals(&self, permit: &Permit) -> Result<Vec<MandateOffer>, Error> {
        let user = demand_person(permit)?;
        let inner = self.inner();
        let limit = MANDATE_PROPOSALS_LISTED_MAX;
        let mut open = Vec::new();
        for offer in store::open_for_user(&inner.db, user, inner.env.now(), limit).await? {
            let given = inner.payments.mandate(permit, offer.mandate()).await?;
            if given.is_none() {
                open.push(offer);
            }
        }
        Ok(open)
    }

    /// Proposes a mandate for plain money, to be charged by the calling institution's
    /// servers. The user finds it by its id, on the consent page. Scope
    /// `payments:charge`.
    ///
    /// # Errors
    /// The caller is no institution's server, the terms make no mandate, or the user has
    /// [`MANDATE_PROPOSALS_MAX`] of this institution's before them.
    pub async fn propose_mandate(
        &self,
        permit: &Permit,
        user: UserId,
        terms: MandateTerms,
    ) -> Result<MandateOffer, Error> {
        permit.covers(Scope::PaymentsCharge)?;
        let institution = permit.demand_institution()?;
        let inner = self.inner();
        let made_at = inner.env.now();
        let offer = MandateOffer {
            id: inner.env.id(),
            user,
            proposer: Proposer::Servers,
            institution,
            terms,
            made_at,
            expires_at: made_at.plus_secs(MANDATE_PROPOSAL_LIFETIME_SECS),
        };
        let checked = offer.new_mandate().check(made_at);
        checked.map_err(Refusal::InvalidMandate)?;
        if !store::insert(&inner.db, &offer, Some(MANDATE_PROPOSALS_MAX)).await? {
            return Err(Error::TooManyProposals);
        }
        Ok(offer)
    }

    /// Makes the mandate of an offer: the user has read it and given the PIN. One
    /// offer makes one mandate, however often it is agreed to. Scope `account`.
    ///
    /// # Errors
    /// The offer is not this user's or has expired, its plugin was stopped or its
    /// institution suspended, or the PIN is not good.
    pub async fn agree(
        &self,
        permit: &Permit,
        id: OfferId,
        pin: PinProof,
    ) -> Result<Mandate, Error> {
        let offer = self.mandate_offer(permit, id).await?;
        let inner = self.inner();
        let is_gone = match offer.proposer {
            Proposer::Plugin { plugin, .. } => inner.plugins.serving(plugin).await?.is_none(),
            Proposer::Servers => inner.auth.is_suspended(offer.institution).await?,
        };
        if is_gone {
            let by = offer.plugin().map(|plugin| plugin.to_string());
            return Err(Error::ProposerGone(
                by.unwrap_or_else(|| offer.institution.to_string()),
            ));
        }
        let new = offer.new_mandate();
        Ok(inner.payments.give_mandate(permit, new, &pin).await?)
    }

    /// Keeps a mandate that a plugin proposes.
    pub(crate) async fn store_mandate_offer(
        &self,
        serving: &Serving,
        user: UserId,
        proposed: qiao_runtime::MandateOffer,
    ) -> Result<MandateOffer, Error> {
        let inner = self.inner();
        let product = self.sold(serving.plugin, &proposed.product).await?;
        let made_at = inner.env.now();
        let offer = MandateOffer {
            id: inner.env.id(),
            user,
            proposer: Proposer::Plugin {
                plugin: serving.plugin,
                product: product.id,
            },
            institution: serving.institution,
            terms: proposed.terms,
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
        // A plugin proposes as an answer to the user's own form.
        store::insert(&inner.db, &offer, None).await?;
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
