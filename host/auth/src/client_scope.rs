//! What a client may do beyond what its institution's staff may let it: they ask,
//! an operator decides.

use qiao_model::{OAuthClientId, Scope, ScopeSet};

use crate::audit::AuditEntry;
use crate::client::OAuthClient;
use crate::permit::Permit;
use crate::store::client as store;
use crate::{Auth, Error};

/// Clients that one list of those that wait gives at most.
pub const ASKING_CLIENTS_MAX: i64 = 200;

/// What an operator decides of the scopes that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeVerdict {
    /// Its next token may carry them.
    Grant,
    /// It does not get them; its staff may register another client and ask again.
    Refuse,
}

impl ScopeVerdict {
    const fn action(self) -> &'static str {
        match self {
            Self::Grant => "client.grant_scopes",
            Self::Refuse => "client.refuse_scopes",
        }
    }
}

impl Auth {
    /// The active clients that ask for something an operator has not decided, oldest
    /// first, at most [`ASKING_CLIENTS_MAX`]. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, or the database does not answer.
    pub async fn asking_clients(&self, permit: &Permit) -> Result<Vec<OAuthClient>, Error> {
        permit.covers(Scope::Operate)?;
        Ok(store::list_asking(&self.inner().db, ASKING_CLIENTS_MAX).await?)
    }

    /// A client, whoever's. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, there is none, or the database does not answer.
    pub async fn client(&self, permit: &Permit, id: OAuthClientId) -> Result<OAuthClient, Error> {
        permit.covers(Scope::Operate)?;
        let found = store::find(&self.inner().db, id).await?;
        found.ok_or(Error::UnknownClient(id))
    }

    /// Grants or refuses scopes that a client asks for; what it asks for beside them
    /// waits on. Granting again changes nothing. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, there is no such active client, or it does not ask
    /// for one of the scopes and was not granted it (or, of a refusal, has it).
    pub async fn decide_scopes(
        &self,
        permit: &Permit,
        id: OAuthClientId,
        scopes: ScopeSet,
        verdict: ScopeVerdict,
    ) -> Result<OAuthClient, Error> {
        permit.covers(Scope::Operate)?;
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let found = store::lock(&mut tx, id).await?;
                let mut client = found
                    .filter(|client| client.is_active)
                    .ok_or(Error::UnknownClient(id))?;
                let known = match verdict {
                    ScopeVerdict::Grant => client.asked_scopes.union(client.scopes),
                    ScopeVerdict::Refuse => client.asked_scopes,
                };
                if let Some(scope) = scopes.iter().find(|scope| !known.contains(*scope)) {
                    return Err(Error::ScopeNotAsked { client: id, scope });
                }
                if scopes.intersection(client.asked_scopes).is_empty() {
                    return Ok(client);
                }
                client.asked_scopes = client.asked_scopes.without(scopes);
                if verdict == ScopeVerdict::Grant {
                    client.scopes = client.scopes.union(scopes);
                }
                store::set_scopes(&mut tx, &client).await?;
                let entry = AuditEntry::allowed(permit.actor(), verdict.action(), id)
                    .detail(format!("{scopes} for {}", client.institution));
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(client)
            })
            .await
    }
}
