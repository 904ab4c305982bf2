use std::borrow::Cow;

use qiao_model::{Amount, InstitutionId, Money, OrderId, PaymentId, RefundId, Timestamp};

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
    /// The institution whose order it is: it may see and refund it.
    pub institution: InstitutionId,
    /// Who pays.
    pub payer: Party,
    /// How much in all.
    pub amount: Money,
    /// Who gets it: 1 to [`SPLITS_MAX`] splits that sum to the amount.
    pub splits: Vec<Split>,
    /// What else moves, at most [`DELIVERIES_MAX`].
    pub deliveries: Vec<Delivery>,
    /// What people read about it, at most [`DESCRIPTION_CHARS_MAX`] characters.
    pub description: String,
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
    /// How much in all.
    pub amount: Money,
    /// Who gets it.
    pub splits: Vec<Split>,
    /// What else moves.
    pub deliveries: Vec<Delivery>,
    /// What people read about it.
    pub description: String,
    /// Where it stands.
    pub state: PaymentState,
    /// What went back so far.
    pub refunded: Money,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub changed_at: Timestamp,
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
    /// What each split gave back, in the payment's order.
    pub parts: Vec<i64>,
    /// Why.
    pub reason: String,
    /// When.
    pub created_at: Timestamp,
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
    }
}
