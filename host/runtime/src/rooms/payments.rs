use qiao_auth::Permit;
use qiao_model::OrderId;
use qiao_payments::{Error, Payment, Payments, Refusal};

use crate::ports::{Answering, PaymentView, PaymentsPort, PaymentsPortError};

/// The payments room, for reading: what changes an order's payment goes through the
/// room of orders.
pub(crate) struct RoomPayments(pub(crate) Payments);

impl PaymentsPort for RoomPayments {
    fn payment<'a>(
        &'a self,
        permit: &'a Permit,
        order: OrderId,
    ) -> Answering<'a, Result<PaymentView, PaymentsPortError>> {
        Box::pin(async move {
            let found = self.0.of_order(permit, order).await;
            match found.map_err(|error| refusal(error, order))? {
                Some(payment) => Ok(view(&payment)),
                None => Err(PaymentsPortError::UnknownOrder(order)),
            }
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
        Error::Refused(refusal) => PaymentsPortError::WrongState(refusal.to_string()),
        Error::Storage(error) => {
            tracing::error!(%error, "payments did not answer a plugin");
            PaymentsPortError::Unavailable
        }
    }
}
