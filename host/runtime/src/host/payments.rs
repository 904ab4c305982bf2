use std::sync::Arc;

use qiao_auth::Permit;
use qiao_model::{MandateId, OrderId, Scope, is_plain_text};

use crate::bindings::v0_1_0::qiao::host::payments::{
    Charged, Host, NewCharge, Payment, PaymentsError,
};
use crate::bindings::v0_1_0::qiao::host::types::Money;
use crate::guest::Guest;
use crate::host::orders::OwnOrder;
use crate::host::{Answer, Refusal};
use crate::limits::{CHARGE_KEY_BYTES_MAX, REFUND_KEY_BYTES_MAX, REFUND_REASON_CHARS_MAX};
use crate::ports::{PaymentView, PaymentsPortError, RefundRequest};
use crate::wire;
use crate::{ChargePortError, ChargeRequest};

impl Refusal for PaymentsError {
    fn denied(reason: String) -> Self {
        Self::Denied(reason)
    }

    fn unavailable() -> Self {
        Self::Unavailable
    }
}

impl From<PaymentsPortError> for PaymentsError {
    fn from(error: PaymentsPortError) -> Self {
        match error {
            PaymentsPortError::UnknownOrder(order) => Self::UnknownOrder(order.to_string()),
            PaymentsPortError::ExceedsRefundable(left) => Self::ExceedsRefundable(left),
            PaymentsPortError::WrongState(cause) => Self::WrongState(cause),
            PaymentsPortError::Denied(reason) => Self::Denied(reason),
            PaymentsPortError::Unavailable => Self::Unavailable,
        }
    }
}

impl Host for Guest {
    fn get(&mut self, order: String) -> Answer<Payment, PaymentsError> {
        self.call(Scope::PaymentsRead, |guest, permit| {
            let order = match guest.paid_order(permit, order) {
                Ok(order) => order,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let ports = Arc::clone(&guest.shared.ports);
            let payment = guest.wait(ports.payments.payment(permit, order));
            Ok(settle(payment))
        })
    }

    fn refund(
        &mut self,
        order: String,
        amount: Money,
        reason: String,
        key: String,
    ) -> Answer<Payment, PaymentsError> {
        self.call(Scope::PaymentsRefund, |guest, permit| {
            let amount = match wire::money_in(&amount) {
                Ok(amount) if amount.minor > 0 => amount,
                Ok(_) => return Ok(wrong("the amount is not positive")),
                Err(fault) => return Ok(wrong(&fault.message)),
            };
            if key.is_empty() || key.len() > REFUND_KEY_BYTES_MAX {
                return Ok(wrong("a key has 1 to 128 bytes"));
            }
            if reason.chars().count() > REFUND_REASON_CHARS_MAX || !is_plain_text(&reason) {
                return Ok(wrong("a reason has at most 200 characters of plain text"));
            }
            let order = match guest.paid_order(permit, order) {
                Ok(order) => order,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let ports = Arc::clone(&guest.shared.ports);
            let request = RefundRequest {
                plugin: guest.shared.release.plugin,
                order,
                amount,
                reason: &reason,
                key: &key,
            };
            let Some(orders) = ports.orders.get() else {
                return Ok(Err(PaymentsError::Unavailable));
            };
            let payment = guest.wait(orders.refund(permit, request));
            Ok(settle(payment))
        })
    }

    fn charge(&mut self, charge: NewCharge) -> Answer<Charged, PaymentsError> {
        self.call(Scope::PaymentsCharge, |guest, permit| {
            let length = charge.key.len();
            if !(1..=CHARGE_KEY_BYTES_MAX).contains(&length) || !is_plain_text(&charge.key) {
                let cause = "a key has 1 to 128 bytes of plain text".to_owned();
                return Ok(Err(PaymentsError::NotOrderable(cause)));
            }
            let Ok(mandate) = charge.mandate.parse::<MandateId>() else {
                return Ok(Err(PaymentsError::UnknownMandate(charge.mandate)));
            };
            let offer = match wire::offer_in(charge.offer) {
                Ok(offer) => offer,
                Err(fault) => return Ok(Err(PaymentsError::NotOrderable(fault.message))),
            };
            let ports = Arc::clone(&guest.shared.ports);
            let Some(orders) = ports.orders.get() else {
                return Ok(Err(PaymentsError::Unavailable));
            };
            let request = ChargeRequest {
                plugin: guest.shared.release.plugin,
                mandate,
                offer,
                key: &charge.key,
            };
            Ok(match guest.wait(orders.charge(permit, request)) {
                Some(Ok(order)) => Ok(wire::charged(&order)),
                Some(Err(error)) => Err(error.into()),
                // Whether it was placed is known by asking again with the key.
                None => Err(PaymentsError::Unavailable),
            })
        })
    }
}

impl From<ChargePortError> for PaymentsError {
    fn from(error: ChargePortError) -> Self {
        match error {
            ChargePortError::UnknownMandate(mandate) => Self::UnknownMandate(mandate.to_string()),
            ChargePortError::Refused(refusal) => {
                Self::MandateRefused(wire::mandate_refusal(refusal))
            }
            ChargePortError::InsufficientFunds => Self::InsufficientFunds,
            ChargePortError::NotOrderable(cause) => Self::NotOrderable(cause),
            ChargePortError::Denied(reason) => Self::Denied(reason),
            ChargePortError::Unavailable => Self::Unavailable,
        }
    }
}

impl Guest {
    /// The order of that id, if it is this plugin's own.
    fn paid_order(&mut self, permit: &Permit, id: String) -> Result<OrderId, PaymentsError> {
        let Ok(order) = id.parse::<OrderId>() else {
            return Err(PaymentsError::UnknownOrder(id));
        };
        match self.own_order(permit, order) {
            OwnOrder::Found(order) => Ok(order.id),
            OwnOrder::None => Err(PaymentsError::UnknownOrder(id)),
            OwnOrder::Unavailable => Err(PaymentsError::Unavailable),
        }
    }
}

fn settle(
    payment: Option<Result<PaymentView, PaymentsPortError>>,
) -> Result<Payment, PaymentsError> {
    match payment {
        Some(Ok(payment)) => Ok(Payment {
            id: payment.id,
            paid: wire::money(payment.paid),
            refunded: wire::money(payment.refunded),
        }),
        Some(Err(error)) => Err(error.into()),
        None => Err(PaymentsError::Unavailable),
    }
}

fn wrong<T>(cause: &str) -> Result<T, PaymentsError> {
    Err(PaymentsError::WrongState(cause.to_owned()))
}
