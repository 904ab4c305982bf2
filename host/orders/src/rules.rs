//! The state machine of an order: pure, and the only place that decides.

use qiao_model::{OrderId, Timestamp};
use qiao_runtime::OrderState;

use crate::order::{Captured, Receipt, Standing, state_name};

/// How long a node may drive an order before another takes it. Longer than the
/// longest call of a plugin (see `qiao_runtime::limits`).
pub const LEASE_SECS: i64 = 60;
/// Pauses between calls of a plugin that gives no answer. After the last, the
/// order stays unknown and waits for the operator.
pub const RETRY_PAUSES_SECS: [i64; 10] =
    [5, 15, 60, 300, 900, 3_600, 7_200, 14_400, 28_800, 86_400];
/// The pause before a redemption whose money could not be set aside is tried again.
pub const SHORT_PAUSE_SECS: i64 = 900;
/// The shortest pause that a plugin can ask for with `pending`.
pub const PENDING_SECS_MIN: i64 = 1;
/// The longest pause that a plugin can ask for with `pending`.
pub const PENDING_SECS_MAX: i64 = 86_400;

/// What is known about an order now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its day has come: the money of a redemption that is paid later is to be set
    /// aside.
    SetAside,
    /// There was too little to set aside, with a sentence for the operator: it stays
    /// held and is tried again.
    Short(String),
    /// Its money is to be captured before the plugin fulfils it.
    Capture,
    /// The plugin fulfilled it.
    Complete(Receipt),
    /// The plugin accepted it and is not done: ask again after so many seconds.
    Wait(u32),
    /// The plugin rejected it, with a sentence for the user.
    Reject(String),
    /// The plugin gave no answer, or does not know, with a sentence for the operator.
    Doubt(String),
    /// The plugin's `cancel` is done.
    Cancelled,
    /// The plugin's `cancel` gave no answer.
    CancelFailed,
}

/// What happens to the money with it, in the same transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyStep {
    /// Nothing.
    Nothing,
    /// What it will be paid from is moved out of the settlement account.
    SetAside,
    /// The hold becomes a payment.
    Post,
    /// The hold is released.
    Void,
    /// The whole payment goes back.
    Refund,
}

/// A decision: where the order stands then, and what happens to its money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Where it stands.
    pub standing: Standing,
    /// The money.
    pub money: MoneyStep,
}

/// Why a change was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No order has that id.
    #[error("order {0} does not exist")]
    Missing(OrderId),
    /// A redemption would take other lots than its quote was charged for.
    #[error("the lots of order {0} have changed since its quote")]
    LotsChanged(OrderId),
    /// Another call of the plugin began since; its answer decides.
    #[error("attempt {attempt} of the order is over, attempt {current} is on")]
    Overtaken {
        /// The one that answered.
        attempt: u32,
        /// The one that is on.
        current: u32,
    },
    /// States never go back.
    #[error("an order that is {} cannot become {wanted}", state_name(*state))]
    WrongState {
        /// The state it is in.
        state: OrderState,
        /// What was asked for.
        wanted: &'static str,
    },
}

/// How far along a state is. An order never moves to a lower one.
#[must_use]
pub const fn rank(state: OrderState) -> u8 {
    match state {
        OrderState::Held => 0,
        OrderState::Paid => 1,
        OrderState::Unknown => 2,
        OrderState::Completed | OrderState::Voided => 3,
        // What was completed may be given back, and nothing follows on that.
        OrderState::Refunded => 4,
    }
}

/// Whether the order has ended.
#[must_use]
pub const fn is_final(state: OrderState) -> bool {
    rank(state) >= 3
}

/// Decides a change that `attempt` brings.
///
/// # Errors
/// The attempt is over, or the state does not allow it.
///
/// # Panics
/// The decision would take a state back: a bug of this room.
pub fn decide(
    standing: &Standing,
    attempt: u32,
    change: &Change,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if attempt != standing.attempt {
        return Err(Refusal::Overtaken {
            attempt,
            current: standing.attempt,
        });
    }
    let decision = match change {
        Change::SetAside => set_aside(standing),
        Change::Short(problem) => short(standing, problem, now),
        Change::Capture => capture(standing, now),
        Change::Complete(receipt) => complete(standing, receipt, now),
        Change::Wait(seconds) => wait(standing, *seconds, now),
        Change::Reject(reason) => reject(standing, reason, now),
        Change::Doubt(problem) => doubt(standing, problem, now),
        Change::Cancelled => cancelled(standing),
        Change::CancelFailed => cancel_failed(standing, now),
    };
    let mut decision = decision.ok_or(Refusal::WrongState {
        state: standing.state,
        wanted: wanted(change),
    })?;
    if decision.standing != *standing {
        decision.standing.changed_at = now;
    }
    let (before, after) = (standing.state, decision.standing.state);
    assert!(
        before == after || rank(before) < rank(after),
        "an order that is {} never becomes {}",
        state_name(before),
        state_name(after)
    );
    Ok(decision)
}

const fn wanted(change: &Change) -> &'static str {
    match change {
        Change::SetAside => "set aside",
        Change::Short(_) => "held for longer",
        Change::Capture => "paid",
        Change::Complete(_) => "completed",
        Change::Wait(_) => "pending",
        Change::Reject(_) => "voided or refunded",
        Change::Doubt(_) => "unknown",
        Change::Cancelled | Change::CancelFailed => "cancelled",
    }
}

