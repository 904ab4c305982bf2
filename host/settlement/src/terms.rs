use qiao_auth::{AuditEntry, Permit};
use qiao_banks::ACCOUNT_NUMBER_CHARS_MAX;
use qiao_model::{InstitutionId, Timestamp};

use crate::access;
use crate::error::Error;
use crate::settlement::{PAGE_MAX, Settlement};
use crate::store;

/// T+5 is the latest that an institution is paid.
pub const TERMS_DAYS_MAX: u32 = 5;

/// Whether an institution is paid by its terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermsState {
    /// They wait for an operator; nothing is paid out until then.
    Proposed,
    /// They hold.
    Active,
}

impl TermsState {
    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Active => "active",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Proposed, Self::Active]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// When, where to and from how much on an institution is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTerms {
    /// T+n, counted in business days; at most [`TERMS_DAYS_MAX`].
    pub days: u32,
    /// The number of its bank account.
    pub account_number: String,
    /// Less than this waits for another day, in minor units.
    pub minimum_minor: i64,
}

/// An institution's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whose.
    pub institution: InstitutionId,
    /// What they say.
    pub says: NewTerms,
    /// Whether they hold.
    pub state: TermsState,
    /// Who changed them last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
}

impl NewTerms {
    fn check(&self) -> Result<(), Error> {
        let number = &self.account_number;
        let is_number = (1..=ACCOUNT_NUMBER_CHARS_MAX).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_number && self.days <= TERMS_DAYS_MAX && self.minimum_minor >= 0 {
            Ok(())
        } else {
            Err(Error::Terms)
        }
    }
}

impl Settlement {
    /// Proposes terms for the staff's institution, or sets them as an operator.
    /// Changed terms stop payouts until an operator approves them, so that who
    /// takes over a console cannot turn the money elsewhere.
    ///
    /// # Errors
    /// No permit for it, the terms cannot be, or the database failed.
    pub async fn set_terms(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        new: NewTerms,
    ) -> Result<Terms, Error> {
        let state = access::may_set_terms(permit, institution)?;
        new.check()?;
        let inner = self.inner();
        let terms = Terms {
            institution,
            says: new,
            state,
            changed_by: permit.actor().to_string(),
            changed_at: inner.env.now(),
        };
        let action = match state {
            TermsState::Proposed => "settlement.propose-terms",
            TermsState::Active => "settlement.set-terms",
        };
        let detail = format!("T+{}", terms.says.days);
        let entry = AuditEntry::allowed(permit.actor(), action, institution).detail(detail);
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let fact = store::terms::set(&mut tx, &terms).await?;
                inner.auth.audit_in(&mut tx, &entry).await?;
                qiao_ledger::attest(&mut tx, fact, terms.changed_at).await?;
                tx.commit().await?;
                Ok::<_, Error>(())
            })
            .await?;
        Ok(terms)
    }

    /// Lets proposed terms hold. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, none are proposed, or the database failed.
    pub async fn approve_terms(
        &self,
        permit: &Permit,
        institution: InstitutionId,
    ) -> Result<(), Error> {
        access::may_operate(permit)?;
        let inner = self.inner();
        let by = permit.actor().to_string();
        let entry = AuditEntry::allowed(permit.actor(), "settlement.approve-terms", institution);
        inner
            .db
            .write(|| async {
                let (mut tx, now) = (inner.db.begin().await?, inner.env.now());
                let approved = store::terms::approve(&mut tx, institution, &by, now).await?;
                if approved.is_none() {
                    return Err(Error::NothingToApprove(institution));
                }
                inner.auth.audit_in(&mut tx, &entry).await?;
                qiao_ledger::attest(&mut tx, approved, now).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// An institution's terms; none when it never proposed any.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn terms(
        &self,
        permit: &Permit,
        institution: InstitutionId,
    ) -> Result<Option<Terms>, Error> {
        access::may_see(permit, institution)?;
        Ok(store::terms::find(&self.inner().db, institution).await?)
    }

    /// A page of every institution's terms, by id. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn all_terms(
        &self,
        permit: &Permit,
        after: Option<InstitutionId>,
    ) -> Result<Vec<Terms>, Error> {
        access::may_operate(permit)?;
        Ok(store::terms::list(&self.inner().db, after, PAGE_MAX).await?)
    }
}
