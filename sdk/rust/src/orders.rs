//! This plugin's own orders. Scope `orders:read`.

use crate::EventError;
#[cfg(target_arch = "wasm32")]
use crate::bindings::qiao::host::orders as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports::orders as host;

pub use crate::bindings::qiao::host::orders::{Order, OrdersError};

/// One order.
///
/// # Errors
/// [`OrdersError::UnknownOrder`] when no order of this plugin has that id.
pub fn get(id: &str) -> Result<Order, OrdersError> {
    host::get(id)
}

/// The newest orders with this reference, newest first, at most 20.
///
/// # Errors
/// [`OrdersError::Denied`] without the scope.
pub fn by_reference(reference: &str) -> Result<Vec<Order>, OrdersError> {
    host::by_reference(reference)
}

impl From<OrdersError> for EventError {
    fn from(error: OrdersError) -> Self {
        Self::Failed(error.to_string())
    }
}
