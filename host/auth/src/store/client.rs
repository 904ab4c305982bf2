use qiao_db::{Db, Error, Tx};
use qiao_model::{InstitutionId, OAuthClientId, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::client::OAuthClient;
use crate::keys::{parse_jwks, write_jwks};

const ACTIVE: &str = "active";

pub(crate) async fn insert(tx: &mut Tx, client: &OAuthClient) -> Result<(), Error> {
    sqlx::query(
        "insert into oauth_client
             (id, institution_id, name, jwks, scopes, asked_scopes, state, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(client.id.to_string())
    .bind(client.institution.to_string())
    .bind(&client.name)
    .bind(write_jwks(&client.keys).to_string())
    .bind(client.scopes.to_string())
    .bind(client.asked_scopes.to_string())
    .bind(ACTIVE)
    .bind(client.created_at.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_keys(
    tx: &mut Tx,
    institution: InstitutionId,
    client: OAuthClientId,
    jwks: &str,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "update oauth_client set jwks = $3
         where id = $1 and institution_id = $2 and state = 'active'",
    )
    .bind(client.to_string())
    .bind(institution.to_string())
    .bind(jwks)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn disable(
    tx: &mut Tx,
    institution: InstitutionId,
    client: OAuthClientId,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "update oauth_client set state = 'disabled' where id = $1 and institution_id = $2",
    )
    .bind(client.to_string())
    .bind(institution.to_string())
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn list_for_institution(
    db: &Db,
    institution: InstitutionId,
) -> Result<Vec<OAuthClient>, Error> {
    sqlx::query("select * from oauth_client where institution_id = $1 order by id")
        .bind(institution.to_string())
        .fetch_all(db.reads())
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(crate) async fn list_asking(db: &Db, most: i64) -> Result<Vec<OAuthClient>, Error> {
    sqlx::query(
        "select * from oauth_client
         where asked_scopes <> '' and state = 'active' order by id limit $1",
    )
    .bind(most)
    .fetch_all(db.reads())
    .await?
    .iter()
    .map(read)
    .collect()
}

pub(crate) async fn find(db: &Db, id: OAuthClientId) -> Result<Option<OAuthClient>, Error> {
    let row = sqlx::query("select * from oauth_client where id = $1")
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(read).transpose()
}

/// A client as it is now; nobody else changes its scopes until the end.
pub(crate) async fn lock(tx: &mut Tx, id: OAuthClientId) -> Result<Option<OAuthClient>, Error> {
    let statement = tx.pick(
        "select * from oauth_client where id = $1",
        "select * from oauth_client where id = $1 for update",
    );
    let row = sqlx::query(statement)
        .bind(id.to_string())
        .fetch_optional(tx.conn())
        .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn set_scopes(tx: &mut Tx, client: &OAuthClient) -> Result<(), Error> {
    sqlx::query("update oauth_client set scopes = $2, asked_scopes = $3 where id = $1")
        .bind(client.id.to_string())
        .bind(client.scopes.to_string())
        .bind(client.asked_scopes.to_string())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A client that may act: active, and its institution approved and not suspended.
pub(crate) async fn find_able(db: &Db, id: OAuthClientId) -> Result<Option<OAuthClient>, Error> {
    sqlx::query(
        "select * from oauth_client
         where id = $1 and state = 'active'
           and institution_id not in (select institution_id from institution_bar)",
    )
    .bind(id.to_string())
    .fetch_optional(db.reads())
    .await?
    .as_ref()
    .map(read)
    .transpose()
}

fn read(row: &AnyRow) -> Result<OAuthClient, Error> {
    let id: String = row.try_get("id")?;
    let institution: String = row.try_get("institution_id")?;
    let jwks: String = row.try_get("jwks")?;
    let scopes: String = row.try_get("scopes")?;
    let asked_scopes: String = row.try_get("asked_scopes")?;
    let state: String = row.try_get("state")?;
    Ok(OAuthClient {
        id: id.parse().map_err(|_| Error::corrupt("client id", id))?,
        institution: institution
            .parse()
            .map_err(|_| Error::corrupt("institution id", institution))?,
        name: row.try_get("name")?,
        keys: parse_jwks(&jwks).map_err(|_| Error::corrupt("client key set", jwks))?,
        scopes: scopes
            .parse()
            .map_err(|_| Error::corrupt("client scopes", scopes))?,
        asked_scopes: asked_scopes
            .parse()
            .map_err(|_| Error::corrupt("asked scopes", asked_scopes))?,
        is_active: state == ACTIVE,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
