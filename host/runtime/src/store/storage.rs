use qiao_db::{Db, Tx};
use qiao_model::PluginId;
use sqlx::Row;

pub(crate) async fn get(
    db: &Db,
    plugin: PluginId,
    key: &str,
) -> Result<Option<Vec<u8>>, qiao_db::Error> {
    let row = sqlx::query("select value from plugin_storage where plugin = $1 and key = $2")
        .bind(plugin.to_string())
        .bind(key.as_bytes())
        .fetch_optional(db.reads())
        .await?;
    Ok(row.map(|row| row.try_get("value")).transpose()?)
}

/// Bytes of the key and its value, 0 when there is none.
pub(crate) async fn bytes_of(
    tx: &mut Tx,
    plugin: PluginId,
    key: &str,
) -> Result<i64, qiao_db::Error> {
    let row = sqlx::query(
        "select cast(length(key) + length(value) as bigint) as bytes
        from plugin_storage where plugin = $1 and key = $2",
    )
    .bind(plugin.to_string())
    .bind(key.as_bytes())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("bytes"))?)
}

/// Locks the plugin's usage until the transaction ends, making the row when there is none.
pub(crate) async fn lock_usage(tx: &mut Tx, plugin: PluginId) -> Result<(), qiao_db::Error> {
    sqlx::query(
        "insert into plugin_storage_usage (plugin, bytes) values ($1, 0)
        on conflict (plugin) do update set bytes = plugin_storage_usage.bytes",
    )
    .bind(plugin.to_string())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Adds to the plugin's usage, inside the quota; whether it fits.
pub(crate) async fn use_bytes(
    tx: &mut Tx,
    plugin: PluginId,
    added: i64,
    bytes_max: i64,
) -> Result<bool, qiao_db::Error> {
    let updated = sqlx::query(
        "update plugin_storage_usage set bytes = bytes + $2
        where plugin = $1 and (bytes + $2 <= $3 or $2 <= 0)",
    )
    .bind(plugin.to_string())
    .bind(added)
    .bind(bytes_max)
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
}

pub(crate) async fn put(
    tx: &mut Tx,
    plugin: PluginId,
    key: &str,
    value: &[u8],
) -> Result<(), qiao_db::Error> {
    sqlx::query(
        "insert into plugin_storage (plugin, key, value) values ($1, $2, $3)
        on conflict (plugin, key) do update set value = excluded.value",
    )
    .bind(plugin.to_string())
    .bind(key.as_bytes())
    .bind(value)
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn delete(tx: &mut Tx, plugin: PluginId, key: &str) -> Result<(), qiao_db::Error> {
    sqlx::query("delete from plugin_storage where plugin = $1 and key = $2")
        .bind(plugin.to_string())
        .bind(key.as_bytes())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Keys that begin with a prefix and come after `after`, in byte order.
pub(crate) async fn keys(
    db: &Db,
    plugin: PluginId,
    prefix: &str,
    after: &str,
    rows: i64,
) -> Result<Vec<String>, qiao_db::Error> {
    // No UTF-8 text has the byte 0xff, so this is after every key with the prefix.
    let end = [prefix.as_bytes(), &[0xff]].concat();
    let found = sqlx::query(
        "select key from plugin_storage
        where plugin = $1 and key >= $2 and key < $3 and key > $4 order by key limit $5",
    )
    .bind(plugin.to_string())
    .bind(prefix.as_bytes())
    .bind(end)
    .bind(after.as_bytes())
    .bind(rows)
    .fetch_all(db.reads())
    .await?;
    found
        .iter()
        .map(|row| {
            let key: Vec<u8> = row.try_get("key")?;
            Ok(String::from_utf8_lossy(&key).into_owned())
        })
        .collect()
}
