use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use qiao_auth::OAuthClient;
use qiao_model::{Currency, Money};
use qiao_payments::InstitutionSummary;
use qiao_registry::InstitutionState;

use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::text::Text;
use crate::pages::view::console::Institution;
use crate::pages::view::staff::Tiles;
use crate::pages::view::{Badge, Cell, Empty, Facts, Figure, Locale, Notice, Table, Tone, When};
use crate::pages::visit::Staff;
use crate::pages::wording;

/// `GET /console/{institution}`
pub(super) async fn show(State(app): State<App>, staff: Staff) -> Result<Response, Failed> {
    let id = staff.institution;
    let found = app.registry.institution(id).await?;
    let institution =
        found.ok_or_else(|| Failed::not_found(format_args!("there is no institution {id}")))?;
    let account = app.registry.account_of(id).await?;
    let clients = app.auth.clients_of(id).await?;
    let summaries = app.payments.institution_summary(&staff.permit, id).await?;
    let followers = account.as_ref().map_or(0, |account| account.followers);
    let kind = wording::institution_kind(institution.kind, Text::of(Locale::En));
    let account = account.map(|account| {
        let handle = account.handle;
        match institution.state {
            InstitutionState::Active => Cell::link(format!("/a/{handle}"), format!("@{handle}")),
            // Nobody finds it until it is approved.
            InstitutionState::Pending | InstitutionState::Suspended => {
                Cell::text(format!("@{handle}"))
            }
        }
    });
    let shell = staff.visit.console_page(&institution.name, Some(id), "");
    page(&Institution {
        shell: shell.back("/console", "Your institutions"),
        state: wording::institution_state(institution.state),
        advice: advice(institution.state),
        tiles: balances(&summaries, &staff.path("/revenue"))
            .tile("Followers", Figure::count(followers)),
        facts: Facts::new()
            .with("Institution", Cell::code(id))
            .with("Kind", Cell::text(kind))
            .with("Registered", Cell::When(When(institution.created_at)))
            .with_some("Public account", account),
        keys: keys(&clients),
        clients: client_table(&clients),
        name: institution.name,
    })
}

fn advice(state: InstitutionState) -> Option<Notice> {
    let sentence = match state {
        InstitutionState::Active => return None,
        InstitutionState::Pending => {
            "An operator has not approved this institution yet. Terms of settlement and webhooks can be set up meanwhile; releases are uploaded once it is approved."
        }
        InstitutionState::Suspended => "An operator has suspended this institution.",
    };
    Some(Notice::new(Tone::Warning, sentence))
}

/// What the institution has, as tiles that lead to its revenue.
pub(super) fn balances(summaries: &[InstitutionSummary], path: &str) -> Tiles {
    let zero = [InstitutionSummary::empty(Currency::CNY)];
    let summaries = if summaries.is_empty() {
        &zero[..]
    } else {
        summaries
    };
    summaries.iter().fold(Tiles::default(), |tiles, summary| {
        let money = |minor| Figure::money(Money::new(minor, summary.currency));
        let received = |minor| format!("{} received in all", money(minor).text());
        let tiles = tiles
            .tile("Settlement account", money(summary.settlement.posted))
            .note(received(summary.settlement_received))
            .link(path)
            .tile("Fees earned", money(summary.revenue.posted))
            .note(received(summary.revenue_received))
            .link(path);
        let tiles = match summary.advance.posted {
            0 => tiles,
            _ => tiles.tile("Advance line, free", money(summary.advance.available())),
        };
        if summary.owed == 0 {
            return tiles;
        }
        tiles
            .tile("Owed since refunds", money(summary.owed))
            .note("taken from what comes next, before any payout".to_owned())
            .tone(Tone::Bad)
    })
}

fn keys(clients: &[OAuthClient]) -> Table {
    let empty = Empty::new("No key", "Releases cannot be signed.");
    let mut table = Table::new("Signing keys", &["Key id", "Algorithm"], empty);
    let active = clients.iter().filter(|client| client.is_active);
    let mut seen = BTreeSet::new();
    // Clients may share a key.
    for key in active
        .flat_map(|client| &client.keys)
        .filter(|key| seen.insert(key.kid()))
    {
        table.push(vec![Cell::code(key.kid()), Cell::text(key.kind().name())]);
    }
    table
}

fn client_table(clients: &[OAuthClient]) -> Table {
    let empty = Empty::new("No client", "Your servers cannot sign in.");
    let mut table = Table::new(
        "API clients",
        &[
            "Name",
            "Client id",
            "Scopes",
            "Waiting for the operator",
            "State",
        ],
        empty,
    );
    for client in clients {
        let state = if client.is_active {
            Badge::new(Tone::Good, "active")
        } else {
            Badge::new(Tone::Bad, "disabled")
        };
        table.push(vec![
            Cell::text(&client.name),
            Cell::code(client.id),
            Cell::code(client.scopes),
            waiting(client),
            Cell::Badge(state),
        ]);
    }
    table
}

/// The scopes that an operator has not decided.
fn waiting(client: &OAuthClient) -> Cell {
    if client.asked_scopes.is_empty() {
        return Cell::text("–");
    }
    Cell::code(client.asked_scopes)
}
