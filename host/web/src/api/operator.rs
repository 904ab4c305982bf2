//! What operators see: the audit and the books.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_auth::{AuditRow, Outcome};
use qiao_ledger::AssetTotal;
use qiao_model::OrderId;
use qiao_orders::UnpaidDay;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::order::{OrderBody, OrdersQuery};
use super::wire::{Listing, time};
use crate::App;
use crate::extract::{Json, Operator, PathParam, Query};
use crate::problem::{Kind, Problem, ProblemBody};

/// Which rows, newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only those before this one: `aud_…`.
    before: Option<String>,
}

/// Who did what, or tried.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditBody {
    /// `aud_…`.
    id: String,
    /// When.
    at: String,
    /// Who.
    actor: String,
    /// What: `release.approve`.
    action: String,
    /// To what.
    subject: String,
    /// `allowed` or `refused`.
    outcome: &'static str,
    /// Why, or with what effect.
    detail: String,
}

impl From<AuditRow> for AuditBody {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: time(row.at),
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            outcome: match row.outcome {
                Outcome::Allowed => "allowed",
                Outcome::Refused => "refused",
            },
            detail: row.detail,
        }
    }
}

/// The books of one asset.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetTotalBody {
    /// A currency's code or a product's id.
    asset: String,
    /// The sum of all balances: always zero.
    sum_of_balances: i64,
    /// Everything ever debited.
    debits: i64,
    /// Everything ever credited.
    credits: i64,
    /// What is held at present.
    pending: i64,
    /// How many accounts count it.
    accounts: i64,
    /// How many transfers there are of it.
    transfers: i64,
}

impl From<AssetTotal> for AssetTotalBody {
    fn from(total: AssetTotal) -> Self {
        Self {
            asset: total.asset.to_string(),
            sum_of_balances: total.sum_of_balances,
            debits: total.debits,
            credits: total.credits,
            pending: total.pending,
            accounts: total.accounts,
            transfers: total.transfers,
        }
    }
}

/// The audit
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "operator",
    params(AuditQuery),
    security(("session" = [])),
    responses((status = 200, description = "Newest first", body = Listing<AuditBody>))
)]
pub(crate) async fn list_audit(
    State(app): State<App>,
    caller: Operator,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Listing<AuditBody>>, Problem> {
    let rows = app.auth.audit_page(&caller.permit, query.before.as_deref());
    Ok(Json(Listing::of(rows.await?)))
}

/// A published day whose accrued fees are not paid.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnpaidDayBody {
    /// `ins_…`: whose settlement account pays.
    institution: String,
    /// `prd_…`.
    product: String,
    /// The product's name.
    name: String,
    /// The price day, in Asia/Shanghai.
    day: String,
    /// The days that it stands for.
    days: u32,
}

impl From<UnpaidDay> for UnpaidDayBody {
    fn from(unpaid: UnpaidDay) -> Self {
        Self {
            institution: unpaid.institution.to_string(),
            product: unpaid.product.to_string(),
            name: unpaid.name,
            day: unpaid.day.to_string(),
            days: unpaid.days,
        }
    }
}

/// Days whose accrued fees are due: the settlement account has too little, or the
/// worker has not come to them yet
#[utoipa::path(
    get,
    path = "/v1/unpaid-days",
    tag = "operator",
    security(("session" = [])),
    responses((status = 200, description = "By product, the oldest first", body = Listing<UnpaidDayBody>))
)]
pub(crate) async fn list_unpaid_days(
    State(app): State<App>,
    caller: Operator,
) -> Result<Json<Listing<UnpaidDayBody>>, Problem> {
    Ok(Json(Listing::of(
        app.orders.unpaid_days(&caller.permit).await?,
    )))
}

/// The books of every asset: each sums to zero
#[utoipa::path(
    get,
    path = "/v1/books",
    tag = "operator",
    security(("session" = [])),
    responses((status = 200, description = "By asset", body = Listing<AssetTotalBody>))
)]
pub(crate) async fn get_books(
    State(app): State<App>,
    caller: Operator,
) -> Result<Json<Listing<AssetTotalBody>>, Problem> {
    Ok(Json(Listing::of(app.payments.books(&caller.permit).await?)))
}

/// Orders whose plugin was asked as often as the host asks, and gave no answer; and
/// redemptions whose day has come and whose institution has too little
#[utoipa::path(
    get,
    path = "/v1/stuck-orders",
    tag = "operator",
    params(OrdersQuery),
    security(("session" = [])),
    responses((status = 200, description = "Newest first", body = Listing<OrderBody>))
)]
pub(crate) async fn list_stuck_orders(
    State(app): State<App>,
    caller: Operator,
    Query(query): Query<OrdersQuery>,
) -> Result<Json<Listing<OrderBody>>, Problem> {
    let orders = app.orders.stuck(&caller.permit, query.page()?).await?;
    Ok(Json(Listing::of(orders)))
}

/// Go on with a stuck order at once
#[utoipa::path(
    post,
    path = "/v1/stuck-orders/{id}/ask-again",
    tag = "operator",
    params(("id" = String, Path, description = "`ord_…`")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 202, description = "The worker goes on with it"),
        (status = 404, description = "No such order is stuck", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn ask_again(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<OrderId>,
) -> Result<StatusCode, Problem> {
    if app.orders.ask_again(&caller.permit, id).await? {
        Ok(StatusCode::ACCEPTED)
    } else {
        Err(Problem::new(
            Kind::NotFound,
            format!("no order {id} is stuck"),
        ))
    }
}
