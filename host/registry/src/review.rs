use qiao_auth::{AuditEntry, Permit};
use qiao_events::NewEvent;
use qiao_model::{ReleaseId, Scope};
use serde_json::json;

use crate::decision::reason;
use crate::release::{Release, ReleaseState};
use crate::store::release as store;
use crate::{Error, Registry};

/// The longest reason of a decision.
pub const REASON_CHARS_MAX: usize = 500;

impl Registry {
    /// The releases that wait for a decision, oldest first. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, or the database does not answer.
    pub async fn in_review(&self, permit: &Permit) -> Result<Vec<Release>, Error> {
        permit.covers(Scope::Operate)?;
        Ok(store::list_in_review(&self.inner().db).await?)
    }

    /// Approves a release: its institution may activate it. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, there is no such release, or it was decided on.
    pub async fn approve(&self, permit: &Permit, release: ReleaseId) -> Result<(), Error> {
        let decided = self.decide(permit, release, ReleaseState::Approved).await;
        self.audit_refusal(permit, "release.approve", release, decided)
            .await
    }

    /// Rejects a release for good, with a reason for its author. Scope `operate`.
    ///
    /// # Errors
    /// As [`Registry::approve`]; or the reason is missing or too long.
    pub async fn reject(
        &self,
        permit: &Permit,
        release: ReleaseId,
        why: &str,
    ) -> Result<(), Error> {
        let decided = match reason(why) {
            Ok(reason) => {
                let state = ReleaseState::Rejected { reason };
                self.decide(permit, release, state).await
            }
            Err(error) => Err(error),
        };
        self.audit_refusal(permit, "release.reject", release, decided)
            .await
    }

    async fn decide(
        &self,
        permit: &Permit,
        id: ReleaseId,
        state: ReleaseState,
    ) -> Result<(), Error> {
        permit.covers(Scope::Operate)?;
        let inner = self.inner();
        let release = self.release(id).await?.ok_or(Error::UnknownRelease(id))?;
        let (action, kind, why) = match &state {
            ReleaseState::Rejected { reason } => {
                ("release.reject", "release.rejected", reason.as_str())
            }
            _ => ("release.approve", "release.approved", ""),
        };
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if !store::decide(&mut tx, id, &state, inner.env.now()).await? {
                    let now = store::state_of(&mut tx, id).await?;
                    return Err(match now {
                        Some(state) => Error::ReleaseState { release: id, state },
                        None => Error::UnknownRelease(id),
                    });
                }
                let entry = AuditEntry::allowed(permit.actor(), action, id).detail(why);
                inner.auth.audit_in(&mut tx, &entry).await?;
                let event = NewEvent {
                    id: id.derive(kind, 0),
                    kind,
                    institution: Some(release.institution),
                    plugin: None,
                    subject: id.to_string(),
                    payload: json!({
                        "release": id.to_string(),
                        "plugin": release.plugin.to_string(),
                        "version": release.version,
                        "reason": why,
                    }),
                };
                qiao_events::append(&mut tx, inner.env.now(), &[event]).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }
}
