use qiao_auth::Permit;
use qiao_model::{OrderId, RefundId, Scope};
use qiao_payments::{
    Command as PaymentCommand, IdempotencyKey, Keyed, NewRefund, Payment, Refund, Refusal,
};
use qiao_runtime::{PaymentView, PaymentsPortError, RefundRequest};

use crate::error::Error;
use crate::machine::{Command, Outcome, Refused};
use crate::orders::Orders;
use crate::store;

impl Orders {
    /// Gives back a part or all of a posted payment, from every receiver by its
    /// share. When it is an order's and all of it went back, the order is refunded
    /// in the same transaction: its units leave (or come back to) its lots, and
    /// earn accordingly.
    ///
    /// # Errors
    /// The permit is not of the payment's institution or the host, the rules refuse
    /// (a receiver has too little left and nobody owes it), or the database failed.
    pub async fn refund(
        &self,
        permit: &Permit,
        new: NewRefund,
        key: Option<IdempotencyKey>,
    ) -> Result<(Payment, Refund), Error> {
        let inner = self.inner();
        let payment = inner.payments.refundable(permit, new.payment).await?;
        let Some(order) = self.order_behind(&payment).await? else {
            return Ok(inner.payments.refund(permit, new, key).await?);
        };
        let in_flight = inner.payments.in_flight();
        let _in_flight = key.as_ref().map(|key| in_flight.enter(key)).transpose()?;
        let refund = Box::new(Keyed::new(PaymentCommand::Refund(new), key));
        let command = Command::Refund { order, refund };
        match inner.batcher.submit(command).await? {
            Ok(Outcome::Refunded(refunded)) => Ok(*refunded),
            Ok(
                Outcome::Placed | Outcome::PlacedForLater | Outcome::Existing | Outcome::Changed(_),
            ) => Err(Error::Payment(Refusal::KeyReused)),
            Err(Refused::Payment(refusal)) => Err(Error::Payment(refusal)),
            Err(Refused::Order(refusal)) => Err(Error::Refused(refusal)),
        }
    }

    /// The order of this room that a payment pays for.
    async fn order_behind(&self, payment: &Payment) -> Result<Option<OrderId>, Error> {
        let Some(order) = payment.order else {
            return Ok(None);
        };
        let found = store::orders::find(&self.inner().db, order).await?;
        Ok(found.map(|order| order.id))
    }

    /// A plugin gives back what an order of its own paid. The permit that it needs
    /// is for that alone, and not for reading payments.
    pub(crate) async fn refund_of_plugin(
        &self,
        permit: &Permit,
        request: &RefundRequest<'_>,
    ) -> Result<PaymentView, PaymentsPortError> {
        let (inner, order) = (self.inner(), request.order);
        let lookup = inner
            .auth
            .permit_system("payment of a plugin's refund", Scope::PaymentsRead);
        let found = inner.payments.of_order(&lookup, order).await;
        let Some(payment) = found.map_err(|error| refusal(error.into(), order))? else {
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
        let refunded = self.refund(permit, new, None).await;
        let (payment, _) = refunded.map_err(|error| refusal(error, order))?;
        Ok(PaymentView {
            id: payment.id.to_string(),
            paid: payment.amount,
            refunded: payment.refunded,
        })
    }
}

/// What a guest is told; what it cannot act on is logged.
fn refusal(error: Error, order: OrderId) -> PaymentsPortError {
    match error {
        Error::Denied(denied) => PaymentsPortError::Denied(denied.reason().to_owned()),
        Error::Payments(_) | Error::Payment(Refusal::UnknownPayment(_)) => {
            PaymentsPortError::UnknownOrder(order)
        }
        Error::Payment(Refusal::ExceedsRefundable { refundable, .. }) => {
            PaymentsPortError::ExceedsRefundable(refundable.minor.unsigned_abs())
        }
        Error::Payment(Refusal::RefundConflict(_)) => PaymentsPortError::WrongState(
            "the key was used with a different refund of this order".to_owned(),
        ),
        Error::Payment(refusal) => PaymentsPortError::WrongState(refusal.to_string()),
        error => {
            tracing::error!(order.id = %order, %error, "orders did not answer a plugin's refund");
            PaymentsPortError::Unavailable
        }
    }
}
