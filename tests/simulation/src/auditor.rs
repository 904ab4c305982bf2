//! The auditor: it hears every request and every answer, keeps books of its own
//! by arithmetic of its own, and after each step compares them with the tables.
//! It shares no code with payments and ledger.

mod days;
mod mandates;
mod model;
mod shares;
mod tables;

use std::collections::BTreeMap;
use std::fmt::Debug;

use qiao_model::{Channel, Currency, Timestamp};

use crate::ask::{Ask, AtBanks, BankAsk, BankState, Heard, Place, Sent, StatementSums, Told};
use model::{Model, digest, has_floor};
pub(crate) use tables::Tables;

/// What the auditor objects to.
pub(crate) type Finding = String;

/// The auditor of one run.
#[derive(Debug, Default)]
pub(crate) struct Auditor {
    model: Model,
    /// The last state of each payment that a table showed.
    states: BTreeMap<String, String>,
    /// What banks were asked for, by the digest of the key or the id of a payout.
    asked: BTreeMap<String, BankAsk>,
}

/// One batch with what became of it.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) sent: &'a [Sent],
    /// None when the host ended before it answered.
    pub(crate) heard: Option<&'a [Heard]>,
    /// How often the batch took effect, if it did: twice when the answer of the
    /// first commit was lost on the way.
    pub(crate) runs: usize,
    /// Whether storage broke so that a caller may hear of it.
    pub(crate) may_fail: bool,
    pub(crate) now: Timestamp,
}

/// A step in which banks had a part.
#[derive(Debug)]
pub(crate) struct AtBanksStep<'a> {
    /// What the host was asked, and what it answered.
    pub(crate) asked: Option<(&'a Sent, Option<&'a Heard>)>,
    pub(crate) at_banks: &'a AtBanks,
    /// Whether the host looked who is to be paid today, and nothing broke.
    pub(crate) is_payday: bool,
    pub(crate) now: Timestamp,
}

impl Batch<'_> {
    fn is_told(&self) -> bool {
        let heard = self.heard.unwrap_or_default();
        heard.iter().any(|heard| matches!(heard, Heard::Told(_)))
    }
}

impl Auditor {
    /// Compares what was answered with what should be, and the tables with both.
    pub(crate) fn judge(&mut self, batch: &Batch<'_>, tables: &Tables) -> Result<(), Finding> {
        let mut without = self.model.clone();
        if batch.is_told() {
            for _ in 1..batch.runs {
                for sent in batch.sent {
                    without.run(sent, batch.now);
                }
            }
        }
        let mut doubtful = Vec::new();
        for (index, sent) in batch.sent.iter().enumerate() {
            match batch.heard.map(|heard| &heard[index]) {
                Some(Heard::Told(told)) => {
                    let due = without.run(sent, batch.now);
                    if *told != due {
                        return Err(format!(
                            "{sent:?}\n  was answered {told:?}\n  and not {due:?}"
                        ));
                    }
                }
                Some(Heard::Untouched(cause) | Heard::Unknown(cause)) if !batch.may_fail => {
                    return Err(format!(
                        "{sent:?}\n  failed although nothing broke: {cause}"
                    ));
                }
                Some(Heard::Untouched(_)) => {}
                Some(Heard::Unknown(_)) | None => doubtful.push(sent),
            }
        }
        let mut with = without.clone();
        for _ in 0..batch.runs {
            for sent in &doubtful {
                with.run(sent, batch.now);
            }
        }
        // A batch is stored whole or not at all.
        let differs = compare(&without, tables);
        self.model = match differs {
            Ok(()) => without,
            Err(finding) if doubtful.is_empty() => return Err(finding),
            Err(finding) => {
                compare(&with, tables).map_err(|other| {
                    format!(
                        "neither without the doubtful commands: {finding}\n  nor with them: {other}"
                    )
                })?;
                with
            }
        };
        self.check_inside(tables)
    }

    /// Compares what the tables show of transfers at banks with what the banks did,
    /// and the books with both.
    pub(crate) fn judge_at_banks(
        &mut self,
        step: &AtBanksStep<'_>,
        tables: &Tables,
    ) -> Result<(), Finding> {
        let AtBanksStep {
            asked, at_banks, ..
        } = *step;
        if let Some((sent, _)) = asked {
            self.remember(sent);
        }
        self.model.begin_step(step.now);
        self.model.follow_payday(tables, step.now, step.is_payday)?;
        for ask in self.model.asked_by_payouts() {
            self.asked.insert(ask.transfer.to_string(), ask);
        }
        let mut seen = BTreeMap::new();
        for row in &tables.transfers_at_banks {
            let name = row.key.as_ref().unwrap_or(&row.id);
            if seen.insert(name.clone(), &row.id).is_some() {
                return Err(format!("{} is stored twice", row.id));
            }
            if !self.model.banked.contains_key(&row.id) {
                let ask = self.asked.get(name);
                let ask = ask.ok_or_else(|| format!("nobody asked for {row:?}"))?;
                self.model.begin_at_bank(row, ask)?;
            }
            self.model.follow_at_bank(row, at_banks)?;
        }
        self.model.follow_payouts(tables)?;
        if seen.len() < self.model.banked.len() {
            return Err("a transfer at a bank is lost".to_owned());
        }
        if let Some((sent, Some(heard))) = asked {
            self.check_answer(sent, heard, &seen)?;
        }
        self.compare(tables)
    }

