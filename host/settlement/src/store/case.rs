//! Differences between the banks' statements and the books.

use qiao_db::attest::{Before, Fact};
use qiao_db::{Db, Error, Tx};
use qiao_model::{CaseId, Channel, Day, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{LAST, parse, rows};
use crate::attested::CASES;
use crate::case::{Case, CaseKind, CaseState};
use crate::reconcile::Reconciliation;

/// The columns of [`case`].
macro_rules! columns {
    () => {
        "id, channel, day, kind, transfer_id, bank_reference, bank_minor, books_minor, state, note,
    actor, opened_at, changed_at"
    };
}

// A case that had its match and lost it again is open again; one that an
// operator ended stays ended.
const OPEN: &str =
    "insert into reconciliation_case (id, channel, day, kind, line, transfer_id, bank_reference,
    bank_minor, books_minor, state, opened_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $10)
on conflict (channel, kind, line) do update set state = 'open', bank_minor = excluded.bank_minor,
    books_minor = excluded.books_minor, changed_at = excluded.changed_at
where reconciliation_case.state = 'matched'";

const OF_LINE: &str =
    "select id from reconciliation_case where channel = $1 and kind = $2 and line = $3";

const OPEN_OF_DAY: &str = "select id, kind, line from reconciliation_case
where channel = $1 and day = $2 and state = 'open' order by id";

const OPEN_OF: &str = concat!(
    "select ",
    columns!(),
    " from reconciliation_case where channel = $1 and state = 'open' order by day, id limit $2"
);

const MATCHED: &str = "update reconciliation_case set state = 'matched', changed_at = $2
where id = $1 and state = 'open'";

const END: &str =
    "update reconciliation_case set state = $2, note = $3, actor = $4, changed_at = $5
where id = $1 and state = 'open'";

const FIND: &str = concat!(
    "select ",
    columns!(),
    " from reconciliation_case where id = $1"
);

const LIST: &str = concat!(
    "select ",
    columns!(),
    " from reconciliation_case where ($1 = '' or state = $1) and id < $2 order by id desc limit $3"
);

const SUM_UNTIL: &str = "select cast(coalesce(sum(coalesce(bank_minor, 0) - coalesce(books_minor, 0)), 0) as bigint) as sum
from reconciliation_case where channel = $1 and day <= $2 and state in ('open', 'written-off')";

const OPEN_COUNT: &str =
    "select count(*) as count from reconciliation_case where channel = $1 and state = 'open'";

/// Opens the case of a line, unless it has one that is open or was ended; gives
/// what the journal attests of it.
pub(crate) async fn open(tx: &mut Tx, case: &Case, line: &str) -> Result<Option<Fact>, Error> {
    let known: Option<String> = sqlx::query_scalar(OF_LINE)
        .bind(case.channel.to_string())
        .bind(case.kind.name())
        .bind(line.to_owned())
        .fetch_optional(tx.conn())
        .await?;
    let id = known.unwrap_or_else(|| case.id.to_string());
    let row = Before::of(tx, &CASES, &[&id]).await?;
    sqlx::query(OPEN)
        .bind(case.id.to_string())
        .bind(case.channel.to_string())
        .bind(case.day.to_string())
        .bind(case.kind.name())
        .bind(line)
        .bind(case.transfer.as_deref())
        .bind(case.bank_reference.as_deref())
        .bind(case.bank_minor)
        .bind(case.books_minor)
        .bind(case.opened_at.as_millis())
        .execute(tx.conn())
        .await?;
    row.fact(tx).await
}

/// The open cases of a run's bank and day, with the line of each.
pub(crate) async fn open_of_day(
    tx: &mut Tx,
    run: &Reconciliation,
) -> Result<Vec<(CaseId, CaseKind, String)>, Error> {
    let found = sqlx::query(OPEN_OF_DAY)
        .bind(run.channel.to_string())
        .bind(run.day.to_string())
        .fetch_all(tx.conn())
        .await?;
    found
        .iter()
        .map(|row| {
            let id = parse("case id", row.try_get("id")?)?;
            Ok((id, kind(row)?, row.try_get("line")?))
        })
        .collect()
}

