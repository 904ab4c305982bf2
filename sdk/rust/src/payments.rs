//! The money of this plugin's own orders. Scopes `payments:read`, `payments:refund`,
//! `payments:charge`.

#[cfg(target_arch = "wasm32")]
use crate::bindings::qiao::host::payments as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports::payments as host;
use crate::{Money, Offer};

pub use crate::bindings::qiao::host::payments::{
    Charged, MandateRefusal, NewCharge, Payment, PaymentsError,
};

/// The payment of an order. Scope `payments:read`.
///
/// # Errors
/// [`PaymentsError::UnknownOrder`] when no order of this plugin has that id.
pub fn get(order: &str) -> Result<Payment, PaymentsError> {
    host::get(order)
}

/// Gives back a part or all of an order's payment. The same `key` makes it happen
/// once, however often it is asked. Scope `payments:refund`.
///
/// # Errors
/// [`PaymentsError::ExceedsRefundable`] says what is left.
pub fn refund(
    order: &str,
    amount: &Money,
    reason: &str,
    key: &str,
) -> Result<Payment, PaymentsError> {
    host::refund(order, amount, reason, key)
}

/// Places an order that a mandate pays for: its user is not asked again. The same `key`
/// makes it happen once, however often it is asked, so a job names it after the mandate
/// and the period that it charges. Scope `payments:charge`.
///
/// # Errors
/// [`PaymentsError::MandateRefused`] says which limit forbids it, and
/// [`PaymentsError::InsufficientFunds`] that the user has too little money: then nothing
/// was charged, and the same charge may be tried again under its key.
pub fn charge(
    mandate: impl Into<String>,
    offer: Offer,
    key: impl Into<String>,
) -> Result<Charged, PaymentsError> {
    host::charge(&NewCharge {
        mandate: mandate.into(),
        offer,
        key: key.into(),
    })
}
