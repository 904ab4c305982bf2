//! What is kept under an idempotency key: enough to give the same answer again.
//! What a payment never changes is read from the payment itself.

use std::str::FromStr;

use qiao_db::Error;
use qiao_model::{Amount, Money, PaymentId, RefundId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::command::{Credited, Outcome};
use crate::payment::{Payment, PaymentState};
use crate::refusal::Refusal;

/// A kept answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Payment(Snapshot),
    Refunded(RefundId, Snapshot),
    Credited(Credited),
    Refused(Refusal),
}

/// What changes in a payment, as it was when the answer was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) payment: PaymentId,
    pub(crate) state: PaymentState,
    pub(crate) refunded_minor: i64,
    pub(crate) changed_at: Timestamp,
}

impl Snapshot {
    fn of(payment: &Payment) -> Self {
        Self {
            payment: payment.id,
            state: payment.state,
            refunded_minor: payment.refunded.minor,
            changed_at: payment.changed_at,
        }
    }
}

impl Answer {
    /// What to keep of an outcome: what was done, and what the books refused.
    /// A malformed command is refused again without a record.
    pub(crate) fn to_keep(outcome: &Result<Outcome, Refusal>) -> Option<Self> {
        match outcome {
            Ok(Outcome::Payment(payment)) => Some(Self::Payment(Snapshot::of(payment))),
            Ok(Outcome::Refunded { payment, refund }) => {
                Some(Self::Refunded(refund.id, Snapshot::of(payment)))
            }
            Ok(Outcome::Credited(credited)) => Some(Self::Credited(*credited)),
            Err(
                refusal @ (Refusal::InsufficientFunds { .. }
                | Refusal::ReceiverShort { .. }
                | Refusal::UnknownPayment(_)
                | Refusal::PaymentConflict(_)
                | Refusal::RefundConflict(_)
                | Refusal::WrongState { .. }
                | Refusal::ExceedsRefundable { .. }
                | Refusal::TooManyRefunds(_)
                | Refusal::RefundTooLate(_)),
            ) => Some(Self::Refused(refusal.clone())),
            Err(
                Refusal::Invalid(_)
                | Refusal::InvalidKey
                | Refusal::KeyReused
                | Refusal::InFlight
                | Refusal::Ledger(_),
            ) => None,
        }
    }

    /// The stored text.
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(&Stored::of(self)).unwrap_or_default()
    }

    /// The answer of a stored text.
    pub(crate) fn of_text(text: &str) -> Result<Self, Error> {
        serde_json::from_str::<Stored>(text)
            .ok()
            .and_then(Stored::read)
            .ok_or_else(|| Error::corrupt("idempotent answer", text))
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stored {
    Payment(StoredSnapshot),
    Refunded {
        refund: String,
        #[serde(flatten)]
        payment: StoredSnapshot,
    },
    Credited {
        holders: usize,
        minor: i64,
        existing: usize,
    },
    InsufficientFunds(StoredShortage),
    ReceiverShort {
        account: String,
        #[serde(flatten)]
        shortage: StoredShortage,
    },
    UnknownPayment(String),
    PaymentConflict(String),
    RefundConflict(String),
    WrongState {
        payment: String,
        state: String,
    },
    ExceedsRefundable {
        payment: String,
        refundable: i64,
        requested: i64,
        currency: String,
    },
    TooManyRefunds(String),
    RefundTooLate(String),
}

#[derive(Serialize, Deserialize)]
struct StoredSnapshot {
    payment: String,
    state: String,
    refunded: i64,
    changed_at: i64,
}

#[derive(Serialize, Deserialize)]
struct StoredShortage {
    asset: String,
    available: i64,
    requested: i64,
}

impl Stored {
    fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Payment(snapshot) => Self::Payment(StoredSnapshot::of(snapshot)),
            Answer::Refunded(refund, snapshot) => Self::Refunded {
                refund: refund.to_string(),
                payment: StoredSnapshot::of(snapshot),
            },
            Answer::Credited(credited) => Self::Credited {
                holders: credited.holders,
                minor: credited.minor,
                existing: credited.existing,
            },
            Answer::Refused(refusal) => Self::of_refusal(refusal),
        }
    }

    fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::InsufficientFunds {
                available,
                requested,
            } => Self::InsufficientFunds(StoredShortage::of(available.minor, requested)),
            Refusal::ReceiverShort {
                account,
                requested,
                available_minor,
            } => Self::ReceiverShort {
                account: account.to_string(),
                shortage: StoredShortage::of(*available_minor, requested),
            },
            Refusal::UnknownPayment(payment) => Self::UnknownPayment(payment.to_string()),
            Refusal::PaymentConflict(payment) => Self::PaymentConflict(payment.to_string()),
            Refusal::RefundConflict(refund) => Self::RefundConflict(refund.to_string()),
            Refusal::WrongState { payment, state } => Self::WrongState {
                payment: payment.to_string(),
                state: state.to_string(),
            },
            Refusal::ExceedsRefundable {
                payment,
                refundable,
                requested,
            } => Self::ExceedsRefundable {
                payment: payment.to_string(),
                refundable: refundable.minor,
                requested: requested.minor,
                currency: refundable.currency.to_string(),
            },
            Refusal::TooManyRefunds(payment) => Self::TooManyRefunds(payment.to_string()),
            Refusal::RefundTooLate(payment) => Self::RefundTooLate(payment.to_string()),
            Refusal::Invalid(_)
            | Refusal::InvalidKey
            | Refusal::KeyReused
            | Refusal::InFlight
            | Refusal::Ledger(_) => {
                unreachable!("`Answer::to_keep` keeps no such refusal")
            }
        }
    }

    fn read(self) -> Option<Answer> {
        let refused = |refusal| Some(Answer::Refused(refusal));
        match self {
            Self::Payment(snapshot) => Some(Answer::Payment(snapshot.read()?)),
            Self::Refunded { refund, payment } => {
                Some(Answer::Refunded(parse(&refund)?, payment.read()?))
            }
            Self::Credited {
                holders,
                minor,
                existing,
            } => Some(Answer::Credited(Credited {
                holders,
                minor,
                existing,
            })),
            Self::InsufficientFunds(shortage) => refused(Refusal::InsufficientFunds {
                available: shortage.amount(shortage.available)?,
                requested: shortage.amount(shortage.requested)?,
            }),
            Self::ReceiverShort { account, shortage } => refused(Refusal::ReceiverShort {
                account: parse(&account)?,
                requested: shortage.amount(shortage.requested)?,
                available_minor: shortage.available,
            }),
            Self::UnknownPayment(payment) => refused(Refusal::UnknownPayment(parse(&payment)?)),
            Self::PaymentConflict(payment) => refused(Refusal::PaymentConflict(parse(&payment)?)),
            Self::RefundConflict(refund) => refused(Refusal::RefundConflict(parse(&refund)?)),
            Self::WrongState { payment, state } => refused(Refusal::WrongState {
                payment: parse(&payment)?,
                state: PaymentState::of_name(&state)?,
            }),
            Self::ExceedsRefundable {
                payment,
                refundable,
                requested,
                currency,
            } => {
                let currency = parse(&currency)?;
                refused(Refusal::ExceedsRefundable {
                    payment: parse(&payment)?,
                    refundable: Money::new(refundable, currency),
                    requested: Money::new(requested, currency),
                })
            }
            Self::TooManyRefunds(payment) => refused(Refusal::TooManyRefunds(parse(&payment)?)),
            Self::RefundTooLate(payment) => refused(Refusal::RefundTooLate(parse(&payment)?)),
        }
    }
}

