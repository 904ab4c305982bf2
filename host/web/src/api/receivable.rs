//! What institutions owe since refunds found receivers short.

use axum::extract::State;
use qiao_payments::Receivable;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::{Listing, MoneyBody};
use crate::App;
use crate::extract::{Json, Operator};
use crate::problem::Problem;

/// A debt that is not paid off.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceivableBody {
    /// Who owes: `ins_…`.
    institution: String,
    /// What is owed now.
    owed: MoneyBody,
    /// What ever came to be owed.
    opened: MoneyBody,
    /// What was paid off.
    recovered: MoneyBody,
}

impl From<Receivable> for ReceivableBody {
    fn from(debt: Receivable) -> Self {
        Self {
            institution: debt.institution.to_string(),
            owed: debt.owed.into(),
            opened: debt.opened.into(),
            recovered: debt.recovered.into(),
        }
    }
}

/// What institutions owe since refunds found receivers short
#[utoipa::path(
    get,
    path = "/v1/receivables",
    tag = "operator",
    security(("session" = [])),
    responses((status = 200, description = "At most 200 debts that are not paid off", body = Listing<ReceivableBody>))
)]
pub(crate) async fn list_receivables(
    State(app): State<App>,
    caller: Operator,
) -> Result<Json<Listing<ReceivableBody>>, Problem> {
    let debts = app.payments.receivables(&caller.permit, None).await?;
    Ok(Json(Listing::of(debts)))
}
