//! The statements of the ledger. Each takes one JSON array, so their number
//! does not depend on the size of the batch.

pub(crate) mod audit;
pub(crate) mod journal;
mod read;
mod row;
pub(crate) mod spread;

pub(crate) use read::{
    account, accounts_of, asset_totals, balance_before, business_accounts, debtors, holders,
    kind_totals, statement, transfers_of,
};

use qiao_db::attest::Fact;
use qiao_db::{Error, Tx, WriteRows};
use qiao_model::{Timestamp, TransferId};
use serde::Serialize;
use sqlx::Row;

use crate::account::NewAccount;
use crate::attested::TRANSFERS;
use crate::rules::{Account, Books, Totals};
use row::{AccountRow, AsText, TransferRow, parse, parse_option, record_of};

const LOAD_ACCOUNTS_SQLITE: &str =
    "select id, debits, credits, pending_out, pending_in, transfers, last_transfer
from ledger_account where id in (select value from json_each($1))";

// PostgreSQL keeps the plan that it made when the table was small. A lateral
// look-up of each id has one plan, by the primary key, and locks in the order
// of the ids.
const LOAD_ACCOUNTS_POSTGRES: &str = "select a.id, a.debits, a.credits, a.pending_out, a.pending_in, a.transfers, a.last_transfer
from json_array_elements_text($1::json) as wanted (id)
cross join lateral (select * from ledger_account where ledger_account.id = wanted.id for update) as a";

const OPEN_ACCOUNTS_SQLITE: &str = "insert into ledger_account (id, owner, kind, asset)
select value ->> 'id', value ->> 'owner', value ->> 'kind', value ->> 'asset' from json_each($1) where true
on conflict (id) do nothing";

const OPEN_ACCOUNTS_POSTGRES: &str = "insert into ledger_account (id, owner, kind, asset)
select id, owner, kind, asset
from json_to_recordset($1::json) as x(id text, owner text, kind text, asset text)
on conflict (id) do nothing";

// The accounts are there since they were loaded; the conflict finds each by its
// primary key, which no planner can miss.
const STORE_ACCOUNTS: WriteRows = WriteRows {
    sqlite: [
        "insert into ledger_account (id, owner, kind, asset, debits, credits, pending_out,
    pending_in, transfers, last_transfer)",
        "on conflict (id) do update set debits = excluded.debits, credits = excluded.credits,
    pending_out = excluded.pending_out, pending_in = excluded.pending_in,
    transfers = excluded.transfers, last_transfer = excluded.last_transfer",
    ],
    postgres: "insert into ledger_account (id, owner, kind, asset, debits, credits, pending_out,
    pending_in, transfers, last_transfer)
select id, owner, kind, asset, debits, credits, pending_out, pending_in, transfers, last_transfer
from json_to_recordset($1::json) as x(id text, owner text, kind text, asset text, debits bigint,
    credits bigint, pending_out bigint, pending_in bigint, transfers bigint, last_transfer text)
on conflict (id) do update set debits = excluded.debits, credits = excluded.credits,
    pending_out = excluded.pending_out, pending_in = excluded.pending_in,
    transfers = excluded.transfers, last_transfer = excluded.last_transfer",
};

const LOAD_TRANSFERS_SQLITE: &str = "select t.id, t.kind, t.debit_account, t.credit_account, t.minor, t.pending_id, t.purpose,
    t.reference, t.debit_previous, t.credit_previous, t.debit_balance, t.credit_balance, r.id as resolved_by
from ledger_transfer t left join ledger_transfer r on r.pending_id = t.id
where t.id in (select value from json_each($1))";

const LOAD_TRANSFERS_POSTGRES: &str = "select t.id, t.kind, t.debit_account, t.credit_account, t.minor, t.pending_id, t.purpose,
    t.reference, t.debit_previous, t.credit_previous, t.debit_balance, t.credit_balance, t.resolved_by
from json_array_elements_text($1::json) as wanted (id)
cross join lateral (
    select *, (select r.id from ledger_transfer r where r.pending_id = ledger_transfer.id) as resolved_by
    from ledger_transfer where ledger_transfer.id = wanted.id offset 0
) as t";

const STORE_TRANSFERS: WriteRows = WriteRows {
    sqlite: [
        "insert into ledger_transfer (id, kind, debit_account, credit_account, minor, pending_id,
    purpose, reference, debit_previous, credit_previous, debit_balance, credit_balance, at)",
        "",
    ],
    postgres:
        "insert into ledger_transfer (id, kind, debit_account, credit_account, minor, pending_id,
    purpose, reference, debit_previous, credit_previous, debit_balance, credit_balance, at)
select id, kind, debit, credit, minor, pending, purpose, reference, debit_previous, credit_previous,
    debit_balance, credit_balance, at
from json_to_recordset($1::json) as x(id text, kind text, debit text, credit text, minor bigint,
    pending text, purpose text, reference text, debit_previous text, credit_previous text,
    debit_balance bigint, credit_balance bigint, at bigint)",
};

