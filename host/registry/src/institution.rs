use qiao_auth::{AuditEntry, NewClient, OAuthClient, Permit, STAFF_GRANTS};
use qiao_db::Tx;
use qiao_events::NewEvent;
use qiao_model::{InstitutionId, Scope, ScopeSet, Timestamp};
use serde_json::json;

use crate::account::{PublicAccount, check_handle};
use crate::decision::reason;
use crate::store::{account, institution as store, revision};
use crate::{Error, Registry};

const NAME_CHARS_MAX: usize = 64;
const SUMMARY_CHARS_MAX: usize = 200;

/// What the first client of an institution may ask for.
pub const FIRST_CLIENT_SCOPES: [Scope; 7] = STAFF_GRANTS;

/// What an institution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstitutionKind {
    /// A fund company.
    Fund,
    /// An insurer.
    Insurer,
    /// Somebody who sends bills: a utility, an authority.
    Biller,
    /// A bank.
    Bank,
}

impl InstitutionKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Fund, Self::Insurer, Self::Biller, Self::Bank];

    /// Its stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fund => "fund",
            Self::Insurer => "insurer",
            Self::Biller => "biller",
            Self::Bank => "bank",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where an institution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstitutionState {
    /// Registered; an operator has not approved it.
    Pending,
    /// It may upload, and people see it.
    Active,
    /// An operator stopped it; its staff, clients and plugins are refused.
    Suspended,
}

