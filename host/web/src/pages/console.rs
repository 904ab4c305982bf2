//! The console of institution staff.

mod home;
mod institution;
mod invocation;
mod key;
pub(super) mod order;
mod plugin;
mod product;
pub(super) mod release;
mod revenue;
pub(super) mod settlement;
mod webhook;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use qiao_registry::COMPONENT_BYTES_MAX;

use crate::App;

/// A component and the form around it.
pub const UPLOAD_BYTES_MAX: usize = COMPONENT_BYTES_MAX + 64 * 1024;

/// Its pages.
pub(super) fn routes() -> Router<App> {
    let upload = get(release::show_upload)
        .post(release::upload)
        .layer(DefaultBodyLimit::max(UPLOAD_BYTES_MAX));
    Router::new()
        .route("/console", get(home::show))
        .route(
            "/console/register",
            get(home::show_register).post(home::register),
        )
        .route("/console/{institution}", get(institution::show))
        .route("/console/{institution}/plugins", get(plugin::list))
        .route("/console/{institution}/plugins/{plugin}", get(plugin::show))
        .route("/console/{institution}/releases/upload", upload)
        .route(
            "/console/{institution}/releases/{release}",
            get(release::show),
        )
        .route(
            "/console/{institution}/releases/{release}/activate",
            get(release::ask_activate).post(release::activate),
        )
        .route("/console/{institution}/products", get(product::list))
        .route(
            "/console/{institution}/products/{product}",
            get(product::show),
        )
        .route("/console/{institution}/orders", get(order::list))
        .route("/console/{institution}/orders/{order}", get(order::show))
        .route("/console/{institution}/revenue", get(revenue::show))
        .route("/console/{institution}/settlement", get(settlement::show))
        .route(
            "/console/{institution}/settlement/statement.csv",
            get(settlement::download),
        )
        .route(
            "/console/{institution}/settlement/terms",
            get(settlement::ask_terms).post(settlement::propose_terms),
        )
        .route("/console/{institution}/invocations", get(invocation::list))
        .route(
            "/console/{institution}/webhooks",
            get(webhook::show).post(webhook::register),
        )
        .route(
            "/console/{institution}/webhooks/{endpoint}/delete",
            get(webhook::ask_delete).post(webhook::delete),
        )
        .route(
            "/console/{institution}/deliveries/{delivery}/redeliver",
            get(webhook::show).post(webhook::redeliver),
        )
}
