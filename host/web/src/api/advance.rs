//! What banks lend institutions for instant redemptions.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_model::{Channel, InstitutionId};
use qiao_payments::Advance;
use serde::Deserialize;
use utoipa::ToSchema;

use super::payment::{PaymentBody, known_institution, seen_by};
use super::wire::{MoneyBody, parse};
use crate::App;
use crate::extract::{Json, Operator, PathParam};
use crate::idempotency::Keyed;
use crate::problem::{Problem, ProblemBody};

/// Money that a bank put into custody for an institution's instant redemptions.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAdvanceBody {
    /// How much.
    amount: MoneyBody,
    /// The code of the channel that keeps it.
    #[schema(example = "sandbox")]
    channel: String,
}

/// Raise an institution's advance line by what its bank put into custody
#[utoipa::path(
    post,
    path = "/v1/institutions/{id}/advances",
    tag = "operator",
    params(("id" = String, Path, description = "`ins_…`"),
           ("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = NewAdvanceBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "The line is raised", body = PaymentBody),
        (status = 409, description = "The first request with the key is in flight", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "No such institution, a value is not acceptable, or the key was used with another body", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn fund_advance(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<InstitutionId>,
    request: Keyed<NewAdvanceBody>,
) -> Result<(StatusCode, Json<PaymentBody>), Problem> {
    let key = request.under(&caller.permit)?;
    let institution = known_institution(&app, &id.to_string()).await?;
    let channel: Channel = parse(&request.body.channel)?;
    let advance = Advance {
        institution,
        channel,
        amount: request.body.amount.try_into()?,
    };
    let payment = app
        .payments
        .fund_advance(&caller.permit, advance, Some(key));
    let body = seen_by(&app, institution, payment.await?);
    Ok((StatusCode::CREATED, Json(body)))
}
