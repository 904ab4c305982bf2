//! When institutions are paid and how much: what they had free, without what came
//! in after the last day that is due.

use qiao_model::{Calendar, Currency, Day, InstitutionId, PaymentId, Timestamp};

use super::Model;
use super::banked::fee;
use crate::ask::{BANKS, BankAsk, BankPurpose, BankTerms, PAYDAYS, Payday, Place, StatementSums};
use crate::auditor::days::{day_of, minute_of, text_of};
use crate::auditor::tables::{PayoutRow, Tables};

/// From this minute on it is paid what earlier days brought.
const MORNING: i64 = 9 * 60;
/// From this minute on it is paid what the day brought.
const EVENING: i64 = 17 * 60;
/// Longer than any chain of holidays.
const DAYS_BACK: i64 = 60;

/// A payout as the books know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaidOut {
    from: Place,
    minor: i64,
    day: String,
    through: String,
    pub(crate) state: String,
}

type Checked = Result<(), String>;

impl Model {
    /// What the day's planning did, and whether it could. With `is_due`, it was
    /// called and nothing broke.
    pub(crate) fn follow_payday(
        &mut self,
        tables: &Tables,
        now: Timestamp,
        is_due: bool,
    ) -> Checked {
        let today = day_of(now);
        for payday in PAYDAYS {
            let id = InstitutionId::from_u128(payday.institution);
            let planned = tables.planned.get(&id.to_string());
            let planned = planned.cloned().unwrap_or_default();
            let is_news = self.planned.get(&id) != Some(&planned) && !planned.is_empty();
            self.recover_unseen(id, tables, now);
            if !is_news {
                let is_missed = is_due && may_plan(&payday, now) && planned != text_of(today);
                if is_missed {
                    return Err(format!("{id} is not paid on {}", text_of(today)));
                }
                continue;
            }
            if planned != text_of(today) || !may_plan(&payday, now) {
                return Err(format!("{id} is paid on {planned}, at {now:?}"));
            }
            self.planned.insert(id, planned);
            self.plan(&payday, tables, now)?;
        }
        for (id, row) in &tables.payouts {
            if !self.payouts.contains_key(id) {
                return Err(format!("{row:?} is not due"));
            }
        }
        Ok(())
    }

    /// The debts that were recovered before the payouts were planned.
    fn recover_unseen(&mut self, id: InstitutionId, tables: &Tables, now: Timestamp) {
        for from in [Place::Revenue(id), Place::Settlement(id)] {
            let minor = self.recoverable(id, from);
            let unseen = tables.payments.iter().find(|(payment, row)| {
                let payment: Option<PaymentId> = payment.parse().ok();
                let is_new = payment.is_some_and(|payment| !self.payments.contains_key(&payment));
                let is_of_a_bank =
                    (tables.transfers_at_banks.iter()).any(|row| Some(row.payment) == payment);
                let is_it = row.minor == minor && row.state == "posted";
                is_new && !is_of_a_bank && minor > 0 && is_it
            });
            let unseen = unseen.and_then(|(payment, _)| payment.parse().ok());
            if let Some(payment) = unseen {
                // What comes of it is compared with the tables.
                drop(self.recover(payment, id, from, now));
            }
        }
    }

    fn plan(&mut self, payday: &Payday, tables: &Tables, now: Timestamp) -> Checked {
        let id = InstitutionId::from_u128(payday.institution);
        let through = through(payday.days, day_of(now));
        for from in [Place::Settlement(id), Place::Revenue(id)] {
            if self.recoverable(id, from) > 0 {
                return Err(format!("{id} is paid and owes"));
            }
            let minor = self.due(from, through);
            if minor < payday.minor_min.max(1) {
                continue;
            }
            let day = text_of(day_of(now));
            let is_it = |row: &PayoutRow| row.is_from(id, from) && row.day == day;
            let rows = tables.payouts.iter().filter(|(_, row)| is_it(row));
            let mut rows: Vec<(&String, &PayoutRow)> = rows.collect();
            rows.sort_unstable_by_key(|(key, row)| (std::cmp::Reverse(row.minor), *key));
            let parts = parts_of(minor);
            if rows.len() != parts.len() {
                return Err(format!(
                    "{id} is paid {rows:?} and not {parts:?} of {from:?}"
                ));
            }
            for ((key, row), minor) in rows.into_iter().zip(parts) {
                let due = PaidOut {
                    from,
                    minor,
                    day: day.clone(),
                    through: text_of(through),
                    state: "due".to_owned(),
                };
                if (row.minor, &row.through) != (due.minor, &due.through) {
                    return Err(format!("{row:?} should be {due:?}"));
                }
                self.payouts.insert(key.clone(), due);
            }
        }
        Ok(())
    }

    /// What an account has free now, without what came after a day, and without what
    /// earlier payouts still have to take.
    fn due(&self, from: Place, through: i64) -> i64 {
        let account = from.money(Currency::CNY);
        let sums = self.accounts.get(&account).copied().unwrap_or_default();
        let days = self.moved.get(&account);
        let since: i64 = days.map_or(0, |days| {
            let later = days.range(through + 1..);
            later.map(|(_, (credits, _))| credits).sum()
        });
        let waiting = self.payouts.values();
        let waiting = waiting.filter(|paid| paid.from == from && paid.state == "due");
        let waiting: i64 = waiting.map(|paid| paid.minor).sum();
        (sums.posted - sums.out - since - waiting).max(0)
    }

