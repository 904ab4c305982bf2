use axum::extract::State;
use axum::response::Response;
use qiao_orders::OrderPage;
use qiao_registry::{Institution, InstitutionState};

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
            .tile("Assets that do not sum to zero", count(broken))
            .note(format!("of {}", totals.len()))
            .tone(books)
            .link("/operator/books"),
        institutions: waiting(&app, &pending).await?,
        releases: release::table(&app, &in_review).await?,
        shell: operator.visit.operator_page(&app, "Today", ""),
    })
}
