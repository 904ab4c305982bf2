//! Webhook endpoints of an institution and the deliveries to them.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_events::{
    AttemptOutcome, AttemptRow, DeliveryRow, DeliveryState, Endpoint, EndpointState, NewEndpoint,
};
use qiao_model::{DeliveryId, EndpointId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::wire::{Listing, parse, time};
use crate::App;
use crate::extract::{Bearer, Json, PathParam, Query, scope};
use crate::problem::{Problem, ProblemBody};

/// Where an institution wants its events.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEndpointBody {
    /// An `https` address.
    #[schema(example = "https://shop.example/hooks")]
    url: String,
    /// Which kinds of events: `order.completed`; none means all.
    #[serde(default)]
    kinds: Vec<String>,
}

/// A registered endpoint.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndpointBody {
    /// `whk_…`.
    id: String,
    /// Its address.
    url: String,
    /// Which kinds of events; none means all.
    kinds: Vec<String>,
    /// `enabled` or `disabled`.
    state: &'static str,
    /// Since when every attempt failed, if the last one did.
    failing_since: Option<String>,
    /// When it was registered.
    created_at: String,
}

/// A new endpoint and its signing secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedEndpointBody {
    /// The endpoint.
    endpoint: EndpointBody,
    /// `whsec_…` (Standard Webhooks); told this once.
    secret: String,
}

/// A delivery of an event.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryBody {
    /// `dlv_…`.
    id: String,
    /// `evt_…`.
    event: String,
    /// The event's kind.
    kind: String,
    /// What it happened to.
    subject: String,
    /// The endpoint, unless it goes to a plugin.
    endpoint: Option<String>,
    /// The plugin, unless it goes to an endpoint.
    plugin: Option<String>,
    /// `waiting`, `delivered` or `failed`.
    state: &'static str,
    /// Attempts begun so far.
    attempts: u32,
    /// When the next attempt is due, while it waits.
    due_at: String,
    /// When it was queued.
    created_at: String,
    /// When it ended.
    finished_at: Option<String>,
}

/// A finished attempt.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttemptBody {
    /// 1 for the first.
    number: u32,
    /// `delivered`, `failed` or `gone`.
    outcome: &'static str,
    /// The HTTP status, if there was one.
    status: Option<u16>,
    /// How long it took.
    duration_ms: i64,
    /// A sentence about it.
    detail: String,
    /// When it ended.
    finished_at: String,
}

impl From<Endpoint> for EndpointBody {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url,
            kinds: endpoint.kinds,
            state: match endpoint.state {
                EndpointState::Enabled => "enabled",
                EndpointState::Disabled => "disabled",
            },
            failing_since: endpoint.failing_since.map(time),
            created_at: time(endpoint.created_at),
        }
    }
}

impl From<DeliveryRow> for DeliveryBody {
    fn from(row: DeliveryRow) -> Self {
        Self {
            id: row.id.to_string(),
            event: row.event.to_string(),
            kind: row.kind,
            subject: row.subject,
            endpoint: row.endpoint.map(|id| id.to_string()),
            plugin: row.plugin.map(|id| id.to_string()),
            state: match row.state {
                DeliveryState::Waiting => "waiting",
                DeliveryState::Delivered => "delivered",
                DeliveryState::Failed => "failed",
            },
            attempts: row.attempts,
            due_at: time(row.due_at),
            created_at: time(row.created_at),
            finished_at: row.finished_at.map(time),
        }
    }
}

impl From<AttemptRow> for AttemptBody {
    fn from(row: AttemptRow) -> Self {
        Self {
            number: row.number,
            outcome: match row.attempt.outcome {
                AttemptOutcome::Delivered => "delivered",
                AttemptOutcome::Failed => "failed",
                AttemptOutcome::Gone => "gone",
            },
            status: row.attempt.status,
            duration_ms: row.attempt.duration_ms,
            detail: row.attempt.detail,
            finished_at: time(row.finished_at),
        }
    }
}

/// Which deliveries, newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveriesQuery {
    /// Only those before this one: `dlv_…`.
    before: Option<String>,
}

