//! What the audit proves of bank transfers: each tells the same story as the
//! payments of its routes, and kept every answer that it counts.

use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report, Sorter, bytes_at};
use qiao_model::{BankTransferId, PaymentId};
use qiao_payments::audit::each_payment;
use qiao_payments::{Payment, PaymentState};

use crate::store::audit as store;
use crate::transfer::{BankTransfer, Direction, TransferState};

const TRANSFER: &str = "bank_transfer";

/// A payment, whether it is one or a route expects it, a transfer, a state, an amount.
const PART: usize = 16 + 1 + 16 + 1 + 8;
const PAYMENT: u8 = 0;
const ROUTE: u8 = 1;

/// What a route must find of its payment.
const ABSENT: u8 = 0;
const HELD: u8 = 1;
const MOVED: u8 = 2;
const VOIDED: u8 = 3;
const EXPECTED: [&str; 4] = ["not there", "held", "posted", "voided"];

/// Checks every transfer against the payments of its routes and against its answers.
///
/// # Errors
/// The database or the temporary files failed.
pub async fn check_banks(tx: &mut Tx, report: &mut Report) -> Result<(), AuditError> {
    let mut parts = Sorter::<PART>::default();
    each_payment(tx, |payment| Ok(parts.push(of_payment(payment).record())?)).await?;
    store::transfers(tx, |id, stored| {
        report.row();
        match stored {
            Ok((transfer, kept)) => {
                let says = i64::from(transfer.standing.answers);
                if says != kept {
                    let problem = format!("counts {says} answers, there are {kept}");
                    report.add(TRANSFER, transfer.id, problem);
                }
                for route in routes(&transfer) {
                    parts.push(route.record())?;
                }
            }
            Err(problem) => report.add(TRANSFER, id, problem.to_string()),
        }
        Ok::<_, AuditError>(())
    })
    .await?;
    bring_together(parts, report)
}

/// Hands on every readable transfer; those that are not are findings of [`check_banks`].
///
/// # Errors
/// The database failed, or `each` did.
pub async fn each_bank_transfer(
    tx: &mut Tx,
    mut each: impl FnMut(&BankTransfer) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    store::transfers(tx, |_, stored| match stored {
        Ok((transfer, _)) => each(&transfer),
        Err(_) => Ok(()),
    })
    .await
}

fn of_payment(payment: &Payment) -> Part {
    let state = match payment.state {
        PaymentState::Held => HELD,
        PaymentState::Voided => VOIDED,
        PaymentState::Posted | PaymentState::PartlyRefunded | PaymentState::Refunded => MOVED,
    };
    Part {
        payment: payment.id,
        tag: PAYMENT,
        transfer: 0,
        state,
        minor: payment.amount.minor,
    }
}

/// What each route of a transfer expects of its payment: money that comes in is
/// paid when the bank has moved it, money that goes out is held until then.
fn routes(transfer: &BankTransfer) -> Vec<Part> {
    let (amount, fee) = (transfer.route.amount.minor, transfer.route.fee.minor);
    let (open, ended, minor) = match transfer.purpose.direction() {
        Direction::In => (ABSENT, ABSENT, amount),
        Direction::Out => (HELD, VOIDED, amount.saturating_add(fee)),
    };
    let state = match transfer.standing.state {
        TransferState::Requested | TransferState::Unknown | TransferState::Accepted => open,
        TransferState::Done => MOVED,
        TransferState::Rejected => ended,
    };
    let part = |payment, state, minor| Part {
        payment,
        tag: ROUTE,
        transfer: transfer.id.as_u128(),
        state,
        minor,
    };
    let now = part(transfer.route.payment, state, minor);
    // What an earlier route held is unknown by now; that it was given back is not.
    let earlier = (1..transfer.route.number)
        .map(|route| part(BankTransfer::payment_of(transfer.id, route), ended, 0));
    std::iter::once(now).chain(earlier).collect()
}

fn bring_together(parts: Sorter<PART>, report: &mut Report) -> Result<(), AuditError> {
    let mut payment: Option<Part> = None;
    for record in parts.sorted()? {
        let part = Part::of_record(&record?);
        if part.tag == PAYMENT {
            payment = Some(part);
            continue;
        }
        let found = payment.filter(|found| found.payment == part.payment);
        let state = found.map_or(ABSENT, |found| found.state);
        let transfer = BankTransferId::from_u128(part.transfer);
        let name = |state: u8| EXPECTED.get(usize::from(state)).copied().unwrap_or("?");
        if state != part.state {
            let problem = format!(
                "its payment {} is {}, it must be {}",
                part.payment,
                name(state),
                name(part.state)
            );
            report.add(TRANSFER, transfer, problem);
        } else if let Some(found) =
            found.filter(|found| part.minor > 0 && found.minor != part.minor)
        {
            let problem = format!(
                "moves {}, its payment {} moves {}",
                part.minor, part.payment, found.minor
            );
            report.add(TRANSFER, transfer, problem);
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Part {
    payment: PaymentId,
    tag: u8,
    transfer: u128,
    state: u8,
    minor: i64,
}

impl Part {
    fn record(&self) -> [u8; PART] {
        let mut record = [0; PART];
        record[..16].copy_from_slice(&self.payment.as_u128().to_be_bytes());
        record[16] = self.tag;
        record[17..33].copy_from_slice(&self.transfer.to_be_bytes());
        record[33] = self.state;
        record[34..].copy_from_slice(&self.minor.to_be_bytes());
        record
    }

    fn of_record(record: &[u8; PART]) -> Self {
        Self {
            payment: PaymentId::from_u128(u128::from_be_bytes(bytes_at(record, 0))),
            tag: record[16],
            transfer: u128::from_be_bytes(bytes_at(record, 17)),
            state: record[33],
            minor: i64::from_be_bytes(bytes_at(record, 34)),
        }
    }
}
