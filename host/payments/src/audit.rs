//! What the audit proves of payments: each by itself, against its refunds, against
//! the transfers that moved its money, against what was answered about it under
//! idempotency keys, and against the outbox.

mod mandate;
mod outbox;
mod told;

use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report, Sorter, StoredTransfer, bytes_at, each_transfer};
use qiao_model::{PaymentId, RefundId};

pub use outbox::{EventKind, Outbox};

use crate::answer::{Answer, Snapshot};
use crate::batch::Record;
use crate::payment::{Payment, PaymentState, Refund};
use crate::store::audit as store;

const PAYMENT: &str = "payment";
const REFUND: &str = "payment_refund";
const KEY: &str = "payment_idempotency";

/// A part of a payment: payment, what it is, an id, two accounts, four numbers.
const PART: usize = 16 + 1 + 16 + 16 + 16 + 32;
const ROW: u8 = 0;
const REFUNDED: u8 = 1;
const MOVED: u8 = 2;
const ANSWERED: u8 = 3;
/// What tells the answer about a refund from the refund.
const IS_ANSWER: i64 = 1;

/// Checks that the splits of every payment sum to it, that its state, what it
/// captured and what it gave back agree with its refunds and with the transfers
/// out of and into its payer's account; that every kept answer has its one effect
/// and that nothing went back since; that every mandate says what was taken by it
/// and allows it; and that every change has its one event.
///
/// # Errors
/// The database or the temporary files failed.
pub async fn check_payments(tx: &mut Tx, report: &mut Report) -> Result<(), AuditError> {
    let mut parts = Sorter::<PART>::default();
    let mut spending = mandate::Spending::default();
    let mut outbox = Outbox::new(told::KINDS, report);
    store::payments(tx, |id, record| {
        report.row();
        match record {
            Ok(record) => {
                check_payment(&record, report);
                spending.take(&record.payment)?;
                told::payment(&record.payment, &mut outbox)?;
                parts.push(row(&record).record())?;
            }
            Err(problem) => report.add(PAYMENT, id, problem.to_string()),
        }
        Ok::<_, AuditError>(())
    })
    .await?;
    spending.check(tx, &mut outbox, report).await?;
    store::refunds(tx, |id, refund| {
        report.row();
        match refund {
            Ok(refund) => {
                check_refund(&refund, report);
                told::refund(&refund, &mut outbox)?;
                parts.push(refunded(&refund).record())?;
            }
            Err(problem) => report.add(REFUND, id, problem.to_string()),
        }
        Ok::<_, AuditError>(())
    })
    .await?;
    outbox.check(tx, report).await?;
    each_transfer(tx, |transfer| {
        if let Ok(payment) = transfer.reference.parse() {
            parts.push(moved(payment, transfer).record())?;
        }
        Ok(())
    })
    .await?;
    store::answers(tx, |digest, answer| {
        report.row();
        match answer {
            Ok(Answer::Payment(snapshot)) => {
                parts.push(answered(digest, &snapshot).record())?;
            }
            Ok(Answer::Refunded(refund, snapshot)) => {
                parts.push(answered(digest, &snapshot).record())?;
                parts.push(answered_refund(digest, refund, &snapshot).record())?;
            }
            Ok(Answer::Credited(_) | Answer::Refused(_)) => {}
            Err(problem) => report.add(KEY, digest, problem.to_string()),
        }
        Ok::<_, AuditError>(())
    })
    .await?;
    bring_together(parts, report)
}

/// Hands on every readable payment; those that are not are findings of [`check_payments`].
///
/// # Errors
/// The database failed, or `each` did.
pub async fn each_payment(
    tx: &mut Tx,
    mut each: impl FnMut(&Payment) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    store::payments(tx, |_, record| match record {
        Ok(record) => each(&record.payment),
        Err(_) => Ok(()),
    })
    .await
}

/// What a payment's row says by itself.
fn check_payment(record: &Record, report: &mut Report) {
    let payment = &record.payment;
    let mut wrong = |problem: &str| report.add(PAYMENT, payment.id, problem);
    let splits = &payment.splits;
    if payment.amount.minor < 1 || splits.iter().any(|split| split.amount.minor < 0) {
        wrong("its amount or a split is below what one can be");
        return;
    }
    if sum(splits.iter().map(|split| split.amount.minor)) != Some(payment.amount.minor) {
        wrong("its splits do not sum to its amount");
        return;
    }
    if sum(record.returned.iter().copied()) != Some(payment.refunded.minor) {
        wrong("what its splits gave back does not sum to what was refunded");
    }
    let (captured, refunded) = (payment.captured.minor, payment.refunded.minor);
    if !(0..=payment.amount.minor).contains(&captured) || !(0..=captured).contains(&refunded) {
        wrong("it captured or refunded more than it has");
        return;
    }
    let state = match (captured, refunded) {
        (0, _) => payment.state == PaymentState::Held || payment.state == PaymentState::Voided,
        (_, 0) => payment.state == PaymentState::Posted,
        (captured, refunded) if captured == refunded => payment.state == PaymentState::Refunded,
        _ => payment.state == PaymentState::PartlyRefunded,
    };
    if !state {
        wrong("its state does not follow from what it captured and refunded");
    }
    let got = payment.captured_splits();
    let is_short = record
        .returned
        .iter()
        .zip(&got)
        .any(|(back, got)| back > got || *back < 0);
    if is_short || record.returned.len() != got.len() {
        wrong("a split gave back more than it got");
    }
}