    fn remember(&mut self, sent: &Sent) {
        if let Ask::Bank(ask) = &sent.ask {
            let payout = || ask.transfer.to_string();
            let name = sent.key.as_ref().map_or_else(payout, digest);
            self.asked.entry(name).or_insert_with(|| ask.clone());
        }
    }

    fn check_answer(
        &self,
        sent: &Sent,
        heard: &Heard,
        seen: &BTreeMap<String, &String>,
    ) -> Result<(), Finding> {
        let Ask::Bank(ask) = &sent.ask else {
            return Ok(());
        };
        let payout = || ask.transfer.to_string();
        let name = sent.key.as_ref().map_or_else(payout, digest);
        let stored = seen.get(&name).copied();
        let is_right = match heard {
            Heard::Told(Told::Transfer(id)) => stored == Some(id),
            Heard::Told(Told::Refused(name)) => {
                stored.is_none() && name == "InsufficientFunds" && self.model.lacks_for_bank(ask)
            }
            Heard::Told(_) => false,
            Heard::Untouched(_) | Heard::Unknown(_) => true,
        };
        if is_right {
            Ok(())
        } else {
            Err(format!(
                "{sent:?}\n  was answered {heard:?}\n  and is {stored:?}"
            ))
        }
    }

    /// A transfer whose end the host knows: the number of it.
    pub(crate) fn ended_at_bank(&self, number: usize) -> Option<(Channel, &str)> {
        let ended = self.model.banked.iter().filter(|(_, one)| one.has_ended());
        let ended: Vec<_> = ended.collect();
        let (id, banked) = ended.get(number % ended.len().max(1))?;
        Some((banked.bank(), id))
    }

    /// When everybody has answered: each transfer ended as its bank says, and the
    /// mirror of each bank is what its custody holds.
    pub(crate) fn settle_at_banks(
        &mut self,
        step: &AtBanksStep<'_>,
        tables: &Tables,
    ) -> Result<(), Finding> {
        self.judge_at_banks(step, tables)?;
        let at_banks = step.at_banks;
        for row in &tables.transfers_at_banks {
            let banked = &self.model.banked[&row.id];
            let is_over = match banked.at(&row.id, at_banks) {
                Some(BankState::Done) => row.state == "done",
                Some(BankState::Rejected) => row.state == "rejected",
                Some(BankState::Accepted) => false,
                // Nobody asks any more and nobody knows: an operator's.
                None => row.state == "rejected" || !row.is_asked_again,
            };
            if !is_over {
                return Err(format!("{row:?} never ends"));
            }
        }
        for (id, row) in &tables.payouts {
            let is_stuck = tables
                .transfers_at_banks
                .iter()
                .any(|row| !row.is_asked_again);
            if !matches!(row.state.as_str(), "paid" | "rejected") && !is_stuck {
                return Err(format!("payout {id} never ends: {row:?}"));
            }
        }
        let mut custody: BTreeMap<Channel, i64> = BTreeMap::new();
        for ((bank, _), there) in at_banks {
            let moved = match (there.state, there.is_in) {
                (BankState::Done, true) => there.minor,
                (BankState::Done, false) => -there.minor,
                _ => 0,
            };
            *custody.entry(*bank).or_default() += moved;
        }
        for (bank, holds) in custody {
            let (owner, kind, asset) = Place::Bank(bank).money(Currency::CNY);
            let mirror = tables.accounts.get(&(owner, kind.to_owned(), asset));
            let mirror = -mirror.map_or(0, |sums| sums.posted);
            if mirror != holds {
                return Err(format!("{bank} holds {holds} and the books say {mirror}"));
            }
        }
        Ok(())
    }

    /// Compares a statement of the days, whose lines sum to `change`.
    pub(crate) fn check_statement(
        &self,
        (of, days): (Place, (Timestamp, Timestamp)),
        sums: StatementSums,
        change: i64,
    ) -> Result<(), Finding> {
        let (first, last) = (days::day_of(days.0), days::day_of(days.1));
        let due = self.model.statement(of, (first, last));
        if sums == due && change == due.closing - due.opening {
            Ok(())
        } else {
            Err(format!(
                "the statement of {of:?} over {days:?} says {sums:?} by lines of {change}, and not {due:?}"
            ))
        }
    }

    /// Old answers are forgotten, and nothing else changes.
    pub(crate) fn sweep(&mut self, now: Timestamp, tables: &Tables) -> Result<(), Finding> {
        self.model.sweep(now);
        self.compare(tables)
    }

