use axum::extract::{Query, State};
use axum::response::Response;
use qiao_model::{Currency, Money, Scope};
use qiao_registry::PublicAccount;
use serde::Deserialize;

use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::text::{Text, fill};
use crate::pages::view::user::{AccountCard, Greeting, Home};
use crate::pages::view::{Empty, Figure, Link, Notice, Paging, Tone};
use crate::pages::visit::Visit;
use crate::pages::wording::institution_kind;

const ACCOUNTS_PER_PAGE: usize = 20;

#[derive(Deserialize)]
pub(super) struct HomeQuery {
    #[serde(default)]
    after: String,
}

/// `GET /`
pub(super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Query(query): Query<HomeQuery>,
) -> Result<Response, Failed> {
    let t = visit.t();
    let mut greeting = None;
    let mut followed = Vec::new();
    if let Some(session) = &visit.session {
        let permit = app.auth.permit_session(session, Scope::Account)?;
        let balance = app
            .payments
            .balance(&permit, session.user(), Currency::CNY)
            .await?;
        let advice = (!app.auth.has_pin(&permit).await?).then(|| {
            Notice::new(Tone::Info, t.set_pin_advice)
                .titled(t.set_pin_title)
                .link("/pin", t.set_pin)
        });
        greeting = Some(Greeting {
            hello: fill(t.hello, &[&session.name()]),
            available: Figure::money(Money::cny(balance.available())),
            advice,
        });
        followed = app.registry.followed_by(&permit).await?;
    }
    let mut others = app.registry.public_accounts().await?;
    others.retain(|account| followed.iter().all(|known| known.id != account.id));
    let (others, paging) = page_of(others, &query.after, t);
    page(&Home {
        shell: visit.user_page(t.home, "/"),
        greeting,
        followed: cards(&app, followed, t).await?,
        nothing_followed: Empty::new(t.nothing_followed, t.nothing_followed_text),
        discover: cards(&app, others, t).await?,
        nothing_to_discover: Empty::new(t.nothing_to_discover, t.nothing_to_discover_text),
        paging,
    })
}

/// The accounts after a handle, in the registry's order.
fn page_of(
    mut accounts: Vec<PublicAccount>,
    after: &str,
    t: &Text,
) -> (Vec<PublicAccount>, Paging) {
    let start = accounts.iter().position(|account| account.handle == after);
    let rest = accounts.split_off(start.map_or(0, |index| index + 1));
    let has_more = rest.len() > ACCOUNTS_PER_PAGE;
    let rest: Vec<_> = rest.into_iter().take(ACCOUNTS_PER_PAGE).collect();
    let next = rest.last().filter(|_| has_more);
    let paging = Paging {
        newest: start.map(|_| Link::new("/", t.newest)),
        older: next.map(|last| Link::new(format!("/?after={}", last.handle), t.older)),
    };
    (rest, paging)
}

async fn cards(
    app: &App,
    accounts: Vec<PublicAccount>,
    t: &Text,
) -> Result<Vec<AccountCard>, Failed> {
    let mut cards = Vec::with_capacity(accounts.len());
    for account in accounts {
        let institution = app.registry.institution(account.institution).await?;
        let kind = institution.map_or("", |institution| institution_kind(institution.kind, t));
        cards.push(AccountCard {
            handle: account.handle,
            name: account.name,
            summary: account.summary,
            kind: kind.to_owned(),
        });
    }
    Ok(cards)
}
