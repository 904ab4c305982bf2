use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_model::{InstitutionId, PayoutId};
use qiao_settlement::{Error, PAGE_MAX, Payout, PayoutState, Terms, TermsState};
use serde::Deserialize;

use super::institution::Reason;
use crate::App;
use crate::pages::console::settlement::{payout_state, terms_facts};
use crate::pages::failed::{Failed, page, refused, see, sentence_of};
use crate::pages::sent::Sent;
use crate::pages::user::Nothing;
use crate::pages::view::staff::{List, Section};
use crate::pages::view::{
    Badge, Cell, Confirm, Empty, Facts, Field, Figure, Form, Kind, Link, Paging, Table, Tone, When,
};
use crate::pages::visit::Operator;

const HERE: &str = "/operator/payouts";

#[derive(Default, Deserialize)]
pub(super) struct PayoutsQuery {
    before: Option<String>,
}

/// `GET /operator/payouts`: what every institution is paid, and by which terms.
pub(super) async fn list(
    State(app): State<App>,
    operator: Operator,
    Query(query): Query<PayoutsQuery>,
) -> Result<Response, Failed> {
    let before = query.before.as_deref().map(str::parse::<PayoutId>);
    let before = before.transpose().map_err(Failed::not_found)?;
    let permit = &operator.permit;
    let payouts = app.settlement.all_payouts(permit, before, PAGE_MAX).await?;
    let terms = app.settlement.all_terms(permit, None).await?;
    let is_full = payouts.len() == PAGE_MAX;
    let older = payouts.last().filter(|_| is_full);
    let paging = Paging {
        newest: before.map(|_| Link::new(HERE, "Newest")),
        older: older.map(|last| Link::new(format!("{HERE}?before={}", last.id), "Older")),
    };
    let lead = "An institution is paid on its business day, once. Changed terms stop its payouts until you approve them.";
    let shell = operator.visit.operator_page(&app, "Payouts", "/payouts");
    let table = payouts_table(&app, &payouts).await?;
    let mut list = List::new(shell, lead, table.paging(paging));
    list.sections.push(Section {
        title: "Terms".to_owned(),
        table: terms_table(&app, &terms).await?,
    });
    page(&list)
}

async fn payouts_table(app: &App, payouts: &[Payout]) -> Result<Table, Failed> {
    let empty = Empty::new("Nothing paid yet", "Payouts appear on their business day.");
    let columns = [
        "Day",
        "Institution",
        "From",
        ">Amount",
        "State",
        "Bank",
        "Changed",
        "",
    ];
    let mut table = Table::new("Payouts", &columns, empty);
    for payout in payouts {
        let bank = payout.channel.clone().unwrap_or_default();
        table.push(vec![
            Cell::Two(
                payout.day.to_string(),
                format!("through {}", payout.through),
            ),
            named(app, payout.institution).await?,
            Cell::text(payout.source.name()),
            Cell::Figure(Figure::money(payout.amount)),
            Cell::Badge(payout_state(payout)),
            Cell::Two(bank, payout.bank_reference.clone().unwrap_or_default()),
            Cell::When(When(payout.changed_at)),
            match payout.state {
                PayoutState::Due => Cell::link(format!("{HERE}/{}/give-up", payout.id), "Give up…"),
                PayoutState::Sent
                | PayoutState::Unknown
                | PayoutState::Paid
                | PayoutState::Rejected => Cell::text(""),
            },
        ]);
    }
    Ok(table)
}

async fn terms_table(app: &App, terms: &[Terms]) -> Result<Table, Failed> {
    let empty = Empty::new(
        "No terms yet",
        "Institutions propose them in their console.",
    );
    let columns = ["Institution", "When", "Bank account", "State", ""];
    let mut table = Table::new("Terms", &columns, empty);
    for terms in terms {
        let (badge, action) = match terms.state {
            TermsState::Active => (Badge::new(Tone::Good, "active"), Cell::text("")),
            TermsState::Proposed => (
                Badge::new(Tone::Warning, "proposed"),
                Cell::link(format!("{HERE}/terms/{}", terms.institution), "Approve…"),
            ),
        };
        table.push(vec![
            named(app, terms.institution).await?,
            Cell::text(format!("T+{}", terms.says.days)),
            Cell::code(&terms.says.account_number),
            Cell::Badge(badge),
            action,
        ]);
    }
    Ok(table)
}

