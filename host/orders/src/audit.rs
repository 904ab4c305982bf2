//! What the audit proves of orders: each tells the same story as its payment.

use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report, Sorter};
use qiao_model::{OrderId, PaymentId};
use qiao_payments::PaymentState;
use qiao_payments::audit::each_payment;
use qiao_runtime::OrderState;

use crate::order::{Captured, STATES};
use crate::store::audit as store;

const ORDERS: &str = "orders";

/// A payment, whether it is the payment itself, an order, states.
const PART: usize = 16 + 1 + 16 + 2;

/// Checks that every order has its payment, and that the state of the one
/// follows from the state of the other.
///
/// # Errors
/// The database or the temporary files failed.
pub async fn check_orders(tx: &mut Tx, report: &mut Report) -> Result<(), AuditError> {
    let mut parts = Sorter::<PART>::default();
    each_payment(tx, |payment| {
        let state = PAYMENT_STATES
            .iter()
            .position(|state| *state == payment.state);
        parts.push(record(payment.id, 0, 0, [state.unwrap_or(0), 0]))?;
        Ok(())
    })
    .await?;
    store::orders(tx, |id, order| {
        report.row();
        match order {
            Ok(order) => {
                let state = STATES.iter().position(|state| *state == order.state);
                let captured = usize::from(order.captured == Captured::Yes);
                let states = [state.unwrap_or(0), captured];
                parts.push(record(order.payment, 1, order.id.as_u128(), states))?;
            }
            Err(problem) => report.add(ORDERS, id, problem.to_string()),
        }
        Ok::<_, AuditError>(())
    })
    .await?;
    bring_together(parts, report)
}

const PAYMENT_STATES: [PaymentState; 5] = [
    PaymentState::Held,
    PaymentState::Posted,
    PaymentState::Voided,
    PaymentState::PartlyRefunded,
    PaymentState::Refunded,
];

fn record(payment: PaymentId, tag: u8, order: u128, states: [usize; 2]) -> [u8; PART] {
    let mut record = [0; PART];
    record[..16].copy_from_slice(&payment.as_u128().to_be_bytes());
    record[16] = tag;
    record[17..33].copy_from_slice(&order.to_be_bytes());
    for (byte, state) in record[33..].iter_mut().zip(states) {
        *byte = u8::try_from(state).unwrap_or(0);
    }
    record
}

fn bring_together(parts: Sorter<PART>, report: &mut Report) -> Result<(), AuditError> {
    let mut payment: Option<([u8; 16], PaymentState)> = None;
    for record in parts.sorted()? {
        let record = record?;
        let bits = |at: usize| {
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&record[at..at + 16]);
            bytes
        };
        if record[16] == 0 {
            payment = Some((bits(0), PAYMENT_STATES[usize::from(record[33])]));
            continue;
        }
        let order = OrderId::from_u128(u128::from_be_bytes(bits(17)));
        let found = payment.filter(|(id, _)| *id == bits(0));
        let Some((_, paid)) = found else {
            let missing = PaymentId::from_u128(u128::from_be_bytes(bits(0)));
            report.add(ORDERS, order, format!("its payment {missing} is not there"));
            continue;
        };
        let state = STATES[usize::from(record[33])];
        let captured = record[34] == 1;
        if !agree(state, captured, paid) {
            let problem = format!(
                "is {state:?} (captured: {captured}), its payment {}",
                paid.name()
            );
            report.add(ORDERS, order, problem);
        }
    }
    Ok(())
}

/// A part of what an order paid may have been given back since; an order whose
/// whole payment went back is refunded, whoever gave it back.
const fn agree(state: OrderState, captured: bool, payment: PaymentState) -> bool {
    match state {
        OrderState::Held => matches!(payment, PaymentState::Held),
        OrderState::Unknown if !captured => matches!(payment, PaymentState::Held),
        OrderState::Unknown | OrderState::Paid | OrderState::Completed => {
            matches!(payment, PaymentState::Posted | PaymentState::PartlyRefunded)
        }
        OrderState::Voided => matches!(payment, PaymentState::Voided),
        OrderState::Refunded => matches!(payment, PaymentState::Refunded),
    }
}
