//! The banks' statements, and how each day compared.

use std::collections::HashMap;

use qiao_db::attest::Fact;
use qiao_db::{Db, Error, Tx};
use qiao_model::{Channel, Day, Timestamp};
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{parse, rows};
use crate::attested::LINES;
use crate::reconcile::Reconciliation;

const OF_DAY: &str =
    "select bank_reference, transfer_id, change_minor, booked_at, fetched_at, withdrawn_at
from bank_statement_line where channel = $1 and day = $2";

const KEEP: &str =
    "insert into bank_statement_line (channel, day, bank_reference, transfer_id, change_minor,
    booked_at, fetched_at, withdrawn_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (channel, day, bank_reference) do update set transfer_id = excluded.transfer_id,
    change_minor = excluded.change_minor, booked_at = excluded.booked_at,
    fetched_at = excluded.fetched_at, withdrawn_at = excluded.withdrawn_at";

const DAYS_OF: &str = "select distinct day from bank_statement_line
where channel = $1 and transfer_id = $2 and withdrawn_at is null order by day limit 10";

const KEEP_RUN: &str =
    "insert into reconciliation (channel, day, bank_opening, bank_closing, books_closing,
    in_transit, lines, matched, ran_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (channel, day) do update set bank_opening = excluded.bank_opening,
    bank_closing = excluded.bank_closing, books_closing = excluded.books_closing,
    in_transit = excluded.in_transit, lines = excluded.lines, matched = excluded.matched,
    ran_at = excluded.ran_at";

const LAST_RUN: &str = "select channel, day, bank_opening, bank_closing, books_closing, in_transit, lines, matched, ran_at
from reconciliation where channel = $1 order by day desc limit 1";

const COMPARED: &str = "select count(*) as days, min(day) as first, max(day) as last
from reconciliation where channel = $1";

const COMPARED_DAYS: &str =
    "select day from reconciliation where channel = $1 and day >= $2 order by day";

const RUNS: &str = "select channel, day, bank_opening, bank_closing, books_closing, in_transit, lines, matched, ran_at
from reconciliation order by day desc, channel limit $1";

/// Which days of a bank were compared.
#[derive(Clone, Copy)]
pub(crate) struct Compared {
    pub(crate) first: Day,
    pub(crate) last: Day,
    pub(crate) days: i64,
}

/// A line of a bank's statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredLine {
    pub(crate) bank_reference: String,
    pub(crate) transfer: Option<String>,
    pub(crate) change_minor: i64,
    pub(crate) booked_at: Timestamp,
}

/// A line with when it was first fetched as it is, and when it was gone.
#[derive(Clone, Debug)]
struct KeptLine {
    line: StoredLine,
    fetched_at: Timestamp,
    withdrawn_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct LineRow<'a> {
    channel: &'a str,
    day: &'a str,
    bank_reference: &'a str,
    transfer: Option<&'a str>,
    change_minor: i64,
    booked_at: i64,
    fetched_at: i64,
    withdrawn_at: Option<i64>,
}

impl<'a> LineRow<'a> {
    fn of((channel, day): (&'a str, &'a str), kept: &'a KeptLine) -> Self {
        Self {
            channel,
            day,
            bank_reference: &kept.line.bank_reference,
            transfer: kept.line.transfer.as_deref(),
            change_minor: kept.line.change_minor,
            booked_at: kept.line.booked_at.as_millis(),
            fetched_at: kept.fetched_at.as_millis(),
            withdrawn_at: kept.withdrawn_at.map(Timestamp::as_millis),
        }
    }

    fn fact(&self) -> Fact {
        let id = LINES.id_of(&[self.channel, self.day, self.bank_reference]);
        LINES.fact(id, self)
    }
}

/// Makes the lines of a day those that were fetched: what is as it was stays,
/// what is gone is withdrawn. Adds what the journal attests of it.
pub(crate) async fn replace(
    tx: &mut Tx,
    run: &Reconciliation,
    lines: &[StoredLine],
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    let (channel, day) = (run.channel.to_string(), run.day.to_string());
    let of = (channel.as_str(), day.as_str());
    let mut known = of_day(tx, of).await?;
    for line in lines {
        let before = known.remove(&line.bank_reference);
        let is_same = |kept: &KeptLine| kept.line == *line && kept.withdrawn_at.is_none();
        if before.as_ref().is_some_and(is_same) {
            continue;
        }
        let now = KeptLine {
            line: line.clone(),
            fetched_at: run.ran_at,
            withdrawn_at: None,
        };
        facts.push(keep(tx, of, before.as_ref(), &now).await?);
    }
    for gone in known.into_values() {
        if gone.withdrawn_at.is_none() {
            let now = KeptLine {
                withdrawn_at: Some(run.ran_at),
                ..gone.clone()
            };
            facts.push(keep(tx, of, Some(&gone), &now).await?);
        }
    }
    Ok(())
}

