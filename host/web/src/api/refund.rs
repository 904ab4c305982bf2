//! Refunds of payments.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_model::{Money, PaymentId};
use qiao_payments::{NewRefund, Refund};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{Listing, MoneyBody, time};
use crate::App;
use crate::extract::{Bearer, Json, PathParam, scope};
use crate::idempotency::Keyed;
use crate::problem::{Problem, ProblemBody};

/// A refund to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefundBody {
    /// How much: every split gives back its share.
    amount: MoneyBody,
    /// Why, at most 200 characters.
    #[serde(default)]
    reason: String,
}

/// A refund.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefundBody {
    /// `rfd_…`.
    id: String,
    /// `pay_…`.
    payment: String,
    /// How much.
    amount: MoneyBody,
    /// What went back for each split in minor units, in the payment's order.
    parts: Vec<i64>,
    /// Of all that, what receivers no longer had: the institution owes it.
    receivable: MoneyBody,
    /// Why.
    reason: String,
    /// When.
    created_at: String,
}

impl From<Refund> for RefundBody {
    fn from(refund: Refund) -> Self {
        Self {
            id: refund.id.to_string(),
            payment: refund.payment.to_string(),
            amount: refund.amount.into(),
            receivable: refund.receivable().into(),
            parts: refund.parts,
            reason: refund.reason,
            created_at: time(refund.created_at),
        }
    }
}

/// The refunds of a payment
#[utoipa::path(
    get,
    path = "/v1/payments/{id}/refunds",
    tag = "payments",
    params(("id" = String, Path, description = "`pay_…`")),
    security(("bearer" = ["payments:read"])),
    responses((status = 200, description = "The oldest first", body = Listing<RefundBody>))
)]
pub(crate) async fn list_refunds(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
    PathParam(id): PathParam<PaymentId>,
) -> Result<Json<Listing<RefundBody>>, Problem> {
    let refunds = app.payments.refunds_of(&caller.permit, id).await?;
    Ok(Json(Listing::of(refunds)))
}

/// Give back a part or all of a payment of the calling institution's orders
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/refunds",
    tag = "payments",
    params(("id" = String, Path, description = "`pay_…`"),
           ("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = NewRefundBody,
    security(("bearer" = ["payments:refund"])),
    responses(
        (status = 201, description = "Every split gave back its share; what receivers lack, the institution owes. An order whose whole payment went back is refunded", body = RefundBody),
        (status = 404, description = "No such payment", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "A receiver is short and no institution stands in for it, or the state does not allow it", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "More than what is left, or the key was used with another body", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn refund(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRefund>,
    PathParam(id): PathParam<PaymentId>,
    request: Keyed<NewRefundBody>,
) -> Result<(StatusCode, Json<RefundBody>), Problem> {
    let key = request.under(&caller.permit)?;
    let amount: Money = request.body.amount.try_into()?;
    let refund = NewRefund {
        id: app.env.id(),
        payment: id,
        amount,
        reason: request.body.reason,
    };
    let (_payment, refund) = app.orders.refund(&caller.permit, refund, Some(key)).await?;
    Ok((StatusCode::CREATED, Json(refund.into())))
}
