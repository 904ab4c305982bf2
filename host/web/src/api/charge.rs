//! Charges: money that a mandate lets an institution's server take.

use std::borrow::Cow;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use qiao_model::{MandateId, Money};
use qiao_payments::{Charge, ChargeCapture, HOLD_SECS_DEFAULT, Method, NewPayment, Party, Split};
use serde::Deserialize;
use utoipa::ToSchema;

use super::payment::{NewSplitBody, PaymentBody, read_splits, seen_by};
use super::wire::{MoneyBody, parse};
use crate::App;
use crate::extract::{Bearer, Json, scope};
use crate::idempotency::Keyed;
use crate::problem::{Problem, ProblemBody};

/// A charge by a mandate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewChargeBody {
    /// `mdt_…`.
    mandate: String,
    /// How much in all.
    amount: MoneyBody,
    /// Who gets it: 1 to 50 splits that sum to the amount; without them all of it goes
    /// to the calling institution's settlement account.
    #[serde(default)]
    splits: Option<Vec<NewSplitBody>>,
    /// `now`, or `later`: held for seven days, to be captured or voided.
    #[serde(default)]
    capture: CaptureBody,
    /// What the person reads about it, at most 200 characters.
    #[serde(default)]
    description: String,
}

/// When the money moves.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CaptureBody {
    /// At once.
    #[default]
    Now,
    /// When it is captured.
    Later,
}

/// Charge a person plain money by a mandate
///
/// The mandate is one for the institution's servers. One that names a plugin is that
/// plugin's, and one for products pays for orders alone.
#[utoipa::path(
    post,
    path = "/v1/charges",
    tag = "mandates",
    params(("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = NewChargeBody,
    security(("bearer" = ["payments:charge"])),
    responses(
        (status = 201, description = "The money is with the receivers, or held", body = PaymentBody),
        (status = 402, description = "The person has too little", content_type = "application/problem+json", body = ProblemBody),
        (status = 404, description = "No such mandate for this institution's servers", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "The first request with the key is in flight", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "The mandate does not allow it: `cause` says why; or the splits do not sum to the amount", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn charge(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsCharge>,
    request: Keyed<NewChargeBody>,
) -> Result<impl IntoResponse, Problem> {
    let institution = caller.permit.demand_institution()?;
    let key = request.under(&caller.permit)?;
    let body = request.body;
    let id: MandateId = parse(&body.mandate)?;
    let amount: Money = body.amount.try_into()?;
    let mandate = app.payments.chargeable(&caller.permit, id).await?;
    let splits = match body.splits {
        Some(splits) => read_splits(&app, institution, splits).await?,
        None => vec![Split {
            receiver: Party::Institution(institution),
            amount,
            purpose: Cow::Borrowed("principal"),
        }],
    };
    let (capture, expires_at) = match body.capture {
        CaptureBody::Now => (ChargeCapture::Now, None),
        CaptureBody::Later => {
            let ends = app.env.now().plus_secs(HOLD_SECS_DEFAULT);
            (ChargeCapture::Later, Some(ends))
        }
    };
    let charge = Charge {
        // What is for a product is an order, which a quote prices.
        product: None,
        capture,
        payment: NewPayment {
            id: app.env.id(),
            order: None,
            institution: Some(institution),
            payer: Party::User(mandate.user),
            method: Method::Mandate(id),
            amount,
            splits,
            deliveries: Vec::new(),
            description: body.description,
            expires_at,
        },
    };
    let payment = app
        .payments
        .charge(&caller.permit, charge, Some(key))
        .await?;
    let location = format!("/v1/payments/{}", payment.id);
    let body = seen_by(&app, institution, payment);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)))
}