fn sum(mut parts: impl Iterator<Item = i64>) -> Option<i64> {
    parts.try_fold(0_i64, i64::checked_add)
}

fn check_refund(refund: &Refund, report: &mut Report) {
    let is_whole = sum(refund.parts.iter().copied()) == Some(refund.amount.minor);
    if !is_whole || refund.parts.iter().any(|part| *part < 0) {
        report.add(REFUND, refund.id, "its parts do not sum to its amount");
    }
}

fn row(record: &Record) -> Part {
    let payment = &record.payment;
    let payer = payment.payer.account(payment.amount.currency).id();
    let held = match payment.state {
        PaymentState::Held => payment.amount.minor,
        PaymentState::Posted
        | PaymentState::Voided
        | PaymentState::PartlyRefunded
        | PaymentState::Refunded => 0,
    };
    Part {
        debit: payer.as_u128(),
        credit: number_of(payment.state).into(),
        numbers: [
            payment.captured.minor,
            payment.refunded.minor,
            held,
            record.refunds,
        ],
        ..Part::new(payment.id, ROW, 0)
    }
}

fn refunded(refund: &Refund) -> Part {
    Part {
        numbers: [refund.amount.minor, 0, 0, 0],
        ..Part::new(refund.payment, REFUNDED, refund.id.as_u128())
    }
}

fn answered(digest: &str, answer: &Snapshot) -> Part {
    let state = number_of(answer.state).into();
    Part {
        numbers: [answer.captured_minor, answer.refunded_minor, state, 0],
        ..Part::new(answer.payment, ANSWERED, key_bits(digest))
    }
}

/// That a refund was answered: behind the refund itself, which debits nothing.
fn answered_refund(digest: &str, refund: RefundId, answer: &Snapshot) -> Part {
    Part {
        debit: key_bits(digest),
        numbers: [0, 0, 0, IS_ANSWER],
        ..Part::new(answer.payment, REFUNDED, refund.as_u128())
    }
}

