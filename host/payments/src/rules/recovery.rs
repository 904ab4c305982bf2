//! How an institution pays off what it owes.

use std::borrow::Cow;

use qiao_model::{Money, Timestamp};

use super::payment;
use crate::command::Recovery;
use crate::method::Method;
use crate::party::Party;
use crate::payment::{NewPayment, Payment, PaymentState, Split};

/// The purpose of a recovery.
const RECOVERY: &str = "recovery";

/// A recovery of so much, as a payment.
pub(crate) fn recovered(recovery: &Recovery, minor: i64, now: Timestamp) -> Payment {
    let amount = Money::new(minor, recovery.currency);
    let new = NewPayment {
        id: recovery.payment,
        order: None,
        institution: Some(recovery.institution),
        payer: recovery.payer(),
        method: Method::Balance,
        amount,
        splits: vec![Split {
            receiver: Party::Receivable(recovery.institution),
            amount,
            purpose: Cow::Borrowed(RECOVERY),
        }],
        deliveries: Vec::new(),
        description: RECOVERY.to_owned(),
        expires_at: None,
    };
    payment(&new, PaymentState::Posted, now)
}

/// Whether a stored payment is what this recovery made.
pub(crate) fn is_same(stored: &Payment, recovery: &Recovery) -> bool {
    stored.institution == Some(recovery.institution)
        && stored.payer == recovery.payer()
        && stored.amount.currency == recovery.currency
        && (stored.splits.iter())
            .all(|split| split.receiver == Party::Receivable(recovery.institution))
}
