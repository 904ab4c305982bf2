use std::sync::Arc;

use qiao_model::Scope;

use crate::bindings::v0_1_0::qiao::host::catalog::{CatalogError, Host, Problem, Product};
use crate::bindings::v0_1_0::qiao::host::types::Price;
use crate::guest::Guest;
use crate::host::{Answer, Refusal};
use crate::ports::CatalogPortError;
use crate::wire;

impl Refusal for CatalogError {
    fn denied(reason: String) -> Self {
        Self::Denied(reason)
    }

    fn unavailable() -> Self {
        Self::Unavailable
    }
}

impl From<CatalogPortError> for CatalogError {
    fn from(error: CatalogPortError) -> Self {
        match error {
            CatalogPortError::InvalidProduct(problem) => Self::InvalidProduct(problem.into()),
            CatalogPortError::InvalidFeeSchedule(problem) => {
                Self::InvalidFeeSchedule(problem.into())
            }
            CatalogPortError::InvalidPrice(problem) => Self::InvalidPrice(problem.into()),
            CatalogPortError::UnknownProduct(code) => Self::UnknownProduct(code),
            CatalogPortError::Denied(reason) => Self::Denied(reason),
            CatalogPortError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<qiao_catalog::Problem> for Problem {
    fn from(problem: qiao_catalog::Problem) -> Self {
        Self {
            at: problem.at,
            cause: problem.cause,
        }
    }
}

impl Host for Guest {
    fn register_product(&mut self, product: Product) -> Answer<(), CatalogError> {
        self.call(Scope::CatalogWrite, |guest, permit| {
            let product = match wire::product_in(product) {
                Ok(product) => product,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let ports = Arc::clone(&guest.shared.ports);
            let registering = ports.catalog.register_product(permit, product);
            Ok(settle(guest.wait(registering)))
        })
    }

    fn publish_price(&mut self, product: String, price: Price) -> Answer<(), CatalogError> {
        self.call(Scope::CatalogWrite, |guest, permit| {
            let price = match wire::price_in(price) {
                Ok(price) => price,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let ports = Arc::clone(&guest.shared.ports);
            let plugin = guest.shared.release.plugin;
            let publishing = ports.catalog.publish_price(permit, plugin, &product, price);
            Ok(settle(guest.wait(publishing)))
        })
    }

    fn latest_price(&mut self, product: String) -> Answer<Option<Price>, CatalogError> {
        self.call(Scope::CatalogWrite, |guest, permit| {
            let ports = Arc::clone(&guest.shared.ports);
            let plugin = guest.shared.release.plugin;
            let price = guest.wait(ports.catalog.latest_price(permit, plugin, &product));
            Ok(settle(price).map(|price| price.as_ref().map(wire::price)))
        })
    }
}

fn settle<T>(answer: Option<Result<T, CatalogPortError>>) -> Result<T, CatalogError> {
    match answer {
        Some(answer) => answer.map_err(CatalogError::from),
        None => Err(CatalogError::unavailable()),
    }
}
