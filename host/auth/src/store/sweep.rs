use qiao_db::{Error, Tx};
use qiao_model::Timestamp;

pub(crate) async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    let mut rows = 0;
    for statement in [
        "delete from session where expires_at <= $1",
        "delete from oauth_assertion where expires_at <= $1",
        "delete from revoked_token where expires_at <= $1",
    ] {
        let done = sqlx::query(statement)
            .bind(now.as_millis())
            .execute(tx.conn())
            .await?;
        rows += done.rows_affected();
    }
    Ok(rows)
}

pub(crate) async fn delete_quiet_throttles(tx: &mut Tx, since: Timestamp) -> Result<u64, Error> {
    let done = sqlx::query("delete from login_throttle where last_failed_at <= $1")
        .bind(since.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected())
}
