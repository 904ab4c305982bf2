//! Where accounts stood when days ended.

use qiao_db::attest::Before;
use qiao_db::{Db, Error};
use qiao_model::{Day, LedgerAccountId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::parse;
use crate::attested::CLOSES;
use crate::mark::Mark;

const FIND: &str = "select transfer_id, credits, debits from settlement_close
where account_id = $1 and day = $2";

const FIRST_AFTER: &str = "select transfer_id, credits, debits from settlement_close
where account_id = $1 and day > $2 order by day limit 1";

const KEEP: &str = "insert into settlement_close (account_id, day, transfer_id, credits, debits)
values ($1, $2, $3, $4, $5) on conflict (account_id, day) do nothing";

pub(crate) async fn find(
    db: &Db,
    account: LedgerAccountId,
    day: Day,
) -> Result<Option<Mark>, Error> {
    one(db, FIND, account, day).await
}

/// The close of the nearest later day.
pub(crate) async fn first_after(
    db: &Db,
    account: LedgerAccountId,
    day: Day,
) -> Result<Option<Mark>, Error> {
    one(db, FIRST_AFTER, account, day).await
}

/// Keeps a mark, and gives the one that holds: another node may have been faster.
pub(crate) async fn keep(
    db: &Db,
    account: LedgerAccountId,
    day: Day,
    (mark, now): (Mark, Timestamp),
) -> Result<Mark, Error> {
    db.write(|| async {
        let mut tx = db.begin().await?;
        let key = [account.to_string(), day.to_string()];
        let row = Before::of(&mut tx, &CLOSES, &[&key[0], &key[1]]).await?;
        let done = sqlx::query(KEEP)
            .bind(account.to_string())
            .bind(day.to_string())
            .bind(mark.transfer.map(|id| id.to_string()))
            .bind(mark.credits)
            .bind(mark.debits)
            .execute(tx.conn())
            .await?;
        if done.rows_affected() == 1 {
            let fact = row.fact(&mut tx).await?;
            qiao_ledger::attest(&mut tx, fact, now).await?;
        }
        tx.commit().await
    })
    .await?;
    Ok(find(db, account, day).await?.unwrap_or(mark))
}

async fn one(
    db: &Db,
    sql: &'static str,
    account: LedgerAccountId,
    day: Day,
) -> Result<Option<Mark>, Error> {
    let row = sqlx::query(sql)
        .bind(account.to_string())
        .bind(day.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(mark).transpose()
}

pub(super) fn mark(row: &AnyRow) -> Result<Mark, Error> {
    let transfer: Option<String> = row.try_get("transfer_id")?;
    let transfer = transfer.map(|id| parse("transfer id", &id)).transpose()?;
    Ok(Mark {
        transfer,
        credits: row.try_get("credits")?,
        debits: row.try_get("debits")?,
    })
}
