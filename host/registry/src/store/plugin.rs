use qiao_db::{Db, Error, Tx};
use qiao_model::{InstitutionId, PluginId, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::release::{Plugin, Release};
use crate::store::institution::institution_id;

/// The plugin that the release's manifest names; made with the release's
/// `plugin` id and institution when nobody has the name.
pub(crate) async fn find_or_insert(tx: &mut Tx, release: &Release) -> Result<Plugin, Error> {
    sqlx::query(
        "insert into plugin (id, institution_id, name, created_at) values ($1, $2, $3, $4)
         on conflict (name) do nothing",
    )
    .bind(release.plugin.to_string())
    .bind(release.institution.to_string())
    .bind(&release.manifest.name)
    .bind(release.uploaded_at.as_millis())
    .execute(tx.conn())
    .await?;
    let row = sqlx::query("select * from plugin where name = $1")
        .bind(&release.manifest.name)
        .fetch_one(tx.conn())
        .await?;
    read_without_active(&row)
}

pub(crate) async fn find(db: &Db, id: PluginId) -> Result<Option<Plugin>, Error> {
    sqlx::query(
        "select p.*, r.id as active from plugin p
         left join release r on r.plugin_id = p.id and r.state = 'active' where p.id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(db.reads())
    .await?
    .as_ref()
    .map(read)
    .transpose()
}

pub(crate) async fn find_by_name(db: &Db, name: &str) -> Result<Option<Plugin>, Error> {
    sqlx::query(
        "select p.*, r.id as active from plugin p
         left join release r on r.plugin_id = p.id and r.state = 'active' where p.name = $1",
    )
    .bind(name)
    .fetch_optional(db.reads())
    .await?
    .as_ref()
    .map(read)
    .transpose()
}

pub(crate) async fn list_for_institution(
    db: &Db,
    institution: InstitutionId,
) -> Result<Vec<Plugin>, Error> {
    sqlx::query(
        "select p.*, r.id as active from plugin p
         left join release r on r.plugin_id = p.id and r.state = 'active'
         where p.institution_id = $1 order by p.id",
    )
    .bind(institution.to_string())
    .fetch_all(db.reads())
    .await?
    .iter()
    .map(read)
    .collect()
}

pub(crate) async fn list_active(db: &Db) -> Result<Vec<PluginId>, Error> {
    let rows: Vec<(String,)> =
        sqlx::query_as("select plugin_id from release where state = 'active' order by plugin_id")
            .fetch_all(db.reads())
            .await?;
    rows.into_iter().map(|(id,)| plugin_id(id)).collect()
}

pub(crate) async fn list_active_for_institution(
    tx: &mut Tx,
    institution: InstitutionId,
) -> Result<Vec<PluginId>, Error> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "select plugin_id from release
         where institution_id = $1 and state = 'active' order by plugin_id",
    )
    .bind(institution.to_string())
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(|(id,)| plugin_id(id)).collect()
}

/// Locks a plugin until the transaction ends: rollouts of it come one after the other.
pub(crate) async fn lock(tx: &mut Tx, id: PluginId) -> Result<(), Error> {
    let statement = tx.pick(
        "select id from plugin where id = $1",
        "select id from plugin where id = $1 for update",
    );
    sqlx::query(statement)
        .bind(id.to_string())
        .fetch_one(tx.conn())
        .await?;
    Ok(())
}

pub(crate) fn plugin_id(text: String) -> Result<PluginId, Error> {
    text.parse().map_err(|_| Error::corrupt("plugin id", text))
}

fn read(row: &AnyRow) -> Result<Plugin, Error> {
    let active: Option<String> = row.try_get("active")?;
    let active = active
        .map(|id| id.parse().map_err(|_| Error::corrupt("release id", id)))
        .transpose()?;
    Ok(Plugin {
        active,
        ..read_without_active(row)?
    })
}

fn read_without_active(row: &AnyRow) -> Result<Plugin, Error> {
    Ok(Plugin {
        id: plugin_id(row.try_get("id")?)?,
        institution: institution_id(row.try_get("institution_id")?)?,
        name: row.try_get("name")?,
        active: None,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