/// Register a webhook endpoint
#[utoipa::path(
    post,
    path = "/v1/webhooks",
    tag = "webhooks",
    request_body = NewEndpointBody,
    security(("bearer" = ["webhooks:write"])),
    responses(
        (status = 201, description = "The endpoint and its secret", body = CreatedEndpointBody),
        (status = 422, description = "The address or a kind cannot be one", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn register_endpoint(
    State(app): State<App>,
    caller: Bearer<scope::WebhooksWrite>,
    Json(body): Json<NewEndpointBody>,
) -> Result<(StatusCode, Json<CreatedEndpointBody>), Problem> {
    let new = NewEndpoint {
        url: body.url,
        kinds: body.kinds,
    };
    let (endpoint, secret) = app.events.register_endpoint(&caller.permit, new).await?;
    let created = CreatedEndpointBody {
        endpoint: endpoint.into(),
        secret: secret.expose().clone(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// The webhook endpoints of the calling institution
#[utoipa::path(
    get,
    path = "/v1/webhooks",
    tag = "webhooks",
    security(("bearer" = ["webhooks:write"])),
    responses((status = 200, description = "All of them", body = Listing<EndpointBody>))
)]
pub(crate) async fn list_endpoints(
    State(app): State<App>,
    caller: Bearer<scope::WebhooksWrite>,
) -> Result<Json<Listing<EndpointBody>>, Problem> {
    let endpoints = app.events.endpoints_of(&caller.permit).await?;
    Ok(Json(Listing::of(endpoints)))
}

/// Delete a webhook endpoint, its secret, and what waits for it
#[utoipa::path(
    delete,
    path = "/v1/webhooks/{id}",
    tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`")),
    security(("bearer" = ["webhooks:write"])),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such endpoint", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn delete_endpoint(
    State(app): State<App>,
    caller: Bearer<scope::WebhooksWrite>,
    PathParam(id): PathParam<EndpointId>,
) -> Result<StatusCode, Problem> {
    app.events.delete_endpoint(&caller.permit, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enable an endpoint that was disabled
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/enable",
    tag = "webhooks",
    params(("id" = String, Path, description = "`whk_…`")),
    security(("bearer" = ["webhooks:write"])),
    responses(
        (status = 204, description = "It gets events again"),
        (status = 404, description = "No such endpoint", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn enable_endpoint(
    State(app): State<App>,
    caller: Bearer<scope::WebhooksWrite>,
    PathParam(id): PathParam<EndpointId>,
) -> Result<StatusCode, Problem> {
    app.events.enable_endpoint(&caller.permit, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deliveries of the calling institution's events
#[utoipa::path(
    get,
    path = "/v1/deliveries",
    tag = "webhooks",
    params(DeliveriesQuery),
    security(("bearer" = ["webhooks:write"])),
    responses((status = 200, description = "Newest first", body = Listing<DeliveryBody>))
)]
pub(crate) async fn list_deliveries(
    State(app): State<App>,
    caller: Bearer<scope::WebhooksWrite>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<Listing<DeliveryBody>>, Problem> {
    let before: Option<DeliveryId> = query.before.as_deref().map(parse).transpose()?;
    let rows = app.events.deliveries_of(&caller.permit, before).await?;
    Ok(Json(Listing::of(rows)))
}

/// The finished attempts of a delivery
#[utoipa::path(
    get,
    path = "/v1/deliveries/{id}/attempts",
    tag = "webhooks",
    params(("id" = String, Path, description = "`dlv_…`")),
    security(("bearer" = ["webhooks:write"])),
    responses((status = 200, description = "In order", body = Listing<AttemptBody>))
)]
pub(crate) async fn list_attempts(
    State(app): State<App>,
    caller: Bearer<scope::WebhooksWrite>,
    PathParam(id): PathParam<DeliveryId>,
) -> Result<Json<Listing<AttemptBody>>, Problem> {
    let rows = app.events.attempts_of(&caller.permit, id).await?;
    Ok(Json(Listing::of(rows)))
}

/// Send an ended delivery again
#[utoipa::path(
    post,
    path = "/v1/deliveries/{id}/redeliver",
    tag = "webhooks",
    params(("id" = String, Path, description = "`dlv_…`")),
    security(("bearer" = ["webhooks:write"])),
    responses(
        (status = 202, description = "It is due now"),
        (status = 404, description = "No such delivery", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "It waits already, or its endpoint is not enabled", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn redeliver(
    State(app): State<App>,
    caller: Bearer<scope::WebhooksWrite>,
    PathParam(id): PathParam<DeliveryId>,
) -> Result<StatusCode, Problem> {
    app.events.redeliver(&caller.permit, id).await?;
    Ok(StatusCode::ACCEPTED)
}
