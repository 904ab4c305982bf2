use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_model::{MandateId, Money};
use qiao_payments::{MANDATES_PAGE_MAX, Mandate, MandateState, Payment};
use serde::Deserialize;

use super::account::institution_name;
use super::session::Nothing;
use crate::App;
use crate::pages::failed::{Failed, page, see};
use crate::pages::sent::Sent;
use crate::pages::text::{Text, fill};
use crate::pages::view::user::{
    Mandate as MandateView, MandateRow, Mandates, Movement, ProposalRow,
};
use crate::pages::view::{Cell, Confirm, Empty, Facts, Figure, Form, Link, Paging, Tone, When};
use crate::pages::visit::Person;
use crate::pages::wording;

#[derive(Default, Deserialize)]
pub(super) struct MandatesQuery {
    before: Option<String>,
}

/// `GET /mandates`
pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    Query(query): Query<MandatesQuery>,
) -> Result<Response, Failed> {
    let t = person.visit.t();
    let before = query.before.as_deref().map(str::parse::<MandateId>);
    let before = before.transpose().map_err(Failed::not_found)?;
    let found = app
        .payments
        .mandates_of_user(&person.permit, person.user, before)
        .await?;
    let last = found.last().filter(|_| found.len() == MANDATES_PAGE_MAX);
    let paging = Paging {
        newest: before.map(|_| Link::new("/mandates", t.newest)),
        older: last.map(|last| Link::new(format!("/mandates?before={}", last.id), t.older)),
    };
    // They stand above the newest mandates.
    let open = match before {
        None => app.orders.mandate_proposals(&person.permit).await?,
        Some(_) => Vec::new(),
    };
    let mut proposals = Vec::with_capacity(open.len());
    for offer in &open {
        let most = Figure::money(offer.terms.per_payment).text();
        proposals.push(ProposalRow {
            link: Link::new(format!("/consent/{}", offer.id), &offer.terms.title),
            institution: institution_name(&app, offer.institution).await?,
            at: When(offer.made_at),
            limit: fill(t.at_most, &[&most]),
        });
    }
    let now = app.env.now();
    let mut rows = Vec::with_capacity(found.len());
    for mandate in &found {
        let limits = &mandate.grant.limits;
        let most = Figure::money(Money::new(limits.per_payment, limits.currency)).text();
        rows.push(MandateRow {
            link: Link::new(format!("/mandates/{}", mandate.id), &mandate.title),
            institution: institution_name(&app, mandate.institution).await?,
            at: When(mandate.created_at),
            state: wording::mandate_state(mandate.state(now), t),
            limit: fill(t.at_most, &[&most]),
        });
    }
    page(&Mandates {
        shell: person.visit.user_page(t.mandates, "/wallet"),
        proposals,
        mandates: rows,
        empty: Empty::new(t.no_mandates, t.no_mandates_text),
        paging,
    })
}

async fn find(app: &App, person: &Person, id: &str) -> Result<Mandate, Failed> {
    let id: MandateId = id.parse().map_err(Failed::not_found)?;
    let found = app.payments.mandate(&person.permit, id).await?;
    found.ok_or_else(|| Failed::not_found(format_args!("there is no mandate {id}")))
}

/// `GET /mandates/{id}`
pub(super) async fn show(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let t = person.visit.t();
    let mandate = find(&app, &person, &id).await?;
    let institution = institution_name(&app, mandate.institution).await?;
    let payments = app
        .payments
        .payments_of_mandate(&person.permit, mandate.id)
        .await?;
    let now = app.env.now();
    let state = mandate.state(now);
    let limits = wording::mandate_limits(&mandate.grant.limits, t);
    let revoke = Link::new(format!("/mandates/{}/revoke", mandate.id), t.revoke);
    page(&MandateView {
        shell: person
            .visit
            .user_page(&mandate.title, "/wallet")
            .back("/mandates", t.mandates),
        state: wording::mandate_state(state, t),
        limits: limits
            .with(t.institution, Cell::text(institution))
            .with(t.mandate_given_on, Cell::text(mandate.created_at.local())),
        usage: usage(&mandate, now.day(), t),
        payments: payments
            .iter()
            .map(|payment| movement(payment, &mandate.title, t))
            .collect(),
        empty: Empty::new(t.nothing_charged, t.nothing_charged_text),
        revoke: matches!(state, MandateState::Active | MandateState::UsedUp).then_some(revoke),
        title: mandate.title,
        purpose: mandate.purpose,
    })
}

fn usage(mandate: &Mandate, today: qiao_model::Day, t: &Text) -> Facts {
    let usage = mandate.grant.usage.on(today);
    let money = |minor| {
        let money = Money::new(minor, mandate.grant.limits.currency);
        Cell::text(Figure::money(money).text())
    };
    Facts::new()
        .with(t.mandate_used_count, Cell::text(usage.count.to_string()))
        .with(t.mandate_used_today, money(usage.day_minor))
        .with(t.mandate_used_month, money(usage.month_minor))
        .with(t.mandate_used_total, money(usage.minor))
}

fn movement(payment: &Payment, mandate: &str, t: &Text) -> Movement {
    let spent = Money::new(
        payment.amount.minor.saturating_neg(),
        payment.amount.currency,
    );
    Movement {
        title: if payment.description.is_empty() {
            mandate.to_owned()
        } else {
            payment.description.clone()
        },
        order: payment.order.map(|order| format!("/orders/{order}")),
        at: When(payment.created_at),
        detail: wording::payment_word(payment.state, t).to_owned(),
        amount: Figure::money(spent),
    }
}

/// `GET /mandates/{id}/revoke`: asks first.
pub(super) async fn ask_revoke(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let t = person.visit.t();
    let mandate = find(&app, &person, &id).await?;
    let here = format!("/mandates/{}", mandate.id);
    let institution = institution_name(&app, mandate.institution).await?;
    page(&Confirm {
        shell: person
            .visit
            .user_page(fill(t.revoke_title, &[&mandate.title]), "/wallet"),
        text: t.revoke_text.to_owned(),
        facts: Facts::new().with(t.institution, Cell::text(institution)),
        form: Form::new(
            "confirm",
            format!("{here}/revoke"),
            person.visit.csrf(),
            t.revoke,
        )
        .tone(Tone::Bad)
        .cancel(here, t.cancel),
    })
}

/// `POST /mandates/{id}/revoke`
pub(super) async fn revoke(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let mandate = find(&app, &person, &id).await?;
    app.payments
        .revoke_mandate(&person.permit, mandate.id)
        .await?;
    see(format!("/mandates/{}?note=mandate-revoked", mandate.id))
}
