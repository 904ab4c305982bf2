//! What a person or an institution has.

use axum::extract::State;
use qiao_ledger::{Balance, LedgerAccount};
use qiao_orders::Holding;
use qiao_payments::InstitutionSummary;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::Listing;
use crate::App;
use crate::extract::{Bearer, Json, SessionUser, scope};
use crate::problem::Problem;

/// One account of a person.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountBalanceBody {
    /// A currency's code, or a product's id.
    asset: String,
    /// `available` for money, `holding` for units.
    kind: &'static str,
    /// What it holds.
    #[serde(flatten)]
    balance: BalanceBody,
}

/// What an account holds, in minor units.
#[derive(Serialize, ToSchema)]
#[schema(as = Balance)]
pub(crate) struct BalanceBody {
    /// What can be spent.
    available_minor: i64,
    /// What is posted: `available_minor` and what is held.
    posted_minor: i64,
    /// Held: will leave unless voided.
    pending_out_minor: i64,
    /// Will arrive unless voided.
    pending_in_minor: i64,
}

/// What a person holds of a product.
#[derive(Serialize, ToSchema)]
pub(crate) struct HoldingBody {
    /// `prd_…`.
    product: String,
    /// Units in hundredths, that can be given back.
    available_minor: i64,
    /// Units in hundredths.
    posted_minor: i64,
    /// Of these, what was credited as income.
    income_minor: i64,
}

/// What an institution has in one currency.
#[derive(Serialize, ToSchema)]
pub(crate) struct InstitutionBalanceBody {
    /// The currency.
    currency: String,
    /// Money of its customers' orders.
    settlement: BalanceBody,
    /// Everything that its orders ever brought.
    settlement_received_minor: i64,
    /// Its own fees.
    revenue: BalanceBody,
    /// All fees that it ever earned.
    revenue_received_minor: i64,
    /// What it owes since refunds found receivers short; taken from what comes next.
    owed_minor: i64,
    /// What its bank advanced for instant redemptions and is not lent out.
    advance: BalanceBody,
}

impl From<Balance> for BalanceBody {
    fn from(balance: Balance) -> Self {
        Self {
            available_minor: balance.available(),
            posted_minor: balance.posted,
            pending_out_minor: balance.pending_out,
            pending_in_minor: balance.pending_in,
        }
    }
}

impl From<LedgerAccount> for AccountBalanceBody {
    fn from(account: LedgerAccount) -> Self {
        Self {
            asset: account.asset.to_string(),
            kind: account.kind.name(),
            balance: account.balance.into(),
        }
    }
}

impl From<Holding> for HoldingBody {
    fn from(holding: Holding) -> Self {
        Self {
            product: holding.product.id.to_string(),
            available_minor: holding.available_minor,
            posted_minor: holding.available_minor.saturating_add(holding.held_minor),
            income_minor: holding.income_minor,
        }
    }
}

impl From<InstitutionSummary> for InstitutionBalanceBody {
    fn from(summary: InstitutionSummary) -> Self {
        Self {
            currency: summary.currency.to_string(),
            settlement: summary.settlement.into(),
            settlement_received_minor: summary.settlement_received,
            revenue: summary.revenue.into(),
            revenue_received_minor: summary.revenue_received,
            owed_minor: summary.owed,
            advance: summary.advance.into(),
        }
    }
}

/// The caller's accounts: money and units
#[utoipa::path(
    get,
    path = "/v1/balances",
    tag = "payments",
    security(("session" = [])),
    responses((status = 200, description = "By asset", body = Listing<AccountBalanceBody>))
)]
pub(crate) async fn list_balances(
    State(app): State<App>,
    caller: SessionUser,
) -> Result<Json<Listing<AccountBalanceBody>>, Problem> {
    let user = caller.session.user();
    let accounts = app.payments.balances(&caller.permit, user).await?;
    Ok(Json(Listing::of(accounts)))
}

/// What the caller holds, product by product
#[utoipa::path(
    get,
    path = "/v1/holdings",
    tag = "payments",
    security(("session" = [])),
    responses((status = 200, description = "By product", body = Listing<HoldingBody>))
)]
pub(crate) async fn list_holdings(
    State(app): State<App>,
    caller: SessionUser,
) -> Result<Json<Listing<HoldingBody>>, Problem> {
    let holdings = app.orders.holdings(&caller.permit).await?;
    Ok(Json(Listing::of(holdings)))
}

/// What the calling institution has
#[utoipa::path(
    get,
    path = "/v1/institution/balances",
    tag = "payments",
    security(("bearer" = ["payments:read"])),
    responses((status = 200, description = "By currency", body = Listing<InstitutionBalanceBody>))
)]
pub(crate) async fn list_institution_balances(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
) -> Result<Json<Listing<InstitutionBalanceBody>>, Problem> {
    let institution = caller.permit.demand_institution()?;
    let summary = app
        .payments
        .institution_summary(&caller.permit, institution);
    Ok(Json(Listing::of(summary.await?)))
}
