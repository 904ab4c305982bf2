//! The customer's account, and the platform's custody account with its statements.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::CURRENCY;
use crate::door::caller::Caller;
use crate::grant::Scope;
use crate::office::Office;
use crate::problem::Problem;

pub(crate) async fn accounts(
    State(office): State<Arc<Office>>,
    caller: Caller,
) -> Result<Json<Value>, Problem> {
    let (name, account) = caller.customer(Scope::Accounts)?;
    office.settle();
    let desk = office.desk();
    let account = desk.books.account(account).ok_or(Problem::NOT_FOUND)?;
    Ok(Json(json!([{
        "id": account.id,
        "name": name,
        "number_masked": account.number_masked(),
        "currency": CURRENCY,
        "balance_minor": account.balance_minor,
    }])))
}

pub(crate) async fn custody(
    State(office): State<Arc<Office>>,
    caller: Caller,
) -> Result<Json<Value>, Problem> {
    require_platform(&caller)?;
    office.settle();
    Ok(Json(json!({
        "currency": CURRENCY,
        "balance_minor": office.desk().books.custody_minor(),
        "as_of": office.now_ms(),
    })))
}

#[derive(Deserialize)]
pub(crate) struct StatementQuery {
    day: String,
}

pub(crate) async fn statement(
    State(office): State<Arc<Office>>,
    caller: Caller,
    Query(query): Query<StatementQuery>,
) -> Result<Json<Value>, Problem> {
    require_platform(&caller)?;
    let day: Date = query
        .day
        .parse()
        .map_err(|_| Problem::malformed("the day is written 2026-11-22"))?;
    Ok(Json(json!(office.statement(day))))
}

fn require_platform(caller: &Caller) -> Result<(), Problem> {
    if caller.is_platform() {
        Ok(())
    } else {
        Err(Problem::FORBIDDEN)
    }
}