/// Loads and locks the accounts, which are sorted by id; opens the new ones.
pub(crate) async fn load_accounts(
    tx: &mut Tx,
    accounts: &[&NewAccount],
    books: &mut Books,
) -> Result<(), Error> {
    let ids = json(accounts.iter().map(|account| AsText(account.id())));
    select_accounts(tx, accounts, &ids, books).await?;
    if books.accounts.len() == accounts.len() {
        return Ok(());
    }
    let is_new = |account: &&&NewAccount| !books.accounts.contains_key(&account.id());
    let new: Vec<&NewAccount> = accounts.iter().filter(is_new).copied().collect();
    let rows = json(
        new.iter()
            .map(|account| AccountRow::of(&Account::new(**account))),
    );
    let sql = tx.pick(OPEN_ACCOUNTS_SQLITE, OPEN_ACCOUNTS_POSTGRES);
    sqlx::query(sql).bind(rows).execute(tx.conn()).await?;
    // Another host may have opened and used one of them in between.
    let ids = json(new.iter().map(|account| AsText(account.id())));
    select_accounts(tx, &new, &ids, books).await
}

async fn select_accounts(
    tx: &mut Tx,
    accounts: &[&NewAccount],
    ids: &str,
    books: &mut Books,
) -> Result<(), Error> {
    let sql = tx.pick(LOAD_ACCOUNTS_SQLITE, LOAD_ACCOUNTS_POSTGRES);
    let rows = sqlx::query(sql).bind(ids).fetch_all(tx.conn()).await?;
    for row in &rows {
        let id = parse("account id", row.try_get("id")?)?;
        let Ok(at) = accounts.binary_search_by_key(&id, |account| account.id()) else {
            return Err(Error::corrupt("account id", id.to_string()));
        };
        let totals = Totals {
            debits: row.try_get("debits")?,
            credits: row.try_get("credits")?,
            pending_out: row.try_get("pending_out")?,
            pending_in: row.try_get("pending_in")?,
        };
        let account = Account {
            totals,
            loaded: totals,
            transfers: row.try_get("transfers")?,
            last_transfer: parse_option("transfer id", row.try_get("last_transfer")?)?,
            ..Account::new(*accounts[at])
        };
        books.accounts.insert(id, account);
    }
    Ok(())
}

/// Loads the transfers that are there, with what resolved them.
pub(crate) async fn load_transfers(
    tx: &mut Tx,
    transfers: &[TransferId],
    books: &mut Books,
) -> Result<(), Error> {
    if transfers.is_empty() {
        return Ok(());
    }
    let ids = json(transfers.iter().map(AsText));
    let sql = tx.pick(LOAD_TRANSFERS_SQLITE, LOAD_TRANSFERS_POSTGRES);
    let rows = sqlx::query(sql).bind(ids).fetch_all(tx.conn()).await?;
    for row in &rows {
        let id: TransferId = parse("transfer id", row.try_get("id")?)?;
        if let Some(by) = parse_option("transfer id", row.try_get("resolved_by")?)? {
            books.resolutions.insert(id, by);
        }
        books.transfers.insert(id, record_of(row)?);
    }
    Ok(())
}

/// Writes the sums of every account that the batch touched.
pub(crate) async fn store_accounts(tx: &mut Tx, books: &Books) -> Result<(), Error> {
    let touched = books.accounts.values().filter(|account| account.touched);
    let rows: Vec<_> = touched.map(AccountRow::of).collect();
    let stored = tx.write_rows(&STORE_ACCOUNTS, &rows).await?;
    assert_eq!(
        usize::try_from(stored),
        Ok(rows.len()),
        "every touched account has one row"
    );
    Ok(())
}

/// Appends the transfers of the batch, in order, and adds what is attested of each.
pub(crate) async fn store_transfers(
    tx: &mut Tx,
    books: &Books,
    facts: &mut Vec<Fact>,
    now: Timestamp,
) -> Result<(), Error> {
    let rows: Vec<_> = books
        .made
        .iter()
        .map(|id| TransferRow::of(*id, &books.transfers[id], now))
        .collect();
    let stored = tx.write_rows(&STORE_TRANSFERS, &rows).await?;
    assert_eq!(
        usize::try_from(stored),
        Ok(rows.len()),
        "every transfer has one row"
    );
    let made = books.made.iter().zip(&rows);
    facts.extend(made.map(|(id, row)| TRANSFERS.fact(id.as_u128(), row)));
    Ok(())
}

/// The rows as one JSON array.
fn json<T: Serialize>(rows: impl IntoIterator<Item = T>) -> String {
    let mut out = Vec::from(b"[");
    for row in rows {
        if out.len() > 1 {
            out.push(b',');
        }
        // Text and integers always have a JSON form.
        if let Err(error) = serde_json::to_writer(&mut out, &row) {
            panic!("a row has no JSON form: {error}");
        }
    }
    out.push(b']');
    String::from_utf8(out).unwrap_or_default()
}
