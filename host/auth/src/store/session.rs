use qiao_db::{Db, Error, Tx};
use qiao_model::{InstitutionId, SessionId, Timestamp, UserId};
use sqlx::Row as _;

use crate::store::user::user_id;

pub(crate) struct NewSession {
    pub(crate) id: SessionId,
    pub(crate) token_hash: String,
    pub(crate) user: UserId,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) struct SessionRow {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) login: String,
    pub(crate) name: String,
    pub(crate) is_operator: bool,
    pub(crate) expires_at: Timestamp,
}

pub(crate) async fn insert(tx: &mut Tx, session: &NewSession) -> Result<(), Error> {
    sqlx::query(
        "insert into session (id, token_hash, user_id, created_at, expires_at)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(session.id.to_string())
    .bind(&session.token_hash)
    .bind(session.user.to_string())
    .bind(session.created_at.as_millis())
    .bind(session.expires_at.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn find(db: &Db, token_hash: &str) -> Result<Option<SessionRow>, Error> {
    let row = sqlx::query(
        "select s.id, s.user_id, s.expires_at, u.login, u.name, u.is_operator
         from session s join auth_user u on u.id = s.user_id
         where s.token_hash = $1",
    )
    .bind(token_hash)
    .fetch_optional(db.reads())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id: String = row.try_get("id")?;
    let is_operator: i64 = row.try_get("is_operator")?;
    Ok(Some(SessionRow {
        id: id.parse().map_err(|_| Error::corrupt("session id", id))?,
        user: user_id(row.try_get("user_id")?)?,
        login: row.try_get("login")?,
        name: row.try_get("name")?,
        is_operator: is_operator == 1,
        expires_at: Timestamp::from_millis(row.try_get("expires_at")?),
    }))
}

/// The institutions of a person that are not suspended.
pub(crate) async fn institutions_of(db: &Db, user: UserId) -> Result<Vec<InstitutionId>, Error> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "select institution_id from institution_staff
         where user_id = $1
           and institution_id not in (
               select institution_id from institution_bar where cause = 'suspended'
           )
         order by institution_id",
    )
    .bind(user.to_string())
    .fetch_all(db.reads())
    .await?;
    rows.into_iter()
        .map(|(id,)| id.parse().map_err(|_| Error::corrupt("institution id", id)))
        .collect()
}

pub(crate) async fn delete(tx: &mut Tx, token_hash: &str) -> Result<bool, Error> {
    let done = sqlx::query("delete from session where token_hash = $1")
        .bind(token_hash)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() > 0)
}
