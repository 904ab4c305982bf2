//! Closed days against the chains of their accounts, and payouts against what the
//! days had brought.

use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report, Sorter, bytes_at, each_transfer};
use qiao_model::{Day, LedgerAccountId, PayoutId, Timestamp, TransferId};

use super::{CLOSE, PAYOUT};
use crate::payout::{Payout, PayoutState};
use crate::store::audit::StoredClose;

/// An account, a day, whether it is its close or a payout through it, the payout, two numbers.
const DAY: usize = 16 + 8 + 1 + 16 + 16;
/// A transfer, whether it is one or a close at it, three ids and two numbers.
const PLACE: usize = 16 + 1 + 32 + 8 + 16;
const FIRST: u8 = 0;
const THEN: u8 = 1;

/// Closed days and payouts, while they go by.
#[derive(Debug, Default)]
pub(super) struct Closes {
    days: Sorter<DAY>,
    places: Sorter<PLACE>,
}

impl Closes {
    /// Takes a closed day.
    pub(super) fn close(&mut self, close: &StoredClose) -> Result<(), AuditError> {
        let (credits, debits) = (close.mark.credits, close.mark.debits);
        let day = OfDay {
            account: close.account,
            day: close.day.start().as_millis(),
            tag: FIRST,
            payout: 0,
            numbers: [credits, debits],
        };
        self.days.push(day.record())?;
        let place = Place {
            transfer: close.mark.transfer.map_or(0, TransferId::as_u128),
            tag: THEN,
            accounts: [close.account.as_u128(), 0],
            day: day.day,
            numbers: [credits.saturating_sub(debits), 0],
        };
        Ok(self.places.push(place.record())?)
    }

    /// Takes a payout that took money: what is only planned, or was rejected, did not.
    pub(super) fn payout(&mut self, payout: &Payout) -> Result<(), AuditError> {
        if matches!(payout.state, PayoutState::Due | PayoutState::Rejected) {
            return Ok(());
        }
        let party = payout.source.party(payout.institution);
        // The day of a payout at T+0 still lasts when it is paid.
        let lasts = i64::from(payout.through == payout.day);
        let day = OfDay {
            account: party.account(payout.amount.currency).id(),
            day: payout.through.start().as_millis(),
            tag: THEN,
            payout: payout.id.as_u128(),
            numbers: [payout.amount.minor, lasts],
        };
        Ok(self.days.push(day.record())?)
    }

    pub(super) async fn check(self, tx: &mut Tx, report: &mut Report) -> Result<(), AuditError> {
        check_days(self.days, report)?;
        check_places(self.places, tx, report).await
    }
}

/// Through no day was more paid out of an account than had come into it by then.
fn check_days(days: Sorter<DAY>, report: &mut Report) -> Result<(), AuditError> {
    let mut close: Option<OfDay> = None;
    let mut paid: Option<(LedgerAccountId, i64)> = None;
    for record in days.sorted()? {
        let part = OfDay::of_record(&record?);
        if part.tag == FIRST {
            close = Some(part);
            continue;
        }
        let [minor, lasts] = part.numbers;
        let before = paid.filter(|(account, _)| *account == part.account);
        let sum = before.map_or(0, |(_, sum)| sum).saturating_add(minor);
        paid = Some((part.account, sum));
        let payout = PayoutId::from_u128(part.payout);
        let is_its = |close: &OfDay| (close.account, close.day) == (part.account, part.day);
        match close.filter(is_its) {
            Some(close) if sum > close.numbers[0] => {
                let problem = format!(
                    "with it {sum} are paid out of {}, which had {} by that day",
                    part.account, close.numbers[0]
                );
                report.add(PAYOUT, payout, problem);
            }
            Some(_) => {}
            None if lasts == 1 => {}
            None => report.add(PAYOUT, payout, "pays a day that was not closed"),
        }
    }
    Ok(())
}