/// A state as a number of a part.
fn number_of(state: PaymentState) -> u8 {
    let at = PaymentState::ALL.iter().position(|known| *known == state);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

fn state_of<N: TryInto<usize>>(number: N) -> PaymentState {
    let at = number.try_into().unwrap_or(0);
    PaymentState::ALL
        .get(at)
        .copied()
        .unwrap_or(PaymentState::Held)
}

fn key_bits(digest: &str) -> u128 {
    u128::from_str_radix(digest, 16).unwrap_or(0)
}

fn moved(payment: PaymentId, transfer: &StoredTransfer) -> Part {
    Part {
        debit: transfer.debit.as_u128(),
        credit: transfer.credit.as_u128(),
        numbers: [transfer.moved, transfer.held, transfer.resolved, 0],
        ..Part::new(payment, MOVED, transfer.id.as_u128())
    }
}

/// Whether a payment may have come from one state to the other.
const fn comes_before(then: PaymentState, now: PaymentState) -> bool {
    match then {
        PaymentState::Held => true,
        PaymentState::Voided => matches!(now, PaymentState::Voided),
        PaymentState::Posted => matches!(
            now,
            PaymentState::Posted | PaymentState::PartlyRefunded | PaymentState::Refunded
        ),
        PaymentState::PartlyRefunded => {
            matches!(now, PaymentState::PartlyRefunded | PaymentState::Refunded)
        }
        PaymentState::Refunded => matches!(now, PaymentState::Refunded),
    }
}

#[derive(Clone, Copy)]
struct Part {
    payment: u128,
    tag: u8,
    id: u128,
    debit: u128,
    credit: u128,
    numbers: [i64; 4],
}

impl Part {
    fn new(payment: PaymentId, tag: u8, id: u128) -> Self {
        Self {
            payment: payment.as_u128(),
            tag,
            id,
            debit: 0,
            credit: 0,
            numbers: [0; 4],
        }
    }

    fn record(&self) -> [u8; PART] {
        let mut record = [0; PART];
        record[..16].copy_from_slice(&self.payment.to_be_bytes());
        record[16] = self.tag;
        let ids = [self.id, self.debit, self.credit];
        for (bytes, id) in record[17..65].chunks_exact_mut(16).zip(ids) {
            bytes.copy_from_slice(&id.to_be_bytes());
        }
        for (bytes, number) in record[65..].chunks_exact_mut(8).zip(self.numbers) {
            bytes.copy_from_slice(&number.to_be_bytes());
        }
        record
    }

    fn of_record(record: &[u8; PART]) -> Self {
        let id = |at| u128::from_be_bytes(bytes_at(record, at));
        Self {
            payment: id(0),
            tag: record[16],
            id: id(17),
            debit: id(33),
            credit: id(49),
            numbers: [65, 73, 81, 89].map(|at| i64::from_be_bytes(bytes_at(record, at))),
        }
    }
}

/// Each payment with its refunds, its transfers and the answers about it.
fn bring_together(parts: Sorter<PART>, report: &mut Report) -> Result<(), AuditError> {
    let mut whole: Option<Whole> = None;
    for record in parts.sorted()? {
        let part = Part::of_record(&record?);
        if let Some(done) = whole.take_if(|whole| whole.payment != part.payment) {
            done.finish(report);
        }
        whole
            .get_or_insert_with(|| Whole::of(part.payment))
            .take(&part, report);
    }
    if let Some(done) = whole {
        done.finish(report);
    }
    Ok(())
}

/// A payment, while its parts go by.
struct Whole {
    payment: u128,
    row: Option<Part>,
    refunds: i64,
    refunded: i64,
    last_refund: Option<u128>,
    /// Out of the payer's account less into it.
    paid: i64,
    /// What was ever held, and whether that was posted or released.
    held: i64,
    is_resolved: bool,
}

impl Whole {
    const fn of(payment: u128) -> Self {
        Self {
            payment,
            row: None,
            refunds: 0,
            refunded: 0,
            last_refund: None,
            paid: 0,
            held: 0,
            is_resolved: false,
        }
    }

    fn take(&mut self, part: &Part, report: &mut Report) {
        let [first, second, third, _] = part.numbers;
        match part.tag {
            ROW => self.row = Some(*part),
            REFUNDED if part.numbers[3] == IS_ANSWER => {
                if self.last_refund != Some(part.id) {
                    let refund = RefundId::from_u128(part.id);
                    let payment = PaymentId::from_u128(self.payment);
                    let problem = format!("answers with {refund}, which {payment} does not have");
                    report.add(KEY, format!("{:032x}", part.debit), problem);
                }
            }
            REFUNDED => {
                self.last_refund = Some(part.id);
                self.refunds = self.refunds.saturating_add(1);
                self.refunded = self.refunded.saturating_add(first);
                if self.row.is_none() {
                    let refund = RefundId::from_u128(part.id);
                    let payment = PaymentId::from_u128(self.payment);
                    report.add(
                        REFUND,
                        refund,
                        format!("its payment {payment} is not there"),
                    );
                }
            }
            MOVED => {
                let Some(row) = &self.row else { return };
                if part.debit == row.debit {
                    self.paid = self.paid.saturating_add(first);
                    self.held = self.held.saturating_add(second);
                    self.is_resolved |= third > 0;
                } else if part.credit == row.debit {
                    self.paid = self.paid.saturating_sub(first);
                }
            }
            _ => self.answered(part, report),
        }
    }

    /// What was answered has taken place, and nothing of it went back.
    fn answered(&self, part: &Part, report: &mut Report) {
        let key = format!("{:032x}", part.id);
        let payment = PaymentId::from_u128(self.payment);
        let Some(row) = &self.row else {
            let problem = format!("answers with payment {payment}, which is not there");
            report.add(KEY, key, problem);
            return;
        };
        let [captured, refunded, state, _] = part.numbers;
        let (then, now) = (state_of(state), state_of(row.credit));
        let is_more = (captured == 0 || captured == row.numbers[0]) && refunded <= row.numbers[1];
        if !comes_before(then, now) || !is_more {
            let problem = format!(
                "answers that {refunded} of {captured} of {payment} were refunded and that it is \
                 {then}; it is {now}"
            );
            report.add(KEY, key, problem);
        }
    }

    fn finish(self, report: &mut Report) {
        let Some(row) = self.row else { return };
        let [captured, refunded, held, refunds] = row.numbers;
        let mut wrong = |problem: String| {
            report.add(PAYMENT, PaymentId::from_u128(self.payment), problem);
        };
        if (self.refunds, self.refunded) != (refunds, refunded) {
            wrong(format!(
                "says {refunds} refunds of {refunded}, there are {} of {}",
                self.refunds, self.refunded
            ));
        }
        let paid = captured.saturating_sub(refunded);
        if self.paid != paid {
            wrong(format!(
                "its payer paid {paid}, the transfers say {}",
                self.paid
            ));
        }
        let standing = if self.is_resolved { 0 } else { self.held };
        if standing != held {
            wrong(format!("holds {held}, the transfers hold {standing}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_survives_its_bytes() {
        let part = Part {
            payment: 1,
            tag: MOVED,
            id: u128::MAX,
            debit: 3,
            credit: 4,
            numbers: [5, -6, i64::MAX, i64::MIN],
        };
        let again = Part::of_record(&part.record());
        assert_eq!(again.record(), part.record());
        assert_eq!((again.id, again.numbers), (part.id, part.numbers));
        assert_eq!((again.debit, again.credit), (3, 4));
    }
}
