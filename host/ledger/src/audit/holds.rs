//! Each pending transfer with what resolves it.

use qiao_model::{LedgerAccountId, TransferId};

use super::books::TRANSFER;
use super::chain::{EDGE, HELD, NODE, PART, Part, bits, int};
use super::finding::{AuditError, Report};
use super::sorter::Sorter;
use super::stored::{PENDING, POST, Transfer};

/// Which hold, whether it is the hold itself, the transfer, its amount, both accounts.
pub(super) const HOLD: usize = 16 + 1 + 16 + 8 + 16 + 16;

pub(super) fn hold_record(of: TransferId, transfer: &Transfer) -> [u8; HOLD] {
    let mut record = [0; HOLD];
    record[..16].copy_from_slice(&of.as_u128().to_be_bytes());
    record[16] = transfer.kind;
    record[17..33].copy_from_slice(&transfer.id.as_u128().to_be_bytes());
    record[33..41].copy_from_slice(&transfer.minor.to_be_bytes());
    record[41..57].copy_from_slice(&transfer.debit.as_u128().to_be_bytes());
    record[57..].copy_from_slice(&transfer.credit.as_u128().to_be_bytes());
    record
}

/// Each hold with what resolves it; what is still held is added to its accounts.
pub(super) fn check_holds(
    holds: Sorter<HOLD>,
    parts: &mut Sorter<PART>,
    report: &mut Report,
) -> Result<(), AuditError> {
    let mut hold: Option<[u8; HOLD]> = None;
    let mut resolved = 0_u32;
    for record in holds.sorted()? {
        let record = record?;
        let kind = record[16];
        if kind == PENDING {
            still_held(hold.filter(|_| resolved == 0), parts)?;
            (hold, resolved) = (Some(record), 0);
            continue;
        }
        let resolver = TransferId::from_u128(bits(&record, 17));
        let of = TransferId::from_u128(bits(&record, 0));
        let Some(held) = hold.filter(|held| held[..16] == record[..16]) else {
            let problem = format!("resolves {of}, which is no pending transfer");
            report.add(TRANSFER, resolver, problem);
            continue;
        };
        resolved = resolved.saturating_add(1);
        if resolved > 1 {
            report.add(TRANSFER, resolver, format!("resolves {of} a second time"));
        }
        let (amount, limit) = (int(&record, 33), int(&held, 33));
        let fits =
            record[41..] == held[41..] && (amount == limit || kind == POST && amount < limit);
        if !fits {
            report.add(TRANSFER, resolver, format!("does not fit what {of} holds"));
        }
    }
    still_held(hold.filter(|_| resolved == 0), parts)
}

fn still_held(hold: Option<[u8; HOLD]>, parts: &mut Sorter<PART>) -> Result<(), AuditError> {
    let Some(hold) = hold else { return Ok(()) };
    let minor = int(&hold, 33);
    let debit = LedgerAccountId::from_u128(bits(&hold, 41));
    let credit = LedgerAccountId::from_u128(bits(&hold, 57));
    let at = bits(&hold, 0);
    parts.push(Part::new(debit, HELD, at, NODE, [minor, 0, 0, 0, 0], 0).record())?;
    parts.push(Part::new(credit, HELD, at, EDGE, [0, minor, 0, 0, 0], 0).record())?;
    Ok(())
}
