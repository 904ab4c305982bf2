//! What was taken by each mandate against what it says was taken.

use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report, Sorter};
use qiao_model::MandateId;

use crate::method::Method;
use crate::payment::{Payment, PaymentState};
use crate::store::audit as store;

const MANDATE: &str = "mandate";

/// A mandate, whether it is a payment, how many, how much.
const PART: usize = 16 + 1 + 16;

/// The payments by mandate, while they go by.
#[derive(Debug, Default)]
pub(super) struct Spending(Sorter<PART>);

impl Spending {
    /// Takes a payment: what is held or was taken and not given back is used; a
    /// hold that ended without a capture is not.
    pub(super) fn take(&mut self, payment: &Payment) -> Result<(), AuditError> {
        let Method::Mandate(mandate) = payment.method else {
            return Ok(());
        };
        let minor = match payment.state {
            PaymentState::Voided => return Ok(()),
            PaymentState::Held => payment.amount.minor,
            PaymentState::Posted | PaymentState::PartlyRefunded | PaymentState::Refunded => {
                let captured = payment.captured.minor;
                captured.saturating_sub(payment.refunded.minor)
            }
        };
        Ok(self.0.push(record(mandate, 1, 1, minor))?)
    }

    /// Checks that every mandate says what its payments make.
    pub(super) async fn check(
        mut self,
        tx: &mut Tx,
        report: &mut Report,
    ) -> Result<(), AuditError> {
        store::mandates(tx, |id, usage| {
            report.row();
            match usage {
                Ok((id, count, minor)) => self.0.push(record(id, 0, count, minor))?,
                Err(problem) => report.add(MANDATE, id, problem.to_string()),
            }
            Ok::<_, AuditError>(())
        })
        .await?;
        let mut used: Option<Used> = None;
        for record in self.0.sorted()? {
            let (mandate, tag, count, minor) = parts(&record?);
            if let Some(done) = used.take_if(|used| used.mandate != mandate) {
                done.finish(report);
            }
            let used = used.get_or_insert(Used {
                mandate,
                says: None,
                count: 0,
                minor: 0,
            });
            if tag == 0 {
                used.says = Some((count, minor));
            } else {
                used.count = used.count.saturating_add(count);
                used.minor = used.minor.saturating_add(minor);
            }
        }
        if let Some(done) = used {
            done.finish(report);
        }
        Ok(())
    }
}

struct Used {
    mandate: MandateId,
    says: Option<(i64, i64)>,
    count: i64,
    minor: i64,
}

impl Used {
    fn finish(self, report: &mut Report) {
        let problem = match self.says {
            None => "is not there, though payments were made by it".to_owned(),
            Some((count, minor)) if (count, minor) != (self.count, self.minor) => format!(
                "says {count} payments of {minor}, there are {} of {}",
                self.count, self.minor
            ),
            Some(_) => return,
        };
        report.add(MANDATE, self.mandate, problem);
    }
}

fn record(mandate: MandateId, tag: u8, count: i64, minor: i64) -> [u8; PART] {
    let mut record = [0; PART];
    record[..16].copy_from_slice(&mandate.as_u128().to_be_bytes());
    record[16] = tag;
    record[17..25].copy_from_slice(&count.to_be_bytes());
    record[25..].copy_from_slice(&minor.to_be_bytes());
    record
}

fn parts(record: &[u8; PART]) -> (MandateId, u8, i64, i64) {
    let number = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&record[at..at.saturating_add(8)]);
        i64::from_be_bytes(bytes)
    };
    let mut id = [0; 16];
    id.copy_from_slice(&record[..16]);
    let mandate = MandateId::from_u128(u128::from_be_bytes(id));
    (mandate, record[16], number(17), number(25))
}
