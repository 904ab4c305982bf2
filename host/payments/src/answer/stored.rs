use std::str::FromStr;

use qiao_model::{Amount, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::mandate::StoredCause;
use super::{Answer, Snapshot};
use crate::command::Credited;
use crate::payment::{PaymentState, VoidReason};
use crate::refusal::Refusal;

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stored {
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
    HoldExpired(String),
    NotExpired(String),
    ExceedsHeld {
        payment: String,
        held: StoredMoney,
        requested: StoredMoney,
    },
    WholeCaptureOnly(String),
    ExceedsRefundable {
        payment: String,
        refundable: i64,
        requested: i64,
        currency: String,
    },
    UnknownMandate(String),
    Mandate {
        mandate: String,
        cause: StoredCause,
    },
    NotRefundable(String),
    TooManyRefunds(String),
    RefundTooLate(String),
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredSnapshot {
    payment: String,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    void_reason: Option<String>,
    captured: i64,
    refunded: i64,
    changed_at: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredShortage {
    asset: String,
    available: i64,
    requested: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredMoney {
    minor: i64,
    currency: String,
}

impl Stored {
    pub(super) fn of(answer: &Answer) -> Self {
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
            Refusal::HoldExpired(payment) => Self::HoldExpired(payment.to_string()),
            Refusal::NotExpired(payment) => Self::NotExpired(payment.to_string()),
            Refusal::ExceedsHeld {
                payment,
                held,
                requested,
            } => Self::ExceedsHeld {
                payment: payment.to_string(),
                held: StoredMoney::of(*held),
                requested: StoredMoney::of(*requested),
            },
            Refusal::WholeCaptureOnly(payment) => Self::WholeCaptureOnly(payment.to_string()),
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
            Refusal::UnknownMandate(mandate) => Self::UnknownMandate(mandate.to_string()),
            Refusal::Mandate { mandate, cause } => Self::Mandate {
                mandate: mandate.to_string(),
                cause: StoredCause::of(*cause),
            },
            Refusal::NotRefundable(payment) => Self::NotRefundable(payment.to_string()),
            Refusal::TooManyRefunds(payment) => Self::TooManyRefunds(payment.to_string()),
            Refusal::RefundTooLate(payment) => Self::RefundTooLate(payment.to_string()),
            Refusal::Invalid(_)
            | Refusal::InvalidMandate(_)
            | Refusal::InvalidKey
            | Refusal::KeyReused
            | Refusal::InFlight
            | Refusal::NothingToRecover(_)
            | Refusal::Ledger(_) => {
                unreachable!("`Answer::to_keep` keeps no such refusal")
            }
        }
    }

    pub(super) fn read(self) -> Option<Answer> {
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
            Self::HoldExpired(payment) => refused(Refusal::HoldExpired(parse(&payment)?)),
            Self::NotExpired(payment) => refused(Refusal::NotExpired(parse(&payment)?)),
            Self::ExceedsHeld {
                payment,
                held,
                requested,
            } => refused(Refusal::ExceedsHeld {
                payment: parse(&payment)?,
                held: held.read()?,
                requested: requested.read()?,
            }),
            Self::WholeCaptureOnly(payment) => refused(Refusal::WholeCaptureOnly(parse(&payment)?)),
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
            Self::UnknownMandate(mandate) => refused(Refusal::UnknownMandate(parse(&mandate)?)),
            Self::Mandate { mandate, cause } => refused(Refusal::Mandate {
                mandate: parse(&mandate)?,
                cause: cause.read()?,
            }),
            Self::NotRefundable(payment) => refused(Refusal::NotRefundable(parse(&payment)?)),
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
            void_reason: snapshot.void_reason.map(|reason| reason.name().to_owned()),
            captured: snapshot.captured_minor,
            refunded: snapshot.refunded_minor,
            changed_at: snapshot.changed_at.as_millis(),
        }
    }

    fn read(&self) -> Option<Snapshot> {
        Some(Snapshot {
            payment: parse(&self.payment)?,
            state: PaymentState::of_name(&self.state)?,
            void_reason: match &self.void_reason {
                Some(name) => Some(VoidReason::of_name(name)?),
                None => None,
            },
            captured_minor: self.captured,
            refunded_minor: self.refunded,
            changed_at: Timestamp::from_millis(self.changed_at),
        })
    }
}

impl StoredMoney {
    fn of(money: Money) -> Self {
        Self {
            minor: money.minor,
            currency: money.currency.to_string(),
        }
    }

    fn read(&self) -> Option<Money> {
        Some(Money::new(self.minor, parse(&self.currency)?))
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

pub(super) fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
