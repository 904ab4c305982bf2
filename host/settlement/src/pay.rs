use qiao_banks::{BankTransfer, NewPayout, TransferState};
use qiao_db::Claim;
use qiao_events::NewEvent;
use qiao_model::{Scope, Timestamp};
use serde_json::json;

use crate::error::Error;
use crate::payout::{Payout, PayoutState};
use crate::settlement::Settlement;
use crate::store;
use crate::store::payout::Standing;

/// How long a node may drive a payout before another takes it: longer than an
/// exchange with a bank.
pub const PAYOUT_LEASE_SECS: i64 = 60;
/// Pauses until a payout that has not ended is looked at again; the last one repeats.
pub const PAYOUT_PAUSES_SECS: [i64; 6] = [5, 15, 60, 300, 900, 3_600];
/// Why a payout of a suspended institution waits.
const SUSPENDED: &str = "the institution is suspended";
/// Payouts that one worker step drives at most.
const DRIVE_PAYOUTS_MAX: usize = 20;

impl Settlement {
    /// Worker step: asks the banks room for payouts that are due and looks after
    /// those that are under way. Gives how many it drove.
    ///
    /// # Errors
    /// The database failed.
    pub async fn drive_payouts(&self) -> Result<usize, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        if !store::payout::PAYOUTS.is_any_due(&inner.db, now).await? {
            return Ok(0);
        }
        let claim = Claim {
            node: &inner.node,
            now,
            until: now.plus_secs(PAYOUT_LEASE_SECS),
            limit: DRIVE_PAYOUTS_MAX,
        };
        let claimed = store::payout::claim(&inner.db, &claim).await?;
        for payout in &claimed {
            self.drive(payout).await?;
        }
        Ok(claimed.len())
    }

    async fn drive(&self, payout: &Payout) -> Result<(), Error> {
        let inner = self.inner();
        if self.is_stopped(payout).await? {
            let now = inner.env.now();
            let why = Some(SUSPENDED.to_owned());
            let standing = waiting(payout, payout.state, (why, now));
            return self.finish(payout, standing, now).await;
        }
        let permit = inner.own_permit(Scope::PaymentsWrite);
        let new = NewPayout {
            id: payout.bank_transfer(),
            from: payout.source.party(payout.institution),
            account_number: payout.account_number.clone(),
            amount: payout.amount,
            description: format!("{} {}", payout.source.name(), payout.through),
        };
        let asked = inner.banks.pay_out(&permit, new).await;
        let now = inner.env.now();
        let standing = match asked {
            Ok(transfer) => standing_of(payout, &transfer, now),
            Err(error) => match refusal(error) {
                Ok(reason) => ended(PayoutState::Rejected, reason),
                Err(error) => {
                    tracing::warn!(payout.id = %payout.id, %error, "a payout waits");
                    waiting(payout, payout.state, (Some(error.to_string()), now))
                }
            },
        };
        self.finish(payout, standing, now).await
    }

    /// Whether no bank may be asked, since the institution is suspended. What a bank
    /// was asked for already is looked after to its end.
    async fn is_stopped(&self, payout: &Payout) -> Result<bool, Error> {
        let inner = self.inner();
        if !inner.auth.is_suspended(payout.institution).await? {
            return Ok(false);
        }
        let permit = inner.own_permit(Scope::PaymentsRead);
        let asked = inner.banks.transfer(&permit, payout.bank_transfer());
        Ok(asked.await?.is_none())
    }

    /// Stores where a payout stands, with its event when it ended.
    async fn finish(
        &self,
        payout: &Payout,
        standing: Standing,
        now: Timestamp,
    ) -> Result<(), Error> {
        let db = &self.inner().db;
        let event = event_of(payout, &standing);
        db.write(|| async {
            let mut tx = db.begin().await?;
            let mut facts = Vec::new();
            let stands = (now, &mut facts);
            if store::payout::finish(&mut tx, payout, &standing, stands).await? {
                let told = qiao_events::append_attested(&mut tx, now, event.as_slice());
                facts.extend(told.await?);
            }
            qiao_ledger::attest(&mut tx, facts, now).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}

/// Why nothing will move, if that is certain; else the error, to be tried again.
fn refusal(error: qiao_banks::Error) -> Result<&'static str, qiao_banks::Error> {
    match error {
        qiao_banks::Error::Payment(qiao_payments::Refusal::InsufficientFunds { .. }) => {
            Ok("insufficient_funds")
        }
        error => Err(error),
    }
}

fn standing_of(payout: &Payout, transfer: &BankTransfer, now: Timestamp) -> Standing {
    let state = match transfer.standing.state {
        TransferState::Requested | TransferState::Accepted => PayoutState::Sent,
        TransferState::Unknown => PayoutState::Unknown,
        TransferState::Done => PayoutState::Paid,
        TransferState::Rejected => PayoutState::Rejected,
    };
    let reason = transfer.standing.reason.clone();
    let standing = match state.is_final() {
        true => Standing {
            reason,
            ..ended(state, "")
        },
        false => waiting(payout, state, (reason, now)),
    };
    Standing {
        channel: Some(transfer.route.channel.to_string()),
        bank_reference: transfer.standing.bank_reference.clone(),
        ..standing
    }
}

fn ended(state: PayoutState, reason: &str) -> Standing {
    Standing {
        state,
        reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        channel: None,
        bank_reference: None,
        next_at: None,
    }
}

/// Where a payout stands that an operator gave up.
pub(crate) fn given_up(reason: &str) -> Standing {
    ended(PayoutState::Rejected, &format!("given up: {reason}"))
}

fn waiting(
    payout: &Payout,
    state: PayoutState,
    (reason, now): (Option<String>, Timestamp),
) -> Standing {
    let tries = usize::try_from(payout.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let last = PAYOUT_PAUSES_SECS.len().saturating_sub(1);
    Standing {
        state,
        reason,
        channel: None,
        bank_reference: None,
        next_at: Some(now.plus_secs(PAYOUT_PAUSES_SECS[tries.min(last)])),
    }
}

pub(crate) fn event_of(payout: &Payout, standing: &Standing) -> Option<NewEvent> {
    let kind = match standing.state {
        PayoutState::Paid => "payout.paid",
        PayoutState::Rejected => "payout.rejected",
        PayoutState::Due | PayoutState::Sent | PayoutState::Unknown => return None,
    };
    Some(NewEvent {
        id: payout.id.derive(kind, 0),
        kind,
        institution: Some(payout.institution),
        plugin: None,
        subject: payout.id.to_string(),
        payload: json!({
            "payout": payout.id.to_string(),
            "source": payout.source.name(),
            "amount": {
                "minor": payout.amount.minor,
                "currency": payout.amount.currency.code(),
            },
            "day": payout.day.to_string(),
            "through": payout.through.to_string(),
            "reason": standing.reason,
        }),
    })
}
