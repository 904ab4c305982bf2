//! The statements of a spread.

use std::fmt::{Display, Write as _};

use qiao_db::attest::Fact;
use qiao_db::{Engine, Error, Tx, WriteRows};
use qiao_model::{LedgerAccountId, TransferId};
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::json;
use super::row::{AsText, TransferRow, parse, parse_option};
use crate::attested::TRANSFERS;
use crate::spread::{Place, Spread, SpreadOf, SpreadRow};
use crate::transfer::TransferKind;

// An account that was opened or moved since it was read has another number of
// transfers, and its row stays as it is.
const GIVE: &str = "insert into ledger_account (id, owner, kind, asset, debits, transfers, last_transfer)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (id) do update set debits = ledger_account.debits + excluded.debits,
    transfers = ledger_account.transfers + excluded.transfers, last_transfer = excluded.last_transfer
where ledger_account.transfers = $8";

const RECEIVE_SQLITE: WriteRows = WriteRows {
    sqlite: [
        "with x (id, minor, transfers, transfer) as (",
        ") update ledger_account
set credits = credits + x.minor, transfers = ledger_account.transfers + 1, last_transfer = x.transfer
from x where ledger_account.id = x.id and ledger_account.transfers = x.transfers",
    ],
    postgres: "",
};

// What the transfers of a spread share comes once: less to bind for each of them.
const INSERT_SQLITE: WriteRows = WriteRows {
    sqlite: [
        "with x (id, credit, minor, debit_previous, credit_previous, debit_balance, credit_balance) as (",
        ") insert into ledger_transfer (id, credit_account, minor, debit_previous, credit_previous,
    debit_balance, credit_balance, kind, debit_account, purpose, reference, at)
select id, credit, minor, debit_previous, credit_previous, debit_balance, credit_balance, ?, ?, ?, ?, ? from x",
    ],
    postgres: "",
};

// Columns of ids and numbers, each a text of values between commas: PostgreSQL splits such
// texts in half the time that it reads rows out of JSON.
const RECEIVE_AND_INSERT_POSTGRES: &str = "with x as materialized (
    select id, credit, minor::bigint as minor, transfers::bigint as transfers, debit_previous,
        credit_previous, debit_balance::bigint as debit_balance, credit_balance::bigint as credit_balance
    from unnest(string_to_array($1, ','), string_to_array($2, ','), string_to_array($3, ','),
        string_to_array($4, ','), string_to_array($5, ',', ''), string_to_array($6, ',', ''),
        string_to_array($7, ','), string_to_array($8, ','))
        as x(id, credit, minor, transfers, debit_previous, credit_previous, debit_balance, credit_balance)
), received as (
    update ledger_account as a
    set credits = a.credits + x.minor, transfers = a.transfers + 1, last_transfer = x.id
    from x where a.id = x.credit and a.transfers = x.transfers returning 1
)
insert into ledger_transfer (id, credit_account, minor, debit_previous, credit_previous,
    debit_balance, credit_balance, kind, debit_account, purpose, reference, at)
select id, credit, minor, debit_previous, credit_previous, debit_balance, credit_balance,
    $9, $10, $11, $12, $13
from x where (select count(*) from received) = (select count(*) from x)";

const PLACES_SQLITE: &str = "select id, debits, credits, pending_in, transfers, last_transfer
from ledger_account where id in (select value from json_each($1)) order by id";

const PLACES_POSTGRES: &str = "select a.id, a.debits, a.credits, a.pending_in, a.transfers, a.last_transfer
from json_array_elements_text($1::json) as wanted (id)
cross join lateral (select * from ledger_account where ledger_account.id = wanted.id for update) as a";

const PLACE: &str = "select debits, credits, pending_in, transfers, last_transfer
from ledger_account where id = $1";

/// Bytes of an id and its comma.
const COLUMN_VALUE_BYTES: usize = 32;

/// What differs from one transfer of a spread to the next.
#[derive(Serialize)]
struct InsertRow {
    id: AsText<TransferId>,
    credit: AsText<LedgerAccountId>,
    minor: i64,
    debit_previous: Option<AsText<TransferId>>,
    credit_previous: Option<AsText<TransferId>>,
    debit_balance: i64,
    credit_balance: i64,
}

/// What all of them have in common.
#[derive(Serialize)]
struct InsertShared<'a> {
    kind: &'static str,
    debit: AsText<LedgerAccountId>,
    purpose: &'a str,
    reference: &'a str,
    at: i64,
}

#[derive(Serialize)]
struct ReceiveRow {
    id: AsText<LedgerAccountId>,
    minor: i64,
    transfers: i64,
    transfer: AsText<TransferId>,
}

