use qiao_auth::{Auth, Permit};
use qiao_model::{OrderId, RefundId, Scope};
use qiao_payments::{Error, NewRefund, Payment, Payments, Refusal};

use crate::ports::{Answering, PaymentView, PaymentsPort, PaymentsPortError, RefundRequest};

/// The payments room, with a gate of its own for one thing: a plugin that may refund an
/// order of its own need not be able to read payments.
pub(crate) struct RoomPayments {
    pub(crate) auth: Auth,
    pub(crate) payments: Payments,
}

impl PaymentsPort for RoomPayments {
    fn payment<'a>(
        &'a self,
        permit: &'a Permit,
        order: OrderId,
    ) -> Answering<'a, Result<PaymentView, PaymentsPortError>> {
        Box::pin(async move {
            let found = self.payments.of_order(permit, order).await;
            match found.map_err(|error| refusal(error, order))? {
                Some(payment) => Ok(view(&payment)),
                None => Err(PaymentsPortError::UnknownOrder(order)),
            }
        })
    }

    fn refund<'a>(
        &'a self,
        permit: &'a Permit,
        request: RefundRequest<'a>,
    ) -> Answering<'a, Result<PaymentView, PaymentsPortError>> {
        Box::pin(async move {
            let order = request.order;
            let lookup = self
                .auth
                .permit_system("payment of a plugin's refund", Scope::PaymentsRead);
            let found = self.payments.of_order(&lookup, order).await;
            let Some(payment) = found.map_err(|error| refusal(error, order))? else {
                return Err(PaymentsPortError::UnknownOrder(order));
            };
            // The same key is the same refund: its id follows from both.
            let id: RefundId = payment.id.derive(&format!("refund {}", request.key), 0);
            let new = NewRefund {
                id,
                payment: payment.id,
                amount: request.amount,
                reason: request.reason.to_owned(),
            };
            let refunded = self.payments.refund(permit, new, None).await;
            let (payment, _) = refunded.map_err(|error| refusal(error, order))?;
            Ok(view(&payment))
        })
    }
}

fn view(payment: &Payment) -> PaymentView {
    PaymentView {
        id: payment.id.to_string(),
        paid: payment.amount,
        refunded: payment.refunded,
    }
}

fn refusal(error: Error, order: OrderId) -> PaymentsPortError {
    match error {
        Error::Denied(denied) => PaymentsPortError::Denied(denied.reason().to_owned()),
        Error::NotOwner { .. } | Error::Refused(Refusal::UnknownPayment(_)) => {
            PaymentsPortError::UnknownOrder(order)
        }
        Error::PinForeign => PaymentsPortError::Denied(error.to_string()),
        Error::Refused(Refusal::ExceedsRefundable { refundable, .. }) => {
            PaymentsPortError::ExceedsRefundable(refundable.minor.unsigned_abs())
        }
        Error::Refused(Refusal::RefundConflict(_)) => PaymentsPortError::WrongState(
            "the key was used with a different refund of this order".to_owned(),
        ),
        Error::Refused(refusal) => PaymentsPortError::WrongState(refusal.to_string()),
        Error::Storage(error) => {
            tracing::error!(%error, "payments did not answer a plugin");
            PaymentsPortError::Unavailable
        }
    }
}
