//! What the audit reads: payouts, closed days and reconciled days, row after row.

use futures_util::TryStreamExt;
use qiao_db::{Error, Tx};
use qiao_model::{Day, LedgerAccountId};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::close::mark;
use super::parse;
use super::payout::{columns, payout};
use crate::mark::Mark;
use crate::payout::Payout;

const PAYOUTS: &str = concat!("select ", columns!(), " from payout");

const CLOSES: &str = "select account_id, day, transfer_id, credits, debits from settlement_close";

const RUNS: &str = "select r.channel, r.day, r.lines, (
    select count(*) from bank_statement_line l where l.channel = r.channel and l.day = r.day and l.withdrawn_at is null
) as kept
from reconciliation r";

/// Hands on every payout, or why its row is not readable.
pub(crate) async fn payouts<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<Payout, Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(PAYOUTS).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let id: String = row.try_get("id").unwrap_or_default();
        each(&id, payout(&row))?;
    }
    Ok(())
}

/// A closed day of an account.
pub(crate) struct StoredClose {
    pub(crate) account: LedgerAccountId,
    pub(crate) day: Day,
    pub(crate) mark: Mark,
}

/// Hands on every closed day, or why its row is not readable.
pub(crate) async fn closes<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<StoredClose, Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(CLOSES).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let text = |column| row.try_get::<String, _>(column).unwrap_or_default();
        let id = format!("{}/{}", text("account_id"), text("day"));
        each(&id, close(&row))?;
    }
    Ok(())
}

fn close(row: &AnyRow) -> Result<StoredClose, Error> {
    Ok(StoredClose {
        account: parse("account id", row.try_get("account_id")?)?,
        day: parse("day", row.try_get("day")?)?,
        mark: mark(row)?,
    })
}

/// Hands on every reconciled day, with how many lines it counts and has.
pub(crate) async fn runs(tx: &mut Tx, mut each: impl FnMut(String, i64, i64)) -> Result<(), Error> {
    let mut rows = sqlx::query(RUNS).fetch(tx.conn());
    while let Some(row) = rows.try_next().await? {
        let text = |column| row.try_get::<String, _>(column);
        let of = format!("{}/{}", text("channel")?, text("day")?);
        each(of, row.try_get("lines")?, row.try_get("kept")?);
    }
    Ok(())
}