async fn named(app: &App, id: InstitutionId) -> Result<Cell, Failed> {
    let found = app.registry.institution(id).await?;
    Ok(found.map_or_else(
        || Cell::code(id),
        |found| Cell::Two(found.name, id.to_string()),
    ))
}

/// `GET /operator/payouts/terms/{institution}`: asks first.
pub(super) async fn ask_approve(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let id: InstitutionId = id.parse().map_err(Failed::not_found)?;
    let terms = app.settlement.terms(&operator.permit, id).await?;
    let terms = terms.filter(|terms| terms.state == TermsState::Proposed);
    let terms = terms.ok_or_else(|| Failed::not_found("no terms wait for approval"))?;
    let facts = terms_facts(&terms)
        .with("Institution", named(&app, id).await?)
        .with("Proposed by", Cell::text(&terms.changed_by));
    let action = format!("{HERE}/terms/{id}");
    page(&Confirm {
        shell: operator
            .visit
            .operator_page(&app, "Approve these terms?", "/payouts"),
        text: "From now on, what the institution is owed goes to this bank account.".to_owned(),
        facts,
        form: Form::new("confirm", action, operator.visit.csrf(), "Approve").cancel(HERE, "Cancel"),
    })
}

/// `POST /operator/payouts/terms/{institution}`
pub(super) async fn approve(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let id: InstitutionId = id.parse().map_err(Failed::not_found)?;
    app.settlement.approve_terms(&operator.permit, id).await?;
    see(format!("{HERE}?note=terms-approved"))
}

/// `GET /operator/payouts/{payout}/give-up`: asks first.
pub(super) async fn ask_give_up(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let id: PayoutId = id.parse().map_err(Failed::not_found)?;
    page(&giving_up(&app, &operator, id, None).await?)
}

async fn giving_up(
    app: &App,
    operator: &Operator,
    id: PayoutId,
    wrong: Option<String>,
) -> Result<Confirm, Failed> {
    let payout = app.settlement.payout(&operator.permit, id).await?;
    let payout = payout.filter(|payout| payout.state == PayoutState::Due);
    let payout = payout.ok_or_else(|| Failed::not_found("no such payout waits"))?;
    let facts = Facts::new()
        .with("Institution", named(app, payout.institution).await?)
        .with("Amount", Cell::Figure(Figure::money(payout.amount)))
        .with("State", Cell::Badge(payout_state(&payout)));
    let action = format!("{HERE}/{id}/give-up");
    Ok(Confirm {
        shell: operator
            .visit
            .operator_page(app, "Give up this payout?", "/payouts"),
        text: "No bank was asked for it. What it would have paid is part of a later day's payout."
            .to_owned(),
        facts,
        form: Form::new("confirm", action, operator.visit.csrf(), "Give up")
            .tone(Tone::Bad)
            .field(Field::new("reason", "Reason", Kind::Text).error(wrong))
            .cancel(HERE, "Cancel"),
    })
}

/// `POST /operator/payouts/{payout}/give-up`
pub(super) async fn give_up(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(Reason { reason }): Sent<Reason>,
) -> Result<Response, Failed> {
    let id: PayoutId = id.parse().map_err(Failed::not_found)?;
    let given_up = app.settlement.give_up_payout(&operator.permit, id, &reason);
    match given_up.await {
        Ok(_) => see(format!("{HERE}?note=payout-given-up")),
        Err(error @ Error::Note(_)) => {
            let wrong = Some(sentence_of(&error.to_string()));
            refused(&giving_up(&app, &operator, id, wrong).await?)
        }
        Err(error) => Err(error.into()),
    }
}