/// A closed day names a transfer of its account, and sums to the balance after it.
async fn check_places(
    mut places: Sorter<PLACE>,
    tx: &mut Tx,
    report: &mut Report,
) -> Result<(), AuditError> {
    each_transfer(tx, |transfer| {
        let place = Place {
            transfer: transfer.id.as_u128(),
            tag: FIRST,
            accounts: [transfer.debit.as_u128(), transfer.credit.as_u128()],
            day: 0,
            numbers: [transfer.debit_balance, transfer.credit_balance],
        };
        Ok(places.push(place.record())?)
    })
    .await?;
    let mut transfer: Option<Place> = None;
    for record in places.sorted()? {
        let part = Place::of_record(&record?);
        if part.tag == FIRST {
            transfer = Some(part);
            continue;
        }
        let at = transfer.filter(|found| found.transfer == part.transfer);
        let balance = match at {
            Some(at) => at.balance_of(part.accounts[0]),
            // Before the first transfer there is nothing.
            None => (part.transfer == 0).then_some(0),
        };
        if balance != Some(part.numbers[0]) {
            let name = format!(
                "{}/{}",
                LedgerAccountId::from_u128(part.accounts[0]),
                day_of(part.day)
            );
            let problem = match balance {
                Some(balance) => format!("sums to {}, its account had {balance}", part.numbers[0]),
                None => "names a transfer that its account does not have".to_owned(),
            };
            report.add(CLOSE, name, problem);
        }
    }
    Ok(())
}

fn day_of(millis: i64) -> Day {
    Timestamp::from_millis(millis).day()
}

#[derive(Clone, Copy)]
struct OfDay {
    account: LedgerAccountId,
    day: i64,
    tag: u8,
    payout: u128,
    numbers: [i64; 2],
}

impl OfDay {
    fn record(&self) -> [u8; DAY] {
        let mut record = [0; DAY];
        record[..16].copy_from_slice(&self.account.as_u128().to_be_bytes());
        record[16..24].copy_from_slice(&self.day.to_be_bytes());
        record[24] = self.tag;
        record[25..41].copy_from_slice(&self.payout.to_be_bytes());
        record[41..49].copy_from_slice(&self.numbers[0].to_be_bytes());
        record[49..].copy_from_slice(&self.numbers[1].to_be_bytes());
        record
    }

    fn of_record(record: &[u8; DAY]) -> Self {
        Self {
            account: LedgerAccountId::from_u128(u128::from_be_bytes(bytes_at(record, 0))),
            day: i64::from_be_bytes(bytes_at(record, 16)),
            tag: record[24],
            payout: u128::from_be_bytes(bytes_at(record, 25)),
            numbers: [41, 49].map(|at| i64::from_be_bytes(bytes_at(record, at))),
        }
    }
}

#[derive(Clone, Copy)]
struct Place {
    transfer: u128,
    tag: u8,
    accounts: [u128; 2],
    day: i64,
    numbers: [i64; 2],
}

impl Place {
    /// The balance after the transfer of one of its two accounts.
    fn balance_of(&self, account: u128) -> Option<i64> {
        let mut sides = self.accounts.iter().zip(self.numbers);
        sides.find_map(|(of, balance)| (*of == account).then_some(balance))
    }

    fn record(&self) -> [u8; PLACE] {
        let mut record = [0; PLACE];
        record[..16].copy_from_slice(&self.transfer.to_be_bytes());
        record[16] = self.tag;
        record[17..33].copy_from_slice(&self.accounts[0].to_be_bytes());
        record[33..49].copy_from_slice(&self.accounts[1].to_be_bytes());
        record[49..57].copy_from_slice(&self.day.to_be_bytes());
        record[57..65].copy_from_slice(&self.numbers[0].to_be_bytes());
        record[65..].copy_from_slice(&self.numbers[1].to_be_bytes());
        record
    }

    fn of_record(record: &[u8; PLACE]) -> Self {
        Self {
            transfer: u128::from_be_bytes(bytes_at(record, 0)),
            tag: record[16],
            accounts: [17, 33].map(|at| u128::from_be_bytes(bytes_at(record, at))),
            day: i64::from_be_bytes(bytes_at(record, 49)),
            numbers: [57, 65].map(|at| i64::from_be_bytes(bytes_at(record, at))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_survive_their_bytes() {
        let day = OfDay {
            account: LedgerAccountId::from_u128(3),
            day: 4,
            tag: THEN,
            payout: u128::MAX,
            numbers: [-5, i64::MAX],
        };
        assert_eq!(OfDay::of_record(&day.record()).record(), day.record());
        let place = Place {
            transfer: u128::MAX,
            tag: FIRST,
            accounts: [6, 7],
            day: 8,
            numbers: [i64::MIN, 9],
        };
        assert_eq!(Place::of_record(&place.record()).record(), place.record());
        assert_eq!(place.balance_of(7), Some(9));
        assert_eq!(place.balance_of(8), None);
    }
}
