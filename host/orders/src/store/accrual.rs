use std::collections::HashMap;

use qiao_catalog::fee::NetAssetValue;
use qiao_db::{Db, Error, Tx};
use qiao_model::{Day, PaymentId, ProductId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::parse;
use crate::accrual::DayFee;
use crate::accrued_day::AccruedDay;

const LAST: &str = "select max(day) as day from accrued_day where product_id = $1";

const CARRIED: &str = "select code, carried from accrued_fee
where product_id = $1 and day = (
    select max(day) from accrued_day where product_id = $1 and day < $2
)";

const INSERT_DAY: &str = "insert into accrued_day (product_id, day, days, units_minor, nav_e4, schedule_version, payment_id, accrued_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (product_id, day) do nothing";

const INSERT_FEE: &str = "insert into accrued_fee (product_id, day, code, minor, carried)
values ($1, $2, $3, $4, $5)";

const LIST: &str = "select accrued_day.day, days, units_minor, nav_e4, payment_id,
    cast(coalesce(sum(accrued_fee.minor), 0) as bigint) as minor
from accrued_day
left join accrued_fee on accrued_fee.product_id = accrued_day.product_id
    and accrued_fee.day = accrued_day.day
where accrued_day.product_id = $1
group by accrued_day.day, days, units_minor, nav_e4, payment_id
order by accrued_day.day desc limit $2";

/// A day whose accrued fees are paid.
#[derive(Debug)]
pub(crate) struct NewAccruedDay {
    pub(crate) product: ProductId,
    pub(crate) day: Day,
    pub(crate) days: u32,
    pub(crate) value: NetAssetValue,
    pub(crate) schedule_version: u32,
    pub(crate) payment: Option<PaymentId>,
}

/// The newest day that is accrued.
pub(crate) async fn last_day(db: &Db, product: ProductId) -> Result<Option<Day>, Error> {
    let row = sqlx::query(LAST)
        .bind(product.to_string())
        .fetch_one(db.reads())
        .await?;
    let day: Option<&str> = row.try_get("day")?;
    day.map(|day| parse("day", day)).transpose()
}

/// The fractions that the accrued day before left, by fee.
pub(crate) async fn carried(
    tx: &mut Tx,
    product: ProductId,
    day: Day,
) -> Result<HashMap<String, i64>, Error> {
    let rows = sqlx::query(CARRIED)
        .bind(product.to_string())
        .bind(day.to_string())
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("code")?, row.try_get("carried")?)))
        .collect()
}

/// Notes a day; false when it was noted before.
pub(crate) async fn insert_day(
    tx: &mut Tx,
    row: &NewAccruedDay,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(INSERT_DAY)
        .bind(row.product.to_string())
        .bind(row.day.to_string())
        .bind(i64::from(row.days))
        .bind(row.value.units_minor)
        .bind(row.value.nav_e4)
        .bind(i64::from(row.schedule_version))
        .bind(row.payment.map(|id| id.to_string()))
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes what each fee of the day came to: at most eight rows.
pub(crate) async fn insert_fees(
    tx: &mut Tx,
    product: ProductId,
    day: Day,
    fees: &[DayFee<'_>],
) -> Result<(), Error> {
    for DayFee { fee, accrual } in fees {
        sqlx::query(INSERT_FEE)
            .bind(product.to_string())
            .bind(day.to_string())
            .bind(&fee.code)
            .bind(accrual.minor)
            .bind(accrual.carried)
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}

/// The newest accrued days, the newest first.
pub(crate) async fn list(
    db: &Db,
    product: ProductId,
    limit: u32,
) -> Result<Vec<AccruedDay>, Error> {
    let rows = sqlx::query(LIST)
        .bind(product.to_string())
        .bind(i64::from(limit))
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(accrued_day).collect()
}

fn accrued_day(row: &AnyRow) -> Result<AccruedDay, Error> {
    let days: i64 = row.try_get("days")?;
    let payment: Option<&str> = row.try_get("payment_id")?;
    Ok(AccruedDay {
        day: parse("day", row.try_get("day")?)?,
        days: u32::try_from(days).map_err(|_| Error::corrupt("days", days.to_string()))?,
        units_minor: row.try_get("units_minor")?,
        nav_e4: row.try_get("nav_e4")?,
        minor: row.try_get("minor")?,
        payment: payment.map(|id| parse("payment id", id)).transpose()?,
    })
}
