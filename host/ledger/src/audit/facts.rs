//! The journal against the rows: the chains, and every attested row.

use std::collections::HashMap;

use qiao_db::Tx;
use qiao_db::attest::{Attested, RowDigest, StoredRow};
use qiao_model::Timestamp;

use super::finding::{AuditError, Report};
use super::sorter::{Sorter, bytes_at};
use crate::journal::{Entry, EntryHash, Head, Said, decode};
use crate::store::audit::{self as store, StoredEntry};

/// Rows, id, whether it is an entry's, the entry and its time, digest, whether
/// there was one before or the row must have a fact, and the digest before.
const RECORD: usize = 1 + 16 + 1 + 24 + 32 + 1 + 32;

/// Checks every chain of the journal, that the entries at `expected` are the
/// ones that were noted elsewhere, and that every row of `attested` is as the
/// journal last says.
///
/// # Errors
/// The database or the temporary files failed.
pub async fn check_journal(
    tx: &mut Tx,
    attested: &[Attested],
    expected: &[Head],
    report: &mut Report,
) -> Result<(), AuditError> {
    let mut facts = Sorter::<RECORD>::default();
    let mut chains = Chains {
        attested,
        expected: expected.to_vec(),
        ends: HashMap::new(),
    };
    store::entries(tx, |entry| chains.check(&entry, &mut facts, report)).await?;
    chains.check_heads(&store::chains(tx).await?, report);
    let engine = tx.engine();
    for (at, rows) in attested.iter().enumerate() {
        qiao_db::attest::scan(tx.conn(), engine, rows, |row| {
            report.row();
            match row.id {
                Some(id) => facts.push(Fact::of_row(at, id, &row).record())?,
                None => report.add(rows.table, &row.text, "its id is not readable"),
            }
            Ok::<_, AuditError>(())
        })
        .await?;
    }
    check_rows(attested, facts, report)?;
    name_keys(tx, attested, report).await
}

/// A fact has the digest of a key of columns: findings get the key itself, as far
/// as its row is there.
async fn name_keys(
    tx: &mut Tx,
    attested: &[Attested],
    report: &mut Report,
) -> Result<(), AuditError> {
    let engine = tx.engine();
    for rows in attested.iter().filter(|rows| rows.id.columns() > 1) {
        let found = report.rows_of(rows.table);
        if found.is_empty() {
            continue;
        }
        qiao_db::attest::scan(tx.conn(), engine, rows, |row| {
            let digest = row.id.map(|id| rows.id.write(id));
            if let Some(digest) = digest.filter(|digest| found.contains(digest)) {
                report.rename(rows.table, &digest, &row.text);
            }
            Ok::<_, AuditError>(())
        })
        .await?;
    }
    Ok(())
}

/// How far each chain was followed.
struct Chains<'a> {
    attested: &'a [Attested],
    /// Heads that were not come by yet.
    expected: Vec<Head>,
    ends: HashMap<i64, (i64, String)>,
}

