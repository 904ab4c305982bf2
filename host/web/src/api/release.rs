//! Releases: upload, review, rollout.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use qiao_auth::{AuditEntry, Permit};
use qiao_model::{PluginId, ReleaseId};
use qiao_registry::{COMPONENT_BYTES_MAX, CheckReport, FuelSample, Release, ReleaseState};
use qiao_registry::{ReportEgress, ReportImport, ReportScope, ReviewReport};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use super::institution::ReasonBody;
use super::plugin;
use super::wire::{Listing, time};
use crate::App;
use crate::extract::{Bearer, Json, Operator, PathParam, scope};
use crate::problem::{Kind, Problem, ProblemBody};

/// One immutable version of a plugin.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReleaseBody {
    /// `rel_…`.
    id: String,
    /// `plg_…`.
    plugin: String,
    /// The plugin's name.
    name: String,
    /// The manifest's version.
    version: String,
    /// SHA-256 of all bytes but the signature, in lower-case hex.
    digest: String,
    /// `in_review`, `approved`, `rejected`, `active` or `superseded`.
    state: &'static str,
    /// Why an operator rejected it.
    reason: Option<String>,
    /// The `kid` of the key that signed it.
    signed_by: String,
    /// When it was uploaded.
    uploaded_at: String,
    /// When an operator decided.
    decided_at: Option<String>,
    /// What the reviewer reads.
    report: ReviewReportBody,
}

/// What a reviewer reads about a release.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReviewReportBody {
    /// The version of the contract.
    wit: String,
    /// Bytes of the upload.
    upload_bytes: u64,
    /// Every function that it imports.
    imports: Vec<ReportImportBody>,
    /// Every scope that it asks for.
    scopes: Vec<ReportScopeBody>,
    /// Every address that it may send requests below.
    egress: Vec<ReportEgressBody>,
    /// Its services.
    services: Vec<String>,
    /// Its jobs, each with its time of day.
    jobs: Vec<String>,
    /// The version that was active when it was uploaded.
    compared_with: Option<String>,
    /// Bytes of machine code and data.
    compiled_bytes: u64,
    /// Bytes of memory that an instance begins with.
    memory_bytes: u64,
    /// Fuel of each call of the fixed corpus.
    fuel: Vec<FuelSampleBody>,
}

/// An imported function.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportImportBody {
    /// `qiao:host/catalog@0.1.0`.
    interface: String,
    /// `register-product`.
    function: String,
    /// The scope that covers it.
    scope: Option<String>,
}

/// A scope of the manifest.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportScopeBody {
    /// `catalog:write`.
    scope: String,
    /// Why the author wants it.
    reason: String,
    /// Whether any import needs it.
    used: bool,
    /// Whether the active release did not ask for it.
    added: bool,
}

/// An egress rule of the manifest.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportEgressBody {
    /// Its name.
    name: String,
    /// Scheme, host, port and path prefix.
    url: String,
    /// HTTP methods.
    methods: Vec<String>,
    /// Why the author wants it.
    reason: String,
    /// Whether the active release had no such rule.
    added: bool,
}

/// The fuel of one call.
#[derive(Serialize, ToSchema)]
pub(crate) struct FuelSampleBody {
    /// Which call.
    case: String,
    /// What it took.
    fuel: u64,
    /// How it ended.
    outcome: String,
}

impl From<Release> for ReleaseBody {
    fn from(release: Release) -> Self {
        let state = release.state.name();
        Self {
            id: release.id.to_string(),
            plugin: release.plugin.to_string(),
            name: release.manifest.name,
            version: release.version,
            digest: release.digest,
            state,
            reason: match release.state {
                ReleaseState::Rejected { reason } => Some(reason),
                ReleaseState::InReview
                | ReleaseState::Approved
                | ReleaseState::Active
                | ReleaseState::Superseded => None,
            },
            signed_by: release.signed_by,
            uploaded_at: time(release.uploaded_at),
            decided_at: release.decided_at.map(time),
            report: release.report.into(),
        }
    }
}

