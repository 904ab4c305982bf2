//! The face of operators.

mod advance;
mod audit;
mod bank;
mod bank_decision;
mod books;
mod client;
mod clock;
mod custody;
mod home;
mod institution;
mod order;
mod payout;
mod reconciliation;
mod release;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

/// Its pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/operator", get(home::show))
        .route("/operator/institutions", get(institution::list))
        .route(
            "/operator/institutions/{institution}/approve",
            get(institution::ask_approve).post(institution::approve),
        )
        .route(
            "/operator/institutions/{institution}/suspend",
            get(institution::ask_suspend).post(institution::suspend),
        )
        .route("/operator/clients", get(client::list))
        .route("/operator/clients/{client}/scopes", post(client::decide))
        .route("/operator/releases", get(release::list))
        .route("/operator/releases/{release}", get(release::show))
        .route(
            "/operator/releases/{release}/approve",
            get(release::ask_approve).post(release::approve),
        )
        .route(
            "/operator/releases/{release}/reject",
            get(release::show).post(release::reject),
        )
        .route("/operator/orders", get(order::list))
        .route(
            "/operator/orders/{order}/ask-again",
            get(order::list).post(order::ask_again),
        )
        .route("/operator/banks", get(bank::list))
        .route(
            "/operator/banks/{channel}/pause",
            get(bank::ask_pause).post(bank::pause),
        )
        .route(
            "/operator/banks/{channel}/resume",
            get(bank::list).post(bank::resume),
        )
        .route("/operator/banks/transfers/{transfer}", get(bank::show))
        .route(
            "/operator/banks/transfers/{transfer}/ask-again",
            get(bank::show).post(bank::ask_again),
        )
        .route(
            "/operator/banks/transfers/{transfer}/decide",
            get(bank_decision::ask).post(bank_decision::decide),
        )
        .route("/operator/books", get(books::show))
        .route("/operator/custody", get(custody::show))
        .route(
            "/operator/reconciliation",
            get(reconciliation::list).post(reconciliation::compare),
        )
        .route(
            "/operator/reconciliation/cases/{case}",
            get(reconciliation::ask).post(reconciliation::end),
        )
        .route("/operator/payouts", get(payout::list))
        .route(
            "/operator/payouts/{payout}/give-up",
            get(payout::ask_give_up).post(payout::give_up),
        )
        .route(
            "/operator/payouts/terms/{institution}",
            get(payout::ask_approve).post(payout::approve),
        )
        .route("/operator/advances", get(advance::list))
        .route(
            "/operator/advances/{institution}/{way}",
            get(advance::ask).post(advance::send),
        )
        .route("/operator/audit", get(audit::list))
        .route("/operator/clock", get(clock::show).post(clock::advance))
}
