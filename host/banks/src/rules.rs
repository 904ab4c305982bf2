//! The state machine of a transfer: pure, and the only place that decides.

use qiao_model::{BankTransferId, Timestamp};

use crate::answer::Answer;
use crate::transfer::{BankTransfer, Direction, Purpose, Route, Standing, TransferState};

/// How long a node may ask a bank before another takes over. Longer than the
/// exchanges of one attempt (see `qiao_events::egress::TIMEOUT_MAX`).
pub const LEASE_SECS: i64 = 90;
/// Pauses between questions to a bank that gives no final answer. After the
/// last, the transfer is stuck and waits for an operator.
pub const REPAIR_PAUSES_SECS: [i64; 10] =
    [5, 15, 60, 300, 900, 3_600, 7_200, 14_400, 28_800, 86_400];
/// A transfer that the bank never heard of, and that cannot be sent again, is
/// given up when nothing was sent for so long: nothing is on its way any more.
pub const ABSENT_SECS: i64 = 15 * 60;

/// What is known about a transfer now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The bank said where it stands: to this attempt, or by itself.
    Answered {
        /// Whose answer it is; none for a callback or an operator.
        attempt: Option<u32>,
        /// What it said.
        answer: Answer,
    },
    /// The bank may have it and gave no usable answer.
    Doubt {
        /// The attempt.
        attempt: u32,
        /// A sentence for the operator.
        problem: String,
    },
    /// This attempt certainly did nothing.
    NotSent {
        /// The attempt.
        attempt: u32,
        /// Why: a word that people are shown a sentence for.
        reason: String,
    },
    /// The bank never heard of it, and it cannot be sent again.
    Absent {
        /// The attempt.
        attempt: u32,
        /// Why it cannot be sent again.
        reason: String,
    },
    /// The channel certainly moved nothing, and another one can.
    Reroute {
        /// The attempt.
        attempt: u32,
        /// How it goes now.
        route: Box<Route>,
    },
}

/// What happens to the money with it, in the same transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyStep {
    /// Nothing.
    Nothing,
    /// What came in is paid to the person.
    Pay,
    /// The hold of what went out becomes a payment.
    Post,
    /// The hold is released.
    Void,
    /// The hold is released, and another made for the new route.
    Move,
}

/// Whether a change told anything new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It did, or the transfer is asked for again later.
    News,
    /// It was known.
    Known,
    /// The bank now says the opposite of what it said before: the books stay,
    /// and reconciliation finds the difference.
    Contradiction,
}

/// A decision: where the transfer stands then, how it goes, and what happens to
/// its money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Where it stands.
    pub standing: Standing,
    /// Its new route.
    pub route: Option<Route>,
    /// The money.
    pub money: MoneyStep,
    /// Whether it was news.
    pub heard: Heard,
}

/// Why a change was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No transfer has that id.
    #[error("bank transfer {0} does not exist")]
    Missing(BankTransferId),
    /// Another attempt began since; what it learns decides.
    #[error("attempt {attempt} of the bank transfer is over, attempt {current} is on")]
    Overtaken {
        /// The one that spoke.
        attempt: u32,
        /// The one that is on.
        current: u32,
    },
}

/// How far along a state is. A transfer never moves to a lower one on one route.
#[must_use]
pub const fn rank(state: TransferState) -> u8 {
    match state {
        TransferState::Requested => 0,
        TransferState::Unknown => 1,
        TransferState::Accepted => 2,
        TransferState::Done | TransferState::Rejected => 3,
    }
}

/// Decides what a change makes of a transfer.
///
/// # Errors
/// The attempt is over.
///
/// # Panics
/// The decision would take a state back: a bug of this room.
pub fn decide(
    transfer: &BankTransfer,
    change: &Change,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let standing = &transfer.standing;
    let mut decision = match change {
        Change::Answered { attempt, answer } => {
            if let Some(attempt) = attempt
                && !standing.state.is_final()
            {
                demand_current(standing, *attempt)?;
            }
            answered(transfer, attempt.is_some(), answer, now)
        }
        Change::Doubt { attempt, problem } => {
            demand_current(standing, *attempt)?;
            doubt(standing, problem, now)
        }
        Change::NotSent { attempt, reason } => {
            demand_current(standing, *attempt)?;
            not_sent(transfer, reason, now)
        }
        Change::Absent { attempt, reason } => {
            demand_current(standing, *attempt)?;
            absent(transfer, reason, now)
        }
        Change::Reroute { attempt, route } => {
            demand_current(standing, *attempt)?;
            if route.number <= transfer.route.number {
                // It goes this way already, and the answer of that commit was lost:
                // again, it would release the new hold and make no other.
                quiet(standing.clone(), Heard::Known)
            } else {
                reroute(transfer, route)
            }
        }
    };
    if decision.standing != *standing {
        decision.standing.changed_at = now;
    }
    let (before, after) = (standing.state, decision.standing.state);
    assert!(
        before == after || rank(before) < rank(after) || decision.route.is_some(),
        "a bank transfer that is {before} never becomes {after}"
    );
    Ok(decision)
}

/// An attempt that is over says nothing; nor does any once it has ended.
fn demand_current(standing: &Standing, attempt: u32) -> Result<(), Refusal> {
    if attempt == standing.attempt && !standing.state.is_final() {
        return Ok(());
    }
    Err(Refusal::Overtaken {
        attempt,
        current: standing.attempt,
    })
}

