//! Reading transfers.

use qiao_db::{Db, Error};
use qiao_model::{BankTransferId, Channel, Day, Timestamp};
use qiao_payments::Party;
use sqlx::Row;

use super::row::{record, transfer, transfer_columns};
use crate::machine::Record;
use crate::transfer::{BankTransfer, TransferPage};

const FIND: &str = concat!(
    "select ",
    transfer_columns!(),
    " from bank_transfer where id = $1"
);

const FIND_BY_KEY: &str = concat!(
    "select ",
    transfer_columns!(),
    " from bank_transfer where key_digest = $1"
);

const LIST_FOR_PARTY: &str = concat!(
    "select ",
    transfer_columns!(),
    " from bank_transfer where party = $1 and id < $2 order by id desc limit $3"
);

const LIST_OPEN: &str = concat!(
    "select ",
    transfer_columns!(),
    " from bank_transfer where state not in ('done', 'rejected') and id < $1
order by id desc limit $2"
);

const LIST_BOOKED: &str = concat!(
    "select ",
    transfer_columns!(),
    " from bank_transfer
where channel = $1 and booked_at >= $2 and booked_at < $3 and state = 'done' and id > $4
order by id limit $5"
);

const COMING: &str = "select cast(coalesce(sum(amount_minor), 0) as bigint) as sum
from bank_transfer where state in ('requested', 'unknown', 'accepted')
    and channel = $1 and purpose in ('bank-top-up', 'bank-payment')";

const FIRST: &str = "select min(requested_at) as first from bank_transfer where channel = $1";

/// After every id.
const LAST: &str = "~";

fn before(page: TransferPage) -> String {
    page.before
        .map_or_else(|| LAST.to_owned(), |id| id.to_string())
}

fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(crate) async fn find(db: &Db, id: BankTransferId) -> Result<Option<BankTransfer>, Error> {
    let row = sqlx::query(FIND)
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(transfer).transpose()
}

pub(crate) async fn find_by_key(db: &Db, key_digest: &str) -> Result<Option<Record>, Error> {
    let row = sqlx::query(FIND_BY_KEY)
        .bind(key_digest)
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(record).transpose()
}

pub(crate) async fn list_for_party(
    db: &Db,
    party: Party,
    page: TransferPage,
) -> Result<Vec<BankTransfer>, Error> {
    let rows = sqlx::query(LIST_FOR_PARTY)
        .bind(party.to_string())
        .bind(before(page))
        .bind(limit(page.limit))
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(transfer).collect()
}

/// Transfers that have not ended, newest first.
pub(crate) async fn list_open(db: &Db, page: TransferPage) -> Result<Vec<BankTransfer>, Error> {
    let rows = sqlx::query(LIST_OPEN)
        .bind(before(page))
        .bind(limit(page.limit))
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(transfer).collect()
}

/// Which booked transfers of a channel.
pub(crate) struct Booked {
    pub(crate) channel: Channel,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) after: Option<BankTransferId>,
    pub(crate) limit: usize,
}

/// What a channel's bank booked within a time, oldest first.
pub(crate) async fn list_booked(db: &Db, of: &Booked) -> Result<Vec<BankTransfer>, Error> {
    let after = of.after.map_or_else(String::new, |id| id.to_string());
    let rows = sqlx::query(LIST_BOOKED)
        .bind(of.channel.to_string())
        .bind(of.from.as_millis())
        .bind(of.until.as_millis())
        .bind(after)
        .bind(limit(of.limit))
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(transfer).collect()
}

/// What is on its way to a channel's bank and has not ended.
pub(crate) async fn coming(db: &Db, channel: Channel) -> Result<i64, Error> {
    let row = sqlx::query(COMING)
        .bind(channel.to_string())
        .fetch_one(db.reads())
        .await?;
    Ok(row.try_get("sum")?)
}

/// The day of a channel's first transfer.
pub(crate) async fn first_day(db: &Db, channel: Channel) -> Result<Option<Day>, Error> {
    let row = sqlx::query(FIRST)
        .bind(channel.to_string())
        .fetch_one(db.reads())
        .await?;
    let first: Option<i64> = row.try_get("first")?;
    Ok(first.map(|millis| Timestamp::from_millis(millis).day()))
}