/// Takes everything from the giver, which is opened when it is not there.
pub(crate) async fn give(tx: &mut Tx, spread: &Spread) -> Result<bool, Error> {
    let giver = &spread.of.giver;
    let done = sqlx::query(GIVE)
        .bind(giver.id().to_string())
        .bind(giver.owner().to_string())
        .bind(giver.kind().name())
        .bind(giver.asset().to_string())
        .bind(spread.given)
        .bind(i64::try_from(spread.rows.len()).unwrap_or(i64::MAX))
        .bind(spread.after.last_transfer.map(|id| id.to_string()))
        .bind(spread.before.transfers)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives each account its amount and appends the transfers, in order, unless one of the
/// accounts moved since it was read.
pub(crate) async fn receive(tx: &mut Tx, spread: &Spread) -> Result<bool, Error> {
    let stored = match tx.engine() {
        Engine::Sqlite if receive_sqlite(tx, spread).await? => insert_sqlite(tx, spread).await?,
        Engine::Sqlite => return Ok(false),
        Engine::Postgres => receive_and_insert_postgres(tx, spread).await?,
    };
    Ok(usize::try_from(stored) == Ok(spread.rows.len()))
}

async fn receive_sqlite(tx: &mut Tx, spread: &Spread) -> Result<bool, Error> {
    let rows: Vec<_> = (spread.rows.iter())
        .map(|row| ReceiveRow {
            id: AsText(row.line.account),
            minor: row.line.minor,
            transfers: row.line.place.transfers,
            transfer: AsText(row.line.id),
        })
        .collect();
    let done = tx.write_rows(&RECEIVE_SQLITE, &rows).await?;
    Ok(usize::try_from(done) == Ok(rows.len()))
}

async fn insert_sqlite(tx: &mut Tx, spread: &Spread) -> Result<u64, Error> {
    let rows: Vec<_> = (spread.rows.iter())
        .map(|row| InsertRow {
            id: AsText(row.line.id),
            credit: AsText(row.line.account),
            minor: row.line.minor,
            debit_previous: row.giver_previous.map(AsText),
            credit_previous: row.line.place.last_transfer.map(AsText),
            debit_balance: row.giver_balance,
            credit_balance: row.balance,
        })
        .collect();
    let shared = InsertShared {
        kind: TransferKind::Posted.name(),
        debit: AsText(spread.of.giver.id()),
        purpose: spread.of.purpose,
        reference: &spread.of.reference,
        at: spread.of.at.as_millis(),
    };
    tx.write_rows_sharing(&INSERT_SQLITE, &rows, &shared).await
}

async fn receive_and_insert_postgres(tx: &mut Tx, spread: &Spread) -> Result<u64, Error> {
    let id_of = |id: Option<TransferId>| id.map(|id| id.to_string()).unwrap_or_default();
    let done = sqlx::query(RECEIVE_AND_INSERT_POSTGRES)
        .bind(column(spread, |row| row.line.id))
        .bind(column(spread, |row| row.line.account))
        .bind(column(spread, |row| row.line.minor))
        .bind(column(spread, |row| row.line.place.transfers))
        .bind(column(spread, |row| id_of(row.giver_previous)))
        .bind(column(spread, |row| id_of(row.line.place.last_transfer)))
        .bind(column(spread, |row| row.giver_balance))
        .bind(column(spread, |row| row.balance))
        .bind(TransferKind::Posted.name())
        .bind(spread.of.giver.id().to_string())
        .bind(spread.of.purpose)
        .bind(&spread.of.reference)
        .bind(spread.of.at.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected())
}

/// A value of each row, between commas: an id, a number or nothing.
fn column<T: Display>(spread: &Spread, value: impl Fn(&SpreadRow) -> T) -> String {
    let mut column = String::with_capacity(spread.rows.len().saturating_mul(COLUMN_VALUE_BYTES));
    for (at, row) in spread.rows.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        // Writing to a text does not fail.
        let _ = write!(column, "{comma}{}", value(row));
    }
    column
}

/// What is attested of each of its transfers. Does no IO.
pub(crate) fn attest(spread: &SpreadOf, rows: &[SpreadRow]) -> Vec<Fact> {
    let giver = spread.giver.id();
    let fact = |row: &SpreadRow| {
        let transfer = TransferRow::of_spread(row, giver, spread);
        TRANSFERS.fact(row.line.id.as_u128(), &transfer)
    };
    rows.iter().map(fact).collect()
}

/// Where the chains of the accounts end; their rows are locked.
pub(crate) async fn lock_places(
    tx: &mut Tx,
    accounts: &[LedgerAccountId],
) -> Result<Vec<(LedgerAccountId, Place)>, Error> {
    let mut accounts = accounts.to_vec();
    accounts.sort_unstable();
    accounts.dedup();
    let ids = json(accounts.into_iter().map(AsText));
    let sql = tx.pick(PLACES_SQLITE, PLACES_POSTGRES);
    let rows = sqlx::query(sql).bind(ids).fetch_all(tx.conn()).await?;
    rows.iter()
        .map(|row| Ok((parse("account id", row.try_get("id")?)?, place(row)?)))
        .collect()
}

/// Where the chain of an account ends; its row is not locked.
pub(crate) async fn place_of(tx: &mut Tx, account: LedgerAccountId) -> Result<Place, Error> {
    let row = sqlx::query(PLACE)
        .bind(account.to_string())
        .fetch_optional(tx.conn())
        .await?;
    row.as_ref().map_or(Ok(Place::default()), place)
}

pub(super) fn place(row: &AnyRow) -> Result<Place, Error> {
    let (debits, credits): (i64, i64) = (row.try_get("debits")?, row.try_get("credits")?);
    Ok(Place {
        posted: credits.saturating_sub(debits),
        pending_in: row.try_get("pending_in")?,
        transfers: row.try_get("transfers")?,
        last_transfer: parse_option("transfer id", row.try_get("last_transfer")?)?,
    })
}
