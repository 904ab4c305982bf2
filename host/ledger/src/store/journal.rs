//! The journal: one entry for each batch that wrote something.

use qiao_db::attest::Fact;
use qiao_db::{Db, Error, Tx};
use qiao_model::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::row::parse;
use crate::journal::{Entry, Head};

const CLAIM_SQLITE: &str = "select chain, seq, hash from ledger_chain order by chain limit 1";

// The first chain that no other batch is writing. Nobody waits here, so this
// lock cannot be part of a deadlock.
const CLAIM_POSTGRES: &str = "select chain, seq, hash from ledger_chain order by chain limit 1
for update skip locked";

const OPEN_CHAIN: &str = "insert into ledger_chain (chain) values (nextval('ledger_chain_number')) returning chain, seq, hash";

// A trigger moves the head.
const APPEND_SQLITE: &str = "insert into ledger_journal (chain, seq, previous, hash, facts, at) values ($1, $2, $3, $4, $5, $6)";

const APPEND_POSTGRES: &str =
    "with head as (update ledger_chain set seq = $2, hash = $4 where chain = $1)
insert into ledger_journal (chain, seq, previous, hash, facts, at) values ($1, $2, $3, $4, $5, $6)";

const HEADS: &str = "select chain, seq, hash from ledger_chain order by chain";

/// Appends the entry of a batch to a chain that no other batch is writing.
pub(crate) async fn append(tx: &mut Tx, facts: &[Fact], now: Timestamp) -> Result<(), Error> {
    if facts.is_empty() {
        return Ok(());
    }
    let head = claim(tx).await?;
    let entry = Entry::after(&head, facts, now.as_millis());
    let sql = tx.pick(APPEND_SQLITE, APPEND_POSTGRES);
    sqlx::query(sql)
        .bind(entry.chain)
        .bind(entry.seq)
        .bind(entry.previous.to_string())
        .bind(entry.hash().to_string())
        .bind(entry.facts)
        .bind(entry.at)
        .execute(tx.conn())
        .await?;
    Ok(())
}

async fn claim(tx: &mut Tx) -> Result<Head, Error> {
    let sql = tx.pick(CLAIM_SQLITE, CLAIM_POSTGRES);
    let row = match sqlx::query(sql).fetch_optional(tx.conn()).await? {
        Some(row) => row,
        None => sqlx::query(OPEN_CHAIN).fetch_one(tx.conn()).await?,
    };
    head_of(&row)
}

/// The last entry of every chain.
pub(crate) async fn heads(db: &Db) -> Result<Vec<Head>, Error> {
    let rows = sqlx::query(HEADS).fetch_all(db.reads()).await?;
    rows.iter().map(head_of).collect()
}

fn head_of(row: &AnyRow) -> Result<Head, Error> {
    Ok(Head {
        chain: row.try_get("chain")?,
        seq: row.try_get("seq")?,
        hash: parse("hash of the journal", row.try_get("hash")?)?,
    })
}
