//! Products, their fee schedules and their prices. Scope `catalog:write`.

#[cfg(target_arch = "wasm32")]
use crate::bindings::qiao::host::catalog as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports::catalog as host;
use crate::{ActivationError, JobError, Price, Product};

pub use crate::bindings::qiao::host::catalog::{CatalogError, Problem};

/// Registers a product, or replaces its description; a changed fee schedule becomes
/// its next version.
///
/// # Errors
/// [`CatalogError`] names the field and the cause.
pub fn register(product: &Product) -> Result<(), CatalogError> {
    host::register_product(product)
}

/// Publishes the price of a day, once; the same price again changes nothing.
///
/// # Errors
/// [`CatalogError::InvalidPrice`] when the day is in the future or has another price.
pub fn publish_price(product: &str, price: Price) -> Result<(), CatalogError> {
    host::publish_price(product, price)
}

/// The newest published price.
///
/// # Errors
/// [`CatalogError::UnknownProduct`] when this plugin registered no such product.
pub fn latest_price(product: &str) -> Result<Option<Price>, CatalogError> {
    host::latest_price(product)
}

impl From<CatalogError> for ActivationError {
    fn from(error: CatalogError) -> Self {
        Self::Registration(sentence(&error))
    }
}

impl From<CatalogError> for JobError {
    fn from(error: CatalogError) -> Self {
        Self::Failed(sentence(&error))
    }
}

/// What the catalog refused, for the author: where and why.
fn sentence(error: &CatalogError) -> String {
    match error {
        CatalogError::InvalidProduct(problem)
        | CatalogError::InvalidFeeSchedule(problem)
        | CatalogError::InvalidPrice(problem) => format!("{}: {}", problem.at, problem.cause),
        CatalogError::UnknownProduct(code) => format!("no product has the code `{code}`"),
        CatalogError::Denied(cause) => cause.clone(),
        CatalogError::Unavailable => "the host failed".to_owned(),
    }
}
