use qiao_db::{Db, Error, Tx};
use qiao_manifest::Manifest;
use qiao_model::{PluginId, ReleaseId, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::release::{Release, ReleaseState};
use crate::store::institution::institution_id;
use crate::store::plugin::plugin_id;

pub(crate) async fn insert(
    tx: &mut Tx,
    release: &Release,
    manifest_text: &str,
    bytes: &[u8],
) -> Result<(), Error> {
    let report = serde_json::to_string(&release.report)
        .map_err(|error| Error::corrupt("review report", error.to_string()))?;
    sqlx::query(
        "insert into release (id, plugin_id, institution_id, version, digest, manifest, report,
            signed_by, uploaded_by, uploaded_at, state)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(release.id.to_string())
    .bind(release.plugin.to_string())
    .bind(release.institution.to_string())
    .bind(&release.version)
    .bind(&release.digest)
    .bind(manifest_text)
    .bind(report)
    .bind(&release.signed_by)
    .bind(&release.uploaded_by)
    .bind(release.uploaded_at.as_millis())
    .bind(release.state.name())
    .execute(tx.conn())
    .await?;
    sqlx::query("insert into release_component (release_id, bytes) values ($1, $2)")
        .bind(release.id.to_string())
        .bind(bytes)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(crate) async fn find(db: &Db, id: ReleaseId) -> Result<Option<Release>, Error> {
    sqlx::query("select * from release where id = $1")
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

pub(crate) async fn find_version(
    db: &Db,
    plugin: PluginId,
    version: &str,
) -> Result<Option<Release>, Error> {
    sqlx::query("select * from release where plugin_id = $1 and version = $2")
        .bind(plugin.to_string())
        .bind(version)
        .fetch_optional(db.reads())
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// The release that serves, if its institution is active.
pub(crate) async fn find_active(db: &Db, plugin: PluginId) -> Result<Option<Release>, Error> {
    sqlx::query(
        "select r.* from release r join institution i on i.id = r.institution_id
         where r.plugin_id = $1 and r.state = 'active' and i.state = 'active'",
    )
    .bind(plugin.to_string())
    .fetch_optional(db.reads())
    .await?
    .as_ref()
    .map(read)
    .transpose()
}

pub(crate) async fn find_bytes(db: &Db, id: ReleaseId) -> Result<Option<Vec<u8>>, Error> {
    let row: Option<(Vec<u8>,)> =
        sqlx::query_as("select bytes from release_component where release_id = $1")
            .bind(id.to_string())
            .fetch_optional(db.reads())
            .await?;
    Ok(row.map(|(bytes,)| bytes))
}

pub(crate) async fn list_for_plugin(db: &Db, plugin: PluginId) -> Result<Vec<Release>, Error> {
    sqlx::query("select * from release where plugin_id = $1 order by id desc")
        .bind(plugin.to_string())
        .fetch_all(db.reads())
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(crate) async fn list_in_review(db: &Db) -> Result<Vec<Release>, Error> {
    sqlx::query("select * from release where state = 'in_review' order by uploaded_at, id")
        .fetch_all(db.reads())
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Decides on a release that waits; false when it does not.
pub(crate) async fn decide(
    tx: &mut Tx,
    id: ReleaseId,
    state: &ReleaseState,
    now: Timestamp,
) -> Result<bool, Error> {
    let reason = match state {
        ReleaseState::Rejected { reason } => reason.as_str(),
        _ => "",
    };
    let done = sqlx::query(
        "update release set state = $2, reason = $3, decided_at = $4
         where id = $1 and state = 'in_review'",
    )
    .bind(id.to_string())
    .bind(state.name())
    .bind(reason)
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn state_of(tx: &mut Tx, id: ReleaseId) -> Result<Option<ReleaseState>, Error> {
    let row: Option<(String, String)> =
        sqlx::query_as("select state, reason from release where id = $1")
            .bind(id.to_string())
            .fetch_optional(tx.conn())
            .await?;
    row.map(|(name, reason)| state(name, reason)).transpose()
}

/// The one release that serves becomes this one.
pub(crate) async fn set_active(
    tx: &mut Tx,
    plugin: PluginId,
    release: ReleaseId,
) -> Result<(), Error> {
    set_none_active(tx, plugin).await?;
    sqlx::query("update release set state = 'active' where id = $1")
        .bind(release.to_string())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// False when none served.
pub(crate) async fn set_none_active(tx: &mut Tx, plugin: PluginId) -> Result<bool, Error> {
    let done = sqlx::query(
        "update release set state = 'superseded' where plugin_id = $1 and state = 'active'",
    )
    .bind(plugin.to_string())
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

fn state(name: String, reason: String) -> Result<ReleaseState, Error> {
    ReleaseState::parse(&name, reason).ok_or_else(|| Error::corrupt("release state", name))
}

fn read(row: &AnyRow) -> Result<Release, Error> {
    let id: String = row.try_get("id")?;
    let manifest: String = row.try_get("manifest")?;
    let report: String = row.try_get("report")?;
    let decided_at: Option<i64> = row.try_get("decided_at")?;
    Ok(Release {
        id: id.parse().map_err(|_| Error::corrupt("release id", id))?,
        plugin: plugin_id(row.try_get("plugin_id")?)?,
        institution: institution_id(row.try_get("institution_id")?)?,
        version: row.try_get("version")?,
        digest: row.try_get("digest")?,
        manifest: Manifest::parse(&manifest)
            .map_err(|_| Error::corrupt("release manifest", manifest))?,
        report: serde_json::from_str(&report)
            .map_err(|_| Error::corrupt("review report", report))?,
        signed_by: row.try_get("signed_by")?,
        uploaded_by: row.try_get("uploaded_by")?,
        uploaded_at: Timestamp::from_millis(row.try_get("uploaded_at")?),
        state: state(row.try_get("state")?, row.try_get("reason")?)?,
        decided_at: decided_at.map(Timestamp::from_millis),
    })
}
