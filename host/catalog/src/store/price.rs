use qiao_db::{Db, Error, Tx};
use qiao_model::{Day, ProductId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::day_of;
use crate::price::Price;

/// Inserts the price unless the day has one, and gives the one that the day has.
pub(crate) async fn publish(
    tx: &mut Tx,
    product: ProductId,
    price: Price,
    now: Timestamp,
) -> Result<Price, Error> {
    sqlx::query(
        "insert into price (product, day, nav_e4, income_per_10k_e4, yield_7d_ppm, published_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (product, day) do nothing",
    )
    .bind(product.to_string())
    .bind(price.day.to_string())
    .bind(price.nav_e4)
    .bind(price.income_per_10k_e4)
    .bind(price.yield_7d_ppm)
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    let row = sqlx::query(
        "select day, nav_e4, income_per_10k_e4, yield_7d_ppm from price
         where product = $1 and day = $2",
    )
    .bind(product.to_string())
    .bind(price.day.to_string())
    .fetch_one(tx.conn())
    .await?;
    price_from(&row)
}

pub(crate) async fn find(db: &Db, product: ProductId, day: Day) -> Result<Option<Price>, Error> {
    let row = sqlx::query(
        "select day, nav_e4, income_per_10k_e4, yield_7d_ppm from price
         where product = $1 and day = $2",
    )
    .bind(product.to_string())
    .bind(day.to_string())
    .fetch_optional(db.reads())
    .await?;
    row.as_ref().map(price_from).transpose()
}

/// The newest prices, the newest first.
pub(crate) async fn newest(db: &Db, product: ProductId, limit: i64) -> Result<Vec<Price>, Error> {
    let rows = sqlx::query(
        "select day, nav_e4, income_per_10k_e4, yield_7d_ppm from price
         where product = $1 order by day desc limit $2",
    )
    .bind(product.to_string())
    .bind(limit)
    .fetch_all(db.reads())
    .await?;
    rows.iter().map(price_from).collect()
}

/// The prices after a day, the oldest first.
pub(crate) async fn after(
    db: &Db,
    product: ProductId,
    day: Day,
    limit: i64,
) -> Result<Vec<Price>, Error> {
    let rows = sqlx::query(
        "select day, nav_e4, income_per_10k_e4, yield_7d_ppm from price
         where product = $1 and day > $2 order by day limit $3",
    )
    .bind(product.to_string())
    .bind(day.to_string())
    .bind(limit)
    .fetch_all(db.reads())
    .await?;
    rows.iter().map(price_from).collect()
}

fn price_from(row: &AnyRow) -> Result<Price, Error> {
    Ok(Price {
        day: day_of(row, "day")?,
        nav_e4: row.try_get("nav_e4")?,
        income_per_10k_e4: row.try_get("income_per_10k_e4")?,
        yield_7d_ppm: row.try_get("yield_7d_ppm")?,
    })
}
