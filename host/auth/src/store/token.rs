use qiao_db::{Db, Error, Tx};
use qiao_model::{OAuthClientId, Timestamp};

/// Whether nothing was taken away from the token: it is not revoked, its client
/// is active and its institution approved and not suspended.
pub(crate) async fn is_able(db: &Db, jti: &str, client: OAuthClientId) -> Result<bool, Error> {
    let (count,): (i64,) = sqlx::query_as(
        "select count(*) from oauth_client
         where id = $1 and state = 'active'
           and institution_id not in (select institution_id from institution_bar)
           and not exists (select 1 from revoked_token where jti = $2)",
    )
    .bind(client.to_string())
    .bind(jti)
    .fetch_one(db.reads())
    .await?;
    Ok(count == 1)
}

/// False when the client's `jti` was used before.
pub(crate) async fn use_assertion(
    tx: &mut Tx,
    client: OAuthClientId,
    jti: &str,
    expires_at: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into oauth_assertion (client_id, jti, expires_at) values ($1, $2, $3)
         on conflict (client_id, jti) do nothing",
    )
    .bind(client.to_string())
    .bind(jti)
    .bind(expires_at.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn revoke(
    tx: &mut Tx,
    jti: &str,
    client: OAuthClientId,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into revoked_token (jti, client_id, expires_at, revoked_at) values ($1, $2, $3, $4)
         on conflict (jti) do nothing",
    )
    .bind(jti)
    .bind(client.to_string())
    .bind(expires_at.as_millis())
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}