    /// Compares the tables with what they should be: after a restart, say.
    pub(crate) fn compare(&mut self, tables: &Tables) -> Result<(), Finding> {
        compare(&self.model, tables)?;
        self.check_inside(tables)
    }

    /// What holds of any tables: no floor is broken, no state goes back.
    fn check_inside(&mut self, tables: &Tables) -> Result<(), Finding> {
        if let Some(broken) = tables.broken.first() {
            return Err(broken.clone());
        }
        for (name, sums) in &tables.accounts {
            if has_floor(&name.1) && sums.posted - sums.out < 0 {
                return Err(format!("{name:?} is below its floor: {sums:?}"));
            }
        }
        for (id, row) in &tables.payments {
            if let Some(before) = self.states.insert(id.clone(), row.state.clone())
                && rank(&before) > rank(&row.state)
            {
                return Err(format!("{id} went back from {before} to {}", row.state));
            }
        }
        Ok(())
    }
}

/// The order of the states: nothing becomes what stands before it, and of two
/// ends none becomes the other.
fn rank(state: &str) -> u8 {
    match state {
        "held" => 0,
        "posted" => 1,
        "partly-refunded" => 2,
        "refunded" => 3,
        // After it, every other state is one that went back.
        _ => 4,
    }
}

fn compare(model: &Model, tables: &Tables) -> Result<(), Finding> {
    let due = model
        .accounts
        .iter()
        .filter(|(_, sums)| **sums != Default::default());
    let due: BTreeMap<_, _> = due
        .map(|((owner, kind, asset), sums)| {
            ((owner.clone(), (*kind).to_owned(), asset.clone()), *sums)
        })
        .collect();
    let used = tables
        .accounts
        .iter()
        .filter(|(_, sums)| **sums != Default::default());
    same(
        "account",
        &due,
        &used.map(|(name, sums)| (name.clone(), *sums)).collect(),
    )?;

    let due: BTreeMap<_, _> = model
        .payments
        .iter()
        .map(|(id, paid)| {
            let row = tables::PaymentRow {
                state: paid.state.to_owned(),
                minor: paid.minor,
                captured: paid.captured,
                refunded: paid.refunded,
                refunds: i64::try_from(paid.refunds).unwrap_or(0),
                returned: list(&paid.returned),
            };
            (id.to_string(), row)
        })
        .collect();
    same("payment", &due, &tables.payments)?;
    compare_records(model, tables)
}

/// What stands beside the accounts and payments.
fn compare_records(model: &Model, tables: &Tables) -> Result<(), Finding> {
    let due: BTreeMap<_, _> = model
        .refunds
        .iter()
        .map(|(id, (payment, minor, parts))| {
            (id.to_string(), (payment.to_string(), *minor, list(parts)))
        })
        .collect();
    same("refund", &due, &tables.refunds)?;
    let due: BTreeMap<_, _> = model
        .events
        .iter()
        .map(|((kind, subject), count)| (((*kind).to_owned(), subject.clone()), *count))
        .collect();
    same("event", &due, &tables.events)?;
    let due: BTreeMap<_, _> = model
        .income
        .iter()
        .map(|((user, product), minor)| ((user.to_string(), product.to_string()), *minor))
        .collect();
    same("income", &due, &tables.income)?;
    let due: BTreeMap<_, _> = (model.mandates.iter())
        .map(|(id, mandate)| (id.to_string(), mandate.used()))
        .collect();
    same("mandate", &due, &tables.mandates)?;
    let once = |digests: &std::collections::BTreeSet<String>| {
        digests.iter().map(|digest| (digest.clone(), ())).collect()
    };
    same("key", &once(&model.digests()), &once(&tables.digests))?;
    if model.transfers != tables.transfers {
        let (due, is) = (model.transfers, tables.transfers);
        return Err(format!("there are {is} transfers and should be {due}"));
    }
    Ok(())
}

/// The first row that is not what it should be.
fn same<K: Ord + Debug, V: PartialEq + Debug>(
    what: &str,
    due: &BTreeMap<K, V>,
    rows: &BTreeMap<K, V>,
) -> Result<(), Finding> {
    for (key, due) in due {
        match rows.get(key) {
            Some(row) if row == due => {}
            Some(row) => return Err(format!("{what} {key:?} is {row:?} and should be {due:?}")),
            None => return Err(format!("{what} {key:?} is missing; it should be {due:?}")),
        }
    }
    let extra = rows.iter().find(|(key, _)| !due.contains_key(key));
    extra.map_or(Ok(()), |(key, row)| {
        Err(format!("{what} {key:?} should not be there; it is {row:?}"))
    })
}

/// Integers as the tables list them.
fn list(minors: &[i64]) -> String {
    let texts: Vec<String> = minors.iter().map(i64::to_string).collect();
    format!("[{}]", texts.join(","))
}
