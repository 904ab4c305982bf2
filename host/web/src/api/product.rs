//! Products, their fee schedules and their prices: public, as the fees of a fund are.

use axum::extract::State;
use qiao_catalog::{Price, Product};
use qiao_model::{PluginId, ProductId};
use serde::Serialize;
use utoipa::ToSchema;

use super::fee_schedule::FeeScheduleBody;
use super::wire::Listing;
use crate::App;
use crate::extract::{Json, PathParam};
use crate::problem::{Kind, Problem, ProblemBody};

/// Prices of one answer at most.
const PRICES_MAX: usize = 366;

/// What a plugin sells.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProductBody {
    /// `prd_…`.
    id: String,
    /// `plg_…`.
    plugin: String,
    /// `ins_…`.
    institution: String,
    /// The plugin's own key.
    code: String,
    /// What people read.
    name: String,
    /// One sentence.
    summary: String,
    /// The currency of its prices.
    currency: String,
    /// Whether it is held in units (a fund) or consumed (a bill).
    in_units: bool,
    /// When money is captured: `on-fulfilment` or `before-fulfilment`.
    capture: &'static str,
    /// When the money of a redemption arrives: `ordinary` or `instant`.
    redemption: &'static str,
}

/// The price of a day.
#[derive(Serialize, ToSchema)]
pub(crate) struct PriceBody {
    /// The day, in Asia/Shanghai.
    day: String,
    /// Net asset value of a unit in 1/10000 of the main unit.
    nav_e4: i64,
    /// Income of the day per 10,000 units, in 1/10000 of the main unit.
    income_per_10k_e4: Option<i64>,
    /// Seven-day annualised yield in parts per million.
    yield_7d_ppm: Option<i64>,
}

impl From<&Product> for ProductBody {
    fn from(product: &Product) -> Self {
        Self {
            id: product.id.to_string(),
            plugin: product.plugin.to_string(),
            institution: product.institution.to_string(),
            code: product.code.clone(),
            name: product.name.clone(),
            summary: product.summary.clone(),
            currency: product.currency.to_string(),
            in_units: product.in_units,
            capture: product.capture.name(),
            redemption: product.redemption.name(),
        }
    }
}

impl From<Price> for PriceBody {
    fn from(price: Price) -> Self {
        Self {
            day: price.day.to_string(),
            nav_e4: price.nav_e4,
            income_per_10k_e4: price.income_per_10k_e4,
            yield_7d_ppm: price.yield_7d_ppm,
        }
    }
}

/// The products of a plugin
#[utoipa::path(
    get,
    path = "/v1/plugins/{id}/products",
    tag = "products",
    params(("id" = String, Path, description = "`plg_…`")),
    responses((status = 200, description = "All of them", body = Listing<ProductBody>))
)]
pub(crate) async fn list_products(
    State(app): State<App>,
    PathParam(id): PathParam<PluginId>,
) -> Result<Json<Listing<ProductBody>>, Problem> {
    let products = app.catalog.products_of_plugin(id).await?;
    Ok(Json(Listing::of(&products)))
}

/// A product
#[utoipa::path(
    get,
    path = "/v1/products/{id}",
    tag = "products",
    params(("id" = String, Path, description = "`prd_…`")),
    responses(
        (status = 200, description = "The product", body = ProductBody),
        (status = 404, description = "No such product", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_product(
    State(app): State<App>,
    PathParam(id): PathParam<ProductId>,
) -> Result<Json<ProductBody>, Problem> {
    let Some(product) = app.catalog.product(id).await? else {
        return Err(Problem::new(
            Kind::NotFound,
            format!("there is no product {id}"),
        ));
    };
    Ok(Json(ProductBody::from(&*product)))
}

/// Every version of a product's fees
#[utoipa::path(
    get,
    path = "/v1/products/{id}/fee-schedules",
    tag = "products",
    params(("id" = String, Path, description = "`prd_…`")),
    responses((status = 200, description = "In order", body = Listing<FeeScheduleBody>))
)]
pub(crate) async fn list_fee_schedules(
    State(app): State<App>,
    PathParam(id): PathParam<ProductId>,
) -> Result<Json<Listing<FeeScheduleBody>>, Problem> {
    let schedules = app.catalog.schedules(id).await?;
    Ok(Json(Listing::of(&schedules)))
}

/// The newest prices of a product
#[utoipa::path(
    get,
    path = "/v1/products/{id}/prices",
    tag = "products",
    params(("id" = String, Path, description = "`prd_…`")),
    responses((status = 200, description = "Newest first, at most a year", body = Listing<PriceBody>))
)]
pub(crate) async fn list_prices(
    State(app): State<App>,
    PathParam(id): PathParam<ProductId>,
) -> Result<Json<Listing<PriceBody>>, Problem> {
    let prices = app.catalog.prices(id, PRICES_MAX).await?;
    Ok(Json(Listing::of(prices)))
}