impl InstitutionState {
    /// Its stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Suspended]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A fund company, insurer, biller or bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Institution {
    /// Which.
    pub id: InstitutionId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: InstitutionKind,
    /// Where it stands.
    pub state: InstitutionState,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// An institution to register.
#[derive(Clone, Debug)]
pub struct NewInstitution {
    /// Its name, also its public account's.
    pub name: String,
    /// What it is.
    pub kind: InstitutionKind,
    /// The public account's handle.
    pub handle: String,
    /// A sentence about it.
    pub summary: String,
    /// Its public keys, as a JWK set: they sign releases and client assertions.
    pub jwks_json: String,
}

/// What registering made.
#[derive(Clone, Debug)]
pub struct Founded {
    /// The institution, pending.
    pub institution: Institution,
    /// Its public account, unseen until it is approved.
    pub account: PublicAccount,
    /// Its first client.
    pub client: OAuthClient,
}

impl Registry {
    /// Registers an institution, its public account and its first OAuth client;
    /// the permit's person is its first staff member. Scope `account`.
    ///
    /// # Errors
    /// The name, the handle or the keys are not acceptable, or the handle is taken.
    pub async fn register_institution(
        &self,
        permit: &Permit,
        new: NewInstitution,
    ) -> Result<Founded, Error> {
        permit.covers(Scope::Account)?;
        let inner = self.inner();
        let name = plain(&new.name, 1, NAME_CHARS_MAX)?;
        let summary = plain(&new.summary, 0, SUMMARY_CHARS_MAX)?;
        check_handle(&new.handle)?;
        let created_at = inner.env.now();
        let institution = Institution {
            id: inner.env.id(),
            name: name.clone(),
            kind: new.kind,
            state: InstitutionState::Pending,
            created_at,
        };
        let account = PublicAccount {
            id: inner.env.id(),
            institution: institution.id,
            handle: new.handle.clone(),
            name,
            summary,
            menu: Vec::new(),
            followers: 0,
        };
        let client = NewClient {
            institution: institution.id,
            name: "first client".to_owned(),
            jwks_json: new.jwks_json,
            scopes: ScopeSet::from_iter(FIRST_CLIENT_SCOPES),
        };
        let founded = inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                store::insert(&mut tx, &institution).await?;
                account::insert(&mut tx, &account, created_at).await?;
                let auth = &inner.auth;
                let client = auth.found_institution(&mut tx, permit, &client).await?;
                let entry =
                    AuditEntry::allowed(permit.actor(), "institution.register", institution.id)
                        .detail(format!("{} @{}", institution.name, account.handle));
                auth.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(client)
            })
            .await;
        let client = founded.map_err(|error| match error {
            Error::Storage(source) if source.is_unique_violation() => {
                Error::HandleTaken(account.handle.clone())
            }
            other => other,
        })?;
        Ok(Founded {
            institution,
            account,
            client,
        })
    }

    /// Lets a registered or suspended institution work. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, there is no such institution, or it is active.
    pub async fn approve_institution(
        &self,
        permit: &Permit,
        institution: InstitutionId,
    ) -> Result<(), Error> {
        let approved = self.try_approve_institution(permit, institution).await;
        self.audit_refusal(permit, "institution.approve", institution, approved)
            .await
    }

    async fn try_approve_institution(
        &self,
        permit: &Permit,
        institution: InstitutionId,
    ) -> Result<(), Error> {
        permit.covers(Scope::Operate)?;
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let before = self.lock(&mut tx, institution).await?;
                if before == InstitutionState::Active {
                    return Err(Error::InstitutionState {
                        institution,
                        state: before,
                    });
                }
                let auth = &inner.auth;
                auth.admit_institution(&mut tx, permit, institution).await?;
                let change = Change {
                    state: InstitutionState::Active,
                    action: "institution.approve",
                    kind: "institution.approved",
                    detail: String::new(),
                };
                self.change(&mut tx, permit, institution, &change).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// Stops an institution: its staff, clients and plugins are refused from the
    /// next call on. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, there is no such institution, it is not active,
    /// or the reason is missing.
    pub async fn suspend_institution(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        why: &str,
    ) -> Result<(), Error> {
        let suspended = self.try_suspend_institution(permit, institution, why).await;
        self.audit_refusal(permit, "institution.suspend", institution, suspended)
            .await
    }

    async fn try_suspend_institution(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        why: &str,
    ) -> Result<(), Error> {
        permit.covers(Scope::Operate)?;
        let change = Change {
            state: InstitutionState::Suspended,
            action: "institution.suspend",
            kind: "institution.suspended",
            detail: reason(why)?,
        };
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let before = self.lock(&mut tx, institution).await?;
                if before != InstitutionState::Active {
                    return Err(Error::InstitutionState {
                        institution,
                        state: before,
                    });
                }
                let auth = &inner.auth;
                auth.suspend_institution(&mut tx, permit, institution)
                    .await?;
                self.change(&mut tx, permit, institution, &change).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// An institution.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn institution(&self, id: InstitutionId) -> Result<Option<Institution>, Error> {
        Ok(store::find(&self.inner().db, id).await?)
    }

    /// Whether there is an institution, in whatever state. None ever goes away, so a
    /// yes is kept.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn is_institution(&self, id: InstitutionId) -> Result<bool, Error> {
        let known = &self.inner().known_institutions;
        if known.get(&id).is_some() {
            return Ok(true);
        }
        let is_known = self.institution(id).await?.is_some();
        if is_known {
            known.insert(id, ());
        }
        Ok(is_known)
    }

    /// Every institution, newest first. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, or the database does not answer.
    pub async fn institutions(&self, permit: &Permit) -> Result<Vec<Institution>, Error> {
        permit.covers(Scope::Operate)?;
        Ok(store::list(&self.inner().db).await?)
    }

    async fn lock(
        &self,
        tx: &mut Tx,
        institution: InstitutionId,
    ) -> Result<InstitutionState, Error> {
        let state = store::lock(tx, institution).await?;
        state.ok_or(Error::UnknownInstitution(institution))
    }

    async fn change(
        &self,
        tx: &mut Tx,
        permit: &Permit,
        institution: InstitutionId,
        change: &Change,
    ) -> Result<(), Error> {
        let inner = self.inner();
        store::set_state(tx, institution, change.state).await?;
        revision::raise(tx).await?;
        let entry =
            AuditEntry::allowed(permit.actor(), change.action, institution).detail(&change.detail);
        inner.auth.audit_in(tx, &entry).await?;
        let event = NewEvent {
            id: inner.env.id(),
            kind: change.kind,
            institution: Some(institution),
            plugin: None,
            subject: institution.to_string(),
            payload: json!({ "institution": institution.to_string(), "reason": change.detail }),
        };
        Ok(qiao_events::append(tx, inner.env.now(), &[event]).await?)
    }
}

struct Change {
    state: InstitutionState,
    action: &'static str,
    kind: &'static str,
    detail: String,
}

/// One line of plain text.
fn plain(text: &str, min: usize, max: usize) -> Result<String, Error> {
    let text = text.trim();
    let chars = text.chars().count();
    if (min..=max).contains(&chars) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Error::InvalidName)
    }
}