impl From<ReviewReport> for ReviewReportBody {
    fn from(report: ReviewReport) -> Self {
        let CheckReport {
            compiled_bytes,
            memory_bytes,
            fuel,
        } = report.check;
        Self {
            wit: report.wit,
            upload_bytes: report.upload_bytes,
            imports: report.imports.into_iter().map(Into::into).collect(),
            scopes: report.scopes.into_iter().map(Into::into).collect(),
            egress: report.egress.into_iter().map(Into::into).collect(),
            services: report.services,
            jobs: report.jobs,
            compared_with: report.compared_with,
            compiled_bytes,
            memory_bytes,
            fuel: fuel.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ReportImport> for ReportImportBody {
    fn from(import: ReportImport) -> Self {
        Self {
            interface: import.interface,
            function: import.function,
            scope: import.scope,
        }
    }
}

impl From<ReportScope> for ReportScopeBody {
    fn from(scope: ReportScope) -> Self {
        Self {
            scope: scope.scope,
            reason: scope.reason,
            used: scope.used,
            added: scope.added,
        }
    }
}

impl From<ReportEgress> for ReportEgressBody {
    fn from(rule: ReportEgress) -> Self {
        Self {
            name: rule.name,
            url: rule.url,
            methods: rule.methods,
            reason: rule.reason,
            added: rule.added,
        }
    }
}

impl From<FuelSample> for FuelSampleBody {
    fn from(sample: FuelSample) -> Self {
        Self {
            case: sample.case,
            fuel: sample.fuel,
            outcome: sample.outcome,
        }
    }
}

/// The upload's route, which takes a larger body than the others.
pub(crate) fn upload_route() -> UtoipaMethodRouter<App> {
    routes!(upload_release).layer(DefaultBodyLimit::max(COMPONENT_BYTES_MAX))
}

/// Upload a signed component for review; the same bytes again give the same release
#[utoipa::path(
    post,
    path = "/v1/releases",
    tag = "releases",
    request_body(content = Vec<u8>, content_type = "application/wasm", description = "One file: the component with its manifest and signature inside"),
    security(("bearer" = ["releases:write"])),
    responses(
        (status = 201, description = "It is in review; the report says what the reviewer reads", body = ReleaseBody),
        (status = 409, description = "The plugin's name or the version is taken", content_type = "application/problem+json", body = ProblemBody),
        (status = 413, description = "It is too large", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "It is refused; `code` and `detail` name the exact cause", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn upload_release(
    State(app): State<App>,
    caller: Bearer<scope::ReleasesWrite>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Problem> {
    let upload = match body {
        Ok(upload) => upload,
        Err(rejection) => return Err(unread(&app, &caller.permit, rejection).await?),
    };
    let check = &*app.component_check;
    let release = app.registry.upload(&caller.permit, &upload, check).await?;
    let location = format!("/v1/releases/{}", release.id);
    Ok((
        StatusCode::CREATED,
        [(LOCATION, location)],
        Json(ReleaseBody::from(release)),
    ))
}

/// A body too large is refused before its end, and has its row in the audit all the same.
async fn unread(app: &App, permit: &Permit, rejection: BytesRejection) -> Result<Problem, Problem> {
    let problem = Problem::from(rejection);
    let cause = match problem.kind() {
        Kind::TooLarge => {
            format!("upload-too-large: a component has at most {COMPONENT_BYTES_MAX} bytes")
        }
        _ => return Ok(problem),
    };
    let entry = AuditEntry::refused(permit.actor(), "release.upload", "no digest", &cause);
    app.auth.audit(entry).await?;
    Ok(Problem::new(Kind::TooLarge, cause).with("code", "upload-too-large"))
}

/// The releases of a plugin of the calling institution
#[utoipa::path(
    get,
    path = "/v1/plugins/{id}/releases",
    tag = "releases",
    params(("id" = String, Path, description = "`plg_…`")),
    security(("bearer" = ["releases:write"])),
    responses(
        (status = 200, description = "Newest first", body = Listing<ReleaseBody>),
        (status = 404, description = "No such plugin", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn list_releases(
    State(app): State<App>,
    caller: Bearer<scope::ReleasesWrite>,
    PathParam(id): PathParam<PluginId>,
) -> Result<Json<Listing<ReleaseBody>>, Problem> {
    let plugin = plugin::own(&app, &caller.permit, id).await?;
    Ok(Json(Listing::of(
        app.registry.releases_of(plugin.id).await?,
    )))
}

/// A release of the calling institution
#[utoipa::path(
    get,
    path = "/v1/releases/{id}",
    tag = "releases",
    params(("id" = String, Path, description = "`rel_…`")),
    security(("bearer" = ["releases:write"])),
    responses(
        (status = 200, description = "The release", body = ReleaseBody),
        (status = 404, description = "No such release", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_release(
    State(app): State<App>,
    caller: Bearer<scope::ReleasesWrite>,
    PathParam(id): PathParam<ReleaseId>,
) -> Result<Json<ReleaseBody>, Problem> {
    let institution = caller.permit.demand_institution()?;
    match app.registry.release(id).await? {
        Some(release) if release.institution == institution => Ok(Json(release.into())),
        Some(_) | None => Err(Problem::new(
            Kind::NotFound,
            format!("there is no release {id}"),
        )),
    }
}

/// Start an approved release: its `activate` runs, then it serves
#[utoipa::path(
    post,
    path = "/v1/releases/{id}/activate",
    tag = "releases",
    params(("id" = String, Path, description = "`rel_…`")),
    security(("bearer" = ["releases:write"])),
    responses(
        (status = 204, description = "It serves"),
        (status = 404, description = "No such release", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "It is not approved", content_type = "application/problem+json", body = ProblemBody),
        (status = 502, description = "Its `activate` failed; what was active still is", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn activate_release(
    State(app): State<App>,
    caller: Bearer<scope::ReleasesWrite>,
    PathParam(id): PathParam<ReleaseId>,
) -> Result<StatusCode, Problem> {
    app.registry
        .activate(&caller.permit, id, &*app.activator)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The releases that wait for an operator
#[utoipa::path(
    get,
    path = "/v1/releases/in-review",
    tag = "operator",
    security(("session" = [])),
    responses((status = 200, description = "Oldest first", body = Listing<ReleaseBody>))
)]
pub(crate) async fn list_in_review(
    State(app): State<App>,
    caller: Operator,
) -> Result<Json<Listing<ReleaseBody>>, Problem> {
    let releases = app.registry.in_review(&caller.permit).await?;
    Ok(Json(Listing::of(releases)))
}

/// Approve a release: its institution may start it
#[utoipa::path(
    post,
    path = "/v1/releases/{id}/approve",
    tag = "operator",
    params(("id" = String, Path, description = "`rel_…`")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "It is approved"),
        (status = 404, description = "No such release", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "It was decided on", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn approve_release(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<ReleaseId>,
) -> Result<StatusCode, Problem> {
    app.registry.approve(&caller.permit, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reject a release for good
#[utoipa::path(
    post,
    path = "/v1/releases/{id}/reject",
    tag = "operator",
    params(("id" = String, Path, description = "`rel_…`")),
    request_body = ReasonBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "It is rejected; its author sees why"),
        (status = 404, description = "No such release", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "It was decided on", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn reject_release(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<ReleaseId>,
    Json(body): Json<ReasonBody>,
) -> Result<StatusCode, Problem> {
    app.registry
        .reject(&caller.permit, id, &body.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
