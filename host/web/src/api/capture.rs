//! What becomes of a hold: captured as a whole or in part, or voided.

use axum::extract::State;
use qiao_model::{Money, PaymentId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::payment::{PaymentBody, seen_by};
use super::wire::MoneyBody;
use crate::App;
use crate::extract::{Bearer, Json, PathParam, scope};
use crate::idempotency::Keyed;
use crate::problem::{Problem, ProblemBody};

/// A capture to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCaptureBody {
    /// How much of the hold, every split by its share; all of it unless said. The
    /// rest goes back to the payer.
    amount: Option<MoneyBody>,
}

/// The release of a hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVoidBody {}

/// Give what is held, or a part of it, to the receivers
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/capture",
    tag = "payments",
    params(("id" = String, Path, description = "`pay_…`"),
           ("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = NewCaptureBody,
    security(("bearer" = ["payments:write"])),
    responses(
        (status = 200, description = "The money is with the receivers, the rest with the payer", body = PaymentBody),
        (status = 404, description = "No such payment", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "The hold was resolved or ran out", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "More than is held, or the key was used with another body", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn capture(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsWrite>,
    PathParam(id): PathParam<PaymentId>,
    request: Keyed<NewCaptureBody>,
) -> Result<Json<PaymentBody>, Problem> {
    let institution = caller.permit.demand_institution()?;
    let key = request.under(&caller.permit)?;
    let amount: Option<Money> = request.body.amount.map(TryInto::try_into).transpose()?;
    let payment = app.payments.post(&caller.permit, id, amount, Some(key));
    Ok(Json(seen_by(&app, institution, payment.await?)))
}

/// Release what is held
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/void",
    tag = "payments",
    params(("id" = String, Path, description = "`pay_…`"),
           ("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = NewVoidBody,
    security(("bearer" = ["payments:write"])),
    responses(
        (status = 200, description = "The money is free again", body = PaymentBody),
        (status = 404, description = "No such payment", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "The hold was captured", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn void(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsWrite>,
    PathParam(id): PathParam<PaymentId>,
    request: Keyed<NewVoidBody>,
) -> Result<Json<PaymentBody>, Problem> {
    let institution = caller.permit.demand_institution()?;
    let key = request.under(&caller.permit)?;
    let payment = app.payments.void(&caller.permit, id, Some(key)).await?;
    Ok(Json(seen_by(&app, institution, payment)))
}
