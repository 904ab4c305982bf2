use qiao_auth::Permit;
use qiao_catalog::{Catalog, Error, NewProduct, Price};
use qiao_model::{PluginId, ProductId};

use crate::ports::{Answering, CatalogPort, CatalogPortError};

impl CatalogPort for Catalog {
    fn register_product<'a>(
        &'a self,
        permit: &'a Permit,
        product: NewProduct,
    ) -> Answering<'a, Result<(), CatalogPortError>> {
        Box::pin(async move {
            let code = product.code.clone();
            let registered = Self::register_product(self, permit, product).await;
            registered.map(drop).map_err(|error| refusal(error, &code))
        })
    }

    fn publish_price<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        product: &'a str,
        price: Price,
    ) -> Answering<'a, Result<(), CatalogPortError>> {
        Box::pin(async move {
            let id = id_of(self, plugin, product).await?;
            Self::publish_price(self, permit, id, price)
                .await
                .map_err(|error| refusal(error, product))
        })
    }

    fn latest_price<'a>(
        &'a self,
        _permit: &'a Permit,
        plugin: PluginId,
        product: &'a str,
    ) -> Answering<'a, Result<Option<Price>, CatalogPortError>> {
        Box::pin(async move {
            let id = id_of(self, plugin, product).await?;
            Self::latest_price(self, id)
                .await
                .map_err(|error| refusal(error, product))
        })
    }
}

async fn id_of(
    catalog: &Catalog,
    plugin: PluginId,
    code: &str,
) -> Result<ProductId, CatalogPortError> {
    match catalog.product_by_code(plugin, code).await {
        Ok(Some(product)) => Ok(product.id),
        Ok(None) => Err(CatalogPortError::UnknownProduct(code.to_owned())),
        Err(error) => Err(refusal(error, code)),
    }
}

fn refusal(error: Error, code: &str) -> CatalogPortError {
    match error {
        Error::InvalidProduct(problem) => CatalogPortError::InvalidProduct(problem),
        Error::InvalidFeeSchedule(problem) => CatalogPortError::InvalidFeeSchedule(problem),
        Error::InvalidPrice(problem) => CatalogPortError::InvalidPrice(problem),
        Error::UnknownProduct(_) | Error::NoSchedule { .. } => {
            CatalogPortError::UnknownProduct(code.to_owned())
        }
        Error::NotAPlugin => {
            CatalogPortError::Denied("only a plugin registers products".to_owned())
        }
        Error::Denied(denied) => CatalogPortError::Denied(denied.reason().to_owned()),
        Error::Storage(error) => {
            tracing::error!(%error, "the catalog did not answer a plugin");
            CatalogPortError::Unavailable
        }
    }
}
