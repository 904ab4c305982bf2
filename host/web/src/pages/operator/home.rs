use axum::extract::State;
use axum::response::Response;
use qiao_banks::{TRANSFERS_PAGE_MAX, TransferPage};
use qiao_orders::OrderPage;
use qiao_registry::{Institution, InstitutionState};
use qiao_settlement::{CaseState, Terms, TermsState};

use super::institution::waiting;
use super::order::ORDERS_PER_PAGE;
use super::release;
use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::view::operator::Home;
use crate::pages::view::staff::Tiles;
use crate::pages::view::{Figure, Tone};
use crate::pages::visit::Operator;

fn count(length: usize) -> Figure {
    Figure::count(i64::try_from(length).unwrap_or(i64::MAX))
}

/// `GET /operator`: what waits for a decision.
pub(super) async fn show(State(app): State<App>, operator: Operator) -> Result<Response, Failed> {
    let permit = &operator.permit;
    let institutions = app.registry.institutions(permit).await?;
    let is_pending = |institution: &&Institution| institution.state == InstitutionState::Pending;
    let pending: Vec<_> = institutions.iter().filter(is_pending).cloned().collect();
    let asking = app.auth.asking_clients(permit).await?;
    let in_review = app.registry.in_review(permit).await?;
    let first = OrderPage {
        before: None,
        limit: ORDERS_PER_PAGE,
    };
    let stuck = app.orders.stuck(permit, first).await?;
    let totals = app.ledger.totals().await?;
    let under_way = TransferPage {
        before: None,
        limit: TRANSFERS_PAGE_MAX,
    };
    let transfers = app.banks.open_transfers(permit, under_way).await?;
    let stuck_at_banks = transfers.iter().filter(|t| t.is_stuck()).count();
    let open = Some(CaseState::Open);
    let cases = app.settlement.cases(permit, open, None).await?;
    let terms = app.settlement.all_terms(permit, None).await?;
    let is_proposed = |terms: &&Terms| terms.state == TermsState::Proposed;
    let proposed = terms.iter().filter(is_proposed).count();
    let broken = totals
        .iter()
        .filter(|total| !super::books::is_whole(total))
        .count();
    let attention = |length: usize| {
        if length == 0 {
            Tone::Plain
        } else {
            Tone::Warning
        }
    };
    let books = if broken == 0 { Tone::Good } else { Tone::Bad };
    page(&Home {
        lead: format!("{} in Asia/Shanghai", app.env.now().local()),
        tiles: Tiles::default()
            .tile("Institutions to approve", count(pending.len()))
            .tone(attention(pending.len()))
            .link("/operator/institutions")
            .tile("Clients that ask for scopes", count(asking.len()))
            .tone(attention(asking.len()))
            .link("/operator/clients")
            .tile("Releases in review", count(in_review.len()))
            .tone(attention(in_review.len()))
            .link("/operator/releases")
            .tile("Orders that wait", count(stuck.len()))
            .tone(attention(stuck.len()))
            .link("/operator/orders")
            .tile("Bank transfers stuck", count(stuck_at_banks))
            .note(format!("of {} under way", transfers.len()))
            .tone(attention(stuck_at_banks))
            .link("/operator/banks")
            .tile("Open cases with banks", count(cases.len()))
            .tone(attention(cases.len()))
            .link("/operator/reconciliation")
            .tile("Terms to approve", count(proposed))
            .tone(attention(proposed))
            .link("/operator/payouts")
            .tile("Assets that do not sum to zero", count(broken))
            .note(format!("of {}", totals.len()))
            .tone(books)
            .link("/operator/books"),
        institutions: waiting(&app, &pending).await?,
        releases: release::table(&app, &in_review).await?,
        shell: operator.visit.operator_page(&app, "Today", ""),
    })
}
