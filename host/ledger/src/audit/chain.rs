//! Each account with its parts: its row, what holds keep of it, its transfers.

use qiao_model::{LedgerAccountId, TransferId};

use super::books::{ACCOUNT, TRANSFER};
use super::finding::{AuditError, Report};
use super::sorter::Sorter;

/// A part of an account: its row, what a hold holds of it, or a transfer's place
/// in its chain. Account, tag, transfer, side, five numbers, another transfer.
pub(super) const PART: usize = 16 + 1 + 16 + 1 + 40 + 16;
pub(super) const ROW: u8 = 0;
pub(super) const HELD: u8 = 1;
pub(super) const LINK: u8 = 2;
pub(super) const NODE: u8 = 0;
pub(super) const EDGE: u8 = 1;

#[derive(Clone, Copy)]
pub(super) struct Part {
    account: LedgerAccountId,
    tag: u8,
    at: u128,
    side: u8,
    numbers: [i64; 5],
    transfer: u128,
}

impl Part {
    pub(super) const fn new(
        account: LedgerAccountId,
        tag: u8,
        at: u128,
        side: u8,
        numbers: [i64; 5],
        transfer: u128,
    ) -> Self {
        Self {
            account,
            tag,
            at,
            side,
            numbers,
            transfer,
        }
    }

    pub(super) fn record(&self) -> [u8; PART] {
        let mut record = [0; PART];
        record[..16].copy_from_slice(&self.account.as_u128().to_be_bytes());
        record[16] = self.tag;
        record[17..33].copy_from_slice(&self.at.to_be_bytes());
        record[33] = self.side;
        for (bytes, number) in record[34..74].chunks_exact_mut(8).zip(self.numbers) {
            bytes.copy_from_slice(&number.to_be_bytes());
        }
        record[74..].copy_from_slice(&self.transfer.to_be_bytes());
        record
    }

    fn of_record(record: &[u8; PART]) -> Self {
        Self {
            account: LedgerAccountId::from_u128(bits(record, 0)),
            tag: record[16],
            at: bits(record, 17),
            side: record[33],
            numbers: [34, 42, 50, 58, 66].map(|at| int(record, at)),
            transfer: bits(record, 74),
        }
    }
}

/// Each account's chain of transfers, and its row against it.
pub(super) fn check_accounts(parts: Sorter<PART>, report: &mut Report) -> Result<(), AuditError> {
    let mut chain: Option<Chain> = None;
    for record in parts.sorted()? {
        let part = Part::of_record(&record?);
        if let Some(done) = chain.take_if(|chain| chain.account != part.account) {
            done.finish(report);
        }
        chain
            .get_or_insert_with(|| Chain::of(part.account))
            .take(&part, report);
    }
    if let Some(done) = chain {
        done.finish(report);
    }
    Ok(())
}

/// An account, while its parts go by: the row, the holds, and then the places
/// of its transfers, each behind the one that it follows.
struct Chain {
    account: LedgerAccountId,
    row: Option<([i64; 5], u128)>,
    sums: [i128; 5],
    /// The transfer whose place goes by, its balance, and how many follow it.
    place: Option<(u128, i64, u32)>,
    /// The last transfer: nothing follows it.
    last: Option<u128>,
}

/// What a chain counts, as the columns are called.
const SUMS: [&str; 5] = [
    "debits",
    "credits",
    "pending_out",
    "pending_in",
    "transfers",
];

impl Chain {
    fn of(account: LedgerAccountId) -> Self {
        Self {
            account,
            row: None,
            sums: [0; 5],
            // The first transfer follows nothing.
            place: Some((0, 0, 0)),
            last: None,
        }
    }

    fn take(&mut self, part: &Part, report: &mut Report) {
        let [first, second, ..] = part.numbers;
        match (part.tag, part.side) {
            (ROW, _) => self.row = Some((part.numbers, part.transfer)),
            (HELD, _) => {
                self.add(2, first);
                self.add(3, second);
            }
            (_, NODE) => {
                self.leave(report);
                self.place = Some((part.at, first, 0));
            }
            _ => self.follow(part, report),
        }
    }

    fn follow(&mut self, part: &Part, report: &mut Report) {
        let [change, balance, ..] = part.numbers;
        self.add(0, change.min(0).saturating_neg());
        self.add(1, change.max(0));
        self.add(4, 1);
        let name = TransferId::from_u128(part.transfer);
        let Some((_, before, followers)) = self
            .place
            .as_mut()
            .filter(|(place, _, _)| *place == part.at)
        else {
            let previous = TransferId::from_u128(part.at);
            let problem = format!("follows {previous}, which {} does not have", self.account);
            report.add(TRANSFER, name, problem);
            return;
        };
        *followers = followers.saturating_add(1);
        if *followers > 1 {
            let problem = format!("is a second one at its place in {}", self.account);
            report.add(TRANSFER, name, problem);
        }
        if before.checked_add(change) != Some(balance) {
            let problem = format!(
                "its balance of {} is not the one before and its amount",
                self.account
            );
            report.add(TRANSFER, name, problem);
        }
    }

    /// Leaves a transfer's place: if nothing follows it, it is the last.
    fn leave(&mut self, report: &mut Report) {
        let Some((at, _, 0)) = self.place.take() else {
            return;
        };
        if at == 0 {
            return;
        }
        if self.last.is_some() {
            let problem = format!(
                "nothing follows it in {}, and it is not the last",
                self.account
            );
            report.add(TRANSFER, TransferId::from_u128(at), problem);
        } else {
            self.last = Some(at);
        }
    }

    fn finish(mut self, report: &mut Report) {
        self.leave(report);
        let Some((numbers, last)) = self.row else {
            let problem = format!("is not there, though {} transfers name it", self.sums[4]);
            report.add(ACCOUNT, self.account, problem);
            return;
        };
        for ((column, says), sum) in SUMS.iter().zip(numbers).zip(self.sums) {
            if i128::from(says) != sum {
                let problem = format!("{column} is {says}, its transfers make {sum}");
                report.add(ACCOUNT, self.account, problem);
            }
        }
        if self.last.unwrap_or(0) != last {
            report.add(
                ACCOUNT,
                self.account,
                "last_transfer is not its last transfer",
            );
        }
    }

    fn add(&mut self, sum: usize, number: i64) {
        self.sums[sum] = self.sums[sum].saturating_add(i128::from(number));
    }
}

/// The 128 bits at a place of a record.
pub(super) fn bits<const N: usize>(record: &[u8; N], at: usize) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&record[at..at.saturating_add(16)]);
    u128::from_be_bytes(bytes)
}

/// The number at a place of a record.
pub(super) fn int<const N: usize>(record: &[u8; N], at: usize) -> i64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&record[at..at.saturating_add(8)]);
    i64::from_be_bytes(bytes)
}
