use serde::{Deserialize, Serialize};

/// Which way money goes, as the customer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the customer's account to the platform's custody account.
    Debit,
    /// From the custody account to the customer's.
    Credit,
}

impl Direction {
    /// What an amount in this direction does to the custody account.
    pub(crate) fn custody_change(self, amount_minor: i64) -> i64 {
        match self {
            Self::Debit => amount_minor,
            Self::Credit => -amount_minor,
        }
    }
}

/// A payment that the platform asks for, parsed from the body of its PUT.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct NewPayment {
    pub(crate) direction: Direction,
    pub(crate) account: Option<String>,
    pub(crate) account_number: Option<String>,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    #[serde(default)]
    pub(crate) reference: String,
    pub(crate) requested_at: Option<i64>,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PaymentState {
    /// Taken on, not final.
    Accepted,
    /// Booked.
    Done,
    /// Certainly not booked, now or later.
    Rejected,
}

/// A payment in the bank's books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The platform's id, which is also the idempotency key.
    pub id: String,
    /// The bank's own number.
    pub bank_reference: String,
    /// Which way the money goes.
    pub direction: Direction,
    /// The customer's account.
    pub account: String,
    /// How much, in fen.
    pub amount_minor: i64,
    /// What the platform wrote on it.
    pub reference: String,
    /// Where it stands.
    pub state: PaymentState,
    /// Why it is rejected.
    pub reason: Option<String>,
    /// When it was booked.
    pub booked_at: Option<i64>,
    pub(crate) requested_at: i64,
    pub(crate) asked: NewPayment,
    pub(crate) pending: Option<Pending>,
}

/// What an accepted payment waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) delay_ms: i64,
    pub(crate) due_at: i64,
    /// Queries answer 404 until it is due.
    pub(crate) hidden: bool,
}

/// How a new payment is booked: at once, unless a fault says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Booking {
    AtOnce,
    Rejected { reason: String },
    Later { delay_ms: i64, hidden: bool },
}
