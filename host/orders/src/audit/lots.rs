//! Lots against the purchases that left them and the redemptions that took them.

use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report, Sorter, bytes_at};
use qiao_model::{OrderId, Timestamp};
use qiao_runtime::OrderState;

use crate::head::Head;
use crate::lots::LotEffect;
use crate::store::audit as store;

const LOT: &str = "lot";

/// A lot, what it is, a day, two numbers.
const PART: usize = 16 + 1 + 8 + 16;
/// The purchase that left it, its row, what a redemption took.
const PURCHASE: u8 = 0;
const ROW: u8 = 1;
const USE: u8 = 2;

/// Lots with their purchases and their uses, while they go by.
#[derive(Debug, Default)]
pub(super) struct Lots(Sorter<PART>);

impl Lots {
    /// Takes a purchase that was posted and left a lot.
    pub(super) fn order(&mut self, head: &Head) -> Result<(), AuditError> {
        let (LotEffect::Added, Some(posted_at)) = (head.lots, head.standing.posted_at) else {
            return Ok(());
        };
        let numbers = [head.units_minor.unwrap_or(0), 0];
        let day = posted_at.day().start();
        Ok(self.0.push(record(head.id, PURCHASE, day, numbers))?)
    }

    /// Checks that each posted purchase left its one lot, of its units and its
    /// day, and that no more is left of it than its uses leave.
    pub(super) async fn check(
        mut self,
        tx: &mut Tx,
        report: &mut Report,
    ) -> Result<(), AuditError> {
        store::lots(tx, |id, lot| {
            report.row();
            match lot {
                Ok(lot) => {
                    let numbers = [lot.units_minor, lot.left_minor];
                    self.0
                        .push(record(lot.order, ROW, lot.acquired.start(), numbers))?;
                }
                Err(problem) => report.add(LOT, id, problem.to_string()),
            }
            Ok::<_, AuditError>(())
        })
        .await?;
        store::uses(tx, |id, used| {
            report.row();
            match used {
                Ok((lot, minor, state)) => {
                    let is_open = !matches!(state, OrderState::Voided | OrderState::Refunded);
                    let minor = if is_open { minor } else { 0 };
                    let at = Timestamp::from_millis(0);
                    self.0.push(record(lot, USE, at, [minor, 0]))?;
                }
                Err(problem) => report.add("lot_use", id, problem.to_string()),
            }
            Ok::<_, AuditError>(())
        })
        .await?;
        let mut whole: Option<Whole> = None;
        for record in self.0.sorted()? {
            let part = Part::of_record(&record?);
            if let Some(done) = whole.take_if(|whole| whole.id != part.id) {
                done.finish(report);
            }
            let whole = whole.get_or_insert(Whole {
                id: part.id,
                purchase: None,
                row: None,
                used: 0,
            });
            match part.tag {
                PURCHASE => whole.purchase = Some(part),
                ROW => whole.row = Some(part),
                _ => whole.used = whole.used.saturating_add(part.numbers[0]),
            }
        }
        if let Some(done) = whole {
            done.finish(report);
        }
        Ok(())
    }
}

/// A lot, while its parts go by.
struct Whole {
    id: u128,
    purchase: Option<Part>,
    row: Option<Part>,
    used: i64,
}

impl Whole {
    fn finish(self, report: &mut Report) {
        let id = OrderId::from_u128(self.id);
        let mut wrong = |problem: String| report.add(LOT, id, problem);
        let Some(row) = self.row else {
            wrong(
                "is not there, though its purchase was posted or a redemption took of it"
                    .to_owned(),
            );
            return;
        };
        let [units, left] = row.numbers;
        match self.purchase {
            None => wrong("is of no purchase that was posted".to_owned()),
            Some(purchase) if (purchase.day, purchase.numbers[0]) != (row.day, units) => {
                wrong("is not of the day and the units of its purchase".to_owned());
            }
            Some(_) => {}
        }
        let most = units.saturating_sub(self.used);
        if left < 0 || left > most {
            wrong(format!(
                "has {left} left of {units}, redemptions took {}",
                self.used
            ));
        }
    }
}

#[derive(Clone, Copy)]
struct Part {
    id: u128,
    tag: u8,
    day: i64,
    numbers: [i64; 2],
}

fn record(id: OrderId, tag: u8, day: Timestamp, numbers: [i64; 2]) -> [u8; PART] {
    let mut record = [0; PART];
    record[..16].copy_from_slice(&id.as_u128().to_be_bytes());
    record[16] = tag;
    record[17..25].copy_from_slice(&day.as_millis().to_be_bytes());
    record[25..33].copy_from_slice(&numbers[0].to_be_bytes());
    record[33..].copy_from_slice(&numbers[1].to_be_bytes());
    record
}

impl Part {
    fn of_record(record: &[u8; PART]) -> Self {
        let number = |at| i64::from_be_bytes(bytes_at(record, at));
        Self {
            id: u128::from_be_bytes(bytes_at(record, 0)),
            tag: record[16],
            day: number(17),
            numbers: [number(25), number(33)],
        }
    }
}
