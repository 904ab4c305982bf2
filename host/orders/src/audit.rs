//! What the audit proves of orders: each tells the same story as its payment and
//! as the quote that was confirmed, its fees are those of the schedule that it is
//! pinned to, its lots are those that it left or took, and each change has its
//! one event.

mod fees;
mod instant;
mod lots;
mod told;

use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report, Sorter, bytes_at};
use qiao_model::{OrderId, PaymentId};
use qiao_payments::audit::{Outbox, each_payment};
use qiao_payments::{Payment, PaymentState, Split};
use qiao_runtime::OrderState;
use sha2::{Digest, Sha256};

use crate::head::Head;
use crate::order::{Captured, STATES};
use crate::plan::Plan;
use crate::store::audit as store;
use fees::Schedules;
use lots::Lots;

const ORDERS: &str = "orders";

/// A payment, whether it is the payment itself, an order, states, the digest of
/// who gets what.
const PART: usize = 16 + 1 + 16 + 2 + 16;
const PAYMENT: u8 = 0;
const ORDER: u8 = 1;
/// The payment that repays the advance of an order.
const REPAYMENT: u8 = 2;

/// Orders that are read at once.
const PAGE_ORDERS: usize = 200;

/// Checks that every order is what its quote says, has the fees of its schedule,
/// its lots and its events, and has a payment that says the same; that a charge
/// made one order at most; and that no more was paid at once than the daily limit.
///
/// # Errors
/// The database or the temporary files failed.
pub async fn check_orders(tx: &mut Tx, report: &mut Report) -> Result<(), AuditError> {
    let mut parts = Sorter::<PART>::default();
    each_payment(tx, |payment| Ok(parts.push(of_payment(payment).record())?)).await?;
    let mut schedules = Schedules::default();
    let mut kept = Lots::default();
    let mut outbox = Outbox::new(told::KINDS, report);
    let mut after = String::new();
    loop {
        let page = store::page(tx, &after, PAGE_ORDERS).await?;
        let Some((last, _)) = page.last() else { break };
        let uses = store::uses_between(tx, &page[0].0, last).await?;
        after.clone_from(last);
        for (id, order) in page {
            report.row();
            let order = match order {
                Ok(order) => order,
                Err(problem) => {
                    report.add(ORDERS, id, problem.to_string());
                    continue;
                }
            };
            told::order(&order, &mut outbox)?;
            kept.order(&order.head)?;
            let plan = fees::check(tx, &order, &uses, &mut schedules, report).await?;
            parts.push(of_order(&order.head, plan.as_ref()).record())?;
        }
    }
    outbox.check(tx, report).await?;
    kept.check(tx, report).await?;
    store::charged(tx, |order, offer| {
        if fees::charged_order(offer) != order {
            let problem = format!("is a second order of the charge of {offer}");
            report.add(ORDERS, order, problem);
        }
    })
    .await?;
    instant::check(tx, report, |order, payment| {
        let part = Part {
            payment,
            tag: REPAYMENT,
            order: order.as_u128(),
            states: [0; 2],
            splits: [0; 16],
        };
        Ok(parts.push(part.record())?)
    })
    .await?;
    bring_together(parts, report)
}

const PAYMENT_STATES: [PaymentState; 5] = PaymentState::ALL;

/// A payment as its order sees it, or an order as its payment does.
#[derive(Clone, Copy)]
struct Part {
    payment: PaymentId,
    tag: u8,
    order: u128,
    states: [u8; 2],
    splits: [u8; 16],
}

fn of_payment(payment: &Payment) -> Part {
    let mut states = PAYMENT_STATES.iter();
    Part {
        payment: payment.id,
        tag: PAYMENT,
        order: payment.order.map_or(0, OrderId::as_u128),
        states: [number(states.position(|s| *s == payment.state)), 0],
        splits: digest(&payment.splits),
    }
}

fn of_order(head: &Head, plan: Option<&Plan>) -> Part {
    let state = STATES.iter().position(|s| *s == head.standing.state);
    Part {
        payment: head.payment,
        tag: ORDER,
        order: head.id.as_u128(),
        states: [
            number(state),
            u8::from(head.standing.capture == Captured::Yes),
        ],
        splits: plan.map_or([0; 16], |plan| digest(&plan.splits)),
    }
}

fn number(at: Option<usize>) -> u8 {
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

/// Says in 16 bytes who gets how much for what.
fn digest(splits: &[Split]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for split in splits {
        let line = format!("{} {} {}", split.receiver, split.amount, split.purpose);
        hash.update(line.as_bytes());
        hash.update([0]);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

impl Part {
    fn record(&self) -> [u8; PART] {
        let mut record = [0; PART];
        record[..16].copy_from_slice(&self.payment.as_u128().to_be_bytes());
        record[16] = self.tag;
        record[17..33].copy_from_slice(&self.order.to_be_bytes());
        record[33..35].copy_from_slice(&self.states);
        record[35..].copy_from_slice(&self.splits);
        record
    }

    fn of_record(record: &[u8; PART]) -> Self {
        Self {
            payment: PaymentId::from_u128(u128::from_be_bytes(bytes_at(record, 0))),
            tag: record[16],
            order: u128::from_be_bytes(bytes_at(record, 17)),
            states: bytes_at(record, 33),
            splits: bytes_at(record, 35),
        }
    }

    fn payment_state(&self) -> PaymentState {
        PAYMENT_STATES[usize::from(self.states[0])]
    }
}

/// Each payment with the order that it pays, or whose advance it repays.
fn bring_together(parts: Sorter<PART>, report: &mut Report) -> Result<(), AuditError> {
    let mut payment: Option<Part> = None;
    for record in parts.sorted()? {
        let part = Part::of_record(&record?);
        if part.tag == PAYMENT {
            payment = Some(part);
            continue;
        }
        let order = OrderId::from_u128(part.order);
        let Some(paid) = payment.filter(|paid| paid.payment == part.payment) else {
            let missing = part.payment;
            report.add(ORDERS, order, format!("its payment {missing} is not there"));
            continue;
        };
        if part.tag == ORDER {
            check_order(&part, &paid, report);
        } else if paid.payment_state() != PaymentState::Posted {
            let problem = format!(
                "its advance is repaid by {}, which is not posted",
                part.payment
            );
            report.add(ORDERS, order, problem);
        }
    }
    Ok(())
}

fn check_order(part: &Part, paid: &Part, report: &mut Report) {
    let order = OrderId::from_u128(part.order);
    let mut wrong = |problem: String| report.add(ORDERS, order, problem);
    let state = STATES[usize::from(part.states[0])];
    let captured = part.states[1] == 1;
    let payment = paid.payment_state();
    if !agree(state, captured, payment) {
        wrong(format!(
            "is {state:?} (captured: {captured}), its payment {}",
            payment.name()
        ));
    }
    if paid.order != part.order {
        wrong(format!(
            "its payment {} pays for something else",
            part.payment
        ));
    }
    if paid.splits != part.splits && part.splits != [0; 16] {
        wrong(format!(
            "its payment {} goes to others than its fees and its principal do",
            part.payment
        ));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_survives_its_bytes() {
        let part = Part {
            payment: PaymentId::from_u128(5),
            tag: REPAYMENT,
            order: u128::MAX,
            states: [3, 1],
            splits: [7; 16],
        };
        assert_eq!(Part::of_record(&part.record()).record(), part.record());
    }
}
