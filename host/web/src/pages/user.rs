//! The user's face.

mod account;
mod bank;
mod bank_list;
mod bank_transfer;
mod checkout;
mod checkout_methods;
mod consent;
mod holdings;
mod home;
mod mandate;
mod order;
mod pin;
mod service;
mod session;
mod wallet;

use axum::Router;
use axum::routing::get;

use crate::App;

pub(super) use order::timeline;
pub(super) use session::Nothing;
pub(super) use wallet::new_key;

/// Its pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(home::show))
        .route("/signup", get(session::show_sign_up).post(session::sign_up))
        .route("/login", get(session::show_log_in).post(session::log_in))
        .route("/logout", get(session::show_me).post(session::log_out))
        .route("/me", get(session::show_me))
        .route("/pin", get(pin::show).post(pin::save))
        .route("/wallet", get(wallet::show))
        .route("/wallet/top-up", get(wallet::show).post(wallet::top_up))
        .route("/banks", get(bank::show))
        .route("/banks/{channel}/link", get(bank::begin_link))
        .route("/banks/{channel}/callback", get(bank::finish_link))
        .route(
            "/banks/links/{link}/unlink",
            get(bank::ask_unlink).post(bank::unlink),
        )
        .route(
            "/banks/top-up",
            get(wallet::show).post(bank_transfer::top_up),
        )
        .route(
            "/banks/withdraw",
            get(wallet::show).post(bank_transfer::withdraw),
        )
        .route("/banks/transfers/{transfer}", get(bank_transfer::show))
        .route("/holdings", get(holdings::show))
        .route("/orders", get(order::list))
        .route("/orders/{id}", get(order::show))
        .route("/a/{handle}", get(account::show))
        .route(
            "/a/{handle}/follow",
            get(account::show).post(account::follow),
        )
        .route(
            "/a/{handle}/unfollow",
            get(account::ask_unfollow).post(account::unfollow),
        )
        .route(
            "/a/{handle}/{service}",
            get(service::open).post(service::submit),
        )
        .route(
            "/checkout/{offer}",
            get(checkout::show).post(checkout::confirm),
        )
        .route("/consent/{offer}", get(consent::show).post(consent::agree))
        .route("/mandates", get(mandate::list))
        .route("/mandates/{id}", get(mandate::show))
        .route(
            "/mandates/{id}/revoke",
            get(mandate::ask_revoke).post(mandate::revoke),
        )
}