const fn quiet(standing: Standing, heard: Heard) -> Decision {
    Decision {
        standing,
        route: None,
        money: MoneyStep::Nothing,
        heard,
    }
}

fn answered(
    transfer: &BankTransfer,
    is_of_attempt: bool,
    answer: &Answer,
    now: Timestamp,
) -> Decision {
    let standing = &transfer.standing;
    if standing.state.is_final() {
        let heard = match answer.state {
            state if state == standing.state => Heard::Known,
            // It was accepted before it ended.
            TransferState::Accepted | TransferState::Requested | TransferState::Unknown => {
                Heard::Known
            }
            TransferState::Done | TransferState::Rejected => Heard::Contradiction,
        };
        return quiet(standing.clone(), heard);
    }
    match answer.state {
        TransferState::Done | TransferState::Rejected => ended(transfer, answer, now),
        TransferState::Accepted | TransferState::Requested | TransferState::Unknown => {
            accepted(standing, is_of_attempt, answer, now)
        }
    }
}

fn ended(transfer: &BankTransfer, answer: &Answer, now: Timestamp) -> Decision {
    let standing = Standing {
        state: answer.state,
        reason: answer.reason.clone(),
        bank_reference: (answer.bank_reference.clone())
            .or_else(|| transfer.standing.bank_reference.clone()),
        failures: 0,
        next_at: None,
        lease: None,
        booked_at: answer.booked_at.or(match answer.state {
            TransferState::Done => Some(now),
            _ => None,
        }),
        ..transfer.standing.clone()
    };
    let is_done = answer.state == TransferState::Done;
    Decision {
        standing,
        route: None,
        money: match (transfer.purpose.direction(), is_done) {
            (Direction::In, true) => MoneyStep::Pay,
            (Direction::In, false) => MoneyStep::Nothing,
            (Direction::Out, true) => MoneyStep::Post,
            (Direction::Out, false) => MoneyStep::Void,
        },
        heard: Heard::News,
    }
}

fn accepted(standing: &Standing, is_of_attempt: bool, answer: &Answer, now: Timestamp) -> Decision {
    let heard = match standing.state {
        TransferState::Accepted => Heard::Known,
        _ => Heard::News,
    };
    let known = Standing {
        state: TransferState::Accepted,
        reason: None,
        bank_reference: (answer.bank_reference.clone()).or_else(|| standing.bank_reference.clone()),
        ..standing.clone()
    };
    if is_of_attempt {
        quiet(asked_once_more(&known, now), heard)
    } else {
        quiet(known, heard)
    }
}

fn doubt(standing: &Standing, problem: &str, now: Timestamp) -> Decision {
    let unknown = Standing {
        state: match standing.state {
            TransferState::Accepted => TransferState::Accepted,
            _ => TransferState::Unknown,
        },
        reason: Some(problem.to_owned()),
        ..standing.clone()
    };
    quiet(asked_once_more(&unknown, now), Heard::News)
}

/// A request that nothing was ever sent of ends here, unless it is a payout,
/// which is owed and tried again.
fn not_sent(transfer: &BankTransfer, reason: &str, now: Timestamp) -> Decision {
    let standing = &transfer.standing;
    match (standing.state, transfer.purpose) {
        (TransferState::Requested, Purpose::Payout) => {
            let waiting = Standing {
                reason: Some(reason.to_owned()),
                ..standing.clone()
            };
            quiet(asked_once_more(&waiting, now), Heard::News)
        }
        (
            TransferState::Requested,
            Purpose::TopUp
            | Purpose::Payment
            | Purpose::Withdrawal
            | Purpose::Advance
            | Purpose::AdvanceReturn,
        ) => ended(transfer, &rejected(reason), now),
        _ => doubt(standing, reason, now),
    }
}

fn absent(transfer: &BankTransfer, reason: &str, now: Timestamp) -> Decision {
    let standing = &transfer.standing;
    let is_settled = now >= standing.changed_at.plus_secs(ABSENT_SECS);
    if standing.state == TransferState::Unknown && is_settled {
        ended(transfer, &rejected(reason), now)
    } else {
        doubt(standing, reason, now)
    }
}

fn rejected(reason: &str) -> Answer {
    Answer {
        state: TransferState::Rejected,
        bank_reference: None,
        reason: Some(reason.to_owned()),
        booked_at: None,
    }
}

/// The lease stays: the new channel is asked next, and at once if this node ends.
fn reroute(transfer: &BankTransfer, route: &Route) -> Decision {
    Decision {
        standing: Standing {
            state: TransferState::Requested,
            reason: None,
            bank_reference: None,
            failures: 0,
            ..transfer.standing.clone()
        },
        route: Some(route.clone()),
        money: match transfer.purpose.direction() {
            Direction::In => MoneyStep::Nothing,
            Direction::Out => MoneyStep::Move,
        },
        heard: Heard::News,
    }
}

fn asked_once_more(standing: &Standing, now: Timestamp) -> Standing {
    let pause = REPAIR_PAUSES_SECS.get(standing.failures as usize);
    Standing {
        failures: standing.failures.saturating_add(1),
        next_at: pause.map(|secs| now.plus_secs(*secs)),
        lease: None,
        ..standing.clone()
    }
}

#[cfg(test)]
mod tests;
