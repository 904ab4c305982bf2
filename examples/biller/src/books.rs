//! What was paid, by which order, with which receipt.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fine::{self, Fine};
use crate::mode::Mode;

/// A payment that a channel reports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct NewPayment {
    pub(crate) fine: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) order: String,
}

/// A payment in the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The channel's order: the same one pays once.
    pub order: String,
    /// The fine's number.
    pub fine: String,
    /// What was paid, in minor units.
    pub amount_minor: i64,
    /// Of which currency.
    pub currency: String,
    /// Where it stands.
    pub state: PaymentState,
    /// The receipt's number, once it is paid.
    pub receipt: Option<String>,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaymentState {
    /// Accepted, not final.
    Pending,
    /// Paid, with a receipt.
    Paid,
    /// Taken back; the fine is open again.
    Cancelled,
}

/// Why a payment is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    UnknownFine,
    WrongAmount,
    PaidByAnother,
    OrderReused,
    OrderCancelled,
    OnPurpose,
}

impl Refusal {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::UnknownFine => "there is no such fine",
            Self::WrongAmount => "the amount is not that of the fine",
            Self::PaidByAnother => "another order pays this fine",
            Self::OrderReused => "the order was used for another payment",
            Self::OrderCancelled => "the order was cancelled",
            Self::OnPurpose => "the authority is in the mode fail",
        }
    }
}

/// The authority's books.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) mode: Mode,
    payments: BTreeMap<String, Payment>,
    receipts: u32,
}

impl Books {
    /// Takes a payment, or says where the one of the same order stands.
    pub(crate) fn pay(&mut self, new: &NewPayment) -> Result<Payment, Refusal> {
        if let Some(earlier) = self.payments.get(&new.order) {
            let same = (&earlier.fine, earlier.amount_minor, &earlier.currency)
                == (&new.fine, new.amount_minor, &new.currency);
            match earlier.state {
                _ if !same => return Err(Refusal::OrderReused),
                PaymentState::Cancelled => return Err(Refusal::OrderCancelled),
                PaymentState::Paid => return Ok(earlier.clone()),
                PaymentState::Pending => {}
            }
        }
        let fine = fine::find(&new.fine).ok_or(Refusal::UnknownFine)?;
        if fine.amount_minor != new.amount_minor || fine.currency != new.currency {
            return Err(Refusal::WrongAmount);
        }
        if self
            .payment_of(&fine)
            .is_some_and(|payment| payment.order != new.order)
        {
            return Err(Refusal::PaidByAnother);
        }
        if self.mode == Mode::Fail {
            self.payments.remove(&new.order);
            return Err(Refusal::OnPurpose);
        }
        let state = match self.mode {
            Mode::Pending => PaymentState::Pending,
            Mode::Ok | Mode::Fail | Mode::Slow | Mode::Drop => PaymentState::Paid,
        };
        let payment = Payment {
            order: new.order.clone(),
            fine: new.fine.clone(),
            amount_minor: new.amount_minor,
            currency: new.currency.clone(),
            state,
            receipt: (state == PaymentState::Paid).then(|| self.next_receipt()),
        };
        self.payments.insert(new.order.clone(), payment.clone());
        Ok(payment)
    }

    /// Takes a payment back; `None` when no payment has that order.
    pub(crate) fn cancel(&mut self, order: &str) -> Option<Payment> {
        let payment = self.payments.get_mut(order)?;
        payment.state = PaymentState::Cancelled;
        Some(payment.clone())
    }

    /// Every payment, by order.
    pub(crate) fn payments(&self) -> Vec<Payment> {
        self.payments.values().cloned().collect()
    }

    /// `open`, `pending` or `paid`.
    pub(crate) fn status_of(&self, fine: &Fine) -> &'static str {
        match self.payment_of(fine).map(|payment| payment.state) {
            Some(PaymentState::Paid) => "paid",
            Some(PaymentState::Pending) => "pending",
            Some(PaymentState::Cancelled) | None => "open",
        }
    }

    fn payment_of(&self, fine: &Fine) -> Option<&Payment> {
        let mut of_fine = self
            .payments
            .values()
            .filter(|payment| payment.fine == fine.number);
        of_fine.find(|payment| payment.state != PaymentState::Cancelled)
    }

    fn next_receipt(&mut self) -> String {
        self.receipts += 1;
        format!("TA-2026-{:06}", self.receipts)
    }
}
