//! An institution's OAuth clients, which its staff registers, and the scopes that an
//! operator grants them.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_auth::{NewClient, OAuthClient, Permit, ScopeVerdict};
use qiao_model::{InstitutionId, OAuthClientId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::wire::{Listing, parse, time};
use crate::App;
use crate::extract::{Json, Operator, PathPair, PathParam, SessionUser};
use crate::problem::{Problem, ProblemBody};

/// A client to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClientBody {
    /// What its owner calls it.
    name: String,
    /// What it is to have, space-separated. What the institution's staff may not do
    /// themselves waits for an operator.
    #[schema(example = "payments:write payments:read")]
    scope: String,
    /// Its public keys, as a JWK set.
    #[schema(value_type = Object)]
    jwks: Value,
}

/// An OAuth client: an institution's server, known by its public keys.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientBody {
    /// Its `client_id`: `cli_…`.
    id: String,
    /// Whose: `ins_…`.
    institution: String,
    /// What its owner calls it.
    name: String,
    /// What it may ask for, space-separated.
    scope: String,
    /// What waits for an operator, space-separated; no token carries it.
    asked_scope: String,
    /// The ids of its keys.
    key_ids: Vec<String>,
    /// Whether it may still do anything.
    is_active: bool,
    /// When it was registered.
    created_at: String,
}

impl From<OAuthClient> for ClientBody {
    fn from(client: OAuthClient) -> Self {
        Self {
            id: client.id.to_string(),
            institution: client.institution.to_string(),
            name: client.name,
            scope: client.scopes.to_string(),
            asked_scope: client.asked_scopes.to_string(),
            key_ids: client.keys.iter().map(|key| key.kid().to_owned()).collect(),
            is_active: client.is_active,
            created_at: time(client.created_at),
        }
    }
}

/// The permit of a person on the staff of the path's institution.
fn staff(app: &App, caller: &SessionUser, of: InstitutionId) -> Result<Permit, Problem> {
    Ok(app.auth.permit_staff(&caller.session, of)?)
}

/// Register a client of an institution; its staff may
#[utoipa::path(
    post,
    path = "/v1/institutions/{id}/clients",
    tag = "institutions",
    params(("id" = String, Path, description = "`ins_…`")),
    request_body = NewClientBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "It can ask for tokens of `scope` once the institution is approved; `asked_scope` waits for an operator", body = ClientBody),
        (status = 403, description = "The caller is not on the staff", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "A key or scope is not acceptable", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn register_client(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(institution): PathParam<InstitutionId>,
    Json(body): Json<NewClientBody>,
) -> Result<(StatusCode, Json<ClientBody>), Problem> {
    let permit = staff(&app, &caller, institution)?;
    let new = NewClient {
        institution,
        name: body.name,
        jwks_json: body.jwks.to_string(),
        scopes: parse(&body.scope)?,
    };
    let client = app.auth.register_client(&permit, new).await?;
    Ok((StatusCode::CREATED, Json(client.into())))
}

/// The clients of an institution; its staff may
#[utoipa::path(
    get,
    path = "/v1/institutions/{id}/clients",
    tag = "institutions",
    params(("id" = String, Path, description = "`ins_…`")),
    security(("session" = [])),
    responses(
        (status = 200, description = "Oldest first", body = Listing<ClientBody>),
        (status = 403, description = "The caller is not on the staff", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn list_clients(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(institution): PathParam<InstitutionId>,
) -> Result<Json<Listing<ClientBody>>, Problem> {
    staff(&app, &caller, institution)?;
    Ok(Json(Listing::of(app.auth.clients_of(institution).await?)))
}

/// End a client for good: its tokens count no more from the very next call on
#[utoipa::path(
    delete,
    path = "/v1/institutions/{id}/clients/{client}",
    tag = "institutions",
    params(("id" = String, Path, description = "`ins_…`"), ("client" = String, Path, description = "`cli_…`")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "It has ended"),
        (status = 404, description = "No such client", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn disable_client(
    State(app): State<App>,
    caller: SessionUser,
    PathPair(institution, client): PathPair<InstitutionId, OAuthClientId>,
) -> Result<StatusCode, Problem> {
    let permit = staff(&app, &caller, institution)?;
    app.auth
        .disable_client(&permit, institution, client)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The clients that ask for scopes which an operator has not decided
#[utoipa::path(
    get,
    path = "/v1/asking-clients",
    tag = "operator",
    security(("session" = [])),
    responses((status = 200, description = "Oldest first, at most 200", body = Listing<ClientBody>))
)]
pub(crate) async fn list_asking_clients(
    State(app): State<App>,
    caller: Operator,
) -> Result<Json<Listing<ClientBody>>, Problem> {
    let asking = app.auth.asking_clients(&caller.permit).await?;
    Ok(Json(Listing::of(asking)))
}

/// What an operator decides of scopes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopeDecisionBody {
    /// Which of those that the client asks for, space-separated.
    #[schema(example = "payments:write")]
    scope: String,
    /// What of them.
    verdict: ScopeVerdictBody,
}

/// Whether the client gets the scopes.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScopeVerdictBody {
    /// Its next token may carry them.
    Grant,
    /// It does not get them.
    Refuse,
}

impl From<ScopeVerdictBody> for ScopeVerdict {
    fn from(body: ScopeVerdictBody) -> Self {
        match body {
            ScopeVerdictBody::Grant => Self::Grant,
            ScopeVerdictBody::Refuse => Self::Refuse,
        }
    }
}

/// Grant or refuse scopes that a client asks for
#[utoipa::path(
    post,
    path = "/v1/clients/{id}/scopes",
    tag = "operator",
    params(("id" = String, Path, description = "`cli_…`")),
    request_body = ScopeDecisionBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "Decided; granting again changes nothing", body = ClientBody),
        (status = 404, description = "No such active client", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "It asks for no such scope", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn decide_scopes(
    State(app): State<App>,
    caller: Operator,
    PathParam(client): PathParam<OAuthClientId>,
    Json(body): Json<ScopeDecisionBody>,
) -> Result<Json<ClientBody>, Problem> {
    let scopes = parse(&body.scope)?;
    let verdict = body.verdict.into();
    let decided = app
        .auth
        .decide_scopes(&caller.permit, client, scopes, verdict)
        .await?;
    Ok(Json(decided.into()))
}
