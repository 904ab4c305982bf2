//! The evidence of transfers, and what it says about their channels.

use qiao_db::{Db, Error};
use qiao_model::{BankTransferId, Channel, Timestamp};
use sqlx::Row;

use super::parse;
use crate::answer::{Evidence, Via};

const LIST: &str = "select at, channel, via, outcome, detail from bank_answer
where transfer_id = $1 order by number";

const FAILURES: &str = "select channel, count(*) as count from bank_answer
where outcome in ('unreachable', 'no-answer') and at > $1 group by channel";

/// What was learned of a transfer, in order.
pub(crate) async fn list(db: &Db, id: BankTransferId) -> Result<Vec<Evidence>, Error> {
    let rows = sqlx::query(LIST)
        .bind(id.to_string())
        .fetch_all(db.reads())
        .await?;
    rows.iter()
        .map(|row| {
            let via: String = row.try_get("via")?;
            Ok(Evidence {
                at: Timestamp::from_millis(row.try_get("at")?),
                channel: parse("channel", row.try_get("channel")?)?,
                via: Via::of_name(&via).ok_or_else(|| Error::corrupt("via", via))?,
                outcome: row.try_get("outcome")?,
                detail: row.try_get("detail")?,
            })
        })
        .collect()
}

/// Exchanges without an answer since then, by channel.
pub(crate) async fn failures(db: &Db, since: Timestamp) -> Result<Vec<(Channel, i64)>, Error> {
    let rows = sqlx::query(FAILURES)
        .bind(since.as_millis())
        .fetch_all(db.reads())
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                parse("channel", row.try_get("channel")?)?,
                row.try_get("count")?,
            ))
        })
        .collect()
}
