//! What the audit reads: every transfer, row after row.

use futures_util::TryStreamExt;
use qiao_db::{Error, Tx};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::row::{transfer, transfer_columns};
use crate::transfer::BankTransfer;

const TRANSFERS: &str = concat!(
    "select ",
    transfer_columns!(),
    ", (select count(*) from bank_answer where transfer_id = bank_transfer.id) as kept
from bank_transfer"
);

/// Hands on every transfer with how many answers are kept of it, or why its row
/// is not readable.
pub(crate) async fn transfers<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<(BankTransfer, i64), Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(TRANSFERS).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let id: String = row.try_get("id").unwrap_or_default();
        each(&id, stored(&row))?;
    }
    Ok(())
}

fn stored(row: &AnyRow) -> Result<(BankTransfer, i64), Error> {
    Ok((transfer(row)?, row.try_get("kept")?))
}