impl Chains<'_> {
    fn check(
        &mut self,
        stored: &StoredEntry,
        facts: &mut Sorter<RECORD>,
        report: &mut Report,
    ) -> Result<(), AuditError> {
        report.entry(Timestamp::from_millis(stored.at));
        let (chain, seq) = (stored.chain, stored.seq);
        let name = format!("{chain}:{seq}");
        let none = || (0, EntryHash::NONE.to_string());
        let (last, last_hash) = self.ends.remove(&chain).unwrap_or_else(none);
        if seq != last.saturating_add(1) {
            let first = last.saturating_add(1);
            report.add(
                JOURNAL,
                &name,
                format!("entry {chain}:{first} before it is gone"),
            );
        } else if stored.previous != last_hash {
            let problem = format!("does not follow the hash of entry {chain}:{last}");
            report.add(JOURNAL, &name, problem);
        }
        let entry = Entry {
            chain,
            seq,
            previous: stored.previous.parse().unwrap_or(EntryHash::NONE),
            at: stored.at,
            facts: stored.facts.clone(),
        };
        if entry.hash().to_string() != stored.hash {
            report.add(JOURNAL, &name, "its hash is not the hash of what it says");
        }
        self.ends.insert(chain, (seq, stored.hash.clone()));
        self.expected.retain(|head| {
            let is_this = (head.chain, head.seq) == (chain, seq);
            if is_this && head.hash.to_string() != stored.hash {
                let problem = format!("is not the entry that was expected, {}", head.hash);
                report.add(JOURNAL, &name, problem);
            }
            !is_this
        });
        match decode(&stored.facts) {
            Some(said) => self.take(stored, &said, facts, report),
            None => {
                report.add(JOURNAL, &name, "its facts are not readable");
                Ok(())
            }
        }
    }

    fn take(
        &self,
        stored: &StoredEntry,
        said: &[Said<'_>],
        facts: &mut Sorter<RECORD>,
        report: &mut Report,
    ) -> Result<(), AuditError> {
        for fact in said {
            let rows = self.attested.iter().position(|rows| rows.name == fact.name);
            let Some(rows) = rows else {
                let problem = format!("names rows that no room knows, `{}`", fact.name);
                report.add(JOURNAL, format!("{}:{}", stored.chain, stored.seq), problem);
                continue;
            };
            let fact = Fact {
                rows,
                id: fact.id,
                entry: Some((stored.chain, stored.seq, stored.at)),
                digest: fact.digest,
                before: fact.before,
                is_attested: true,
            };
            facts.push(fact.record())?;
        }
        Ok(())
    }

    fn check_heads(&self, chains: &[(i64, i64, String)], report: &mut Report) {
        for (chain, seq, hash) in chains {
            let end = self.ends.get(chain);
            let none = (0, EntryHash::NONE.to_string());
            let (last, last_hash) = end.unwrap_or(&none);
            if seq > last {
                let problem = format!("its entries after {chain}:{last} are gone");
                report.add("ledger_chain", chain, problem);
            } else if seq < last || hash != last_hash {
                let problem = format!("its head is not its last entry {chain}:{last}");
                report.add("ledger_chain", chain, problem);
            }
        }
        for chain in self.ends.keys() {
            if !chains.iter().any(|(known, _, _)| known == chain) {
                report.add("ledger_chain", chain, "its head is gone");
            }
        }
        for head in &self.expected {
            let is_start = head.seq == 0 && head.hash == EntryHash::NONE;
            if !is_start {
                let name = format!("{}:{}", head.chain, head.seq);
                report.add(JOURNAL, name, "is gone, though it was expected");
            }
        }
    }
}

const JOURNAL: &str = "ledger_journal";

/// What the journal says of a row, or the row itself.
#[derive(Clone, Copy, Debug)]
struct Fact {
    rows: usize,
    id: u128,
    /// The chain, number and time of the entry that says it; none for the row itself.
    entry: Option<(i64, i64, i64)>,
    digest: RowDigest,
    before: Option<RowDigest>,
    /// Whether the row must have a fact.
    is_attested: bool,
}

impl Fact {
    const fn of_row(rows: usize, id: u128, row: &StoredRow) -> Self {
        Self {
            rows,
            id,
            entry: None,
            digest: row.digest,
            before: None,
            is_attested: row.is_attested,
        }
    }

    fn record(&self) -> [u8; RECORD] {
        let mut record = [0; RECORD];
        record[0] = u8::try_from(self.rows).unwrap_or(u8::MAX);
        record[1..17].copy_from_slice(&self.id.to_be_bytes());
        record[74] = u8::from(self.is_attested);
        if let Some((chain, seq, at)) = self.entry {
            record[17] = 1;
            record[18..26].copy_from_slice(&chain.to_be_bytes());
            record[26..34].copy_from_slice(&seq.to_be_bytes());
            record[34..42].copy_from_slice(&at.to_be_bytes());
            record[74] = u8::from(self.before.is_some());
        }
        record[42..74].copy_from_slice(self.digest.as_bytes());
        if let Some(before) = &self.before {
            record[75..].copy_from_slice(before.as_bytes());
        }
        record
    }

