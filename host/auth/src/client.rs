use qiao_db::Tx;
use qiao_model::{InstitutionId, OAuthClientId, ScopeSet, Timestamp, is_plain_text};

use crate::audit::AuditEntry;
use crate::keys::{JWKS_KEYS_MAX, PublicKey, parse_jwks, write_jwks};
use crate::permit::{Actor, Permit, STAFF_GRANTS};
use crate::staff::governs;
use crate::store::{client as store, revision};
use crate::{Auth, Error};

/// A client registers at most so many keys.
pub const CLIENT_KEYS_MAX: usize = JWKS_KEYS_MAX;
const NAME_CHARS_MAX: usize = 64;

/// A client to register.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Whose.
    pub institution: InstitutionId,
    /// What its owner calls it.
    pub name: String,
    /// Its public keys, as a JWK set.
    pub jwks_json: String,
    /// What it is to have. What staff may not let it do waits for an operator.
    pub scopes: ScopeSet,
}

/// An OAuth client: an institution's server, known by its public keys.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// Its `client_id`.
    pub id: OAuthClientId,
    /// Whose.
    pub institution: InstitutionId,
    /// What its owner calls it.
    pub name: String,
    /// Its public keys.
    pub keys: Vec<PublicKey>,
    /// What it may ask for.
    pub scopes: ScopeSet,
    /// What waits for an operator's grant; no token carries it.
    pub asked_scopes: ScopeSet,
    /// Whether it may still do anything.
    pub is_active: bool,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl Auth {
    /// Registers a client of an institution. Its staff may, and operators. Staff let
    /// it do what they may themselves; what else they ask for an operator grants, or
    /// not ([`Auth::decide_scopes`]).
    ///
    /// # Errors
    /// The permit is for neither, the keys are not acceptable, or a scope
    /// belongs to people.
    pub async fn register_client(
        &self,
        permit: &Permit,
        new: NewClient,
    ) -> Result<OAuthClient, Error> {
        governs(permit, new.institution)?;
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let client = self.insert_client(&mut tx, permit.actor(), &new).await?;
                tx.commit().await?;
                Ok(client)
            })
            .await
    }

    pub(crate) async fn insert_client(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        new: &NewClient,
    ) -> Result<OAuthClient, Error> {
        let keys = parse_jwks(&new.jwks_json)?;
        if let Some(scope) = new.scopes.iter().find(|s| !s.grantable_to_client()) {
            return Err(Error::ScopeNotGrantable(scope));
        }
        let name = new.name.trim().to_owned();
        let length = name.chars().count();
        if !(1..=NAME_CHARS_MAX).contains(&length) || !is_plain_text(&name) {
            return Err(Error::InvalidName);
        }
        let asked_scopes = beyond(actor, new.scopes);
        let client = OAuthClient {
            id: self.inner().env.id(),
            institution: new.institution,
            name,
            keys,
            scopes: new.scopes.without(asked_scopes),
            asked_scopes,
            is_active: true,
            created_at: self.inner().env.now(),
        };
        store::insert(tx, &client).await?;
        let entry =
            AuditEntry::allowed(actor, "client.register", client.id).detail(described(&client));
        self.audit_in(tx, &entry).await?;
        Ok(client)
    }

    /// Replaces the keys of a client; what the old ones sign counts no more.
    ///
    /// # Errors
    /// As [`Auth::register_client`]; or the institution has no such client.
    pub async fn replace_client_keys(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        client: OAuthClientId,
        jwks_json: &str,
    ) -> Result<(), Error> {
        governs(permit, institution)?;
        let jwks = write_jwks(&parse_jwks(jwks_json)?).to_string();
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if !store::set_keys(&mut tx, institution, client, &jwks).await? {
                    return Err(Error::UnknownClient(client));
                }
                let entry = AuditEntry::allowed(permit.actor(), "client.replace_keys", client);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// Ends a client for good; its tokens count no more from the very next call on.
    ///
    /// # Errors
    /// The permit does not govern the institution, or it has no such client.
    pub async fn disable_client(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        client: OAuthClientId,
    ) -> Result<(), Error> {
        governs(permit, institution)?;
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if !store::disable(&mut tx, institution, client).await? {
                    return Err(Error::UnknownClient(client));
                }
                revision::raise_tokens(&mut tx).await?;
                let entry = AuditEntry::allowed(permit.actor(), "client.disable", client);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// The clients of an institution, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn clients_of(&self, institution: InstitutionId) -> Result<Vec<OAuthClient>, Error> {
        Ok(store::list_for_institution(&self.inner().db, institution).await?)
    }

    /// The keys that sign for an institution: those of its active clients.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn institution_keys(
        &self,
        institution: InstitutionId,
    ) -> Result<Vec<PublicKey>, Error> {
        let clients = self.clients_of(institution).await?;
        Ok(clients
            .into_iter()
            .filter(|client| client.is_active)
            .flat_map(|client| client.keys)
            .collect())
    }
}

/// What of these scopes the registering caller may not let a client have.
fn beyond(actor: &Actor, scopes: ScopeSet) -> ScopeSet {
    match actor {
        Actor::Operator(_) => ScopeSet::EMPTY,
        Actor::User(_)
        | Actor::Staff { .. }
        | Actor::Client { .. }
        | Actor::Plugin { .. }
        | Actor::System(_) => scopes.without(ScopeSet::from_iter(STAFF_GRANTS)),
    }
}

fn described(client: &OAuthClient) -> String {
    let has = format!("{} with {}", client.institution, client.scopes);
    if client.asked_scopes.is_empty() {
        return has;
    }
    format!("{has}, asking for {}", client.asked_scopes)
}
