//! Authorizations under way.

use qiao_db::{Db, Error, Tx};
use qiao_model::{Channel, SessionId, Timestamp, UserId};
use sqlx::Row;

use super::parse;

/// An authorization under way.
pub(crate) struct Login {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) channel: Channel,
    pub(crate) sealed_verifier: Vec<u8>,
    pub(crate) next: String,
    pub(crate) expires_at: Timestamp,
}

pub(crate) async fn insert(tx: &mut Tx, state_digest: &str, login: &Login) -> Result<(), Error> {
    sqlx::query(
        "insert into bank_login (state_digest, user_id, session_id, channel, sealed_verifier, next,
            expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(state_digest)
    .bind(login.user.to_string())
    .bind(login.session.to_string())
    .bind(login.channel.to_string())
    .bind(login.sealed_verifier.clone())
    .bind(&login.next)
    .bind(login.expires_at.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes the authorization of a state away: it comes back once.
pub(crate) async fn take(tx: &mut Tx, state_digest: &str) -> Result<Option<Login>, Error> {
    let row = sqlx::query(
        "delete from bank_login where state_digest = $1
         returning user_id, session_id, channel, sealed_verifier, next, expires_at",
    )
    .bind(state_digest)
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| {
        Ok(Login {
            user: parse("user id", row.try_get("user_id")?)?,
            session: parse("session id", row.try_get("session_id")?)?,
            channel: parse("channel", row.try_get("channel")?)?,
            sealed_verifier: row.try_get("sealed_verifier")?,
            next: row.try_get("next")?,
            expires_at: Timestamp::from_millis(row.try_get("expires_at")?),
        })
    })
    .transpose()
}

/// Forgets authorizations that nobody came back from.
pub(crate) async fn sweep(db: &Db, now: Timestamp) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    sqlx::query("delete from bank_login where expires_at <= $1")
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    tx.commit().await
}