async fn of_day(
    tx: &mut Tx,
    (channel, day): (&str, &str),
) -> Result<HashMap<String, KeptLine>, Error> {
    let rows = sqlx::query(OF_DAY)
        .bind(channel.to_owned())
        .bind(day.to_owned())
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| kept(row).map(|kept| (kept.line.bank_reference.clone(), kept)))
        .collect()
}

async fn keep(
    tx: &mut Tx,
    of: (&str, &str),
    before: Option<&KeptLine>,
    now: &KeptLine,
) -> Result<Fact, Error> {
    let row = LineRow::of(of, now);
    sqlx::query(KEEP)
        .bind(row.channel.to_owned())
        .bind(row.day.to_owned())
        .bind(row.bank_reference.to_owned())
        .bind(row.transfer.map(str::to_owned))
        .bind(row.change_minor)
        .bind(row.booked_at)
        .bind(row.fetched_at)
        .bind(row.withdrawn_at)
        .execute(tx.conn())
        .await?;
    let fact = row.fact();
    Ok(match before {
        Some(before) => fact.after(LineRow::of(of, before).fact().digest),
        None => fact,
    })
}

fn kept(row: &AnyRow) -> Result<KeptLine, Error> {
    let withdrawn_at: Option<i64> = row.try_get("withdrawn_at")?;
    Ok(KeptLine {
        line: StoredLine {
            bank_reference: row.try_get("bank_reference")?,
            transfer: row.try_get("transfer_id")?,
            change_minor: row.try_get("change_minor")?,
            booked_at: Timestamp::from_millis(row.try_get("booked_at")?),
        },
        fetched_at: Timestamp::from_millis(row.try_get("fetched_at")?),
        withdrawn_at: withdrawn_at.map(Timestamp::from_millis),
    })
}

/// The days whose statements have a line of this transfer.
pub(crate) async fn days_of(db: &Db, channel: Channel, transfer: &str) -> Result<Vec<Day>, Error> {
    let found = sqlx::query(DAYS_OF)
        .bind(channel.to_string())
        .bind(transfer)
        .fetch_all(db.reads())
        .await?;
    found
        .iter()
        .map(|row| parse("day", row.try_get("day")?))
        .collect()
}

pub(crate) async fn keep_run(tx: &mut Tx, run: &Reconciliation) -> Result<(), Error> {
    sqlx::query(KEEP_RUN)
        .bind(run.channel.to_string())
        .bind(run.day.to_string())
        .bind(run.bank_opening)
        .bind(run.bank_closing)
        .bind(run.books_closing)
        .bind(run.in_transit)
        .bind(run.lines)
        .bind(run.matched)
        .bind(run.ran_at.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// From when until when a bank was compared, and on how many days; none before the first.
pub(crate) async fn compared(db: &Db, channel: Channel) -> Result<Option<Compared>, Error> {
    let row = sqlx::query(COMPARED)
        .bind(channel.to_string())
        .fetch_one(db.reads())
        .await?;
    let (first, last): (Option<&str>, Option<&str>) = (row.try_get("first")?, row.try_get("last")?);
    let (Some(first), Some(last)) = (first, last) else {
        return Ok(None);
    };
    Ok(Some(Compared {
        first: parse("day", first)?,
        last: parse("day", last)?,
        days: row.try_get("days")?,
    }))
}

/// The days of a bank from one on that were compared.
pub(crate) async fn compared_days(db: &Db, channel: Channel, from: Day) -> Result<Vec<Day>, Error> {
    let found = sqlx::query(COMPARED_DAYS)
        .bind(channel.to_string())
        .bind(from.to_string())
        .fetch_all(db.reads())
        .await?;
    found
        .iter()
        .map(|row| parse("day", row.try_get("day")?))
        .collect()
}

/// The newest day of a bank that was compared.
pub(crate) async fn last_run(db: &Db, channel: Channel) -> Result<Option<Reconciliation>, Error> {
    let row = sqlx::query(LAST_RUN)
        .bind(channel.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(run).transpose()
}

pub(crate) async fn runs(db: &Db, limit: usize) -> Result<Vec<Reconciliation>, Error> {
    let found = sqlx::query(RUNS)
        .bind(rows(limit))
        .fetch_all(db.reads())
        .await?;
    found.iter().map(run).collect()
}

fn run(row: &AnyRow) -> Result<Reconciliation, Error> {
    Ok(Reconciliation {
        channel: parse("channel", row.try_get("channel")?)?,
        day: parse("day", row.try_get("day")?)?,
        bank_opening: row.try_get("bank_opening")?,
        bank_closing: row.try_get("bank_closing")?,
        books_closing: row.try_get("books_closing")?,
        in_transit: row.try_get("in_transit")?,
        lines: row.try_get("lines")?,
        matched: row.try_get("matched")?,
        ran_at: Timestamp::from_millis(row.try_get("ran_at")?),
    })
}
