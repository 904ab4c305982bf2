//! What only a sandbox can do: faults, misprints, customers out of nowhere.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::Customer;
use crate::fault::Fault;
use crate::office::Office;
use crate::problem::Problem;
use crate::statement::{Misprint, StatementLine};

pub(crate) async fn fault(
    State(office): State<Arc<Office>>,
    Json(fault): Json<Fault>,
) -> StatusCode {
    office.desk().faults.plan(fault);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(crate) struct Misprints {
    day: Date,
    drop: Option<String>,
    alter: Option<Alteration>,
    add: Option<StatementLine>,
}

#[derive(Deserialize)]
struct Alteration {
    bank_reference: String,
    amount_minor: i64,
}

/// Misprints a day's statement; a body with the day alone prints it right again.
pub(crate) async fn misprint(
    State(office): State<Arc<Office>>,
    Json(body): Json<Misprints>,
) -> StatusCode {
    let drop = body.drop.map(Misprint::Drop);
    let add = body.add.map(Misprint::Add);
    let alter = body.alter.map(|alter| Misprint::Alter {
        bank_reference: alter.bank_reference,
        amount_minor: alter.amount_minor,
    });
    let misprints: Vec<Misprint> = [drop, alter, add].into_iter().flatten().collect();
    let all = &mut office.desk().misprints;
    if misprints.is_empty() {
        all.remove(&body.day);
    } else {
        all.entry(body.day).or_default().extend(misprints);
    }
    StatusCode::NO_CONTENT
}

pub(crate) async fn add_customer(
    State(office): State<Arc<Office>>,
    Json(customer): Json<Customer>,
) -> (StatusCode, Json<Value>) {
    let account = office.desk().books.add_customer(&customer);
    let body = json!({ "id": account.id, "number": account.number });
    (StatusCode::CREATED, Json(body))
}

#[derive(Deserialize)]
pub(crate) struct Closing {
    number: String,
    closed: bool,
}

pub(crate) async fn set_closed(
    State(office): State<Arc<Office>>,
    Json(closing): Json<Closing>,
) -> Result<StatusCode, Problem> {
    let books = &mut office.desk().books;
    if books.set_closed(&closing.number, closing.closed) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::NOT_FOUND)
    }
}

/// How tokens end before their time.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum TokenEnd {
    /// Access tokens expire; refresh tokens live on.
    Expire,
    /// Every customer revoked the grant.
    Revoke,
}

#[derive(Deserialize)]
pub(crate) struct TokenEnding {
    end: TokenEnd,
}

pub(crate) async fn end_tokens(
    State(office): State<Arc<Office>>,
    Json(ending): Json<TokenEnding>,
) -> StatusCode {
    let grants = &mut office.desk().grants;
    match ending.end {
        TokenEnd::Expire => grants.expire_access(),
        TokenEnd::Revoke => grants.revoke_all(),
    }
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(crate) struct CallbackAddress {
    url: Option<String>,
}

pub(crate) async fn call_back(
    State(office): State<Arc<Office>>,
    Json(address): Json<CallbackAddress>,
) -> StatusCode {
    office.desk().callback_url = address.url;
    StatusCode::NO_CONTENT
}

/// Every payment that reached the bank, also those that queries do not see.
pub(crate) async fn payments(State(office): State<Arc<Office>>) -> Json<Value> {
    office.settle();
    let desk = office.desk();
    let payments: Vec<Value> = desk
        .books
        .payments()
        .iter()
        .map(|payment| {
            let mut value = super::payments::answer(payment);
            value["direction"] = json!(payment.direction);
            value["account"] = json!(payment.account);
            value["amount_minor"] = json!(payment.amount_minor);
            value["reference"] = json!(payment.reference);
            value
        })
        .collect();
    Json(json!({ "payments": payments, "custody_minor": desk.books.custody_minor() }))
}
