//! What banks lend institutions for instant redemptions, and get back.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_banks::NewAdvance;
use qiao_model::InstitutionId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::bank::BankTransferBody;
use super::payment::known_institution;
use super::wire::{MoneyBody, parse};
use crate::App;
use crate::extract::{Json, Operator, PathParam};
use crate::idempotency::Keyed;
use crate::problem::{Problem, ProblemBody};

/// Money between an institution's bank and its advance line.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAdvanceBody {
    /// What the line gets, or gives back.
    amount: MoneyBody,
    /// The code of the bank's channel.
    #[schema(example = "river")]
    channel: String,
    /// The number of the institution's account there: 1 to 34 letters and digits.
    account_number: String,
}

/// Raise an institution's advance line from its bank, which is debited
#[utoipa::path(
    post,
    path = "/v1/institutions/{id}/advances",
    tag = "operator",
    params(("id" = String, Path, description = "`ins_…`"),
           ("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = NewAdvanceBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "The transfer, in the state that it has reached; the line is raised when it is done", body = BankTransferBody),
        (status = 404, description = "No such channel", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "The channel cannot carry the amount now, or the first request with the key is in flight", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "No such institution, a value is not acceptable, or the key was used with another body", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn fund_advance(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<InstitutionId>,
    request: Keyed<NewAdvanceBody>,
) -> Result<(StatusCode, Json<BankTransferBody>), Problem> {
    let new = read(&app, &caller, id, request).await?;
    let transfer = app.banks.fund_advance(&caller.permit, new).await?;
    Ok((StatusCode::CREATED, Json(transfer.into())))
}

/// Pay what an institution's advance line does not need back to its bank
#[utoipa::path(
    post,
    path = "/v1/institutions/{id}/advance-returns",
    tag = "operator",
    params(("id" = String, Path, description = "`ins_…`"),
           ("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = NewAdvanceBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "The transfer, in the state that it has reached", body = BankTransferBody),
        (status = 402, description = "The line has less free: the rest is lent out", content_type = "application/problem+json", body = ProblemBody),
        (status = 404, description = "No such channel", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "The channel cannot carry the amount now, or the first request with the key is in flight", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "No such institution, a value is not acceptable, or the key was used with another body", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn return_advance(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<InstitutionId>,
    request: Keyed<NewAdvanceBody>,
) -> Result<(StatusCode, Json<BankTransferBody>), Problem> {
    let new = read(&app, &caller, id, request).await?;
    let transfer = app.banks.return_advance(&caller.permit, new).await?;
    Ok((StatusCode::CREATED, Json(transfer.into())))
}

async fn read(
    app: &App,
    caller: &Operator,
    id: InstitutionId,
    request: Keyed<NewAdvanceBody>,
) -> Result<NewAdvance, Problem> {
    let key = request.under(&caller.permit)?;
    let body = request.body;
    Ok(NewAdvance {
        institution: known_institution(app, &id.to_string()).await?,
        channel: parse(&body.channel)?,
        account_number: body.account_number,
        amount: body.amount.try_into()?,
        key,
    })
}
