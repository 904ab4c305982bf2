use std::borrow::Cow;

use qiao_model::{
    Amount, InstitutionId, Money, OrderId, PaymentId, RefundId, Timestamp,
    split_by_largest_remainder,
};

use crate::method::Method;
use crate::party::{Account, Party};

/// Receivers of one payment at most.
pub const SPLITS_MAX: usize = 50;
/// Moves of units beside one payment at most.
pub const DELIVERIES_MAX: usize = 10;
/// Characters of a payment's description or of a refund's reason at most.
pub const DESCRIPTION_CHARS_MAX: usize = 200;
/// Bytes of the purpose of a split at most.
pub const PURPOSE_BYTES_MAX: usize = 64;
/// Refunds of one payment at most.
pub const REFUNDS_MAX: i64 = 50;
/// Days after which a payment can no longer be refunded.
pub const REFUND_DAYS_MAX: i64 = 365;
/// How long a hold lasts when its caller does not say.
pub const HOLD_SECS_DEFAULT: i64 = 7 * 24 * 3600;
/// How long a hold that expires lasts at most.
pub const HOLD_SECS_MAX: i64 = 30 * 24 * 3600;

/// What one receiver gets of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Who.
    pub receiver: Party,
    /// How much. A split of nothing is left out.
    pub amount: Money,
    /// What for: `principal`, or the code of a fee line.
    pub purpose: Cow<'static, str>,
}

/// Units that move with the money: held and posted with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Who gives.
    pub from: Account,
    /// Who gets.
    pub to: Account,
    /// How many units of which product.
    pub amount: Amount,
}

/// A payment to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayment {
    /// Its id; the same id and content again changes nothing.
    pub id: PaymentId,
    /// The order that it pays.
    pub order: Option<OrderId>,
    /// The institution whose order it is, which may see and refund it; none for
    /// a person's own movement to or from a bank.
    pub institution: Option<InstitutionId>,
    /// Who pays.
    pub payer: Party,
    /// How the payer pays.
    pub method: Method,
    /// How much in all.
    pub amount: Money,
    /// Who gets it: 1 to [`SPLITS_MAX`] splits that sum to the amount.
    pub splits: Vec<Split>,
    /// What else moves, at most [`DELIVERIES_MAX`].
    pub deliveries: Vec<Delivery>,
    /// What people read about it, at most [`DESCRIPTION_CHARS_MAX`] characters.
    pub description: String,
    /// When a hold ends by itself, at most [`HOLD_SECS_MAX`] from now. None for
    /// a hold that somebody is sure to resolve: an order's saga, or the repair
    /// of a bank transfer, must not lose it while the outcome is unknown.
    pub expires_at: Option<Timestamp>,
}

/// Where a payment stands. Held becomes posted or voided; posted becomes
/// partly refunded or refunded; nothing goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentState {
    /// The money is held on the payer's account.
    Held,
    /// The money is with the receivers.
    Posted,
    /// The hold was released.
    Voided,
    /// A part went back.
    PartlyRefunded,
    /// All went back.
    Refunded,
}

impl PaymentState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Held,
        Self::Posted,
        Self::Voided,
        Self::PartlyRefunded,
        Self::Refunded,
    ];

    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Posted => "posted",
            Self::Voided => "voided",
            Self::PartlyRefunded => "partly-refunded",
            Self::Refunded => "refunded",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl std::fmt::Display for PaymentState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a hold was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VoidReason {
    /// Whoever may resolve it said so.
    Released,
    /// Its time ran out.
    Expired,
}

impl VoidReason {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::Released, Self::Expired];

    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    /// The reason of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// A payment as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The order that it pays.
    pub order: Option<OrderId>,
    /// The institution whose order it is; none for a top-up.
    pub institution: Option<InstitutionId>,
    /// Who pays.
    pub payer: Party,
    /// How the payer pays.
    pub method: Method,
    /// How much in all.
    pub amount: Money,
    /// Who gets it, of the whole amount.
    pub splits: Vec<Split>,
    /// What else moves.
    pub deliveries: Vec<Delivery>,
    /// What people read about it.
    pub description: String,
    /// Where it stands.
    pub state: PaymentState,
    /// When a hold ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Why it is voided, if it is.
    pub void_reason: Option<VoidReason>,
    /// What was posted: nothing while it is held or voided, else the amount or,
    /// after a partial capture, less.
    pub captured: Money,
    /// What went back so far.
    pub refunded: Money,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub changed_at: Timestamp,
}

impl Payment {
    /// What each split got: its share of what was captured, by largest
    /// remainder. None got more than the payment names.
    #[must_use]
    pub fn captured_splits(&self) -> Vec<i64> {
        captured_parts(&self.splits, self.captured.minor)
    }
}

/// The shares of a capture, in the order of the splits. The same capture gives
/// the same shares, so nobody has to keep them.
pub(crate) fn captured_parts(splits: &[Split], captured: i64) -> Vec<i64> {
    let weights: Vec<i64> = splits.iter().map(|split| split.amount.minor).collect();
    match split_by_largest_remainder(captured, &weights) {
        Ok(parts) => parts,
        // The splits of a payment are at least zero and sum to its amount,
        // which is at least one; a capture is not below zero.
        Err(error) => panic!("a payment has no shares: {error}"),
    }
}

/// A part or all of a payment that went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The payment.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// What went back for each split, in the payment's order.
    pub parts: Vec<i64>,
    /// Of each part, what its receiver no longer had: it is the institution's debt.
    pub owed: Vec<i64>,
    /// Why.
    pub reason: String,
    /// When.
    pub created_at: Timestamp,
}

impl Refund {
    /// What became a debt of the payment's institution.
    #[must_use]
    pub fn receivable(&self) -> Money {
        let owed = self
            .owed
            .iter()
            .fold(0, |sum: i64, part| sum.saturating_add(*part));
        Money::new(owed, self.amount.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_its_name() {
        for state in PaymentState::ALL {
            assert_eq!(PaymentState::of_name(state.name()), Some(state));
        }
        assert_eq!(PaymentState::of_name("paid"), None);
        for reason in VoidReason::ALL {
            assert_eq!(VoidReason::of_name(reason.name()), Some(reason));
        }
        assert_eq!(VoidReason::of_name("late"), None);
    }
}
