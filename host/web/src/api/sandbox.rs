//! Play money and a clock that moves when told: on a sandbox host alone.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_auth::AuditEntry;
use qiao_model::Money;
use qiao_payments::Advance;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::payment::known_institution;
use super::wire::{MoneyBody, time};
use crate::App;
use crate::extract::{Json, Operator, SessionUser};
use crate::idempotency::Keyed;
use crate::problem::{Kind, Problem, ProblemBody};

/// The clock moves at most so far at once: 400 days.
const ADVANCE_MS_MAX: i64 = 400 * 24 * 3600 * 1000;

/// Play money for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopUpBody {
    /// How much.
    amount: MoneyBody,
}

/// A top-up.
#[derive(Serialize, ToSchema)]
pub(crate) struct ToppedUpBody {
    /// `pay_…`.
    payment: String,
    /// How much.
    amount: MoneyBody,
}

/// Play money for an institution's instant redemptions.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoanBody {
    /// `ins_…`.
    institution: String,
    /// How much.
    amount: MoneyBody,
}

/// How far the clock moves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdvanceBody {
    /// Milliseconds; a day is 86,400,000.
    #[schema(minimum = 0)]
    advance_ms: i64,
}

/// What the clock shows.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClockBody {
    /// RFC 3339 in UTC.
    now: String,
}

/// Play money for the caller, on a host without banks
#[utoipa::path(
    post,
    path = "/v1/sandbox/top-ups",
    tag = "sandbox",
    params(("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = TopUpBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "The money is on the caller's account", body = ToppedUpBody),
        (status = 404, description = "The host has banks", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "No amount, or the key was used with another body", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn top_up(
    State(app): State<App>,
    caller: SessionUser,
    request: Keyed<TopUpBody>,
) -> Result<(StatusCode, Json<ToppedUpBody>), Problem> {
    if !app.gives_play_money() {
        let detail = "people of this host top up from their banks";
        return Err(Problem::new(Kind::NotFound, detail));
    }
    let key = request.under(&caller.permit)?;
    let amount: Money = request.body.amount.try_into()?;
    let user = caller.session.user();
    let payment = app
        .payments
        .top_up(&caller.permit, user, amount, Some(key))
        .await?;
    let body = ToppedUpBody {
        payment: payment.id.to_string(),
        amount: payment.amount.into(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Play money on an institution's advance line; its bank replaces it
#[utoipa::path(
    post,
    path = "/v1/sandbox/advances",
    tag = "operator",
    params(("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = LoanBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "The line is raised", body = ToppedUpBody),
        (status = 422, description = "No such institution, no amount, or the key was used with another body", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn lend(
    State(app): State<App>,
    caller: Operator,
    request: Keyed<LoanBody>,
) -> Result<(StatusCode, Json<ToppedUpBody>), Problem> {
    let key = request.under(&caller.permit)?;
    let advance = Advance {
        institution: known_institution(&app, &request.body.institution).await?,
        amount: request.body.amount.try_into()?,
    };
    let lent = app
        .payments
        .fund_advance(&caller.permit, advance, Some(key));
    let lent = lent.await?;
    // A host that ends before this is asked again under the key, and audits it then.
    let entry = AuditEntry::allowed(caller.permit.actor(), "advance.lend", lent.id);
    let detail = format!("{} of play money for {}", lent.amount, advance.institution);
    app.auth.audit(entry.detail(detail)).await?;
    let body = ToppedUpBody {
        payment: lent.id.to_string(),
        amount: lent.amount.into(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Move the clock forward; operators may
#[utoipa::path(
    post,
    path = "/v1/sandbox/clock",
    tag = "sandbox",
    request_body = AdvanceBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "What it shows now", body = ClockBody),
        (status = 422, description = "Backwards, or too far", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn advance_clock(
    State(app): State<App>,
    _caller: Operator,
    Json(body): Json<AdvanceBody>,
) -> Result<Json<ClockBody>, Problem> {
    let Some(clock) = &app.sandbox_clock else {
        return Err(Problem::new(
            Kind::NotFound,
            "this host's clock does not move by request",
        ));
    };
    if !(0..=ADVANCE_MS_MAX).contains(&body.advance_ms) {
        let detail = format!("advance_ms is 0 to {ADVANCE_MS_MAX}");
        return Err(Problem::new(Kind::Invalid, detail));
    }
    clock.advance_millis(body.advance_ms);
    Ok(Json(ClockBody {
        now: time(app.env.now()),
    }))
}
