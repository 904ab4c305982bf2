//! Who drives what.

use qiao_db::{Db, Error, Tx};
use qiao_model::{OrderId, Timestamp};

use super::row::{order, standing_columns};
use crate::order::Order;

const DUE: &str = "select 1 from orders
where next_at <= $1 and (lease_until is null or lease_until <= $1) limit 1";

const CLAIM_SQLITE: &str = concat!(
    "update orders set lease_node = $1, lease_until = $2, attempt = attempt + 1
where id in (
    select id from orders
    where next_at <= $3 and (lease_until is null or lease_until <= $3)
    order by next_at limit $4
)
returning id, token, subject, payment_id, confirmed_at, ",
    standing_columns!()
);

const CLAIM_POSTGRES: &str = concat!(
    "update orders set lease_node = $1, lease_until = $2, attempt = attempt + 1
where id in (
    select id from orders
    where next_at <= $3 and (lease_until is null or lease_until <= $3)
    order by next_at limit $4
    for update skip locked
)
returning id, token, subject, payment_id, confirmed_at, ",
    standing_columns!()
);

const RELEASE_ORDERS: &str =
    "update orders set lease_node = null, lease_until = null where lease_node = $1";
const RELEASE_JOBS: &str =
    "update job_run set lease_node = null, lease_until = null where lease_node = $1";

const MAKE_DUE: &str = "update orders set next_at = $2
where id = $1 and lease_node is null
    and ((failures > 0 and next_at is null) or (state = 'held' and problem is not null))";

/// Which orders to claim, and for how long.
pub(crate) struct Claim<'a> {
    pub(crate) node: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) limit: usize,
}

/// Whether any order is due that nobody drives. An idle worker asks this, so
/// that it does not take the writer from those who pay.
pub(crate) async fn is_any_due(db: &Db, now: Timestamp) -> Result<bool, Error> {
    let found = sqlx::query(DUE)
        .bind(now.as_millis())
        .fetch_optional(db.reads())
        .await?;
    Ok(found.is_some())
}

/// Takes the lease of due orders that nobody drives, and begins a new attempt of each.
pub(crate) async fn claim(db: &Db, claim: &Claim<'_>) -> Result<Vec<Order>, Error> {
    let mut tx = db.begin().await?;
    let sql = tx.pick(CLAIM_SQLITE, CLAIM_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(claim.node)
        .bind(claim.until.as_millis())
        .bind(claim.now.as_millis())
        .bind(i64::try_from(claim.limit).unwrap_or(1))
        .fetch_all(tx.conn())
        .await?;
    let claimed = rows.iter().map(order).collect::<Result<_, _>>()?;
    tx.commit().await?;
    Ok(claimed)
}

/// Gives back every lease of a node that starts anew.
pub(crate) async fn release(db: &Db, node: &str) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    for sql in [RELEASE_ORDERS, RELEASE_JOBS] {
        sqlx::query(sql).bind(node).execute(tx.conn()).await?;
    }
    tx.commit().await
}

/// Makes an order that waits for the operator due; gives whether it did wait.
pub(crate) async fn make_due(tx: &mut Tx, id: OrderId, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(MAKE_DUE)
        .bind(id.to_string())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}
