//! Who drives what.

use qiao_db::{Db, Error, Tx};
use qiao_model::{OrderId, PluginId, Timestamp};

use super::row::{order, standing_columns};
use super::{AsText, json};
use crate::order::Order;

const DUE_SQLITE: &str = "select 1 from orders
where next_at <= $1 and (lease_until is null or lease_until <= $1)
    and plugin_id not in (select value from json_each($2)) limit 1";

const DUE_POSTGRES: &str = "select 1 from orders
where next_at <= $1 and (lease_until is null or lease_until <= $1)
    and plugin_id <> all(array(select json_array_elements_text($2::json))) limit 1";

// Of the orders that are due longest each plugin gets its share; how many are
// looked at is bounded, however many one plugin left behind.
const CLAIM_SQLITE: &str = concat!(
    "update orders set lease_node = $1, lease_until = $2, attempt = attempt + 1
where id in (
    select id from (
        select id, next_at, row_number() over (partition by plugin_id order by next_at) as place
        from (
            select id, plugin_id, next_at from orders
            where next_at <= $3 and (lease_until is null or lease_until <= $3)
                and plugin_id not in (select value from json_each($6))
            order by next_at limit $7
        ) as longest
    ) as placed
    where place <= $5 order by next_at limit $4
)
returning id, token, subject, payment_id, confirmed_at, ",
    standing_columns!()
);

// What another node took meanwhile is due no more when its row is locked here.
const CLAIM_POSTGRES: &str = concat!(
    "update orders set lease_node = $1, lease_until = $2, attempt = attempt + 1
where id in (
    select id from orders
    where id in (
        select id from (
            select id, next_at, row_number() over (partition by plugin_id order by next_at) as place
            from (
                select id, plugin_id, next_at from orders
                where next_at <= $3 and (lease_until is null or lease_until <= $3)
                    and plugin_id <> all(array(select json_array_elements_text($6::json)))
                order by next_at limit $7
            ) as longest
        ) as placed
        where place <= $5 order by next_at limit $4
    ) and next_at <= $3 and (lease_until is null or lease_until <= $3)
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
    /// Of one plugin at most so many.
    pub(crate) share: usize,
    /// Plugins that have their share already.
    pub(crate) busy: &'a [PluginId],
}

/// Orders that are looked at for one claim.
const LOOKED_AT_MAX: i64 = 1_024;

/// Whether any order is due that nobody drives, beside those of busy plugins. An
/// idle worker asks this, so that it does not take the writer from those who pay.
pub(crate) async fn is_any_due(db: &Db, now: Timestamp, busy: &[PluginId]) -> Result<bool, Error> {
    let found = sqlx::query(db.pick(DUE_SQLITE, DUE_POSTGRES))
        .bind(now.as_millis())
        .bind(json(busy.iter().map(AsText)))
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
        .bind(i64::try_from(claim.share).unwrap_or(1))
        .bind(json(claim.busy.iter().map(AsText)))
        .bind(LOOKED_AT_MAX)
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
