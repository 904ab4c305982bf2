//! The JSON API: one file per noun, and here the table of contents.
//!
//! A handler's signature says who may call it (see [`crate::extract`]); its description
//! says the same to the world, and a test holds the two together.

mod advance;
mod balance;
mod bank;
mod bank_operator;
mod capture;
mod charge;
mod client;
mod custody;
mod fee_schedule;
mod institution;
mod invocation;
mod mandate;
mod operator;
mod order;
mod page;
mod payment;
mod plugin;
mod product;
mod public_account;
mod receivable;
mod refund;
mod release;
mod sandbox;
mod service;
mod session;
pub(crate) mod settlement;
mod statement;
mod user;
mod webhook;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

/// Every route of `/v1`; those of the sandbox exist on a sandbox host alone.
pub(crate) fn routes(sandbox: bool) -> OpenApiRouter<App> {
    let routes = OpenApiRouter::new()
        .merge(people())
        .merge(institutions())
        .merge(releases())
        .merge(checkout())
        .merge(money())
        .merge(mandates())
        .merge(settlement())
        .merge(webhooks())
        .merge(banks())
        .merge(operator());
    if sandbox {
        routes.merge(play())
    } else {
        routes
    }
}

fn people() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(user::sign_up))
        .routes(routes!(user::set_pin))
        .routes(routes!(session::log_in))
        .routes(routes!(session::get_session, session::log_out))
}

fn institutions() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(
            institution::register_institution,
            institution::list_institutions
        ))
        .routes(routes!(institution::get_own_institution))
        .routes(routes!(institution::approve_institution))
        .routes(routes!(institution::suspend_institution))
        .routes(routes!(client::register_client, client::list_clients))
        .routes(routes!(client::disable_client))
        .routes(routes!(client::list_asking_clients))
        .routes(routes!(client::decide_scopes))
        .routes(routes!(public_account::list_public_accounts))
        .routes(routes!(public_account::get_public_account))
        .routes(routes!(public_account::follow, public_account::unfollow))
}

fn releases() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(plugin::list_plugins))
        .routes(routes!(plugin::get_plugin))
        .routes(routes!(plugin::roll_back))
        .routes(routes!(plugin::stop_plugin))
        .routes(routes!(invocation::list_invocations))
        .routes(release::upload_route())
        .routes(routes!(release::list_releases))
        .routes(routes!(release::get_release))
        .routes(routes!(release::activate_release))
        .routes(routes!(release::list_in_review))
        .routes(routes!(release::approve_release))
        .routes(routes!(release::reject_release))
        .routes(routes!(product::list_products))
        .routes(routes!(product::get_product))
        .routes(routes!(product::list_fee_schedules))
        .routes(routes!(product::list_prices))
}

fn checkout() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(service::open_service, service::submit_form))
        .routes(routes!(order::get_offer))
        .routes(routes!(order::quote))
        .routes(routes!(order::place_order, order::list_orders))
        .routes(routes!(order::get_order))
        .routes(routes!(order::list_institution_orders))
        .routes(routes!(order::get_institution_order))
}

fn money() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(balance::list_balances))
        .routes(routes!(balance::list_holdings))
        .routes(routes!(balance::list_institution_balances))
        .routes(routes!(statement::get_statement))
        .routes(routes!(statement::get_institution_statement))
        .routes(routes!(payment::pay, payment::list_payments))
        .routes(routes!(payment::get_payment))
        .routes(routes!(capture::capture))
        .routes(routes!(capture::void))
        .routes(routes!(refund::refund, refund::list_refunds))
}

fn mandates() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(mandate::list_mandate_offers))
        .routes(routes!(mandate::get_mandate_offer))
        .routes(routes!(mandate::propose_mandate))
        .routes(routes!(mandate::give_mandate, mandate::list_mandates))
        .routes(routes!(mandate::get_mandate, mandate::revoke_mandate))
        .routes(routes!(mandate::list_institution_mandates))
        .routes(routes!(mandate::get_institution_mandate))
        .routes(routes!(charge::charge))
}

fn settlement() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(settlement::get_settlement))
        .routes(routes!(settlement::get_settlement_csv))
        .routes(routes!(settlement::list_payouts))
        .routes(routes!(settlement::give_up_payout))
        .routes(routes!(settlement::get_terms))
        .routes(routes!(settlement::get_receiver_settlement))
        .routes(routes!(settlement::set_terms))
        .routes(routes!(settlement::approve_terms))
        .routes(routes!(custody::get_custody))
        .routes(routes!(custody::reconcile, custody::list_reconciliations))
        .routes(routes!(custody::list_cases))
        .routes(routes!(custody::end_case))
}

fn webhooks() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(webhook::register_endpoint, webhook::list_endpoints))
        .routes(routes!(webhook::delete_endpoint))
        .routes(routes!(webhook::enable_endpoint))
        .routes(routes!(webhook::list_deliveries))
        .routes(routes!(webhook::list_attempts))
        .routes(routes!(webhook::redeliver))
}

fn banks() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(bank::list_channels))
        .routes(routes!(bank::list_links, bank::begin_link))
        .routes(routes!(bank::unlink))
        .routes(routes!(bank::request_transfer, bank::list_transfers))
        .routes(routes!(bank::get_transfer))
        .routes(routes!(bank::take_callback))
        .routes(routes!(bank_operator::list_open_transfers))
        .routes(routes!(bank_operator::list_evidence))
        .routes(routes!(bank_operator::ask_bank_again))
        .routes(routes!(bank_operator::decide_transfer))
        .routes(routes!(bank_operator::pause_channel))
        .routes(routes!(bank_operator::resume_channel))
}

fn operator() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(operator::list_audit))
        .routes(routes!(operator::get_books))
        .routes(routes!(receivable::list_receivables))
        .routes(routes!(advance::fund_advance))
        .routes(routes!(advance::return_advance))
        .routes(routes!(operator::list_stuck_orders))
        .routes(routes!(operator::list_unpaid_days))
        .routes(routes!(operator::ask_again))
}

fn play() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sandbox::top_up))
        .routes(routes!(sandbox::lend))
        .routes(routes!(sandbox::advance_clock))
}
