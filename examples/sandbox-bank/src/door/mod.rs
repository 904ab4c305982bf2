//! The HTTP interface; `router` is its table of contents.

mod authorize;
mod caller;
mod control;
mod custody;
mod payments;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};

use crate::office::Office;

pub(crate) fn router(office: Arc<Office>) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route(
            "/.well-known/oauth-authorization-server",
            get(authorize::metadata),
        )
        .route("/authorize", get(authorize::ask).post(authorize::answer))
        .route("/token", post(token::token))
        .route("/revoke", post(token::revoke))
        .route("/accounts", get(custody::accounts))
        .route("/payments/{id}", put(payments::put).get(payments::get))
        .route("/custody", get(custody::custody))
        .route("/custody/statement", get(custody::statement));
    if office.options.control {
        router = router
            .route("/control/faults", post(control::fault))
            .route("/control/statement", post(control::misprint))
            .route("/control/customers", post(control::add_customer))
            .route("/control/accounts", post(control::set_closed))
            .route("/control/tokens", post(control::end_tokens))
            .route("/control/callback", post(control::call_back))
            .route("/control/payments", get(control::payments));
    }
    router.with_state(office)
}
