//! The HTTP interface.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hyper::body::Frame;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::books::{Books, NewPayment, Payment, PaymentState, Refusal};
use crate::fine::{self, Fine};
use crate::mode::Mode;

/// When to ask again about a pending payment.
const RETRY_AFTER_S: u32 = 1;

#[derive(Clone)]
struct Authority {
    books: Arc<Mutex<Books>>,
    slow_for: Duration,
}

impl Authority {
    /// A panic leaves the books as they were after the last whole change.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn router(slow_for: Duration) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/fines", get(list_fines))
        .route("/fines/{number}", get(get_fine))
        .route("/payments", get(list_payments).post(pay))
        .route("/cancellations", post(cancel))
        .route("/mode", get(get_mode).post(set_mode))
        .with_state(Authority {
            books: Arc::default(),
            slow_for,
        })
}

async fn healthz() -> &'static str {
    "ok"
}

#[derive(Deserialize)]
struct PlateQuery {
    plate: String,
}

async fn list_fines(
    State(authority): State<Authority>,
    Query(query): Query<PlateQuery>,
) -> Json<Value> {
    let books = authority.books();
    let fines = fine::fines_of(&query.plate);
    let fines: Vec<_> = fines.iter().map(|fine| with_status(&books, fine)).collect();
    Json(json!({ "fines": fines }))
}

async fn get_fine(State(authority): State<Authority>, Path(number): Path<String>) -> Response {
    match fine::find(&number) {
        Some(fine) => Json(with_status(&authority.books(), &fine)).into_response(),
        None => failed(StatusCode::NOT_FOUND, Refusal::UnknownFine.reason()),
    }
}

fn with_status(books: &Books, fine: &Fine) -> Value {
    let mut value = json!(fine);
    value["status"] = json!(books.status_of(fine));
    value
}

async fn list_payments(State(authority): State<Authority>) -> Json<Value> {
    Json(json!({ "payments": authority.books().payments() }))
}

async fn pay(State(authority): State<Authority>, Json(new): Json<NewPayment>) -> Response {
    let (outcome, mode) = {
        let mut books = authority.books();
        (books.pay(&new), books.mode)
    };
    match mode {
        Mode::Slow => tokio::time::sleep(authority.slow_for).await,
        Mode::Drop if outcome.is_ok() => return Response::new(Body::new(DroppedConnection)),
        Mode::Ok | Mode::Fail | Mode::Drop | Mode::Pending => {}
    }
    match outcome {
        Ok(payment) => paid(&payment),
        Err(refusal @ Refusal::UnknownFine) => failed(StatusCode::NOT_FOUND, refusal.reason()),
        Err(
            refusal @ (Refusal::PaidByAnother | Refusal::OrderReused | Refusal::OrderCancelled),
        ) => failed(StatusCode::CONFLICT, refusal.reason()),
        Err(refusal @ (Refusal::WrongAmount | Refusal::OnPurpose)) => {
            failed(StatusCode::UNPROCESSABLE_ENTITY, refusal.reason())
        }
    }
}

fn paid(payment: &Payment) -> Response {
    match payment.state {
        PaymentState::Paid => {
            let body =
                json!({ "status": "paid", "receipt": payment.receipt, "fine": payment.fine });
            (StatusCode::OK, Json(body)).into_response()
        }
        PaymentState::Pending | PaymentState::Cancelled => {
            let body = json!({ "status": "pending", "retry_after_s": RETRY_AFTER_S });
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
    }
}

fn failed(status: StatusCode, reason: &str) -> Response {
    (
        status,
        Json(json!({ "status": "failed", "reason": reason })),
    )
        .into_response()
}

#[derive(Deserialize)]
struct Cancellation {
    order: String,
}

async fn cancel(
    State(authority): State<Authority>,
    Json(cancellation): Json<Cancellation>,
) -> Response {
    match authority.books().cancel(&cancellation.order) {
        Some(payment) => {
            Json(json!({ "status": "cancelled", "fine": payment.fine })).into_response()
        }
        None => failed(StatusCode::NOT_FOUND, "there is no payment of this order"),
    }
}

#[derive(Deserialize)]
struct ModeChange {
    mode: Mode,
}

async fn get_mode(State(authority): State<Authority>) -> Json<Value> {
    Json(json!({ "mode": authority.books().mode }))
}

async fn set_mode(
    State(authority): State<Authority>,
    Json(change): Json<ModeChange>,
) -> Json<Value> {
    authority.books().mode = change.mode;
    Json(json!({ "mode": change.mode }))
}

/// A body that fails at once, at which the server closes the connection.
struct DroppedConnection;

impl HttpBody for DroppedConnection {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::Error::other("dropped on purpose"))))
    }
}
