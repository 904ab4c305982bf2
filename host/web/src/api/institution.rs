//! Institutions: founding one, and an operator's yes or no.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_model::InstitutionId;
use qiao_registry::{Institution, InstitutionKind, NewInstitution};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::client::ClientBody;
use super::public_account::PublicAccountBody;
use super::wire::{Listing, time};
use crate::App;
use crate::extract::{Bearer, Json, Operator, PathParam, SessionUser, scope};
use crate::problem::{Kind, Problem, ProblemBody};

/// An institution to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInstitutionBody {
    /// Its name, also its public account's.
    name: String,
    /// `fund`, `insurer`, `biller` or `bank`.
    kind: String,
    /// How people find it: 3 to 32 of `a-z 0-9 -`.
    #[schema(example = "harvest-fund")]
    handle: String,
    /// A sentence about it.
    #[serde(default)]
    summary: String,
    /// Its public keys, as a JWK set: they sign releases and client assertions.
    #[schema(value_type = Object)]
    jwks: Value,
}

/// A fund company, insurer, biller or bank.
#[derive(Serialize, ToSchema)]
pub(crate) struct InstitutionBody {
    /// `ins_…`.
    id: String,
    /// Its name.
    name: String,
    /// `fund`, `insurer`, `biller` or `bank`.
    kind: &'static str,
    /// `pending`, `active` or `suspended`.
    state: &'static str,
    /// When it was registered.
    created_at: String,
}

/// What registering made.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundedBody {
    /// The institution, pending until an operator approves it.
    institution: InstitutionBody,
    /// Its public account, unseen until then.
    public_account: PublicAccountBody,
    /// Its first OAuth client.
    client: ClientBody,
}

/// Why an operator decided so.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonBody {
    /// 1 to 500 characters.
    pub(crate) reason: String,
}

impl From<Institution> for InstitutionBody {
    fn from(institution: Institution) -> Self {
        Self {
            id: institution.id.to_string(),
            name: institution.name,
            kind: institution.kind.name(),
            state: institution.state.name(),
            created_at: time(institution.created_at),
        }
    }
}

/// Register an institution; the caller is its first staff member
#[utoipa::path(
    post,
    path = "/v1/institutions",
    tag = "institutions",
    request_body = NewInstitutionBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "It waits for an operator", body = FoundedBody),
        (status = 409, description = "The handle is taken", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "A value is not acceptable", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn register_institution(
    State(app): State<App>,
    caller: SessionUser,
    Json(body): Json<NewInstitutionBody>,
) -> Result<(StatusCode, Json<FoundedBody>), Problem> {
    let Some(kind) = InstitutionKind::from_name(&body.kind) else {
        return Err(Problem::new(
            Kind::Invalid,
            "kind is one of fund, insurer, biller, bank",
        ));
    };
    let new = NewInstitution {
        name: body.name,
        kind,
        handle: body.handle,
        summary: body.summary,
        jwks_json: body.jwks.to_string(),
    };
    let founded = app
        .registry
        .register_institution(&caller.permit, new)
        .await?;
    let body = FoundedBody {
        institution: founded.institution.into(),
        public_account: founded.account.into(),
        client: founded.client.into(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Every institution, for operators
#[utoipa::path(
    get,
    path = "/v1/institutions",
    tag = "operator",
    security(("session" = [])),
    responses((status = 200, description = "Newest first", body = Listing<InstitutionBody>))
)]
pub(crate) async fn list_institutions(
    State(app): State<App>,
    caller: Operator,
) -> Result<Json<Listing<InstitutionBody>>, Problem> {
    let institutions = app.registry.institutions(&caller.permit).await?;
    Ok(Json(Listing::of(institutions)))
}

/// The calling institution
#[utoipa::path(
    get,
    path = "/v1/institution",
    tag = "institutions",
    security(("bearer" = ["releases:write"])),
    responses((status = 200, description = "The institution", body = InstitutionBody))
)]
pub(crate) async fn get_own_institution(
    State(app): State<App>,
    caller: Bearer<scope::ReleasesWrite>,
) -> Result<Json<InstitutionBody>, Problem> {
    let id = caller.permit.demand_institution()?;
    match app.registry.institution(id).await? {
        Some(institution) => Ok(Json(institution.into())),
        None => Err(Problem::new(
            Kind::NotFound,
            format!("there is no institution {id}"),
        )),
    }
}

/// Let an institution work
#[utoipa::path(
    post,
    path = "/v1/institutions/{id}/approve",
    tag = "operator",
    params(("id" = String, Path, description = "`ins_…`")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "It is active"),
        (status = 404, description = "No such institution", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "It is active already", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn approve_institution(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<InstitutionId>,
) -> Result<StatusCode, Problem> {
    app.registry.approve_institution(&caller.permit, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stop an institution: its staff, clients and plugins are refused from the next call on
#[utoipa::path(
    post,
    path = "/v1/institutions/{id}/suspend",
    tag = "operator",
    params(("id" = String, Path, description = "`ins_…`")),
    request_body = ReasonBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "It is suspended"),
        (status = 404, description = "No such institution", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "It is not active", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn suspend_institution(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<InstitutionId>,
    Json(body): Json<ReasonBody>,
) -> Result<StatusCode, Problem> {
    app.registry
        .suspend_institution(&caller.permit, id, &body.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
