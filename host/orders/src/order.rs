use qiao_model::{OrderId, PaymentId, Timestamp};
pub use qiao_runtime::{OrderState, Receipt};

use crate::quote::Quote;

/// A confirmed quote and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which.
    pub id: OrderId,
    /// What was confirmed: the product, the amount, every fee.
    pub quote: Quote,
    /// The user as the institution knows them.
    pub subject: String,
    /// The payment that holds, moves and gives back its money.
    pub payment: PaymentId,
    /// Where it stands.
    pub standing: Standing,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
}

/// What changes in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The state; it never goes back.
    pub state: OrderState,
    /// Whether the money is with its receivers, or still (or no longer) the payer's.
    pub capture: Captured,
    /// Which call of the plugin this is; a claim raises it, so that a late answer
    /// of an earlier call decides nothing.
    pub attempt: u32,
    /// Calls that failed one after the other.
    pub failures: u32,
    /// When the worker has something to do for it; none when all is done, or when
    /// it waits for the operator.
    pub next_at: Option<Timestamp>,
    /// Who drives it now, and until when nobody else does.
    pub lease: Option<Lease>,
    /// The plugin's rejection, or why its last call gave no answer.
    pub problem: Option<String>,
    /// What the user keeps.
    pub receipt: Option<Receipt>,
    /// When its units and money reached their receivers.
    pub posted_at: Option<Timestamp>,
    /// When they went back.
    pub returned_at: Option<Timestamp>,
    /// When anything of this changed.
    pub changed_at: Timestamp,
}

/// Where an order's money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured {
    /// Held, or released.
    No,
    /// Posted, or posted and given back.
    Yes,
}

/// The right to drive an order, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The host node.
    pub node: String,
    /// From when on another may take it.
    pub until: Timestamp,
}

/// Which orders, newest first.
#[derive(Clone, Copy, Debug)]
pub struct OrderPage {
    /// Only those before this one.
    pub before: Option<OrderId>,
    /// At most so many, at most [`ORDERS_PAGE_MAX`].
    pub limit: u32,
}

/// Orders that one listing gives at most.
pub const ORDERS_PAGE_MAX: u32 = 100;

impl Default for OrderPage {
    fn default() -> Self {
        Self {
            before: None,
            limit: 50,
        }
    }
}

/// The stored and shown name of a state.
#[must_use]
pub const fn state_name(state: OrderState) -> &'static str {
    match state {
        OrderState::Held => "held",
        OrderState::Paid => "paid",
        OrderState::Completed => "completed",
        OrderState::Voided => "voided",
        OrderState::Refunded => "refunded",
        OrderState::Unknown => "unknown",
    }
}

/// The state of that name.
#[must_use]
pub fn state_from_name(name: &str) -> Option<OrderState> {
    STATES.into_iter().find(|state| state_name(*state) == name)
}

/// Every state.
pub const STATES: [OrderState; 6] = [
    OrderState::Held,
    OrderState::Paid,
    OrderState::Unknown,
    OrderState::Completed,
    OrderState::Voided,
    OrderState::Refunded,
];
