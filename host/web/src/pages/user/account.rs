use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_model::{InstitutionId, Scope};
use qiao_registry::{MESSAGE_PAGE_ROWS, Message, PublicAccount, Sender};
use serde::Deserialize;

use super::session::Nothing;
use crate::App;
use crate::pages::failed::{Failed, page, see};
use crate::pages::sent::Sent;
use crate::pages::text::{Text, fill};
use crate::pages::view::user::{Account, FollowButton, MenuGroup, Message as MessageView};
use crate::pages::view::{Cell, Confirm, Empty, Facts, Figure, Form, Link, Paging, Tone, When};
use crate::pages::visit::{Person, Visit};
use crate::pages::wording::institution_kind;

#[derive(Default, Deserialize)]
pub(super) struct AccountQuery {
    before: Option<String>,
    /// The account through whose door the visitor came; the services get it, too.
    scene: Option<String>,
}

async fn find(app: &App, handle: &str) -> Result<PublicAccount, Failed> {
    let found = app.registry.public_account_by_handle(handle).await?;
    found.ok_or_else(|| Failed::not_found(format_args!("there is no account @{handle}")))
}

/// The name of an institution's account; empty when it has none.
pub(super) async fn institution_name(app: &App, id: InstitutionId) -> Result<String, Failed> {
    let account = app.registry.account_of(id).await?;
    Ok(account.map_or_else(String::new, |account| account.name))
}

/// `GET /a/{handle}`
pub(super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(handle): Path<String>,
    Query(query): Query<AccountQuery>,
) -> Result<Response, Failed> {
    let t = visit.t();
    let account = find(&app, &handle).await?;
    let institution = app.registry.institution(account.institution).await?;
    let institution = institution.ok_or_else(|| Failed::not_found(&handle))?;
    let here = format!("/a/{handle}");
    let scene = match &query.scene {
        Some(scene) => app.registry.public_account_by_handle(scene).await?,
        None => None,
    };
    let mut follows = false;
    let mut messages = None;
    let mut paging = Paging::default();
    if let Some(session) = &visit.session {
        let permit = app.auth.permit_session(session, Scope::Account)?;
        follows = app
            .registry
            .user_follows(session.user(), account.id)
            .await?;
        let before = query.before.as_deref().map(str::parse).transpose();
        let before = before.map_err(Failed::not_found)?;
        let found = app
            .registry
            .messages_of(&permit, account.id, before)
            .await?;
        paging = message_paging(&here, before.is_some(), &found, t);
        let written = found
            .into_iter()
            .filter(|message| message.sender == Sender::Account);
        messages = Some(written.map(message).collect());
    }
    let follow = if follows {
        FollowButton::Unfollow(Link::new(format!("{here}/unfollow"), t.following))
    } else {
        let form = Form::new("follow", format!("{here}/follow"), visit.csrf(), t.follow);
        FollowButton::Follow(form.compact())
    };
    page(&Account {
        shell: visit.user_page(&account.name, "/").back("/", t.home),
        kind: institution_kind(institution.kind, t).to_owned(),
        institution: institution.name,
        followers: followers(account.followers, t),
        follow,
        menu: menu(&account, visit.locale.tag(), scene.as_ref()),
        no_service: Empty::new(t.no_service, t.no_service_text),
        messages,
        no_message: Empty::new(t.no_message, t.no_message_text),
        paging,
        name: account.name,
        handle: account.handle,
        summary: account.summary,
    })
}

fn followers(count: i64, t: &Text) -> String {
    if count == 1 {
        t.one_follower.to_owned()
    } else {
        fill(t.followers, &[&Figure::count(count).text()])
    }
}

fn menu(account: &PublicAccount, locale: &str, scene: Option<&PublicAccount>) -> Vec<MenuGroup> {
    let from = scene.map_or_else(String::new, |scene| format!("?scene={}", scene.handle));
    let groups = account.menu.iter().map(|entry| MenuGroup {
        title: entry.title.for_locale(locale).to_owned(),
        services: entry
            .items
            .iter()
            .map(|item| {
                let href = format!("/a/{}/{}{from}", account.handle, item.service);
                Link::new(href, item.title.for_locale(locale))
            })
            .collect(),
    });
    groups.collect()
}

fn message(message: Message) -> MessageView {
    MessageView {
        at: When(message.sent_at),
        text: message.text,
    }
}

fn message_paging(here: &str, is_later: bool, messages: &[Message], t: &Text) -> Paging {
    let is_full = i64::try_from(messages.len()).is_ok_and(|rows| rows >= MESSAGE_PAGE_ROWS);
    let last = messages.last().filter(|_| is_full);
    Paging {
        newest: is_later.then(|| Link::new(here, t.newest)),
        older: last.map(|last| Link::new(format!("{here}?before={}", last.id), t.older)),
    }
}

/// `POST /a/{handle}/follow`
pub(super) async fn follow(
    State(app): State<App>,
    person: Person,
    Path(handle): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let account = find(&app, &handle).await?;
    app.registry.follow(&person.permit, account.id).await?;
    see(format!("/a/{handle}?note=followed"))
}

/// `GET /a/{handle}/unfollow`: asks first.
pub(super) async fn ask_unfollow(
    State(app): State<App>,
    person: Person,
    Path(handle): Path<String>,
) -> Result<Response, Failed> {
    let t = person.visit.t();
    let account = find(&app, &handle).await?;
    let here = format!("/a/{handle}");
    let action = format!("{here}/unfollow");
    page(&Confirm {
        shell: person
            .visit
            .user_page(fill(t.unfollow_title, &[&account.name]), "/"),
        text: t.unfollow_text.to_owned(),
        facts: Facts::new().with(t.institution, Cell::text(account.name)),
        form: Form::new("confirm", action, person.visit.csrf(), t.unfollow)
            .tone(Tone::Bad)
            .cancel(here, t.cancel),
    })
}

/// `POST /a/{handle}/unfollow`
pub(super) async fn unfollow(
    State(app): State<App>,
    person: Person,
    Path(handle): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let account = find(&app, &handle).await?;
    app.registry.unfollow(&person.permit, account.id).await?;
    see(format!("/a/{handle}?note=unfollowed"))
}