    /// What payouts ask of banks: each once, by the id that follows from its own.
    pub(crate) fn asked_by_payouts(&self) -> Vec<BankAsk> {
        let asks = self.payouts.iter().filter_map(|(id, paid)| {
            let id: qiao_model::PayoutId = id.parse().ok()?;
            Some(BankAsk {
                transfer: id.derive("bank transfer", 0),
                purpose: BankPurpose::PayOut,
                who: paid.from,
                bank: None,
                minor: paid.minor,
            })
        });
        asks.collect()
    }

    /// Where the payouts stand, by where their transfers do.
    pub(crate) fn follow_payouts(&mut self, tables: &Tables) -> Checked {
        for (id, row) in &tables.payouts {
            let Some(before) = self.payouts.get(id).cloned() else {
                return Err(format!("{row:?} is not due"));
            };
            if before.state == row.state {
                continue;
            }
            let parsed: Option<qiao_model::PayoutId> = id.parse().ok();
            let transfer = parsed
                .map(|id| id.derive::<qiao_model::id::noun::BankTransfer>("bank transfer", 0));
            let transfer = transfer.and_then(|transfer| self.banked.get(&transfer.to_string()));
            let there = transfer.map(|transfer| transfer.state.as_str());
            let account = before.from.money(Currency::CNY);
            let sums = self.accounts.get(&account).copied().unwrap_or_default();
            // What a bank gave back meanwhile was not there yet.
            let back = self.released.get(&account).copied().unwrap_or(0);
            let is_short = sums.posted - sums.out - back < before.minor;
            let is_so = match (row.state.as_str(), there) {
                ("sent" | "unknown", Some(_)) | ("paid", Some("done")) => true,
                ("rejected", Some("rejected")) => true,
                ("rejected", None) => is_short,
                _ => false,
            };
            let is_over = matches!(before.state.as_str(), "paid" | "rejected");
            if !is_so || is_over {
                return Err(format!(
                    "{row:?} was {before:?} and its transfer is {there:?}"
                ));
            }
            match row.state.as_str() {
                "paid" => self.announce("payout.paid", id),
                "rejected" => self.announce("payout.rejected", id),
                _ => {}
            }
            self.payouts.insert(
                id.clone(),
                PaidOut {
                    state: row.state.clone(),
                    ..before
                },
            );
        }
        if tables.payouts.len() < self.payouts.len() {
            return Err("a payout is lost".to_owned());
        }
        Ok(())
    }

    /// What a statement over these days should say.
    pub(crate) fn statement(&self, of: Place, (first, last): (i64, i64)) -> StatementSums {
        let days = self.moved.get(&of.money(Currency::CNY));
        let sum = |from: i64, to: i64| {
            let days = days.into_iter().flat_map(|days| days.range(from..=to));
            days.fold((0, 0), |(credits, debits), (_, (credit, debit))| {
                (credits + credit, debits + debit)
            })
        };
        let (before_in, before_out) = sum(i64::MIN, first - 1);
        let (credited, debited) = sum(first, last);
        let opening = before_in - before_out;
        StatementSums {
            opening,
            credited,
            debited,
            closing: opening + credited - debited,
        }
    }
}

/// What a payout is cut into, the larger parts first: as few as the widest bank takes,
/// and nothing where every bank's fee would eat a part up.
fn parts_of(minor: i64) -> Vec<i64> {
    let widest = BANKS.iter().map(|bank| bank.minor_max).max().unwrap_or(1);
    let count = minor / widest + i64::from(minor % widest > 0);
    let parts = (0..count).map(|n| minor / count + i64::from(n < minor % count));
    let least = minor / count;
    let pays = |bank: &BankTerms| least <= bank.minor_max && fee(bank, least) < least;
    match BANKS.iter().any(pays) {
        true => parts.collect(),
        false => Vec::new(),
    }
}

/// Whether an institution may be paid now.
fn may_plan(payday: &Payday, now: Timestamp) -> bool {
    let from = if payday.days == 0 { EVENING } else { MORNING };
    is_business(day_of(now)) && minute_of(now) >= from
}

/// The last day whose T+n is not after today.
fn through(n: i64, today: i64) -> i64 {
    let due = |day: i64| {
        let mut due = (day..).find(|day| is_business(*day)).unwrap_or(day);
        for _ in 0..n {
            due = (due + 1..).find(|day| is_business(*day)).unwrap_or(due);
        }
        due
    };
    let days = today - DAYS_BACK..=today;
    days.rev().find(|day| due(*day) <= today).unwrap_or(today)
}

/// The calendar is not what is audited.
fn is_business(day: i64) -> bool {
    let date: Option<Day> = text_of(day).parse().ok();
    date.is_some_and(|date| Calendar::mainland().is_business_day(date))
}
