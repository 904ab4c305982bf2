//! Public accounts: an institution's face towards people.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_model::PublicAccountId;
use qiao_registry::{MenuEntry, MenuItem, PublicAccount};
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::Listing;
use crate::App;
use crate::extract::{Json, PathParam, SessionUser};
use crate::problem::{Kind, Problem, ProblemBody};

/// An institution's face towards people.
#[derive(Serialize, ToSchema)]
pub(crate) struct PublicAccountBody {
    /// `acc_…`.
    id: String,
    /// `ins_…`.
    institution: String,
    /// How people find it.
    handle: String,
    /// What people read.
    name: String,
    /// A sentence about it.
    summary: String,
    /// Its menu, at most 3 titles of 5 choices.
    menu: Vec<MenuEntryBody>,
    /// How many people follow it.
    followers: i64,
}

/// A title of the menu.
#[derive(Serialize, ToSchema)]
pub(crate) struct MenuEntryBody {
    /// What people read.
    title: String,
    /// In Chinese, where the plugin has it.
    title_zh_cn: Option<String>,
    /// What opens below it.
    items: Vec<MenuItemBody>,
}

/// A choice of the menu.
#[derive(Serialize, ToSchema)]
pub(crate) struct MenuItemBody {
    /// What people read.
    title: String,
    /// In Chinese, where the plugin has it.
    title_zh_cn: Option<String>,
    /// `plg_…`.
    plugin: String,
    /// The name of the service that it opens.
    service: String,
}

impl From<PublicAccount> for PublicAccountBody {
    fn from(account: PublicAccount) -> Self {
        Self {
            id: account.id.to_string(),
            institution: account.institution.to_string(),
            handle: account.handle,
            name: account.name,
            summary: account.summary,
            menu: account.menu.into_iter().map(MenuEntryBody::from).collect(),
            followers: account.followers,
        }
    }
}

impl From<MenuEntry> for MenuEntryBody {
    fn from(entry: MenuEntry) -> Self {
        Self {
            title: entry.title.text,
            title_zh_cn: entry.title.zh_cn,
            items: entry.items.into_iter().map(MenuItemBody::from).collect(),
        }
    }
}

impl From<MenuItem> for MenuItemBody {
    fn from(item: MenuItem) -> Self {
        Self {
            title: item.title.text,
            title_zh_cn: item.title.zh_cn,
            plugin: item.plugin.to_string(),
            service: item.service,
        }
    }
}

/// The public accounts of active institutions
#[utoipa::path(
    get,
    path = "/v1/public-accounts",
    tag = "institutions",
    responses((status = 200, description = "By name", body = Listing<PublicAccountBody>))
)]
pub(crate) async fn list_public_accounts(
    State(app): State<App>,
) -> Result<Json<Listing<PublicAccountBody>>, Problem> {
    Ok(Json(Listing::of(app.registry.public_accounts().await?)))
}

/// A public account
#[utoipa::path(
    get,
    path = "/v1/public-accounts/{handle}",
    tag = "institutions",
    params(("handle" = String, Path, description = "`harvest-fund`")),
    responses(
        (status = 200, description = "The account", body = PublicAccountBody),
        (status = 404, description = "No such account", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_public_account(
    State(app): State<App>,
    PathParam(handle): PathParam<String>,
) -> Result<Json<PublicAccountBody>, Problem> {
    let account = app.registry.public_account_by_handle(&handle).await?;
    account
        .map(|account| Json(account.into()))
        .ok_or_else(|| missing(&handle))
}

/// Follow a public account
#[utoipa::path(
    put,
    path = "/v1/public-accounts/{handle}/follow",
    tag = "institutions",
    params(("handle" = String, Path, description = "`harvest-fund`")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "The caller follows it"),
        (status = 404, description = "No such account", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn follow(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(handle): PathParam<String>,
) -> Result<StatusCode, Problem> {
    let account = account_id(&app, &handle).await?;
    app.registry.follow(&caller.permit, account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Follow a public account no longer
#[utoipa::path(
    delete,
    path = "/v1/public-accounts/{handle}/follow",
    tag = "institutions",
    params(("handle" = String, Path, description = "`harvest-fund`")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "The caller does not follow it"),
        (status = 404, description = "No such account", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn unfollow(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(handle): PathParam<String>,
) -> Result<StatusCode, Problem> {
    let account = account_id(&app, &handle).await?;
    app.registry.unfollow(&caller.permit, account).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn account_id(app: &App, handle: &str) -> Result<PublicAccountId, Problem> {
    let account = app.registry.public_account_by_handle(handle).await?;
    account
        .map(|account| account.id)
        .ok_or_else(|| missing(handle))
}

fn missing(handle: &str) -> Problem {
    let handle: String = handle.chars().take(40).collect();
    Problem::new(
        Kind::NotFound,
        format!("there is no public account `{handle}`"),
    )
}
