use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_banks::{BankChannel, BankLink, ChannelState, Cost, Error, LinkState, Redirected};
use qiao_model::{BankLinkId, Channel, Currency, Money};
use serde::Deserialize;

use super::bank_list;
use super::session::Nothing;
use crate::App;
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::sent::Sent;
use crate::pages::text::{Text, fill};
use crate::pages::view::user::{Banks, LinkedAccount};
use crate::pages::view::{Badge, Cell, Confirm, Empty, Facts, Figure, Form, Link, Notice, Tone};
use crate::pages::visit::{Person, own_path};

/// `GET /banks`
pub(super) async fn show(State(app): State<App>, person: Person) -> Result<Response, Failed> {
    page(&banks_page(&app, &person, None).await?)
}

async fn banks_page(app: &App, person: &Person, problem: Option<Notice>) -> Result<Banks, Failed> {
    let t = person.visit.t();
    let channels = app.banks.channels().await?;
    let links = app.banks.links(&person.permit).await?;
    let to_link = channels
        .iter()
        .filter(|channel| channel.state == ChannelState::Active)
        .map(|channel| {
            let href = format!("/banks/{}/link", channel.code);
            let label = fill(t.link_at, &[&channel.name]);
            (Link::new(href, label), cost_text(channel.cost, t))
        });
    let linked = links.iter().map(|link| LinkedAccount {
        bank: bank_name(&channels, link),
        number: format!("{} {}", link.name, link.number_masked),
        expired: (link.state == LinkState::Expired)
            .then(|| Badge::new(Tone::Warning, t.link_expired)),
        unlink: Link::new(format!("/banks/links/{}/unlink", link.id), t.unlink),
    });
    Ok(Banks {
        shell: person
            .visit
            .user_page(t.banks, "/wallet")
            .back("/wallet", t.wallet),
        problem,
        links: linked.collect(),
        empty: Empty::new(t.no_links, t.no_links_text),
        channels: to_link.collect(),
        transfers: bank_list::newest(app, person)
            .await?
            .iter()
            .map(|transfer| bank_list::row(transfer, t))
            .collect(),
    })
}

/// The name of a link's bank; its code once the configuration has forgotten it.
pub(super) fn bank_name(channels: &[BankChannel], link: &BankLink) -> String {
    let found = channels.iter().find(|channel| channel.code == link.channel);
    found.map_or_else(|| link.channel.to_string(), |channel| channel.name.clone())
}

/// What a transfer by a bank costs, or that there is none now.
pub(super) fn standing_text(channel: &BankChannel, t: &Text) -> String {
    match channel.state {
        ChannelState::Active => cost_text(channel.cost, t),
        ChannelState::Paused => t.bank_paused.to_owned(),
    }
}

/// What a transfer costs, in words.
pub(super) fn cost_text(cost: Cost, t: &Text) -> String {
    if cost == Cost::FREE {
        return t.bank_free.to_owned();
    }
    let flat = Figure::money(Money::new(cost.flat_minor, Currency::CNY)).text();
    fill(t.bank_fee, &[&flat, &cost.rate])
}

#[derive(Default, Deserialize)]
pub(super) struct LinkQuery {
    #[serde(default)]
    next: String,
}

/// `GET /banks/{channel}/link`: on to the bank's own page.
pub(super) async fn begin_link(
    State(app): State<App>,
    person: Person,
    Path(channel): Path<String>,
    Query(query): Query<LinkQuery>,
) -> Result<Response, Failed> {
    let channel: Channel = channel.parse().map_err(Failed::not_found)?;
    let session = person.session.id();
    let begun = app
        .banks
        .begin_link(&person.permit, session, channel, &query.next)
        .await;
    match begun {
        Ok(authorization) => see(authorization.url),
        Err(error) => failed_at_bank(&app, &person, error).await,
    }
}

#[derive(Default, Deserialize)]
pub(super) struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// `GET /banks/{channel}/callback`: back from the bank.
pub(super) async fn finish_link(
    State(app): State<App>,
    person: Person,
    Path(channel): Path<String>,
    Query(query): Query<CallbackQuery>,
) -> Result<Response, Failed> {
    let channel: Channel = channel.parse().map_err(Failed::not_found)?;
    let session = person.session.id();
    let back = Redirected {
        code: query.code,
        state: query.state,
        iss: query.iss,
        error: query.error,
    };
    let linked = app
        .banks
        .finish_link(&person.permit, session, channel, back)
        .await;
    match linked {
        Ok((_, next)) if next.is_empty() => see("/wallet?note=bank-linked"),
        Ok((_, next)) => see(own_path(&next)),
        Err(error) => failed_at_bank(&app, &person, error).await,
    }
}

/// The page that says what went wrong at the bank. Nothing was linked.
async fn failed_at_bank(app: &App, person: &Person, error: Error) -> Result<Response, Failed> {
    let t = person.visit.t();
    let text = match &error {
        Error::LoginOver | Error::WrongIssuer | Error::NotAuthorized(_) => t.not_authorized,
        Error::BankFailed { .. } => {
            tracing::warn!(%error, "a bank account was not linked");
            t.bank_failed
        }
        Error::NoRoute => t.bank_paused,
        _ => return Err(error.into()),
    };
    let notice = Notice::new(Tone::Warning, text);
    refused(&banks_page(app, person, Some(notice)).await?)
}

async fn find(app: &App, person: &Person, id: &str) -> Result<BankLink, Failed> {
    let id: BankLinkId = id.parse().map_err(Failed::not_found)?;
    let links = app.banks.links(&person.permit).await?;
    let found = links.into_iter().find(|link| link.id == id);
    found.ok_or_else(|| Failed::not_found(format_args!("there is no bank link {id}")))
}

/// `GET /banks/links/{link}/unlink`: asks first.
pub(super) async fn ask_unlink(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let t = person.visit.t();
    let link = find(&app, &person, &id).await?;
    let channels = app.banks.channels().await?;
    let action = format!("/banks/links/{}/unlink", link.id);
    page(&Confirm {
        shell: person.visit.user_page(t.unlink_title, "/wallet"),
        text: t.unlink_text.to_owned(),
        facts: Facts::new()
            .with(t.bank, Cell::text(bank_name(&channels, &link)))
            .with(t.bank_account, Cell::text(link.number_masked)),
        form: Form::new("confirm", action, person.visit.csrf(), t.unlink)
            .tone(Tone::Bad)
            .cancel("/banks", t.cancel),
    })
}

/// `POST /banks/links/{link}/unlink`
pub(super) async fn unlink(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let link = find(&app, &person, &id).await?;
    app.banks.unlink(&person.permit, link.id).await?;
    see("/banks?note=bank-unlinked")
}
