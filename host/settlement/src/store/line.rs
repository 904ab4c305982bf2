//! The banks' statements, and how each day compared.

use qiao_db::{Db, Error, Tx};
use qiao_model::{Channel, Day, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{parse, rows};
use crate::reconcile::Reconciliation;

const FORGET: &str = "delete from bank_statement_line where channel = $1 and day = $2";

const INSERT: &str = "insert into bank_statement_line (channel, day, bank_reference, transfer_id, change_minor, booked_at)
values ($1, $2, $3, $4, $5, $6)";

const DAYS_OF: &str = "select distinct day from bank_statement_line
where channel = $1 and transfer_id = $2 order by day limit 10";

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
pub(crate) struct StoredLine {
    pub(crate) bank_reference: String,
    pub(crate) transfer: Option<String>,
    pub(crate) change_minor: i64,
    pub(crate) booked_at: Timestamp,
}

/// Puts the lines of a day in place of those that were fetched before.
pub(crate) async fn replace(
    tx: &mut Tx,
    run: &Reconciliation,
    lines: &[StoredLine],
) -> Result<(), Error> {
    let (channel, day) = (run.channel.to_string(), run.day.to_string());
    sqlx::query(FORGET)
        .bind(&channel)
        .bind(&day)
        .execute(tx.conn())
        .await?;
    for line in lines {
        sqlx::query(INSERT)
            .bind(&channel)
            .bind(&day)
            .bind(&line.bank_reference)
            .bind(line.transfer.as_deref())
            .bind(line.change_minor)
            .bind(line.booked_at.as_millis())
            .execute(tx.conn())
            .await?;
    }
    Ok(())
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
