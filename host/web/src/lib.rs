//! Every HTTP door of the host: the JSON API under `/v1`, OAuth under `/oauth`,
//! the pages of the three faces, health and metrics.
//!
//! The players are servers of institutions (bearer tokens), people, staff and
//! operators (a session cookie). Permission is an extractor in a handler's
//! signature ([`extract`]); a handler parses its wire struct, calls one function
//! of one room and converts the answer by hand. Every refusal of a room becomes
//! a problem of RFC 9457 with a stable type ([`problem`]).
//!
//! Guarantees: every route of the API is in `/openapi.json`, because a route is
//! registered together with its description; every POST that moves money takes
//! an `Idempotency-Key`. What is absent: SQL, business rules, wasmtime, and any
//! task of its own.

mod api;
mod app;
mod checkout;
pub mod extract;
mod health;
mod idempotency;
mod layers;
mod metrics;
mod oauth;
mod openapi;
mod pages;
pub mod problem;
mod refusals;
mod session_cookie;

use axum::Router;

pub use app::{App, Rooms, SandboxClock, WebConfig};
pub use layers::BODY_BYTES_MAX;
pub use metrics::Metrics;
pub use pages::{FIELDS_MAX, UPLOAD_BYTES_MAX};

/// The router of the whole host.
pub fn router(app: App) -> Router {
    let (doors, document) = openapi::described()
        .merge(health::routes())
        .merge(oauth::routes())
        .merge(api::routes(app.config.sandbox))
        .split_for_parts();
    app.publish(openapi::text(&document));
    layers::around(doors.merge(pages::router(&app)), &app).with_state(app)
}
