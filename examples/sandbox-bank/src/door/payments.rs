//! Payment initiation: a PUT whose id is the idempotency key, and its query.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Json;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde_json::{Value, json};

use crate::door::caller::Caller;
use crate::fault::FaultKind;
use crate::grant::Scope;
use crate::office::Office;
use crate::payment::{Direction, NewPayment, Payment};
use crate::problem::Problem;

pub(crate) async fn put(
    State(office): State<Arc<Office>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Result<Json<NewPayment>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(new) = body.map_err(|_| Problem::malformed("the body is not a payment"))?;
    authorize(&office, &caller, &new)?;
    let fault = office.desk().faults.take();
    let kind = fault.as_ref().map(|fault| fault.kind);
    let hang = fault.as_ref().map(crate::fault::Fault::hang);
    match (kind, hang) {
        (Some(FaultKind::TimeOutBefore), Some(hang)) => {
            tokio::time::sleep(hang).await;
            return Ok(broken_connection());
        }
        (Some(FaultKind::Unavailable), _) => return Err(Problem::UNAVAILABLE),
        _ => {}
    }
    let paid = office.pay(&id, new, fault.as_ref())?;
    match (kind, hang) {
        (Some(FaultKind::TimeOutAfter), Some(hang)) => {
            tokio::time::sleep(hang).await;
            Ok(broken_connection())
        }
        (Some(FaultKind::LoseResponse | FaultKind::Late), _) => Ok(broken_connection()),
        _ => {
            let status = if paid.is_new {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            Ok((status, Json(answer(&paid.payment))).into_response())
        }
    }
}

pub(crate) async fn get(
    State(office): State<Arc<Office>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    office.settle();
    let desk = office.desk();
    let payment = desk.books.find(&id).ok_or(Problem::NOT_FOUND)?;
    if !caller.is_platform() {
        let (_, account) = caller.customer(Scope::Payments)?;
        if payment.account != account {
            return Err(Problem::NOT_FOUND);
        }
    }
    Ok(Json(answer(payment)))
}

/// A customer's token moves money of the account it was given for; the platform's own
/// pays out, to anybody, and debits those accounts alone whose holders let it.
fn authorize(office: &Office, caller: &Caller, new: &NewPayment) -> Result<(), Problem> {
    if caller.is_platform() {
        return match new.direction {
            Direction::Credit => Ok(()),
            Direction::Debit => {
                let desk = office.desk();
                let named = desk.books.named_by(new);
                let is_allowed = named.is_some_and(|account| account.is_debitable);
                is_allowed.then_some(()).ok_or(Problem::FORBIDDEN)
            }
        };
    }
    let (_, account) = caller.customer(Scope::Payments)?;
    let desk = office.desk();
    let is_own = desk
        .books
        .named_by(new)
        .is_some_and(|named| named.id == account);
    if is_own {
        Ok(())
    } else {
        Err(Problem::FORBIDDEN)
    }
}

/// What the platform is told of a payment.
pub(super) fn answer(payment: &Payment) -> Value {
    json!({
        "id": payment.id,
        "bank_reference": payment.bank_reference,
        "state": payment.state,
        "reason": payment.reason,
        "booked_at": payment.booked_at,
    })
}

fn broken_connection() -> Response {
    Response::new(Body::new(BrokenConnection))
}

/// A body that fails at once, at which the server closes the connection.
struct BrokenConnection;

impl HttpBody for BrokenConnection {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::Error::other("broken on purpose"))))
    }
}
