//! Products, their fee schedules and their prices: public, as the fees of a fund are.

use axum::extract::State;
use qiao_catalog::{
    Charge, FeeForm, FeeLine, FeeSchedule, Payer, Price, Product, Receiver, Share, Tier,
};
use qiao_model::{PluginId, ProductId, Rounding};
use serde::Serialize;
use utoipa::ToSchema;

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

/// One version of a product's fees; it never changes.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeScheduleBody {
    /// `fee_…`.
    id: String,
    /// 1, 2, 3 and so on.
    version: u32,
    /// The first day that it is in force, in Asia/Shanghai.
    effective_from: String,
    /// The fees.
    lines: Vec<FeeLineBody>,
}

/// One fee.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeLineBody {
    /// Its key.
    code: String,
    /// What people read.
    name: String,
    /// `purchase`, `redeem` or `pay`.
    applies_to: &'static str,
    /// `user` beside the principal, `user_inside` out of it, or `institution`.
    payer: &'static str,
    /// How it is computed.
    form: FeeFormBody,
    /// At least this much, in minor units.
    minimum: Option<i64>,
    /// At most this much, in minor units.
    maximum: Option<i64>,
    /// `half_up`, `half_even`, `down` or `up`.
    rounding: &'static str,
    /// Who gets it.
    shares: Vec<ShareBody>,
}

/// How a fee follows from the amount.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum FeeFormBody {
    /// The same for every order.
    Flat {
        /// In minor units.
        minor: i64,
    },
    /// A share of the amount.
    Percent {
        /// In parts per million.
        rate_ppm: i64,
    },
    /// Each tier charges the part of the amount inside it.
    Graduated {
        /// In order.
        tiers: Vec<TierBody>,
    },
    /// The tier that holds the whole amount decides.
    Slab {
        /// In order.
        tiers: Vec<TierBody>,
    },
}

/// Amounts from `from` (inclusive) up to `below` (exclusive); one of `rate_ppm` and
/// `flat_minor` says what it charges.
#[derive(Serialize, ToSchema)]
pub(crate) struct TierBody {
    /// Inclusive, in minor units.
    from: i64,
    /// Exclusive, in minor units; none for the last.
    below: Option<i64>,
    /// A share of the amount, in parts per million.
    rate_ppm: Option<i64>,
    /// A flat amount in minor units.
    flat_minor: Option<i64>,
}

/// A receiver's share of a fee.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShareBody {
    /// `institution` or `platform`.
    receiver: &'static str,
    /// How much of the fee, in parts per million.
    rate_ppm: i64,
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

impl From<&FeeSchedule> for FeeScheduleBody {
    fn from(schedule: &FeeSchedule) -> Self {
        Self {
            id: schedule.id.to_string(),
            version: schedule.version,
            effective_from: schedule.effective_from.to_string(),
            lines: schedule.lines.iter().map(FeeLineBody::from).collect(),
        }
    }
}

impl From<&FeeLine> for FeeLineBody {
    fn from(line: &FeeLine) -> Self {
        Self {
            code: line.code.clone(),
            name: line.name.clone(),
            applies_to: line.applies_to.name(),
            payer: payer_name(line.payer),
            form: FeeFormBody::from(&line.form),
            minimum: line.minimum,
            maximum: line.maximum,
            rounding: match line.rounding {
                Rounding::HalfUp => "half_up",
                Rounding::HalfEven => "half_even",
                Rounding::Down => "down",
                Rounding::Up => "up",
            },
            shares: line.shares.iter().map(ShareBody::from).collect(),
        }
    }
}

/// The wire name of who pays a fee.
pub(crate) const fn payer_name(payer: Payer) -> &'static str {
    match payer {
        Payer::User => "user",
        Payer::UserInside => "user_inside",
        Payer::Institution => "institution",
    }
}

impl From<&FeeForm> for FeeFormBody {
    fn from(form: &FeeForm) -> Self {
        let wire = |tiers: &[Tier]| tiers.iter().map(TierBody::from).collect();
        match form {
            FeeForm::Flat(minor) => Self::Flat { minor: *minor },
            FeeForm::Percent(rate) => Self::Percent {
                rate_ppm: rate.ppm(),
            },
            FeeForm::Graduated(tiers) => Self::Graduated { tiers: wire(tiers) },
            FeeForm::Slab(tiers) => Self::Slab { tiers: wire(tiers) },
        }
    }
}

impl From<&Tier> for TierBody {
    fn from(tier: &Tier) -> Self {
        let (rate_ppm, flat_minor) = match tier.charge {
            Charge::Rate(rate) => (Some(rate.ppm()), None),
            Charge::Flat(minor) => (None, Some(minor)),
        };
        Self {
            from: tier.from,
            below: tier.below,
            rate_ppm,
            flat_minor,
        }
    }
}

impl From<&Share> for ShareBody {
    fn from(share: &Share) -> Self {
        Self {
            receiver: match share.receiver {
                Receiver::Institution => "institution",
                Receiver::Platform => "platform",
            },
            rate_ppm: share.rate.ppm(),
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
