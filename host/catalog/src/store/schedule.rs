use qiao_db::{Db, Error, Tx};
use qiao_model::{Day, ProductId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{day_of, id_of, line_json};
use crate::schedule::FeeSchedule;

pub(crate) async fn insert(
    tx: &mut Tx,
    schedule: &FeeSchedule,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into fee_schedule (id, product, version, effective_from, lines, accrued, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(schedule.id.to_string())
    .bind(schedule.product.to_string())
    .bind(i64::from(schedule.version))
    .bind(schedule.effective_from.to_string())
    .bind(line_json::write(&schedule.lines)?)
    .bind(line_json::write_accrued(&schedule.accrued)?)
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn newest(tx: &mut Tx, product: ProductId) -> Result<Option<FeeSchedule>, Error> {
    let row = sqlx::query(
        "select id, product, version, effective_from, lines, accrued from fee_schedule
         where product = $1 order by version desc limit 1",
    )
    .bind(product.to_string())
    .fetch_optional(tx.conn())
    .await?;
    row.as_ref().map(schedule_from).transpose()
}

const FIND: &str = "select id, product, version, effective_from, lines, accrued from fee_schedule
where product = $1 and version = $2";

pub(crate) async fn find_in(
    tx: &mut Tx,
    product: ProductId,
    version: u32,
) -> Result<Option<FeeSchedule>, Error> {
    let row = sqlx::query(FIND)
        .bind(product.to_string())
        .bind(i64::from(version))
        .fetch_optional(tx.conn())
        .await?;
    row.as_ref().map(schedule_from).transpose()
}

pub(crate) async fn find(
    db: &Db,
    product: ProductId,
    version: u32,
) -> Result<Option<FeeSchedule>, Error> {
    let row = sqlx::query(FIND)
        .bind(product.to_string())
        .bind(i64::from(version))
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(schedule_from).transpose()
}

pub(crate) async fn list_of(db: &Db, product: ProductId) -> Result<Vec<FeeSchedule>, Error> {
    let rows = sqlx::query(
        "select id, product, version, effective_from, lines, accrued from fee_schedule
         where product = $1 order by version",
    )
    .bind(product.to_string())
    .fetch_all(db.reads())
    .await?;
    rows.iter().map(schedule_from).collect()
}

/// Version and first day of every version, the oldest first.
pub(crate) async fn versions(db: &Db, product: ProductId) -> Result<Vec<(u32, Day)>, Error> {
    let rows = sqlx::query(
        "select version, effective_from from fee_schedule where product = $1 order by version",
    )
    .bind(product.to_string())
    .fetch_all(db.reads())
    .await?;
    rows.iter()
        .map(|row| Ok((version_of(row)?, day_of(row, "effective_from")?)))
        .collect()
}

fn schedule_from(row: &AnyRow) -> Result<FeeSchedule, Error> {
    let lines: String = row.try_get("lines")?;
    let accrued: String = row.try_get("accrued")?;
    Ok(FeeSchedule {
        id: id_of(row, "id")?,
        product: id_of(row, "product")?,
        version: version_of(row)?,
        effective_from: day_of(row, "effective_from")?,
        lines: line_json::read(&lines)?,
        accrued: line_json::read_accrued(&accrued)?,
    })
}

fn version_of(row: &AnyRow) -> Result<u32, Error> {
    let version: i64 = row.try_get("version")?;
    u32::try_from(version).map_err(|_| Error::corrupt("version", version.to_string()))
}
