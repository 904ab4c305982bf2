//! The money of this plugin's own orders. Scopes `payments:read`, `payments:refund`.

use crate::Money;
#[cfg(target_arch = "wasm32")]
use crate::bindings::qiao::host::payments as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports::payments as host;

pub use crate::bindings::qiao::host::payments::{Payment, PaymentsError};

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
