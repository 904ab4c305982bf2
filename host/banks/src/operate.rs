use qiao_auth::{AuditEntry, Permit};
use qiao_model::{BankTransferId, Channel, is_plain_text};

use crate::access;
use crate::answer::{Answer, Evidence, Via};
use crate::banks::{Banks, TRANSFERS_PAGE_MAX};
use crate::error::Error;
use crate::machine::Refused;
use crate::rules::Change;
use crate::store;
use crate::transfer::{BankTransfer, TransferPage, TransferState};

/// Characters of a reason at most.
const REASON_CHARS_MAX: usize = 200;

/// What an operator found out about a stuck transfer, with the bank's paper in
/// hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The bank moved the money.
    Done {
        /// The bank's own id of it.
        bank_reference: String,
    },
    /// It certainly did not and will not.
    Rejected,
}

impl Banks {
    /// Stops a channel: nothing new begins on it, what is under way is asked for.
    /// Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, no such channel, no reason, it is paused already, or the
    /// database failed.
    pub async fn pause_channel(
        &self,
        permit: &Permit,
        code: Channel,
        because: &str,
    ) -> Result<(), Error> {
        access::may_operate(permit)?;
        check_reason(because)?;
        self.channel(code).await?;
        let inner = self.inner();
        let entry = AuditEntry::allowed(permit.actor(), "bank.pause", code).detail(because);
        let entry = &entry;
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if !store::channel::pause(&mut tx, code, because, inner.env.now()).await? {
                    return Err(Error::ChannelSoAlready(code));
                }
                inner.auth.audit_in(&mut tx, entry).await?;
                Ok(tx.commit().await?)
            })
            .await
    }

    /// Takes a paused channel back into use. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, no such channel, it is active already, or the database failed.
    pub async fn resume_channel(&self, permit: &Permit, code: Channel) -> Result<(), Error> {
        access::may_operate(permit)?;
        self.channel(code).await?;
        let inner = self.inner();
        let entry = &AuditEntry::allowed(permit.actor(), "bank.resume", code);
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if !store::channel::resume(&mut tx, code, inner.env.now()).await? {
                    return Err(Error::ChannelSoAlready(code));
                }
                inner.auth.audit_in(&mut tx, entry).await?;
                Ok(tx.commit().await?)
            })
            .await
    }

    /// Transfers that have not ended, newest first, at most [`TRANSFERS_PAGE_MAX`];
    /// [`BankTransfer::is_stuck`] tells which wait for an operator. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn open_transfers(
        &self,
        permit: &Permit,
        page: TransferPage,
    ) -> Result<Vec<BankTransfer>, Error> {
        access::may_operate(permit)?;
        let page = TransferPage {
            limit: page.limit.min(TRANSFERS_PAGE_MAX),
            ..page
        };
        Ok(store::transfer::list_open(&self.inner().db, page).await?)
    }

    /// What was learned of a transfer, in order. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn evidence(
        &self,
        permit: &Permit,
        id: BankTransferId,
    ) -> Result<Vec<Evidence>, Error> {
        access::may_operate(permit)?;
        Ok(store::answer::list(&self.inner().db, id).await?)
    }

    /// Has the worker ask about a stuck transfer again. Gives whether it was
    /// stuck. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn ask_again(&self, permit: &Permit, id: BankTransferId) -> Result<bool, Error> {
        access::may_operate(permit)?;
        let inner = self.inner();
        let entry = &AuditEntry::allowed(permit.actor(), "bank.ask-again", id);
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let was_stuck = store::lease::make_due(&mut tx, id, inner.env.now()).await?;
                if was_stuck {
                    inner.auth.audit_in(&mut tx, entry).await?;
                }
                tx.commit().await?;
                Ok(was_stuck)
            })
            .await
    }

    /// Ends a stuck transfer by what the operator found out. The same verdict with the
    /// same reason again changes nothing. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, no reason, no such transfer, it is not stuck and was not
    /// decided so, or the database failed.
    pub async fn decide(
        &self,
        permit: &Permit,
        id: BankTransferId,
        verdict: Verdict,
        because: &str,
    ) -> Result<BankTransfer, Error> {
        access::may_operate(permit)?;
        check_reason(because)?;
        let inner = self.inner();
        let transfer = store::transfer::find(&inner.db, id).await?;
        let transfer = transfer.ok_or(Error::UnknownTransfer(id))?;
        let (state, bank_reference) = match verdict {
            Verdict::Done { bank_reference } => {
                check_reason(&bank_reference)?;
                (TransferState::Done, Some(bank_reference))
            }
            Verdict::Rejected => (TransferState::Rejected, None),
        };
        if !transfer.is_stuck() {
            let said = transfer.standing.bank_reference.as_ref();
            let is_same_reference = bank_reference.as_ref().is_none_or(|one| Some(one) == said);
            if is_same_reference && self.is_decided_so(id, state, because).await? {
                return Ok(transfer);
            }
            let state = transfer.standing.state;
            return Err(Error::NotStuck { id, state });
        }
        // Who decided is known even if this host ends before the money moves.
        let entry = AuditEntry::allowed(permit.actor(), "bank.decide", id);
        let detail = format!("{state}: {because}");
        inner.auth.audit(entry.detail(&detail)).await?;
        let now = inner.env.now();
        let learned = (state.name(), because);
        let evidence = Evidence::new(now, transfer.route.channel, Via::Operator, learned);
        let answer = Answer {
            state,
            bank_reference,
            reason: (state == TransferState::Rejected).then(|| "operator".to_owned()),
            booked_at: None,
        };
        let change = Change::Answered {
            attempt: None,
            answer,
        };
        match self.change(id, change, vec![evidence]).await? {
            Ok((transfer, _)) => Ok(transfer),
            Err(Refused::Transfer(refusal)) => Err(refusal.into()),
            Err(Refused::Payment(refusal)) => Err(refusal.into()),
            Err(Refused::Conflict(id)) => Err(Error::Conflict(id)),
        }
    }

    /// Whether an operator ended a transfer by this verdict and reason before.
    async fn is_decided_so(
        &self,
        id: BankTransferId,
        state: TransferState,
        because: &str,
    ) -> Result<bool, Error> {
        let evidence = store::answer::list(&self.inner().db, id).await?;
        let mut decisions = evidence.iter().filter(|one| one.via == Via::Operator);
        Ok(decisions.any(|one| one.outcome == state.name() && one.detail == because))
    }

    /// How many transfers have not ended, by their state, for the metrics. It reads no
    /// more than those, whatever the history.
    ///
    /// # Errors
    /// The database failed.
    pub async fn open_counts(&self) -> Result<Vec<(TransferState, i64)>, Error> {
        let counts = store::lease::open_counts(&self.inner().db).await?;
        let of = |state: &TransferState| {
            let found = counts.iter().find(|(name, _)| name == state.name());
            (*state, found.map_or(0, |(_, count)| *count))
        };
        let open = TransferState::ALL.iter().filter(|state| !state.is_final());
        Ok(open.map(of).collect())
    }
}

fn check_reason(reason: &str) -> Result<(), Error> {
    match reason.trim().chars().count() {
        1..=REASON_CHARS_MAX if is_plain_text(reason) => Ok(()),
        _ => Err(Error::Reason(REASON_CHARS_MAX)),
    }
}
