use qiao_db::{Db, Error, Tx};
use qiao_model::{InstitutionId, PluginId, ProductId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::id_of;
use crate::product::{Capture, Product, Redemption};

/// Inserts the product, or replaces the description of the one with its code,
/// and gives what is stored then: id, currency and kind of holding stay.
pub(crate) async fn upsert(
    tx: &mut Tx,
    product: &Product,
    now: Timestamp,
) -> Result<Product, Error> {
    let row = sqlx::query(
        "insert into product (id, plugin, institution, code, name, summary, currency, in_units,
             capture, redemption, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
         on conflict (plugin, code) do update set name = excluded.name,
             summary = excluded.summary, capture = excluded.capture,
             redemption = excluded.redemption,
             updated_at = excluded.updated_at
         returning id, plugin, institution, code, name, summary, currency, in_units, capture, redemption",
    )
    .bind(product.id.to_string())
    .bind(product.plugin.to_string())
    .bind(product.institution.to_string())
    .bind(&product.code)
    .bind(&product.name)
    .bind(&product.summary)
    .bind(product.currency.code())
    .bind(i64::from(product.in_units))
    .bind(product.capture.name())
    .bind(product.redemption.name())
    .bind(now.as_millis())
    .fetch_one(tx.conn())
    .await?;
    product_from(&row)
}

pub(crate) async fn count_of_plugin(tx: &mut Tx, plugin: PluginId) -> Result<usize, Error> {
    let count: i64 = sqlx::query_scalar("select count(*) from product where plugin = $1")
        .bind(plugin.to_string())
        .fetch_one(tx.conn())
        .await?;
    usize::try_from(count).map_err(|_| Error::corrupt("count of products", count.to_string()))
}

pub(crate) async fn find(db: &Db, id: ProductId) -> Result<Option<Product>, Error> {
    let row = sqlx::query(
        "select id, plugin, institution, code, name, summary, currency, in_units, capture,
             redemption
         from product where id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(db.reads())
    .await?;
    row.as_ref().map(product_from).transpose()
}

pub(crate) async fn find_by_code(
    db: &Db,
    plugin: PluginId,
    code: &str,
) -> Result<Option<Product>, Error> {
    let row = sqlx::query(
        "select id, plugin, institution, code, name, summary, currency, in_units, capture,
             redemption
         from product where plugin = $1 and code = $2",
    )
    .bind(plugin.to_string())
    .bind(code)
    .fetch_optional(db.reads())
    .await?;
    row.as_ref().map(product_from).transpose()
}

pub(crate) async fn list_of_plugin(db: &Db, plugin: PluginId) -> Result<Vec<Product>, Error> {
    let rows = sqlx::query(
        "select id, plugin, institution, code, name, summary, currency, in_units, capture,
             redemption
         from product where plugin = $1 order by code",
    )
    .bind(plugin.to_string())
    .fetch_all(db.reads())
    .await?;
    rows.iter().map(product_from).collect()
}

pub(crate) async fn list_of_institution(
    db: &Db,
    institution: InstitutionId,
) -> Result<Vec<Product>, Error> {
    let rows = sqlx::query(
        "select id, plugin, institution, code, name, summary, currency, in_units, capture,
             redemption
         from product where institution = $1 order by plugin, code",
    )
    .bind(institution.to_string())
    .fetch_all(db.reads())
    .await?;
    rows.iter().map(product_from).collect()
}

pub(crate) async fn list_in_units(db: &Db) -> Result<Vec<Product>, Error> {
    let rows = sqlx::query(
        "select id, plugin, institution, code, name, summary, currency, in_units, capture,
             redemption
         from product where in_units = 1 order by id",
    )
    .fetch_all(db.reads())
    .await?;
    rows.iter().map(product_from).collect()
}

fn product_from(row: &AnyRow) -> Result<Product, Error> {
    let currency: String = row.try_get("currency")?;
    let capture: String = row.try_get("capture")?;
    let redemption: String = row.try_get("redemption")?;
    let in_units: i64 = row.try_get("in_units")?;
    Ok(Product {
        id: id_of(row, "id")?,
        plugin: id_of(row, "plugin")?,
        institution: id_of(row, "institution")?,
        code: row.try_get("code")?,
        name: row.try_get("name")?,
        summary: row.try_get("summary")?,
        currency: currency
            .parse()
            .map_err(|_| Error::corrupt("currency", currency))?,
        in_units: in_units == 1,
        capture: Capture::parse(&capture).ok_or_else(|| Error::corrupt("capture", capture))?,
        redemption: Redemption::parse(&redemption)
            .ok_or_else(|| Error::corrupt("redemption", redemption))?,
    })
}
