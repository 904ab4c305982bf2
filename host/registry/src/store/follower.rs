use qiao_db::{Db, Error, Tx};
use qiao_model::{PublicAccountId, Timestamp, UserId};

pub(crate) async fn insert(
    tx: &mut Tx,
    account: PublicAccountId,
    user: UserId,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into follower (account_id, user_id, followed_at) values ($1, $2, $3)
         on conflict (account_id, user_id) do nothing",
    )
    .bind(account.to_string())
    .bind(user.to_string())
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn delete(
    tx: &mut Tx,
    account: PublicAccountId,
    user: UserId,
) -> Result<bool, Error> {
    let done = sqlx::query("delete from follower where account_id = $1 and user_id = $2")
        .bind(account.to_string())
        .bind(user.to_string())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn exists(db: &Db, account: PublicAccountId, user: UserId) -> Result<bool, Error> {
    let (count,): (i64,) =
        sqlx::query_as("select count(*) from follower where account_id = $1 and user_id = $2")
            .bind(account.to_string())
            .bind(user.to_string())
            .fetch_one(db.reads())
            .await?;
    Ok(count > 0)
}

/// Whether the person follows the account, the row locked until the transaction ends.
pub(crate) async fn lock(
    tx: &mut Tx,
    account: PublicAccountId,
    user: UserId,
) -> Result<bool, Error> {
    let statement = tx.pick(
        "select user_id from follower where account_id = $1 and user_id = $2",
        "select user_id from follower where account_id = $1 and user_id = $2 for update",
    );
    let row: Option<(String,)> = sqlx::query_as(statement)
        .bind(account.to_string())
        .bind(user.to_string())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.is_some())
}