    fn of_record(record: &[u8; RECORD]) -> Self {
        let number = |at| i64::from_be_bytes(bytes_at(record, at));
        let is_said = record[17] == 1;
        let flag = record[74] == 1;
        Self {
            rows: usize::from(record[0]),
            id: u128::from_be_bytes(bytes_at(record, 1)),
            entry: is_said.then(|| (number(18), number(26), number(34))),
            digest: RowDigest::from_bytes(bytes_at(record, 42)),
            before: (is_said && flag).then(|| RowDigest::from_bytes(bytes_at(record, 75))),
            is_attested: is_said || flag,
        }
    }
}

/// Each row against what the journal says of it.
fn check_rows(
    attested: &[Attested],
    facts: Sorter<RECORD>,
    report: &mut Report,
) -> Result<(), AuditError> {
    let mut of_one: Vec<Fact> = Vec::new();
    for record in facts.sorted()? {
        let fact = Fact::of_record(&record?);
        let is_next = |last: &Fact| (last.rows, last.id) != (fact.rows, fact.id);
        if of_one.last().is_some_and(is_next) {
            check_row(attested, &of_one, report);
            of_one.clear();
        }
        of_one.push(fact);
    }
    check_row(attested, &of_one, report);
    Ok(())
}

/// One row, if it is there, and after it every fact of it.
fn check_row(attested: &[Attested], facts: &[Fact], report: &mut Report) {
    let Some(first) = facts.first() else { return };
    let rows = &attested[first.rows];
    let (row, said) = match first.entry {
        None => (Some(first), &facts[1..]),
        Some(_) => (None, facts),
    };
    let id = rows.id.write(first.id);
    let Some(now) = latest(said) else {
        let problem = match said {
            [] if first.is_attested => "is not in the journal",
            [] => return,
            _ => "the journal does not say what it is now",
        };
        report.add(rows.table, id, problem);
        return;
    };
    if let Some(fact) = said.iter().find(|fact| is_adrift(said, fact)) {
        let problem = format!(
            "was not as the journal said when entry {} changed it",
            name(fact)
        );
        report.add(rows.table, &id, problem);
    }
    match row {
        Some(row) if row.digest == now.digest => {}
        Some(row) => {
            let earlier = said.iter().find(|fact| fact.digest == row.digest);
            let problem = earlier.map_or_else(
                || format!("is not as entry {} says", name(now)),
                |fact| format!("is as entry {} says, not as {}", name(fact), name(now)),
            );
            report.add(rows.table, &id, problem);
        }
        None if is_kept(rows, now, report) => {
            report.add(
                rows.table,
                &id,
                format!("is gone; entry {} has it", name(now)),
            );
        }
        None => {}
    }
}

/// Whether the row of a fact is too young to be forgotten.
fn is_kept(rows: &Attested, fact: &Fact, report: &Report) -> bool {
    let Some(kept_secs) = rows.keeping.kept_secs() else {
        return true;
    };
    let since = report.now().plus_secs(kept_secs.saturating_neg());
    let at = fact.entry.map_or(0, |(_, _, at)| at);
    at >= since.as_millis()
}

/// The fact that no other one follows.
fn latest(said: &[Fact]) -> Option<&Fact> {
    let is_followed = |fact: &Fact| said.iter().any(|next| next.before == Some(fact.digest));
    let mut ends = said.iter().filter(|fact| !is_followed(fact));
    let end = ends.next()?;
    ends.next().is_none().then_some(end)
}

/// Whether a fact follows nothing that the journal says, or a second begins the row.
fn is_adrift(said: &[Fact], fact: &Fact) -> bool {
    match fact.before {
        Some(before) => !said.iter().any(|earlier| earlier.digest == before),
        None => said.iter().filter(|other| other.before.is_none()).count() > 1,
    }
}

fn name(fact: &Fact) -> String {
    let (chain, seq, _) = fact.entry.unwrap_or_default();
    format!("{chain}:{seq}")
}
