//! Statements: what moved on one account, the newest first.

use axum::extract::State;
use qiao_model::{Asset, Currency, TransferId};
use qiao_payments::{StatementLine, StatementOf, StatementPage};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::wire::{parse, time};
use crate::App;
use crate::extract::{Bearer, Json, Query, SessionUser, scope};
use crate::problem::{Kind, Problem, ProblemBody};

/// Lines of one page when the caller does not say.
const LINES_DEFAULT: usize = 50;

/// Which account of the caller, and which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementQuery {
    /// A currency's code for money, or a product's id for units.
    #[param(example = "CNY")]
    asset: String,
    /// Where the page begins: `next` of the page before.
    from: Option<String>,
    /// Lines at most, at most 200.
    limit: Option<usize>,
}

/// Which account of the calling institution, and which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InstitutionStatementQuery {
    /// `settlement` or `revenue`.
    account: String,
    /// A currency's code.
    #[param(example = "CNY")]
    currency: String,
    /// Where the page begins: `next` of the page before.
    from: Option<String>,
    /// Lines at most, at most 200.
    limit: Option<usize>,
}

/// A page of a statement.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatementBody {
    /// The newest line first.
    lines: Vec<StatementLineBody>,
    /// Where the next page begins.
    next: Option<String>,
}

/// A transfer as its account sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatementLineBody {
    /// `tra_…`.
    transfer: String,
    /// `posted`, `pending`, `post` or `void`.
    kind: &'static str,
    /// What it was for.
    purpose: String,
    /// `pay_…`, or whatever else it belongs to.
    reference: String,
    /// What people read about its payment.
    description: Option<String>,
    /// How much, in minor units.
    minor: i64,
    /// What it did to the posted balance.
    change_minor: i64,
    /// The posted balance after it.
    balance_minor: i64,
    /// When.
    at: String,
}

impl From<StatementPage> for StatementBody {
    fn from(page: StatementPage) -> Self {
        Self {
            lines: page
                .lines
                .into_iter()
                .map(StatementLineBody::from)
                .collect(),
            next: page.next.map(|id| id.to_string()),
        }
    }
}

impl From<StatementLine> for StatementLineBody {
    fn from(line: StatementLine) -> Self {
        Self {
            transfer: line.transfer.id.to_string(),
            kind: line.transfer.kind.name(),
            purpose: line.transfer.purpose,
            reference: line.transfer.reference,
            description: line.payment.map(|payment| payment.description),
            minor: line.transfer.minor,
            change_minor: line.change,
            balance_minor: line.balance,
            at: time(line.transfer.at),
        }
    }
}

/// What moved on one of the caller's accounts
#[utoipa::path(
    get,
    path = "/v1/statement",
    tag = "payments",
    params(StatementQuery),
    security(("session" = [])),
    responses(
        (status = 200, description = "The newest line first", body = StatementBody),
        (status = 422, description = "A parameter is not acceptable", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_statement(
    State(app): State<App>,
    caller: SessionUser,
    Query(query): Query<StatementQuery>,
) -> Result<Json<StatementBody>, Problem> {
    let user = caller.session.user();
    let of = match parse::<Asset>(&query.asset)? {
        Asset::Currency(currency) => StatementOf::User(user, currency),
        Asset::Units(product) => StatementOf::Holding(user, product),
    };
    let from: Option<TransferId> = query.from.as_deref().map(parse).transpose()?;
    let limit = query.limit.unwrap_or(LINES_DEFAULT);
    let page = app
        .payments
        .statement(&caller.permit, of, from, limit)
        .await?;
    Ok(Json(page.into()))
}

/// What moved on one of the calling institution's accounts
#[utoipa::path(
    get,
    path = "/v1/institution/statement",
    tag = "payments",
    params(InstitutionStatementQuery),
    security(("bearer" = ["payments:read"])),
    responses(
        (status = 200, description = "The newest line first", body = StatementBody),
        (status = 422, description = "A parameter is not acceptable", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_institution_statement(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
    Query(query): Query<InstitutionStatementQuery>,
) -> Result<Json<StatementBody>, Problem> {
    let institution = caller.permit.demand_institution()?;
    let currency: Currency = parse(&query.currency)?;
    let of = match query.account.as_str() {
        "settlement" => StatementOf::Settlement(institution, currency),
        "revenue" => StatementOf::Revenue(institution, currency),
        _ => {
            return Err(Problem::new(
                Kind::Invalid,
                "account is settlement or revenue",
            ));
        }
    };
    let from: Option<TransferId> = query.from.as_deref().map(parse).transpose()?;
    let limit = query.limit.unwrap_or(LINES_DEFAULT);
    let page = app
        .payments
        .statement(&caller.permit, of, from, limit)
        .await?;
    Ok(Json(page.into()))
}
