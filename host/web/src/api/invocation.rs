//! Invocations of an institution's own plugins, for their authors.

use axum::extract::State;
use qiao_model::{InvocationId, PluginId};
use qiao_runtime::Invocation;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::plugin;
use super::wire::{Listing, parse, time};
use crate::App;
use crate::extract::{Bearer, Json, PathParam, Query, scope};
use crate::problem::{Problem, ProblemBody};

/// Which invocations, newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InvocationsQuery {
    /// Only those before this one: `inv_…`.
    before: Option<String>,
}

/// One call of a plugin.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvocationBody {
    /// `inv_…`.
    id: String,
    /// Which release ran: `rel_…`.
    release: String,
    /// What was called: `orders.fulfil`.
    function: &'static str,
    /// `answered`, `refused`, or the limit or rule that it broke.
    outcome: &'static str,
    /// The refusal or fault, in a sentence.
    message: Option<String>,
    /// Fuel burnt.
    fuel: u64,
    /// Bytes of linear memory at its end.
    memory_bytes: u64,
    /// Calls of the host.
    host_calls: u32,
    /// From beginning to end.
    duration_us: u64,
    /// When it ended.
    at: String,
    /// What the plugin logged.
    log: Vec<LogLineBody>,
}

/// A line that a plugin logged.
#[derive(Serialize, ToSchema)]
pub(crate) struct LogLineBody {
    /// `debug`, `info`, `warn` or `error`.
    level: &'static str,
    /// What it says.
    message: String,
}

impl From<Invocation> for InvocationBody {
    fn from(invocation: Invocation) -> Self {
        let message = invocation.outcome.message();
        let log = invocation.log.into_iter().map(|line| LogLineBody {
            level: line.level.name(),
            message: line.message,
        });
        Self {
            id: invocation.id.to_string(),
            release: invocation.release.to_string(),
            function: invocation.function.name(),
            outcome: invocation.outcome.name(),
            message: (!message.is_empty()).then(|| message.to_owned()),
            fuel: invocation.fuel,
            memory_bytes: invocation.memory_bytes,
            host_calls: invocation.host_calls,
            duration_us: invocation.duration_us,
            at: time(invocation.at),
            log: log.collect(),
        }
    }
}

/// The newest invocations of a plugin of the calling institution
#[utoipa::path(
    get,
    path = "/v1/plugins/{id}/invocations",
    tag = "releases",
    params(("id" = String, Path, description = "`plg_…`"), InvocationsQuery),
    security(("bearer" = ["releases:write"])),
    responses(
        (status = 200, description = "Newest first", body = Listing<InvocationBody>),
        (status = 404, description = "No such plugin", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn list_invocations(
    State(app): State<App>,
    caller: Bearer<scope::ReleasesWrite>,
    PathParam(id): PathParam<PluginId>,
    Query(query): Query<InvocationsQuery>,
) -> Result<Json<Listing<InvocationBody>>, Problem> {
    let plugin = plugin::own(&app, &caller.permit, id).await?;
    let before: Option<InvocationId> = query.before.as_deref().map(parse).transpose()?;
    let invocations = app.invocations.of_plugin(plugin.id, before).await?;
    Ok(Json(Listing::of(invocations)))
}
