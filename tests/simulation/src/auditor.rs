//! The auditor: it hears every request and every answer, keeps books of its own
//! by arithmetic of its own, and after each step compares them with the tables.
//! It shares no code with payments and ledger.

mod model;
mod shares;
mod tables;

use std::collections::BTreeMap;
use std::fmt::Debug;

use qiao_model::Timestamp;

use crate::ask::{Heard, Sent};
use model::{Model, has_floor};
pub(crate) use tables::Tables;

/// What the auditor objects to.
pub(crate) type Finding = String;

/// The auditor of one run.
#[derive(Debug, Default)]
pub(crate) struct Auditor {
    model: Model,
    /// The last state of each payment that a table showed.
    states: BTreeMap<String, String>,
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
