use qiao_db::{Error, Tx};
use qiao_model::Timestamp;

use crate::throttle::Throttle;

/// The failures of a name, its row made when it is missing and locked until the
/// transaction ends, so that guesses in parallel count one after the other.
pub(crate) async fn lock(tx: &mut Tx, login: &str, now: Timestamp) -> Result<Throttle, Error> {
    sqlx::query(
        "insert into login_throttle (login, failures, locked_until, last_failed_at, refusals)
         values ($1, 0, $2, $2, 0) on conflict (login) do nothing",
    )
    .bind(login)
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    let statement = tx.pick(
        "select failures, locked_until, last_failed_at, refusals from login_throttle where login = $1",
        "select failures, locked_until, last_failed_at, refusals from login_throttle where login = $1 for update",
    );
    let (failures, locked_until, last_failed_at, refusals) = sqlx::query_as(statement)
        .bind(login)
        .fetch_one(tx.conn())
        .await?;
    Ok(Throttle {
        failures,
        locked_until: Timestamp::from_millis(locked_until),
        last_failed_at: Timestamp::from_millis(last_failed_at),
        refusals,
    })
}

pub(crate) async fn update(tx: &mut Tx, login: &str, throttle: Throttle) -> Result<(), Error> {
    sqlx::query(
        "update login_throttle
         set failures = $2, locked_until = $3, last_failed_at = $4, refusals = $5
         where login = $1",
    )
    .bind(login)
    .bind(throttle.failures)
    .bind(throttle.locked_until.as_millis())
    .bind(throttle.last_failed_at.as_millis())
    .bind(throttle.refusals)
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn forget(tx: &mut Tx, login: &str) -> Result<(), Error> {
    sqlx::query("delete from login_throttle where login = $1")
        .bind(login)
        .execute(tx.conn())
        .await?;
    Ok(())
}
