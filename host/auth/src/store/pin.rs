use qiao_db::{Db, Error, Tx};
use qiao_model::{Timestamp, UserId};

use crate::pin::{PIN_LOCK_SECS, PIN_TRIES_MAX};

/// What became of counting a try.
pub(crate) enum Attempt {
    NoPin,
    Locked { until: Timestamp },
    Counted { hash: String, failures: i64 },
}

pub(crate) async fn insert(
    tx: &mut Tx,
    user: UserId,
    pin_hash: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into payment_pin (user_id, pin_hash, set_at) values ($1, $2, $3)
         on conflict (user_id) do nothing",
    )
    .bind(user.to_string())
    .bind(pin_hash)
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn replace(
    tx: &mut Tx,
    user: UserId,
    pin_hash: &str,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "update payment_pin set pin_hash = $2, failures = 0, locked_until = 0, set_at = $3
         where user_id = $1",
    )
    .bind(user.to_string())
    .bind(pin_hash)
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn is_set(db: &Db, user: UserId) -> Result<bool, Error> {
    let (count,): (i64,) = sqlx::query_as("select count(*) from payment_pin where user_id = $1")
        .bind(user.to_string())
        .fetch_one(db.reads())
        .await?;
    Ok(count > 0)
}

/// The hash of a PIN at which nobody has tried a wrong one since the last right one.
pub(crate) async fn untried_hash(db: &Db, user: UserId) -> Result<Option<String>, Error> {
    let found = sqlx::query_scalar(
        "select pin_hash from payment_pin where user_id = $1 and failures = 0 and locked_until = 0",
    )
    .bind(user.to_string())
    .fetch_optional(db.reads())
    .await?;
    Ok(found)
}

/// Counts a try as a failure and locks with the last one; a lock that ran out
/// begins the count again.
pub(crate) async fn count_try(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<Attempt, Error> {
    let counted: Option<(String, i64)> = sqlx::query_as(
        "update payment_pin set
            failures = case when failures >= $3 then 1 else failures + 1 end,
            locked_until = case when failures + 1 = $3 then $4 else 0 end
         where user_id = $1 and locked_until <= $2
         returning pin_hash, failures",
    )
    .bind(user.to_string())
    .bind(now.as_millis())
    .bind(PIN_TRIES_MAX)
    .bind(now.plus_secs(PIN_LOCK_SECS).as_millis())
    .fetch_optional(tx.conn())
    .await?;
    if let Some((hash, failures)) = counted {
        return Ok(Attempt::Counted { hash, failures });
    }
    let locked: Option<(i64,)> =
        sqlx::query_as("select locked_until from payment_pin where user_id = $1")
            .bind(user.to_string())
            .fetch_optional(tx.conn())
            .await?;
    Ok(match locked {
        None => Attempt::NoPin,
        Some((until,)) => Attempt::Locked {
            until: Timestamp::from_millis(until),
        },
    })
}

/// How many tries have failed since the last right one; counts none.
pub(crate) async fn failures(db: &Db, user: UserId, now: Timestamp) -> Result<Attempt, Error> {
    let found: Option<(String, i64, i64)> = sqlx::query_as(
        "select pin_hash, failures, locked_until from payment_pin where user_id = $1",
    )
    .bind(user.to_string())
    .fetch_optional(db.reads())
    .await?;
    Ok(match found {
        None => Attempt::NoPin,
        Some((_, _, until)) if until > now.as_millis() => Attempt::Locked {
            until: Timestamp::from_millis(until),
        },
        // A lock that ran out begins the count again.
        Some((hash, failures, _)) => Attempt::Counted {
            failures: if failures >= PIN_TRIES_MAX {
                0
            } else {
                failures
            },
            hash,
        },
    })
}

/// A right PIN forgets the wrong ones, if it is still the PIN.
pub(crate) async fn reset_tries(tx: &mut Tx, user: UserId, pin_hash: &str) -> Result<(), Error> {
    sqlx::query(
        "update payment_pin set failures = 0, locked_until = 0
         where user_id = $1 and pin_hash = $2",
    )
    .bind(user.to_string())
    .bind(pin_hash)
    .execute(tx.conn())
    .await?;
    Ok(())
}