/// The oldest open cases of a bank.
pub(crate) async fn open_of(db: &Db, channel: Channel, limit: usize) -> Result<Vec<Case>, Error> {
    let found = sqlx::query(OPEN_OF)
        .bind(channel.to_string())
        .bind(rows(limit))
        .fetch_all(db.reads())
        .await?;
    found.iter().map(case).collect()
}

/// Closes an open case whose other half turned up; gives what the journal
/// attests of it.
pub(crate) async fn matched(
    tx: &mut Tx,
    id: CaseId,
    now: Timestamp,
) -> Result<Option<Fact>, Error> {
    let row = Before::of(tx, &CASES, &[&id.to_string()]).await?;
    sqlx::query(MATCHED)
        .bind(id.to_string())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    row.fact(tx).await
}

/// Ends an open case with a note and its author; gives what the journal attests
/// of it, and nothing when it was not open.
pub(crate) async fn end(
    tx: &mut Tx,
    id: CaseId,
    state: CaseState,
    (note, by): (&str, &str),
    now: Timestamp,
) -> Result<Option<Fact>, Error> {
    let row = Before::of(tx, &CASES, &[&id.to_string()]).await?;
    sqlx::query(END)
        .bind(id.to_string())
        .bind(state.name())
        .bind(note)
        .bind(by)
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    row.fact(tx).await
}

pub(crate) async fn find(db: &Db, id: CaseId) -> Result<Option<Case>, Error> {
    let row = sqlx::query(FIND)
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(case).transpose()
}

pub(crate) async fn list(
    db: &Db,
    state: Option<CaseState>,
    before: Option<CaseId>,
    limit: usize,
) -> Result<Vec<Case>, Error> {
    let found = sqlx::query(LIST)
        .bind(state.map_or("", CaseState::name))
        .bind(before.map_or_else(|| LAST.to_owned(), |id| id.to_string()))
        .bind(rows(limit))
        .fetch_all(db.reads())
        .await?;
    found.iter().map(case).collect()
}

/// How many cases of a bank are open.
pub(crate) async fn open_count(db: &Db, channel: Channel) -> Result<i64, Error> {
    let row = sqlx::query(OPEN_COUNT)
        .bind(channel.to_string())
        .fetch_one(db.reads())
        .await?;
    Ok(row.try_get("count")?)
}

/// By how much the open and written-off cases up to a day put the bank above the books.
pub(crate) async fn sum_until(db: &Db, channel: Channel, day: Day) -> Result<i64, Error> {
    let row = sqlx::query(SUM_UNTIL)
        .bind(channel.to_string())
        .bind(day.to_string())
        .fetch_one(db.reads())
        .await?;
    Ok(row.try_get("sum")?)
}

fn kind(row: &AnyRow) -> Result<CaseKind, Error> {
    let kind: String = row.try_get("kind")?;
    CaseKind::of_name(&kind).ok_or_else(|| Error::corrupt("kind of a case", kind))
}

fn case(row: &AnyRow) -> Result<Case, Error> {
    let state: String = row.try_get("state")?;
    Ok(Case {
        id: parse("case id", row.try_get("id")?)?,
        channel: parse("channel", row.try_get("channel")?)?,
        day: parse("day", row.try_get("day")?)?,
        kind: kind(row)?,
        transfer: row.try_get("transfer_id")?,
        bank_reference: row.try_get("bank_reference")?,
        bank_minor: row.try_get("bank_minor")?,
        books_minor: row.try_get("books_minor")?,
        state: CaseState::of_name(&state)
            .ok_or_else(|| Error::corrupt("state of a case", state))?,
        note: row.try_get("note")?,
        actor: row.try_get("actor")?,
        opened_at: Timestamp::from_millis(row.try_get("opened_at")?),
        changed_at: Timestamp::from_millis(row.try_get("changed_at")?),
    })
}
