//! What the audit reads: whole tables, row after row. Each value is read as the
//! bytes of its text, so that a byte that is no letter any more is read too.

use futures_util::TryStreamExt;
use qiao_db::{Engine, Error, Tx};
use sqlx::Row;

const ENTRIES: [&str; 2] = [
    "select chain, seq, cast(previous as blob), cast(hash as blob), cast(facts as blob), at
from ledger_journal order by chain, seq",
    "select chain, seq, convert_to(previous, 'UTF8'), convert_to(hash, 'UTF8'), facts, at
from ledger_journal order by chain, seq",
];

const CHAINS: [&str; 2] = [
    "select chain, seq, cast(hash as blob) from ledger_chain order by chain",
    "select chain, seq, convert_to(hash, 'UTF8') from ledger_chain order by chain",
];

/// The columns of a transfer that the books follow from, in the order in which
/// they are handed on.
pub(crate) const TRANSFER_COLUMNS: [&str; 11] = [
    "id",
    "kind",
    "debit_account",
    "credit_account",
    "minor",
    "pending_id",
    "debit_previous",
    "credit_previous",
    "debit_balance",
    "credit_balance",
    "reference",
];

/// The columns of an account, in the order in which they are handed on.
pub(crate) const ACCOUNT_COLUMNS: [&str; 10] = [
    "id",
    "owner",
    "kind",
    "asset",
    "debits",
    "credits",
    "pending_out",
    "pending_in",
    "transfers",
    "last_transfer",
];

/// A stored entry of the journal; numbers and texts may be anything.
pub(crate) struct StoredEntry {
    pub(crate) chain: i64,
    pub(crate) seq: i64,
    pub(crate) previous: String,
    pub(crate) hash: String,
    pub(crate) facts: Vec<u8>,
    pub(crate) at: i64,
}

/// Hands on every entry, chain by chain, in order.
pub(crate) async fn entries<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(StoredEntry) -> Result<(), E>,
) -> Result<(), E> {
    let sql = tx.pick(ENTRIES[0], ENTRIES[1]);
    let mut rows = sqlx::query(sql).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let entry = StoredEntry {
            chain: row.try_get(0).map_err(Error::from)?,
            seq: row.try_get(1).map_err(Error::from)?,
            previous: text(row.try_get(2).map_err(Error::from)?),
            hash: text(row.try_get(3).map_err(Error::from)?),
            facts: row.try_get(4).map_err(Error::from)?,
            at: row.try_get(5).map_err(Error::from)?,
        };
        each(entry)?;
    }
    Ok(())
}

/// The chains with the number and the hash of their last entries.
pub(crate) async fn chains(tx: &mut Tx) -> Result<Vec<(i64, i64, String)>, Error> {
    let sql = tx.pick(CHAINS[0], CHAINS[1]);
    let rows = sqlx::query(sql).fetch_all(tx.conn()).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, text(row.try_get(2)?))))
        .collect()
}

/// Hands on every row of a table as the texts of the columns.
pub(crate) async fn rows<const N: usize, E: From<Error>>(
    tx: &mut Tx,
    table: &str,
    columns: &[&str; N],
    mut each: impl FnMut([Option<String>; N]) -> Result<(), E>,
) -> Result<(), E> {
    let as_bytes = |column: &&str| match tx.engine() {
        Engine::Sqlite => format!("cast({column} as blob)"),
        Engine::Postgres => format!("convert_to(cast({column} as text), 'UTF8')"),
    };
    let list: Vec<String> = columns.iter().map(as_bytes).collect();
    let sql = format!("select {} from {table}", list.join(", "));
    let mut rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let mut values = [const { None }; N];
        for (at, value) in values.iter_mut().enumerate() {
            let bytes: Option<Vec<u8>> = row.try_get(at).map_err(Error::from)?;
            *value = bytes.map(text);
        }
        each(values)?;
    }
    Ok(())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
