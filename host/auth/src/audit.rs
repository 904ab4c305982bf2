use qiao_db::Tx;
use qiao_model::id::{Id, Noun};
use qiao_model::{Scope, Timestamp, is_plain_text};

use crate::permit::{Actor, Permit};
use crate::store::audit as store;
use crate::{Auth, Error};

/// Rows of one page of the audit.
pub const AUDIT_PAGE_ROWS: i64 = 100;
/// A detail is cut here.
const DETAIL_CHARS_MAX: usize = 2_000;

/// A row of the audit.
enum Audit {}

impl Noun for Audit {
    const PREFIX: &'static str = "aud";
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Allowed,
    /// It was refused.
    Refused,
}

impl Outcome {
    /// Its stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Allowed, Self::Refused]
            .into_iter()
            .find(|outcome| outcome.name() == text)
    }
}

/// What happened, to be kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who: an [`Actor`] as text.
    pub actor: String,
    /// What: `release.upload`, `user.log_in`.
    pub action: &'static str,
    /// To what: an id, or a log-in name.
    pub subject: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a sentence. No secrets.
    pub detail: String,
}

impl AuditEntry {
    /// That the actor did it.
    #[must_use]
    pub fn allowed(actor: &Actor, action: &'static str, subject: impl ToString) -> Self {
        Self {
            actor: actor.to_string(),
            action,
            subject: subject.to_string(),
            outcome: Outcome::Allowed,
            detail: String::new(),
        }
    }

    /// That the actor was refused, and why.
    #[must_use]
    pub fn refused(
        actor: &Actor,
        action: &'static str,
        subject: impl ToString,
        cause: impl ToString,
    ) -> Self {
        Self {
            outcome: Outcome::Refused,
            detail: cause.to_string(),
            ..Self::allowed(actor, action, subject)
        }
    }

    /// The entry with a detail.
    #[must_use]
    pub fn detail(mut self, detail: impl ToString) -> Self {
        self.detail = detail.to_string();
        self
    }
}

/// A kept entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// `aud_…`; sorts by time.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub detail: String,
}

impl Auth {
    /// Keeps an entry in a transaction of its own: for refusals, whose own
    /// transaction does not commit.
    ///
    /// # Errors
    /// The database did not take it.
    pub async fn audit(&self, entry: AuditEntry) -> Result<(), Error> {
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// Keeps an entry in the transaction of what it tells of.
    ///
    /// # Errors
    /// The database did not take it.
    pub async fn audit_in(&self, tx: &mut Tx, entry: &AuditEntry) -> Result<(), Error> {
        let env = &self.inner().env;
        let id: Id<Audit> = env.id();
        let detail: String = entry.detail.chars().take(DETAIL_CHARS_MAX).collect();
        store::insert(tx, &id.to_string(), env.now(), entry, &detail).await?;
        Ok(())
    }

    /// A page of the audit, newest first: the rows before a row's id. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, or the database does not answer.
    pub async fn audit_page(
        &self,
        permit: &Permit,
        before: Option<&str>,
    ) -> Result<Vec<AuditRow>, Error> {
        permit.covers(Scope::Operate)?;
        if before.is_some_and(|before| !is_plain_text(before)) {
            return Ok(Vec::new());
        }
        Ok(store::page_before(&self.inner().db, before, AUDIT_PAGE_ROWS).await?)
    }

    /// What was kept about one subject, newest first, at most one page. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, or the database does not answer.
    pub async fn audit_of(&self, permit: &Permit, subject: &str) -> Result<Vec<AuditRow>, Error> {
        permit.covers(Scope::Operate)?;
        if !is_plain_text(subject) {
            return Ok(Vec::new());
        }
        Ok(store::page_of_subject(&self.inner().db, subject, AUDIT_PAGE_ROWS).await?)
    }
}