impl StoredSnapshot {
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            payment: snapshot.payment.to_string(),
            state: snapshot.state.to_string(),
            refunded: snapshot.refunded_minor,
            changed_at: snapshot.changed_at.as_millis(),
        }
    }

    fn read(&self) -> Option<Snapshot> {
        Some(Snapshot {
            payment: parse(&self.payment)?,
            state: PaymentState::of_name(&self.state)?,
            refunded_minor: self.refunded,
            changed_at: Timestamp::from_millis(self.changed_at),
        })
    }
}

impl StoredShortage {
    fn of(available: i64, requested: &Amount) -> Self {
        Self {
            asset: requested.asset.to_string(),
            available,
            requested: requested.minor,
        }
    }

    fn amount(&self, minor: i64) -> Option<Amount> {
        let asset = parse(&self.asset)?;
        Some(Amount { minor, asset })
    }
}

fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use qiao_model::{Asset, LedgerAccountId, ProductId};

    use super::*;

    #[test]
    fn every_kept_answer_survives_its_text() {
        let payment = PaymentId::from_u128(7);
        let refund = RefundId::from_u128(8);
        let account = LedgerAccountId::from_u128(9);
        let snapshot = Snapshot {
            payment,
            state: PaymentState::PartlyRefunded,
            refunded_minor: 5,
            changed_at: Timestamp::from_millis(1_790_000_000_000),
        };
        let units = |minor| Amount {
            minor,
            asset: Asset::Units(ProductId::from_u128(1)),
        };
        let answers = [
            Answer::Payment(snapshot),
            Answer::Refunded(refund, snapshot),
            Answer::Credited(Credited {
                holders: 3,
                minor: 12,
                existing: 1,
            }),
            Answer::Refused(Refusal::InsufficientFunds {
                available: units(1),
                requested: units(2),
            }),
            Answer::Refused(Refusal::ReceiverShort {
                account,
                requested: Money::cny(2).into(),
                available_minor: 1,
            }),
            Answer::Refused(Refusal::UnknownPayment(payment)),
            Answer::Refused(Refusal::PaymentConflict(payment)),
            Answer::Refused(Refusal::RefundConflict(refund)),
            Answer::Refused(Refusal::WrongState {
                payment,
                state: PaymentState::Voided,
            }),
            Answer::Refused(Refusal::ExceedsRefundable {
                payment,
                refundable: Money::cny(1),
                requested: Money::cny(2),
            }),
            Answer::Refused(Refusal::TooManyRefunds(payment)),
            Answer::Refused(Refusal::RefundTooLate(payment)),
        ];
        for answer in answers {
            let text = answer.to_text();
            assert_eq!(Answer::of_text(&text).unwrap(), answer, "{text}");
        }
        assert!(Answer::of_text("{}").is_err());
    }
}