const fn unchanged(standing: Standing) -> Decision {
    Decision {
        standing,
        money: MoneyStep::Nothing,
    }
}

fn set_aside(standing: &Standing) -> Option<Decision> {
    (standing.state == OrderState::Held).then(|| Decision {
        standing: Standing {
            problem: None,
            ..standing.clone()
        },
        money: MoneyStep::SetAside,
    })
}

fn short(standing: &Standing, problem: &str, now: Timestamp) -> Option<Decision> {
    (standing.state == OrderState::Held).then(|| {
        unchanged(Standing {
            next_at: Some(now.plus_secs(SHORT_PAUSE_SECS)),
            lease: None,
            problem: Some(problem.to_owned()),
            ..standing.clone()
        })
    })
}

fn capture(standing: &Standing, now: Timestamp) -> Option<Decision> {
    match standing.state {
        OrderState::Held => Some(Decision {
            standing: Standing {
                state: OrderState::Paid,
                capture: Captured::Yes,
                posted_at: Some(now),
                ..standing.clone()
            },
            money: MoneyStep::Post,
        }),
        OrderState::Paid => Some(unchanged(standing.clone())),
        OrderState::Unknown | OrderState::Completed | OrderState::Voided | OrderState::Refunded => {
            None
        }
    }
}

fn complete(standing: &Standing, receipt: &Receipt, now: Timestamp) -> Option<Decision> {
    match standing.state {
        OrderState::Held | OrderState::Paid | OrderState::Unknown => Some(Decision {
            standing: Standing {
                state: OrderState::Completed,
                capture: Captured::Yes,
                failures: 0,
                next_at: None,
                lease: None,
                problem: None,
                receipt: Some(receipt.clone()),
                posted_at: standing.posted_at.or(Some(now)),
                ..standing.clone()
            },
            money: match standing.capture {
                Captured::No => MoneyStep::Post,
                Captured::Yes => MoneyStep::Nothing,
            },
        }),
        OrderState::Completed => Some(unchanged(standing.clone())),
        OrderState::Voided | OrderState::Refunded => None,
    }
}

fn wait(standing: &Standing, seconds: u32, now: Timestamp) -> Option<Decision> {
    let pause = i64::from(seconds).clamp(PENDING_SECS_MIN, PENDING_SECS_MAX);
    (!is_final(standing.state)).then(|| {
        unchanged(Standing {
            failures: 0,
            next_at: Some(now.plus_secs(pause)),
            lease: None,
            problem: None,
            ..standing.clone()
        })
    })
}

/// The lease stays: `cancel` comes next, and is due at once if this node ends.
fn reject(standing: &Standing, reason: &str, now: Timestamp) -> Option<Decision> {
    match standing.state {
        OrderState::Held | OrderState::Paid | OrderState::Unknown => {
            let (state, money) = match standing.capture {
                Captured::No => (OrderState::Voided, MoneyStep::Void),
                Captured::Yes => (OrderState::Refunded, MoneyStep::Refund),
            };
            Some(Decision {
                standing: Standing {
                    state,
                    failures: 0,
                    next_at: Some(now),
                    problem: Some(reason.to_owned()),
                    returned_at: standing.posted_at.map(|_| now),
                    ..standing.clone()
                },
                money,
            })
        }
        OrderState::Voided | OrderState::Refunded => Some(unchanged(standing.clone())),
        OrderState::Completed => None,
    }
}

/// Where an order stands whose whole payment its institution gave back; none when
/// that changes nothing. What was not fulfilled yet is cancelled at the plugin.
#[must_use]
pub fn refunded(standing: &Standing, now: Timestamp) -> Option<Standing> {
    let next_at = match (standing.state, standing.capture) {
        (OrderState::Completed, _) => None,
        (OrderState::Paid, _) | (OrderState::Unknown, Captured::Yes) => Some(now),
        (OrderState::Held | OrderState::Unknown | OrderState::Voided | OrderState::Refunded, _) => {
            return None;
        }
    };
    Some(Standing {
        state: OrderState::Refunded,
        failures: 0,
        next_at,
        returned_at: Some(now),
        changed_at: now,
        ..standing.clone()
    })
}

fn doubt(standing: &Standing, problem: &str, now: Timestamp) -> Option<Decision> {
    (!is_final(standing.state)).then(|| {
        unchanged(Standing {
            state: OrderState::Unknown,
            problem: Some(problem.to_owned()),
            ..failed_once_more(standing, now)
        })
    })
}

fn cancelled(standing: &Standing) -> Option<Decision> {
    awaits_cancel(standing).then(|| {
        unchanged(Standing {
            failures: 0,
            next_at: None,
            lease: None,
            ..standing.clone()
        })
    })
}

fn cancel_failed(standing: &Standing, now: Timestamp) -> Option<Decision> {
    awaits_cancel(standing).then(|| unchanged(failed_once_more(standing, now)))
}

/// Whether the plugin's `cancel` has a place in this state.
const fn awaits_cancel(standing: &Standing) -> bool {
    matches!(standing.state, OrderState::Voided | OrderState::Refunded)
}

fn failed_once_more(standing: &Standing, now: Timestamp) -> Standing {
    let pause = RETRY_PAUSES_SECS.get(standing.failures as usize);
    Standing {
        failures: standing.failures.saturating_add(1),
        next_at: pause.map(|secs| now.plus_secs(*secs)),
        lease: None,
        ..standing.clone()
    }
}

#[cfg(test)]
mod tests;
