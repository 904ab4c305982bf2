use qiao_db::{Db, Error, Tx};
use qiao_model::{Timestamp, UserId};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::user::User;

pub(crate) async fn insert(tx: &mut Tx, user: &User, password_hash: &str) -> Result<(), Error> {
    sqlx::query(
        "insert into auth_user (id, login, name, password_hash, is_operator, created_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(user.id.to_string())
    .bind(&user.login)
    .bind(&user.name)
    .bind(password_hash)
    .bind(i64::from(user.is_operator))
    .bind(user.created_at.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn find(db: &Db, id: UserId) -> Result<Option<User>, Error> {
    sqlx::query("select id, login, name, is_operator, created_at from auth_user where id = $1")
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

pub(crate) async fn find_by_login(db: &Db, login: &str) -> Result<Option<User>, Error> {
    sqlx::query("select id, login, name, is_operator, created_at from auth_user where login = $1")
        .bind(login)
        .fetch_optional(db.reads())
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// The user's id and password hash, for a log-in.
pub(crate) async fn find_password(db: &Db, login: &str) -> Result<Option<(UserId, String)>, Error> {
    let row: Option<(String, String)> =
        sqlx::query_as("select id, password_hash from auth_user where login = $1")
            .bind(login)
            .fetch_optional(db.reads())
            .await?;
    row.map(|(id, hash)| Ok((user_id(id)?, hash))).transpose()
}

pub(crate) async fn has_operator(db: &Db) -> Result<bool, Error> {
    let (count,): (i64,) = sqlx::query_as("select count(*) from auth_user where is_operator = 1")
        .fetch_one(db.reads())
        .await?;
    Ok(count > 0)
}

pub(crate) async fn count_operators(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = sqlx::query_as("select count(*) from auth_user where is_operator = 1")
        .fetch_one(tx.conn())
        .await?;
    Ok(count)
}

pub(crate) async fn make_operator(tx: &mut Tx, id: UserId) -> Result<bool, Error> {
    let done = sqlx::query("update auth_user set is_operator = 1 where id = $1")
        .bind(id.to_string())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) fn user_id(text: String) -> Result<UserId, Error> {
    text.parse().map_err(|_| Error::corrupt("user id", text))
}

fn read(row: &AnyRow) -> Result<User, Error> {
    let is_operator: i64 = row.try_get("is_operator")?;
    Ok(User {
        id: user_id(row.try_get("id")?)?,
        login: row.try_get("login")?,
        name: row.try_get("name")?,
        is_operator: is_operator == 1,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
