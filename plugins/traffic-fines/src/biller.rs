//! The authority's billing server, as its answers are read.

use qiao_sdk::egress::{EgressError, Request, Response};
use qiao_sdk::{Order, log};
use serde::{Deserialize, Serialize};

/// The name of the egress rule in the manifest.
const RULE: &str = "biller";

/// A fine as the authority tells it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Fine {
    pub(crate) number: String,
    pub(crate) plate: String,
    pub(crate) violation: String,
    pub(crate) place: String,
    pub(crate) time: String,
    pub(crate) points: u8,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) status: FineStatus,
}

/// Whether a fine can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FineStatus {
    Open,
    Pending,
    Paid,
}

#[derive(Deserialize)]
struct Fines {
    fines: Vec<Fine>,
}

/// The authority gave no usable answer; the author's log says why.
#[derive(Debug)]
pub(crate) struct NoAnswer;

/// The fines of a plate.
pub(crate) fn fines_of(plate: &str) -> Result<Vec<Fine>, NoAnswer> {
    let response = fetched(Request::get(RULE, "/fines").query("plate", plate).send())?;
    match response.status {
        200 => read::<Fines>(&response).map(|fines| fines.fines),
        status => Err(unexpected(status)),
    }
}

/// One fine by its number, or `None` when there is none.
pub(crate) fn fine(number: &str) -> Result<Option<Fine>, NoAnswer> {
    let response = fetched(Request::get(RULE, &format!("/fines/{number}")).send())?;
    match response.status {
        // Another fine than the one that was asked for would be paid under a wrong number.
        200 => match read::<Fine>(&response)? {
            fine if fine.number == number => Ok(Some(fine)),
            fine => {
                log::error(&format!("asked for fine {number}, got {}", fine.number));
                Err(NoAnswer)
            }
        },
        404 => Ok(None),
        status => Err(unexpected(status)),
    }
}

#[derive(Serialize)]
struct NewPayment<'a> {
    fine: &'a str,
    amount_minor: i64,
    currency: &'a str,
    order: &'a str,
}

/// Tells the authority that an order paid a fine; the order's id makes it happen once.
pub(crate) fn pay(order: &Order) -> Result<Response, EgressError> {
    let payment = NewPayment {
        fine: &order.offer.reference,
        amount_minor: order.principal.minor,
        currency: &order.principal.currency,
        order: &order.id,
    };
    let request = Request::post(RULE, "/payments").header("idempotency-key", &order.id);
    request.json(&payment).send()
}

#[derive(Serialize)]
struct Cancellation<'a> {
    order: &'a str,
}

/// Tells the authority that an order does not pay after all.
pub(crate) fn cancel(order: &Order) -> Result<Response, EgressError> {
    Request::post(RULE, "/cancellations")
        .json(&Cancellation { order: &order.id })
        .send()
}

fn fetched(result: Result<Response, EgressError>) -> Result<Response, NoAnswer> {
    result.map_err(|error| {
        log::error(&format!("the biller did not answer: {error}"));
        NoAnswer
    })
}

fn read<T: serde::de::DeserializeOwned>(response: &Response) -> Result<T, NoAnswer> {
    response.json().map_err(|error| {
        log::error(&format!("the biller's answer cannot be read: {error}"));
        NoAnswer
    })
}

fn unexpected(status: u16) -> NoAnswer {
    log::error(&format!("the biller answered with status {status}"));
    NoAnswer
}
