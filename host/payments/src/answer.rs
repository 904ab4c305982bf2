//! What is kept under an idempotency key: enough to give the same answer again.
//! What a payment never changes is read from the payment itself.

mod mandate;
mod stored;

use qiao_db::Error;
use qiao_model::{PaymentId, RefundId, Timestamp};

use crate::command::{Credited, Outcome};
use crate::payment::{Payment, PaymentState, VoidReason};
use crate::refusal::Refusal;
use stored::Stored;

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
    pub(crate) void_reason: Option<VoidReason>,
    pub(crate) captured_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) changed_at: Timestamp,
}

impl Snapshot {
    fn of(payment: &Payment) -> Self {
        Self {
            payment: payment.id,
            state: payment.state,
            void_reason: payment.void_reason,
            captured_minor: payment.captured.minor,
            refunded_minor: payment.refunded.minor,
            changed_at: payment.changed_at,
        }
    }
}

impl Answer {
    /// What to keep of an outcome: what was done, and what the books refused.
    /// A malformed command is refused again without a record, and a recovery is
    /// tried again when there is money.
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
                | Refusal::HoldExpired(_)
                | Refusal::NotExpired(_)
                | Refusal::ExceedsHeld { .. }
                | Refusal::WholeCaptureOnly(_)
                | Refusal::ExceedsRefundable { .. }
                | Refusal::UnknownMandate(_)
                | Refusal::Mandate { .. }
                | Refusal::NotRefundable(_)
                | Refusal::TooManyRefunds(_)
                | Refusal::RefundTooLate(_)),
            ) => Some(Self::Refused(refusal.clone())),
            Err(
                Refusal::Invalid(_)
                | Refusal::InvalidMandate(_)
                | Refusal::InvalidKey
                | Refusal::KeyReused
                | Refusal::InFlight
                | Refusal::NothingToRecover(_)
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

#[cfg(test)]
mod tests {
    use qiao_model::{Amount, Asset, LedgerAccountId, MandateId, Money, ProductId};

    use super::*;
    use crate::grant::GrantRefusal;

    #[test]
    fn every_kept_answer_survives_its_text() {
        let payment = PaymentId::from_u128(7);
        let refund = RefundId::from_u128(8);
        let account = LedgerAccountId::from_u128(9);
        let mandate = MandateId::from_u128(10);
        let snapshot = Snapshot {
            payment,
            state: PaymentState::PartlyRefunded,
            void_reason: None,
            captured_minor: 7,
            refunded_minor: 5,
            changed_at: Timestamp::from_millis(1_790_000_000_000),
        };
        let units = |minor| Amount {
            minor,
            asset: Asset::Units(ProductId::from_u128(1)),
        };
        let expired = Snapshot {
            state: PaymentState::Voided,
            void_reason: Some(VoidReason::Expired),
            captured_minor: 0,
            ..snapshot
        };
        let answers = [
            Answer::Payment(snapshot),
            Answer::Payment(expired),
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
            Answer::Refused(Refusal::HoldExpired(payment)),
            Answer::Refused(Refusal::NotExpired(payment)),
            Answer::Refused(Refusal::ExceedsHeld {
                payment,
                held: Money::cny(1),
                requested: Money::cny(2),
            }),
            Answer::Refused(Refusal::WholeCaptureOnly(payment)),
            Answer::Refused(Refusal::ExceedsRefundable {
                payment,
                refundable: Money::cny(1),
                requested: Money::cny(2),
            }),
            Answer::Refused(Refusal::UnknownMandate(mandate)),
            Answer::Refused(Refusal::Mandate {
                mandate,
                cause: GrantRefusal::PerDay(Money::cny(3)),
            }),
            Answer::Refused(Refusal::NotRefundable(payment)),
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
