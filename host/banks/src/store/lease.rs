//! Who asks a bank about what.

use qiao_db::{Db, Error};
use qiao_model::{BankTransferId, Timestamp};
use sqlx::Row;

use super::row::{transfer, transfer_columns};
use crate::transfer::BankTransfer;

const DUE: &str = "select 1 from bank_transfer
where next_at <= $1 and (lease_until is null or lease_until <= $1) limit 1";

// A request whose node ended while it had the lease may have been sent.
const CLAIM_SQLITE: &str = concat!(
    "update bank_transfer set lease_node = $1, lease_until = $2, attempt = attempt + 1,
    state = case when state = 'requested' and lease_node is not null then 'unknown' else state end
where id in (
    select id from bank_transfer
    where next_at <= $3 and (lease_until is null or lease_until <= $3)
    order by next_at limit $4
)
returning ",
    transfer_columns!()
);

const CLAIM_POSTGRES: &str = concat!(
    "update bank_transfer set lease_node = $1, lease_until = $2, attempt = attempt + 1,
    state = case when state = 'requested' and lease_node is not null then 'unknown' else state end
where id in (
    select id from bank_transfer
    where next_at <= $3 and (lease_until is null or lease_until <= $3)
    order by next_at limit $4
    for update skip locked
)
returning ",
    transfer_columns!()
);

const RELEASE: &str = "update bank_transfer set lease_node = null, lease_until = null,
    state = case when state = 'requested' then 'unknown' else state end
where lease_node = $1";

const MAKE_DUE: &str = "update bank_transfer set next_at = $2
where id = $1 and next_at is null and lease_node is null and state not in ('done', 'rejected')";

// What the index `bank_transfer_open` has.
const OPEN_COUNTS: &str = "select state, count(*) as count from bank_transfer
where state not in ('done', 'rejected') group by state";

/// Which transfers to claim, and for how long.
pub(crate) struct Claim<'a> {
    pub(crate) node: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) limit: usize,
}

/// Whether any transfer is due that nobody asks about. An idle worker asks this,
/// so that it does not take the writer from those who pay.
pub(crate) async fn is_any_due(db: &Db, now: Timestamp) -> Result<bool, Error> {
    let found = sqlx::query(DUE)
        .bind(now.as_millis())
        .fetch_optional(db.reads())
        .await?;
    Ok(found.is_some())
}

/// Takes the lease of due transfers, and begins a new attempt of each.
pub(crate) async fn claim(db: &Db, claim: &Claim<'_>) -> Result<Vec<BankTransfer>, Error> {
    let mut tx = db.begin().await?;
    let sql = tx.pick(CLAIM_SQLITE, CLAIM_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(claim.node)
        .bind(claim.until.as_millis())
        .bind(claim.now.as_millis())
        .bind(i64::try_from(claim.limit).unwrap_or(1))
        .fetch_all(tx.conn())
        .await?;
    let claimed = rows.iter().map(transfer).collect::<Result<_, _>>()?;
    tx.commit().await?;
    Ok(claimed)
}

/// Gives back every lease of a node that starts anew. What it had in hand may
/// have been sent.
pub(crate) async fn release(db: &Db, node: &str) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    sqlx::query(RELEASE).bind(node).execute(tx.conn()).await?;
    tx.commit().await
}

/// Makes a stuck transfer due; gives whether it was stuck.
pub(crate) async fn make_due(
    tx: &mut qiao_db::Tx,
    id: BankTransferId,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(MAKE_DUE)
        .bind(id.to_string())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// How many transfers that have not ended there are in each state.
pub(crate) async fn open_counts(db: &Db) -> Result<Vec<(String, i64)>, Error> {
    let rows = sqlx::query(OPEN_COUNTS).fetch_all(db.reads()).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("state")?, row.try_get("count")?)))
        .collect()
}
