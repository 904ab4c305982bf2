use qiao_auth::Permit;
use qiao_db::Db;
use qiao_model::{DeliveryId, EndpointId, Env, InstitutionId, Scope, Secret};

use crate::delivery::{AttemptRow, DeliveryRow};
use crate::egress::Policy;
use crate::endpoint::{ENDPOINTS_MAX, Endpoint, EndpointState, NewEndpoint};
use crate::error::Error;
use crate::seal::Sealer;
use crate::store;
use crate::webhook::{new_key, secret_text};

/// Deliveries of one page.
pub const DELIVERY_PAGE_ROWS: usize = 50;

/// The outbox, the endpoints and the deliveries. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Events {
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) sealer: Sealer,
    pub(crate) policy: Policy,
}

impl Events {
    /// The events of this database. The policy says which private addresses an
    /// endpoint may have.
    #[must_use]
    pub const fn new(db: Db, env: Env, sealer: Sealer, policy: Policy) -> Self {
        Self {
            db,
            env,
            sealer,
            policy,
        }
    }

    /// Registers an endpoint of the caller's institution. The secret
    /// (`whsec_…`) is told this once.
    ///
    /// # Errors
    /// No permit for it, an address or kind that cannot be one, or too many endpoints.
    pub async fn register_endpoint(
        &self,
        permit: &Permit,
        new: NewEndpoint,
    ) -> Result<(Endpoint, Secret<String>), Error> {
        let institution = institution_of(permit)?;
        let url = new.check(&self.policy)?;
        let key = new_key(&self.env);
        let endpoint = Endpoint {
            id: self.env.id(),
            institution,
            url: url.into(),
            kinds: new.kinds,
            state: EndpointState::Enabled,
            failing_since: None,
            created_at: self.env.now(),
        };
        let sealed = self.sealer.seal(&endpoint.id.to_string(), key.expose())?;
        self.db
            .write(|| async {
                let mut tx = self.db.begin().await?;
                if store::endpoint::count_of(&mut tx, institution).await? >= ENDPOINTS_MAX {
                    return Err(Error::TooManyEndpoints(ENDPOINTS_MAX));
                }
                store::endpoint::insert(&mut tx, &endpoint, &sealed).await?;
                Ok(tx.commit().await?)
            })
            .await?;
        Ok((endpoint, secret_text(&key)))
    }

    /// The endpoints of the caller's institution.
    ///
    /// # Errors
    /// No permit for it.
    pub async fn endpoints_of(&self, permit: &Permit) -> Result<Vec<Endpoint>, Error> {
        let institution = institution_of(permit)?;
        Ok(store::endpoint::list_of(&self.db, institution).await?)
    }

    /// Deletes an endpoint, its secret, and what waits for it.
    ///
    /// # Errors
    /// No permit for it, or no such endpoint of the institution.
    pub async fn delete_endpoint(&self, permit: &Permit, id: EndpointId) -> Result<(), Error> {
        let institution = institution_of(permit)?;
        self.db
            .write(|| async {
                let mut tx = self.db.begin().await?;
                if !store::endpoint::delete_of(&mut tx, institution, id).await? {
                    return Err(Error::UnknownEndpoint(id));
                }
                store::delivery::give_up_for(&mut tx, id, self.env.now()).await?;
                Ok(tx.commit().await?)
            })
            .await
    }

    /// Enables a disabled endpoint again. What was given up meanwhile stays so
    /// until it is delivered again by hand.
    ///
    /// # Errors
    /// No permit for it, or no such endpoint of the institution.
    pub async fn enable_endpoint(&self, permit: &Permit, id: EndpointId) -> Result<(), Error> {
        let institution = institution_of(permit)?;
        self.db
            .write(|| async {
                let mut tx = self.db.begin().await?;
                if !store::endpoint::enable_of(&mut tx, institution, id).await? {
                    return Err(Error::UnknownEndpoint(id));
                }
                Ok(tx.commit().await?)
            })
            .await
    }

    /// Deliveries of the caller's institution, the newest first, at most
    /// [`DELIVERY_PAGE_ROWS`]; the next page begins before the last id.
    ///
    /// # Errors
    /// No permit for it.
    pub async fn deliveries_of(
        &self,
        permit: &Permit,
        before: Option<DeliveryId>,
    ) -> Result<Vec<DeliveryRow>, Error> {
        let institution = institution_of(permit)?;
        let limit = i64::try_from(DELIVERY_PAGE_ROWS).unwrap_or(i64::MAX);
        Ok(store::delivery::list_of(&self.db, institution, before, limit).await?)
    }

    /// The finished attempts of a delivery of the caller's institution.
    ///
    /// # Errors
    /// No permit for it.
    pub async fn attempts_of(
        &self,
        permit: &Permit,
        id: DeliveryId,
    ) -> Result<Vec<AttemptRow>, Error> {
        let institution = institution_of(permit)?;
        Ok(store::delivery::attempts_of(&self.db, institution, id).await?)
    }

    /// Sends an ended delivery again, with a fresh schedule of retries.
    ///
    /// # Errors
    /// No permit for it, no such delivery of the institution, it waits already,
    /// or its endpoint is not enabled.
    pub async fn redeliver(&self, permit: &Permit, id: DeliveryId) -> Result<(), Error> {
        let institution = institution_of(permit)?;
        self.db
            .write(|| async {
                let mut tx = self.db.begin().await?;
                let now = self.env.now();
                if store::delivery::restart_of(&mut tx, institution, id, now).await? {
                    return Ok(tx.commit().await?);
                }
                if store::delivery::exists_of(&mut tx, institution, id).await? {
                    Err(Error::NotRedeliverable(id))
                } else {
                    Err(Error::UnknownDelivery(id))
                }
            })
            .await
    }
}

fn institution_of(permit: &Permit) -> Result<InstitutionId, Error> {
    permit.covers(Scope::WebhooksWrite)?;
    Ok(permit.demand_institution()?)
}
