//! What operators see and do about banks.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_banks::{Evidence, Verdict};
use qiao_model::{BankTransferId, Channel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bank::{BankTransferBody, BankTransfersQuery};
use super::wire::{Listing, time};
use crate::App;
use crate::extract::{Json, Operator, PathParam, Query};
use crate::idempotency::Keyed;
use crate::problem::{Kind, Problem, ProblemBody};

/// What was learned of a transfer at one time.
#[derive(Serialize, ToSchema)]
pub(crate) struct EvidenceBody {
    /// When.
    at: String,
    /// Of which channel.
    channel: String,
    /// `send`, `query`, `callback` or `operator`.
    via: &'static str,
    /// A state, `not-found`, `no-answer`, `unreachable` or `refused`.
    outcome: String,
    /// A sentence.
    detail: String,
}

impl From<Evidence> for EvidenceBody {
    fn from(evidence: Evidence) -> Self {
        Self {
            at: time(evidence.at),
            channel: evidence.channel.to_string(),
            via: evidence.via.name(),
            outcome: evidence.outcome,
            detail: evidence.detail,
        }
    }
}

/// Why a channel is paused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PauseBody {
    /// At most 200 characters.
    reason: String,
}

/// How a stuck transfer ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, tag = "verdict", rename_all = "snake_case")]
pub(crate) enum VerdictBody {
    /// The bank moved the money.
    Done {
        /// The bank's own id of it.
        bank_reference: String,
        /// What proves it.
        reason: String,
    },
    /// It certainly did not and will not.
    Rejected {
        /// What proves it.
        reason: String,
    },
}

/// Bank transfers that have not ended
#[utoipa::path(
    get,
    path = "/v1/open-bank-transfers",
    tag = "operator",
    params(BankTransfersQuery),
    security(("session" = [])),
    responses((status = 200, description = "Newest first; those without `next_at` are stuck", body = Listing<BankTransferBody>))
)]
pub(crate) async fn list_open_transfers(
    State(app): State<App>,
    caller: Operator,
    Query(query): Query<BankTransfersQuery>,
) -> Result<Json<Listing<BankTransferBody>>, Problem> {
    let open = app.banks.open_transfers(&caller.permit, query.page()?);
    Ok(Json(Listing::of(open.await?)))
}

/// What was learned of a bank transfer
#[utoipa::path(
    get,
    path = "/v1/open-bank-transfers/{id}/evidence",
    tag = "operator",
    params(("id" = String, Path, description = "`btr_…`")),
    security(("session" = [])),
    responses((status = 200, description = "Oldest first", body = Listing<EvidenceBody>))
)]
pub(crate) async fn list_evidence(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<BankTransferId>,
) -> Result<Json<Listing<EvidenceBody>>, Problem> {
    let evidence = app.banks.evidence(&caller.permit, id);
    Ok(Json(Listing::of(evidence.await?)))
}

/// Ask the bank about a stuck transfer again
#[utoipa::path(
    post,
    path = "/v1/open-bank-transfers/{id}/ask-again",
    tag = "operator",
    params(("id" = String, Path, description = "`btr_…`")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 202, description = "The worker asks"),
        (status = 404, description = "No such transfer is stuck", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn ask_bank_again(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<BankTransferId>,
) -> Result<StatusCode, Problem> {
    if app.banks.ask_again(&caller.permit, id).await? {
        Ok(StatusCode::ACCEPTED)
    } else {
        let detail = format!("no bank transfer {id} is stuck");
        Err(Problem::new(Kind::NotFound, detail))
    }
}

/// Decide a stuck transfer by the bank's paper
#[utoipa::path(
    post,
    path = "/v1/open-bank-transfers/{id}/decision",
    tag = "operator",
    params(("id" = String, Path, description = "`btr_…`"),
           ("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = VerdictBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "It has ended; the same verdict and reason again change nothing", body = BankTransferBody),
        (status = 409, description = "It is not stuck, or the first request with the key is in flight", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn decide_transfer(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<BankTransferId>,
    request: Keyed<VerdictBody>,
) -> Result<Json<BankTransferBody>, Problem> {
    // A transfer is decided once: its own row is the record that the key leads to.
    let key = request.under(&caller.permit)?;
    let _guard = app.payments.in_flight().enter(&key)?;
    let (verdict, reason) = match request.body {
        VerdictBody::Done {
            bank_reference,
            reason,
        } => (Verdict::Done { bank_reference }, reason),
        VerdictBody::Rejected { reason } => (Verdict::Rejected, reason),
    };
    let decided = app.banks.decide(&caller.permit, id, verdict, &reason);
    Ok(Json(decided.await?.into()))
}

/// Pause a bank channel: nothing new begins on it
#[utoipa::path(
    post,
    path = "/v1/bank-channels/{channel}/pause",
    tag = "operator",
    params(("channel" = String, Path, description = "The channel's code")),
    request_body = PauseBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "It is paused"),
        (status = 409, description = "It is paused already", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn pause_channel(
    State(app): State<App>,
    caller: Operator,
    PathParam(channel): PathParam<Channel>,
    Json(body): Json<PauseBody>,
) -> Result<StatusCode, Problem> {
    app.banks
        .pause_channel(&caller.permit, channel, &body.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a paused bank channel back into use
#[utoipa::path(
    post,
    path = "/v1/bank-channels/{channel}/resume",
    tag = "operator",
    params(("channel" = String, Path, description = "The channel's code")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "It is active"),
        (status = 409, description = "It is active already", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn resume_channel(
    State(app): State<App>,
    caller: Operator,
    PathParam(channel): PathParam<Channel>,
) -> Result<StatusCode, Problem> {
    app.banks.resume_channel(&caller.permit, channel).await?;
    Ok(StatusCode::NO_CONTENT)
}
