use std::sync::Arc;

use qiao_auth::Permit;
use qiao_model::{InstitutionId, OfferId, Scope, Timestamp, UserId};
use qiao_runtime::{CallError, Field, Page, PageError};

use crate::error::Error;
use crate::fulfiller::Serving;
use crate::offer::{Answer, OFFER_LIFETIME_SECS, Offer, Sealed};
use crate::orders::Orders;
use crate::store;

/// Offers that one call of [`Orders::prune_offers`] deletes at most.
const OFFERS_PRUNED_MAX: i64 = 1_000;
/// How long an expired offer is kept for whoever looks into a complaint.
const OFFER_KEPT_SECS: i64 = 7 * 86_400;

/// A user opens a service of a public account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The account's handle.
    pub account: String,
    /// The service's name in the plugin's manifest.
    pub service: String,
    /// BCP 47 tag: `zh-CN` or `en`.
    pub locale: String,
    /// Values that a link of an earlier page carried.
    pub params: Vec<Field>,
    /// The institution through whose door the user came, where it is another's.
    pub scene: Option<InstitutionId>,
}

/// A user sends a form of a page back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Where.
    pub visit: Visit,
    /// The form's name.
    pub form: String,
    /// Its values.
    pub fields: Vec<Field>,
}

impl Orders {
    /// The page of a service. Scope `account`.
    ///
    /// # Errors
    /// No plugin serves the account, or it refuses or fails.
    pub async fn open_page(&self, permit: &Permit, visit: Visit) -> Result<Page, Error> {
        let user = demand_person(permit)?;
        let serving = self.serving_service(&visit).await?;
        let visit = self.visit_of(user, visit);
        let opened = self.inner().plugins.open(&serving, visit).await;
        opened.map_err(page_refusal)
    }

    /// The answer to a form: another page, an offer that is stored and leads to
    /// the checkout, or a mandate that leads to the consent page. Scope `account`.
    ///
    /// # Errors
    /// No plugin serves the account, or it refuses, fails or offers what it does not sell.
    pub async fn submit(&self, permit: &Permit, submission: Submission) -> Result<Answer, Error> {
        let user = demand_person(permit)?;
        let serving = self.serving_service(&submission.visit).await?;
        let scene = submission.visit.scene;
        let submission = qiao_runtime::Submission {
            visit: self.visit_of(user, submission.visit),
            form: submission.form,
            fields: submission.fields,
        };
        let plugins = &self.inner().plugins;
        let answered = plugins.submit(&serving, submission).await;
        match answered.map_err(page_refusal)? {
            qiao_runtime::Answer::Page(page) => Ok(Answer::Page(page)),
            qiao_runtime::Answer::Offer(terms) => {
                let offer = self.store_offer(&serving, user, scene, terms).await?;
                Ok(Answer::Offer(Box::new(offer)))
            }
            qiao_runtime::Answer::Mandate(terms) => {
                let offer = self.store_mandate_offer(&serving, user, terms).await?;
                Ok(Answer::Mandate(Box::new(offer)))
            }
        }
    }

    /// An offer that was made to the caller and has not expired. Scope `account`.
    ///
    /// # Errors
    /// There is none of that id for this user, or it has expired.
    pub async fn offer(&self, permit: &Permit, id: OfferId) -> Result<Offer, Error> {
        let offer = self.live_offer(permit, id).await?;
        Ok(Offer::clone(&offer))
    }

    pub(crate) async fn live_offer(
        &self,
        permit: &Permit,
        id: OfferId,
    ) -> Result<Arc<Sealed>, Error> {
        let user = demand_person(permit)?;
        let offer = self.offer_of(user, id).await?;
        if self.inner().env.now() >= offer.expires_at {
            return Err(Error::OfferExpired(id));
        }
        Ok(offer)
    }

    /// Worker step: deletes offers that expired a week ago and became no order,
    /// and those of mandates. Gives how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn prune_offers(&self) -> Result<u64, Error> {
        let inner = self.inner();
        let before: Timestamp = inner.env.now().plus_secs(-OFFER_KEPT_SECS);
        let offers = store::offers::prune(&inner.db, before, OFFERS_PRUNED_MAX).await?;
        let mandates = store::mandates::prune(&inner.db, before, OFFERS_PRUNED_MAX).await?;
        Ok(offers.saturating_add(mandates))
    }

    /// The offer of this user, whatever its age.
    pub(crate) async fn offer_of(&self, user: UserId, id: OfferId) -> Result<Arc<Sealed>, Error> {
        let inner = self.inner();
        if let Some(offer) = inner.offers.get(&id) {
            let is_own = offer.user == user;
            return is_own.then_some(offer).ok_or(Error::OfferNotFound(id));
        }
        let found = store::offers::find_for_user(&inner.db, id, user).await?;
        let offer = Arc::new(Sealed::from(found.ok_or(Error::OfferNotFound(id))?));
        inner.offers.insert(id, offer.clone());
        Ok(offer)
    }

    async fn store_offer(
        &self,
        serving: &Serving,
        user: UserId,
        scene: Option<InstitutionId>,
        terms: qiao_runtime::Offer,
    ) -> Result<Offer, Error> {
        let inner = self.inner();
        let product = self.sold(serving.plugin, &terms.product).await?;
        let made_at = inner.env.now();
        let offer = Offer {
            id: inner.env.id(),
            user,
            plugin: serving.plugin,
            institution: serving.institution,
            product: product.id,
            scene,
            terms,
            made_at,
            expires_at: made_at.plus_secs(OFFER_LIFETIME_SECS),
        };
        store::offers::insert(&inner.db, &offer).await?;
        inner
            .offers
            .insert(offer.id, Arc::new(offer.clone().into()));
        Ok(offer)
    }

    async fn serving_service(&self, visit: &Visit) -> Result<Serving, Error> {
        let plugins = &self.inner().plugins;
        let found = plugins
            .serving_service(&visit.account, &visit.service)
            .await?;
        found.ok_or_else(|| Error::NotServing(visit.account.chars().take(40).collect()))
    }

    fn visit_of(&self, user: UserId, visit: Visit) -> qiao_runtime::Visit {
        qiao_runtime::Visit {
            service: visit.service,
            user,
            locale: visit.locale,
            today: self.inner().env.today(),
            params: visit.params,
        }
    }
}

/// Demands a signed-in person acting for themselves: a checkout belongs to people.
pub(crate) fn demand_person(permit: &Permit) -> Result<UserId, Error> {
    permit.covers(Scope::Account)?;
    Ok(permit.demand_user()?)
}

fn page_refusal(error: CallError<PageError>) -> Error {
    match error {
        CallError::Guest(PageError::NotFound(name)) => Error::PageNotFound(name),
        CallError::Guest(PageError::InvalidField(problem)) => Error::InvalidField(problem),
        CallError::Guest(PageError::Unavailable(sentence)) => Error::ServiceUnavailable(sentence),
        CallError::Trap(fault) => Error::PluginFailed(fault.to_string()),
        CallError::Unavailable => Error::Busy,
    }
}
