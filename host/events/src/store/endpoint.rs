use qiao_db::{Db, Error, Tx};
use qiao_model::{EndpointId, InstitutionId, Timestamp};
use serde_json::json;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::endpoint::{Endpoint, EndpointState};
use crate::store::id_of;

/// An endpoint that gets events, as the fan-out sees it.
pub(crate) struct Subscriber {
    pub(crate) id: EndpointId,
    pub(crate) institution: InstitutionId,
    pub(crate) kinds: Vec<String>,
}

pub(crate) async fn count_of(tx: &mut Tx, institution: InstitutionId) -> Result<usize, Error> {
    let count: i64 = sqlx::query_scalar(
        "select count(*) from endpoint where institution = $1 and state <> 'deleted'",
    )
    .bind(institution.to_string())
    .fetch_one(tx.conn())
    .await?;
    usize::try_from(count).map_err(|_| Error::corrupt("count of endpoints", count.to_string()))
}

pub(crate) async fn insert(
    tx: &mut Tx,
    endpoint: &Endpoint,
    sealed_secret: &[u8],
) -> Result<(), Error> {
    sqlx::query(
        "insert into endpoint (id, institution, url, kinds, sealed_secret, state, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(endpoint.id.to_string())
    .bind(endpoint.institution.to_string())
    .bind(&endpoint.url)
    .bind(json!(endpoint.kinds).to_string())
    .bind(sealed_secret.to_vec())
    .bind(endpoint.state.name())
    .bind(endpoint.created_at.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn list_of(db: &Db, institution: InstitutionId) -> Result<Vec<Endpoint>, Error> {
    let rows = sqlx::query(
        "select id, institution, url, kinds, state, failing_since, created_at from endpoint
         where institution = $1 and state <> 'deleted' order by id",
    )
    .bind(institution.to_string())
    .fetch_all(db.reads())
    .await?;
    rows.iter().map(endpoint_from).collect()
}

/// Deletes the endpoint of this institution; tells whether there was one.
pub(crate) async fn delete_of(
    tx: &mut Tx,
    institution: InstitutionId,
    id: EndpointId,
) -> Result<bool, Error> {
    let changed = sqlx::query(
        "update endpoint set state = 'deleted', sealed_secret = $3
         where id = $1 and institution = $2 and state <> 'deleted'",
    )
    .bind(id.to_string())
    .bind(institution.to_string())
    .bind(Vec::<u8>::new())
    .execute(tx.conn())
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Enables the endpoint of this institution; tells whether there was one.
pub(crate) async fn enable_of(
    tx: &mut Tx,
    institution: InstitutionId,
    id: EndpointId,
) -> Result<bool, Error> {
    let changed = sqlx::query(
        "update endpoint set state = 'enabled', failing_since = null, paused_until = 0
         where id = $1 and institution = $2 and state <> 'deleted'",
    )
    .bind(id.to_string())
    .bind(institution.to_string())
    .execute(tx.conn())
    .await?;
    Ok(changed.rows_affected() == 1)
}

const SUBSCRIBERS_SQLITE: &str = "
select id, institution, kinds from endpoint
where state = 'enabled' and institution in (select value from json_each($1)) order by id";

const SUBSCRIBERS_POSTGRES: &str = "
select id, institution, kinds from endpoint
where state = 'enabled' and institution in (select json_array_elements_text($1::json))
order by id for share";

/// The enabled endpoints of these institutions; none is disabled or deleted
/// before this transaction ends, so that whoever does it sees what was queued.
pub(crate) async fn subscribers(
    tx: &mut Tx,
    institutions: &[InstitutionId],
) -> Result<Vec<Subscriber>, Error> {
    if institutions.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = institutions.iter().map(ToString::to_string).collect();
    let rows = sqlx::query(tx.pick(SUBSCRIBERS_SQLITE, SUBSCRIBERS_POSTGRES))
        .bind(json!(ids).to_string())
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Subscriber {
                id: id_of(row, "id")?,
                institution: id_of(row, "institution")?,
                kinds: kinds_from(row)?,
            })
        })
        .collect()
}

/// An attempt went well: the endpoint is healthy.
pub(crate) async fn recovered(tx: &mut Tx, id: EndpointId) -> Result<(), Error> {
    sqlx::query(
        "update endpoint set failing_since = null, paused_until = 0
         where id = $1 and failing_since is not null",
    )
    .bind(id.to_string())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An attempt failed: the endpoint rests for a while. Tells since when it fails.
pub(crate) async fn failed(
    tx: &mut Tx,
    id: EndpointId,
    now: Timestamp,
    paused_until: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let since: Option<i64> = sqlx::query_scalar(
        "update endpoint set failing_since = coalesce(failing_since, $2), paused_until = $3
         where id = $1 and state = 'enabled' returning failing_since",
    )
    .bind(id.to_string())
    .bind(now.as_millis())
    .bind(paused_until.as_millis())
    .fetch_optional(tx.conn())
    .await?;
    Ok(since.map(Timestamp::from_millis))
}

/// Disables an enabled endpoint; tells whether it was one.
pub(crate) async fn disable(tx: &mut Tx, id: EndpointId) -> Result<bool, Error> {
    let changed =
        sqlx::query("update endpoint set state = 'disabled' where id = $1 and state = 'enabled'")
            .bind(id.to_string())
            .execute(tx.conn())
            .await?;
    Ok(changed.rows_affected() == 1)
}

fn endpoint_from(row: &AnyRow) -> Result<Endpoint, Error> {
    let state: String = row.try_get("state")?;
    let failing_since: Option<i64> = row.try_get("failing_since")?;
    Ok(Endpoint {
        id: id_of(row, "id")?,
        institution: id_of(row, "institution")?,
        url: row.try_get("url")?,
        kinds: kinds_from(row)?,
        state: EndpointState::parse(&state)
            .ok_or_else(|| Error::corrupt("state of an endpoint", state))?,
        failing_since: failing_since.map(Timestamp::from_millis),
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

fn kinds_from(row: &AnyRow) -> Result<Vec<String>, Error> {
    let text: String = row.try_get("kinds")?;
    serde_json::from_str(&text).map_err(|_| Error::corrupt("kinds of an endpoint", text))
}
