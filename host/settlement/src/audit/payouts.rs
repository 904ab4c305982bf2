//! Payouts against the bank transfers that carry them, and their events.

use qiao_banks::audit::each_bank_transfer;
use qiao_banks::{BankTransfer, Purpose, TransferState};
use qiao_db::Tx;
use qiao_db::attest::IdForm;
use qiao_ledger::audit::{AuditError, Report, Sorter, bytes_at};
use qiao_model::id::noun;
use qiao_model::{BankTransferId, PayoutId};
use qiao_payments::audit::{EventKind, Outbox};
use sha2::{Digest, Sha256};

use super::PAYOUT;
use crate::payout::{Payout, PayoutState};

const PAID: &str = "payout.paid";
const REJECTED: &str = "payout.rejected";

const fn kind(name: &'static str) -> EventKind {
    EventKind {
        name,
        table: PAYOUT,
        subject: IdForm::of::<noun::Payout>(),
    }
}

const KINDS: &[EventKind] = &[kind(PAID), kind(REJECTED)];

/// A bank transfer, whether it is one or a payout that asked for it, the payout,
/// a state, an amount, the digest of who gets it where.
const PART: usize = 16 + 1 + 16 + 1 + 8 + 16;
const TRANSFER: u8 = 0;
const ASKED: u8 = 1;

/// Payouts, while they go by.
#[derive(Debug)]
pub(super) struct Payouts {
    parts: Sorter<PART>,
    outbox: Outbox,
}

impl Payouts {
    pub(super) fn new(report: &Report) -> Self {
        Self {
            parts: Sorter::default(),
            outbox: Outbox::new(KINDS, report),
        }
    }

    pub(super) fn take(&mut self, payout: &Payout) -> Result<(), AuditError> {
        let state = PayoutState::ALL.iter().position(|s| *s == payout.state);
        let part = Part {
            transfer: payout.bank_transfer(),
            tag: ASKED,
            payout: payout.id,
            state: number(state),
            minor: payout.amount.minor,
            to: digest(&[
                &payout.source.party(payout.institution).to_string(),
                &payout.account_number,
                payout.amount.currency.code(),
            ]),
        };
        self.parts.push(part.record())?;
        let told = match payout.state {
            PayoutState::Paid => PAID,
            PayoutState::Rejected => REJECTED,
            PayoutState::Due | PayoutState::Sent | PayoutState::Unknown => return Ok(()),
        };
        let tells = (told, payout.id.as_u128());
        let event = payout.id.derive(told, 0);
        self.outbox.told(event, tells, payout.changed_at)
    }

    /// Checks that what is paid was moved by its bank, whole and to where it
    /// belongs, that what is rejected was not, and that no bank was asked for a
    /// payout that nobody owed.
    pub(super) async fn check(
        mut self,
        tx: &mut Tx,
        report: &mut Report,
    ) -> Result<(), AuditError> {
        self.outbox.check(tx, report).await?;
        each_bank_transfer(tx, |transfer| match transfer.purpose {
            Purpose::Payout => Ok(self.parts.push(of_transfer(transfer).record())?),
            Purpose::TopUp
            | Purpose::Payment
            | Purpose::Withdrawal
            | Purpose::Advance
            | Purpose::AdvanceReturn => Ok(()),
        })
        .await?;
        let mut transfer: Option<Part> = None;
        for record in self.parts.sorted()? {
            let part = Part::of_record(&record?);
            if part.tag == TRANSFER {
                not_owed(transfer.replace(part), report);
                continue;
            }
            let carried = transfer.take_if(|found| found.transfer == part.transfer);
            check_one(&part, carried.as_ref(), report);
        }
        not_owed(transfer, report);
        Ok(())
    }
}

fn of_transfer(transfer: &BankTransfer) -> Part {
    let mut states = TransferState::ALL.iter();
    let state = states.position(|s| *s == transfer.standing.state);
    let route = &transfer.route;
    Part {
        transfer: transfer.id,
        tag: TRANSFER,
        payout: PayoutId::from_u128(0),
        state: number(state),
        minor: route.amount.minor.saturating_add(route.fee.minor),
        to: digest(&[
            &transfer.party.to_string(),
            transfer.account_number.as_deref().unwrap_or_default(),
            route.amount.currency.code(),
        ]),
    }
}

fn number(at: Option<usize>) -> u8 {
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

fn digest(texts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

fn not_owed(transfer: Option<Part>, report: &mut Report) {
    if let Some(part) = transfer {
        let problem = "pays out what no payout is";
        report.add("bank_transfer", part.transfer, problem);
    }
}

fn check_one(payout: &Part, carried: Option<&Part>, report: &mut Report) {
    let mut wrong = |problem: String| report.add(PAYOUT, payout.payout, problem);
    let state = PayoutState::ALL[usize::from(payout.state)];
    let bank = carried.map(|part| TransferState::ALL[usize::from(part.state)]);
    let agrees = match state {
        PayoutState::Due | PayoutState::Sent | PayoutState::Unknown => true,
        PayoutState::Paid => bank == Some(TransferState::Done),
        PayoutState::Rejected => matches!(bank, None | Some(TransferState::Rejected)),
    };
    if !agrees {
        let bank = bank.map_or("not there", TransferState::name);
        wrong(format!(
            "is {state}, its bank transfer {} is {bank}",
            payout.transfer
        ));
    }
    if carried.is_some_and(|part| part.minor != payout.minor || part.to != payout.to) {
        let problem = "its bank transfer carries another amount, or to somebody else";
        wrong(format!("{problem}: {}", payout.transfer));
    }
}

#[derive(Clone, Copy)]
struct Part {
    transfer: BankTransferId,
    tag: u8,
    payout: PayoutId,
    state: u8,
    minor: i64,
    to: [u8; 16],
}

impl Part {
    fn record(&self) -> [u8; PART] {
        let mut record = [0; PART];
        record[..16].copy_from_slice(&self.transfer.as_u128().to_be_bytes());
        record[16] = self.tag;
        record[17..33].copy_from_slice(&self.payout.as_u128().to_be_bytes());
        record[33] = self.state;
        record[34..42].copy_from_slice(&self.minor.to_be_bytes());
        record[42..].copy_from_slice(&self.to);
        record
    }

    fn of_record(record: &[u8; PART]) -> Self {
        Self {
            transfer: BankTransferId::from_u128(u128::from_be_bytes(bytes_at(record, 0))),
            tag: record[16],
            payout: PayoutId::from_u128(u128::from_be_bytes(bytes_at(record, 17))),
            state: record[33],
            minor: i64::from_be_bytes(bytes_at(record, 34)),
            to: bytes_at(record, 42),
        }
    }
}
