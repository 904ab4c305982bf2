//! How far the income of each day is credited.

use std::collections::{HashMap, HashSet};

use qiao_db::{Db, Error, Tx};
use qiao_model::{Day, LedgerAccountId, ProductId, Timestamp, UserId};
use qiao_payments::Credited;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{AsText, json, parse};

const FINISHED: &str = "select day from income_day
where product_id = $1 and day >= $2 and finished_at is not null";

const BEGIN: &str =
    "insert into income_day (product_id, day, income_per_10k_e4) values ($1, $2, $3)
on conflict (product_id, day) do nothing";

const CREDITED_BEFORE: &str = "select cast(coalesce(sum(credited_minor), 0) as bigint) as minor
from income_day where product_id = $1 and day < $2";

const PROGRESS: &str = "select after_account, finished_at from income_day
where product_id = $1 and day = $2";
const LOCK_PROGRESS: &str = "select after_account, finished_at from income_day
where product_id = $1 and day = $2 for update";

const ADVANCE: &str = "update income_day
set after_account = $3, holders = holders + $4, credited_minor = credited_minor + $5
where product_id = $1 and day = $2";

const FINISH: &str = "update income_day set finished_at = $3 where product_id = $1 and day = $2";

// A purchase adds units when it is posted and takes them back when it is
// refunded; a redemption the other way round.
const MOVED_SQLITE: &str = "select user_id, cast(sum(moved) as bigint) as moved from (
    select user_id, case kind when 'purchase' then units_minor else -units_minor end as moved
    from orders where product_id = $1 and posted_at >= $2 and units_minor is not null
        and user_id in (select value from json_each($3))
    union all
    select user_id, case kind when 'purchase' then -units_minor else units_minor end as moved
    from orders where product_id = $1 and returned_at >= $2 and units_minor is not null
        and user_id in (select value from json_each($3))
) as moves group by user_id";

const MOVED_POSTGRES: &str = "select user_id, cast(sum(moved) as bigint) as moved from (
    select user_id, case kind when 'purchase' then units_minor else -units_minor end as moved
    from orders where product_id = $1 and posted_at >= $2 and units_minor is not null
        and user_id = any(array(select json_array_elements_text($3::json)))
    union all
    select user_id, case kind when 'purchase' then -units_minor else units_minor end as moved
    from orders where product_id = $1 and returned_at >= $2 and units_minor is not null
        and user_id = any(array(select json_array_elements_text($3::json)))
) as moves group by user_id";

/// Units that were credited as the income of the days before one.
pub(crate) async fn credited_before(
    tx: &mut Tx,
    product: ProductId,
    day: Day,
) -> Result<i64, Error> {
    let row = sqlx::query(CREDITED_BEFORE)
        .bind(product.to_string())
        .bind(day.to_string())
        .fetch_one(tx.conn())
        .await?;
    Ok(row.try_get("minor")?)
}

/// The days from one on that are credited to everybody.
pub(crate) async fn finished_since(
    db: &Db,
    product: ProductId,
    day: Day,
) -> Result<HashSet<Day>, Error> {
    let rows = sqlx::query(FINISHED)
        .bind(product.to_string())
        .bind(day.to_string())
        .fetch_all(db.reads())
        .await?;
    rows.iter()
        .map(|row| parse("day", row.try_get("day")?))
        .collect()
}

/// The last holding that a day is credited to, if any; none when everybody is.
pub(crate) async fn progress(
    db: &Db,
    product: ProductId,
    day: Day,
) -> Result<Option<Option<LedgerAccountId>>, Error> {
    let row = sqlx::query(PROGRESS)
        .bind(product.to_string())
        .bind(day.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.map_or(Ok(Some(None)), |row| progress_of(&row))
}

/// As [`progress`], with the day locked until the transaction ends.
pub(crate) async fn lock_day(
    tx: &mut Tx,
    product: ProductId,
    day: Day,
    per_10k_e4: i64,
) -> Result<Option<Option<LedgerAccountId>>, Error> {
    sqlx::query(BEGIN)
        .bind(product.to_string())
        .bind(day.to_string())
        .bind(per_10k_e4)
        .execute(tx.conn())
        .await?;
    let sql = tx.pick(PROGRESS, LOCK_PROGRESS);
    let row = sqlx::query(sql)
        .bind(product.to_string())
        .bind(day.to_string())
        .fetch_one(tx.conn())
        .await?;
    progress_of(&row)
}

fn progress_of(row: &AnyRow) -> Result<Option<Option<LedgerAccountId>>, Error> {
    let finished: Option<i64> = row.try_get("finished_at")?;
    if finished.is_some() {
        return Ok(None);
    }
    let after: Option<&str> = row.try_get("after_account")?;
    Ok(Some(after.map(|id| parse("account id", id)).transpose()?))
}

/// What orders moved into (or out of, when negative) each user's holding since a time.
pub(crate) async fn moved_since(
    tx: &mut Tx,
    product: ProductId,
    users: &[UserId],
    since: Timestamp,
) -> Result<HashMap<UserId, i64>, Error> {
    let sql = tx.pick(MOVED_SQLITE, MOVED_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(product.to_string())
        .bind(since.as_millis())
        .bind(json(users.iter().map(AsText)))
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| {
            let user = parse("user id", row.try_get("user_id")?)?;
            Ok((user, row.try_get("moved")?))
        })
        .collect()
}

/// Notes the last holding done.
pub(crate) async fn advance(
    tx: &mut Tx,
    product: ProductId,
    day: Day,
    last: LedgerAccountId,
    credited: &Credited,
) -> Result<(), Error> {
    sqlx::query(ADVANCE)
        .bind(product.to_string())
        .bind(day.to_string())
        .bind(last.to_string())
        .bind(i64::try_from(credited.holders).unwrap_or(i64::MAX))
        .bind(credited.minor)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Notes that everybody is credited.
pub(crate) async fn finish_day(
    tx: &mut Tx,
    product: ProductId,
    day: Day,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(FINISH)
        .bind(product.to_string())
        .bind(day.to_string())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(())
}
