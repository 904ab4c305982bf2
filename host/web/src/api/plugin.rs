//! An institution's plugins and which release of each serves.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_auth::Permit;
use qiao_model::{PluginId, ReleaseId};
use qiao_registry::Plugin;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::institution::ReasonBody;
use super::wire::{Listing, parse, time};
use crate::App;
use crate::extract::{Bearer, Json, Operator, PathParam, scope};
use crate::problem::{Kind, Problem, ProblemBody};

/// A plugin.
#[derive(Serialize, ToSchema)]
pub(crate) struct PluginBody {
    /// `plg_…`.
    id: String,
    /// Its name, unique on the platform.
    name: String,
    /// The release that serves, if one does.
    active_release: Option<String>,
    /// When its first release was uploaded.
    created_at: String,
}

impl From<Plugin> for PluginBody {
    fn from(plugin: Plugin) -> Self {
        Self {
            id: plugin.id.to_string(),
            name: plugin.name,
            active_release: plugin.active.map(|id| id.to_string()),
            created_at: time(plugin.created_at),
        }
    }
}

/// Where to roll back to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RollBackBody {
    /// Any earlier approved release of the plugin: `rel_…`.
    release: String,
}

/// The plugin, if it is the calling institution's; to others it does not exist.
pub(crate) async fn own(app: &App, permit: &Permit, id: PluginId) -> Result<Plugin, Problem> {
    let institution = permit.demand_institution()?;
    match app.registry.plugin(id).await? {
        Some(plugin) if plugin.institution == institution => Ok(plugin),
        Some(_) | None => Err(Problem::new(
            Kind::NotFound,
            format!("there is no plugin {id}"),
        )),
    }
}

/// The plugins of the calling institution
#[utoipa::path(
    get,
    path = "/v1/plugins",
    tag = "releases",
    security(("bearer" = ["releases:write"])),
    responses((status = 200, description = "Oldest first", body = Listing<PluginBody>))
)]
pub(crate) async fn list_plugins(
    State(app): State<App>,
    caller: Bearer<scope::ReleasesWrite>,
) -> Result<Json<Listing<PluginBody>>, Problem> {
    let institution = caller.permit.demand_institution()?;
    Ok(Json(Listing::of(
        app.registry.plugins_of(institution).await?,
    )))
}

/// A plugin of the calling institution
#[utoipa::path(
    get,
    path = "/v1/plugins/{id}",
    tag = "releases",
    params(("id" = String, Path, description = "`plg_…`")),
    security(("bearer" = ["releases:write"])),
    responses(
        (status = 200, description = "The plugin", body = PluginBody),
        (status = 404, description = "No such plugin", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_plugin(
    State(app): State<App>,
    caller: Bearer<scope::ReleasesWrite>,
    PathParam(id): PathParam<PluginId>,
) -> Result<Json<PluginBody>, Problem> {
    Ok(Json(own(&app, &caller.permit, id).await?.into()))
}

/// Let an earlier approved release serve again, after its `activate`
#[utoipa::path(
    post,
    path = "/v1/plugins/{id}/roll-back",
    tag = "releases",
    params(("id" = String, Path, description = "`plg_…`")),
    request_body = RollBackBody,
    security(("bearer" = ["releases:write"])),
    responses(
        (status = 204, description = "It serves"),
        (status = 404, description = "No such plugin or release", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "The release was never approved, or serves already", content_type = "application/problem+json", body = ProblemBody),
        (status = 502, description = "Its `activate` failed; what was active still is", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn roll_back(
    State(app): State<App>,
    caller: Bearer<scope::ReleasesWrite>,
    PathParam(id): PathParam<PluginId>,
    Json(body): Json<RollBackBody>,
) -> Result<StatusCode, Problem> {
    let release: ReleaseId = parse(&body.release)?;
    app.registry
        .roll_back(&caller.permit, id, release, &*app.activator)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stop a plugin: no release of it serves from now on
#[utoipa::path(
    post,
    path = "/v1/plugins/{id}/stop",
    tag = "operator",
    params(("id" = String, Path, description = "`plg_…`")),
    request_body = ReasonBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "It is stopped"),
        (status = 404, description = "No such plugin, or none of its releases serves", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn stop_plugin(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<PluginId>,
    Json(body): Json<ReasonBody>,
) -> Result<StatusCode, Problem> {
    app.registry
        .stop_plugin(&caller.permit, id, &body.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
