use qiao_auth::{AuditEntry, Permit};
use qiao_model::{BankTransferId, CaseId, Channel, Day, Timestamp, is_plain_text};

use crate::access;
use crate::error::Error;
use crate::settlement::{PAGE_MAX, Settlement};
use crate::store;

/// A note has so many characters at most.
pub const NOTE_CHARS_MAX: usize = 500;

/// How a bank's statement and the books differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaseKind {
    /// The bank moved money that the books do not know.
    MissingHere,
    /// The books say that the bank moved money, and its statement does not.
    MissingThere,
    /// Both know it, with other amounts.
    AmountDiffers,
}

impl CaseKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::MissingHere, Self::MissingThere, Self::AmountDiffers];

    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingHere => "missing-here",
            Self::MissingThere => "missing-there",
            Self::AmountDiffers => "amount-differs",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaseState {
    /// Somebody has to look at it.
    Open,
    /// The other half turned up.
    Matched,
    /// An operator knows why, and it is no loss.
    Explained,
    /// It was put right at the bank or in the books.
    Corrected,
    /// It is a loss or a gain that stays.
    WrittenOff,
}

impl CaseState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::Matched,
        Self::Explained,
        Self::Corrected,
        Self::WrittenOff,
    ];

    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Matched => "matched",
            Self::Explained => "explained",
            Self::Corrected => "corrected",
            Self::WrittenOff => "written-off",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl std::fmt::Display for CaseState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How an operator ends a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaseEnd {
    /// It is known why, and no loss.
    Explained,
    /// It was put right.
    Corrected,
    /// It stays.
    WrittenOff,
}

impl CaseEnd {
    /// Every end.
    pub const ALL: [Self; 3] = [Self::Explained, Self::Corrected, Self::WrittenOff];

    /// The state that it leads to.
    #[must_use]
    pub const fn state(self) -> CaseState {
        match self {
            Self::Explained => CaseState::Explained,
            Self::Corrected => CaseState::Corrected,
            Self::WrittenOff => CaseState::WrittenOff,
        }
    }

    /// The end of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.state().name() == name)
    }
}

/// A difference between a bank's statement and the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// At which bank.
    pub channel: Channel,
    /// Of which day's statement.
    pub day: Day,
    /// How they differ.
    pub kind: CaseKind,
    /// The platform's id that the line names; not always a transfer that there is.
    pub transfer: Option<String>,
    /// The bank's id of the line.
    pub bank_reference: Option<String>,
    /// What the bank's line does to custody; none when it has none.
    pub bank_minor: Option<i64>,
    /// What the books' transfer does to custody; none when they have none.
    pub books_minor: Option<i64>,
    /// Where it stands.
    pub state: CaseState,
    /// What the operator found.
    pub note: Option<String>,
    /// Which operator.
    pub actor: Option<String>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it changed last.
    pub changed_at: Timestamp,
}

impl Case {
    /// By how much the bank's custody is above the books for it.
    #[must_use]
    pub fn difference_minor(&self) -> i64 {
        let bank = self.bank_minor.unwrap_or(0);
        bank.saturating_sub(self.books_minor.unwrap_or(0))
    }

    /// The bank transfer that it is about, if the books have one of that id.
    #[must_use]
    pub fn bank_transfer(&self) -> Option<BankTransferId> {
        self.transfer.as_ref().and_then(|id| id.parse().ok())
    }
}

impl Settlement {
    /// A page of cases, the newest first: those that are open, or all. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn cases(
        &self,
        permit: &Permit,
        state: Option<CaseState>,
        before: Option<CaseId>,
    ) -> Result<Vec<Case>, Error> {
        access::may_operate(permit)?;
        Ok(store::case::list(&self.inner().db, state, before, PAGE_MAX).await?)
    }

    /// One case; none when there is none of that id. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn case(&self, permit: &Permit, id: CaseId) -> Result<Option<Case>, Error> {
        access::may_operate(permit)?;
        Ok(store::case::find(&self.inner().db, id).await?)
    }

    /// Ends an open case, with a note for whoever asks later. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, no note, no such case, it has ended, or the database failed.
    pub async fn end_case(
        &self,
        permit: &Permit,
        id: CaseId,
        end: CaseEnd,
        note: &str,
    ) -> Result<Case, Error> {
        access::may_operate(permit)?;
        let note = note.trim();
        let length = note.chars().count();
        if !(1..=NOTE_CHARS_MAX).contains(&length) || !is_plain_text(note) {
            return Err(Error::Note(NOTE_CHARS_MAX));
        }
        let inner = self.inner();
        let by = permit.actor().to_string();
        let detail = format!("{}: {note}", end.state());
        let entry = AuditEntry::allowed(permit.actor(), "settlement.end-case", id).detail(detail);
        let was_open = inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let now = inner.env.now();
                let ended = store::case::end(&mut tx, id, end.state(), (note, &by), now).await?;
                let was_open = ended.is_some();
                if was_open {
                    inner.auth.audit_in(&mut tx, &entry).await?;
                }
                qiao_ledger::attest(&mut tx, ended, now).await?;
                tx.commit().await?;
                Ok::<_, Error>(was_open)
            })
            .await?;
        let case = store::case::find(&inner.db, id).await?;
        let case = case.ok_or(Error::UnknownCase(id))?;
        if was_open {
            Ok(case)
        } else {
            let state = case.state;
            Err(Error::CaseOver { id, state })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_states_and_ends_survive_their_names() {
        for kind in CaseKind::ALL {
            assert_eq!(CaseKind::of_name(kind.name()), Some(kind));
        }
        for state in CaseState::ALL {
            assert_eq!(CaseState::of_name(state.name()), Some(state));
        }
        for end in CaseEnd::ALL {
            assert_eq!(CaseEnd::of_name(end.state().name()), Some(end));
        }
        assert_eq!(CaseEnd::of_name("open"), None);
        assert_eq!(CaseEnd::of_name("matched"), None);
    }
}
