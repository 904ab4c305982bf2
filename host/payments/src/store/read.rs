//! Queries outside the money path.

use std::collections::HashMap;

use qiao_db::{Db, Error};
use qiao_model::{InstitutionId, OrderId, PaymentId, Timestamp};
use sqlx::Row;

use super::row::{AsText, json, parse, payment_columns, payment_of, refund_of};
use crate::payment::{Payment, Refund};

const PAYMENT: &str = concat!("select ", payment_columns!(), " from payment where id = $1");

const PAYMENT_OF_ORDER: &str = concat!(
    "select ",
    payment_columns!(),
    " from payment where order_id = $1"
);

const PAYMENTS_OF_INSTITUTION: &str = concat!(
    "select ",
    payment_columns!(),
    " from payment where institution_id = $1 and id < $2 order by id desc limit $3"
);

const PAYMENTS_SQLITE: &str = concat!(
    "select ",
    payment_columns!(),
    " from payment where id in (select value from json_each($1))"
);

const PAYMENTS_POSTGRES: &str = concat!(
    "select ",
    payment_columns!(),
    " from json_array_elements_text($1::json) as wanted (wanted_id)
cross join lateral (select * from payment where payment.id = wanted_id offset 0) as p"
);

const DUE_HOLDS: &str = "select id from payment
where state = 'held' and expires_at is not null and expires_at <= $1 order by expires_at limit $2";

const REFUNDS_OF_PAYMENT: &str =
    "select id, payment_id, currency, minor, parts, owed, reason, created_at
from payment_refund where payment_id = $1 order by id limit 50";

const REQUEST_OF_KEY: &str = "select request_hash from payment_idempotency where digest = $1";

const FORGET_KEYS: &str = "delete from payment_idempotency where digest in (
    select digest from payment_idempotency where created_at < $1 order by created_at limit $2
)";

/// Past every id, in the order of their text.
const AFTER_EVERY_ID: &str = "~";

pub(crate) async fn payment(db: &Db, id: PaymentId) -> Result<Option<Payment>, Error> {
    let row = sqlx::query(PAYMENT)
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(payment_of).transpose()
}

pub(crate) async fn payment_of_order(db: &Db, order: OrderId) -> Result<Option<Payment>, Error> {
    let row = sqlx::query(PAYMENT_OF_ORDER)
        .bind(order.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(payment_of).transpose()
}

pub(crate) async fn payments_of_institution(
    db: &Db,
    institution: InstitutionId,
    before: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<Payment>, Error> {
    let before = before.map_or_else(|| AFTER_EVERY_ID.to_owned(), |id| id.to_string());
    let rows = sqlx::query(PAYMENTS_OF_INSTITUTION)
        .bind(institution.to_string())
        .bind(before)
        .bind(limit)
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(payment_of).collect()
}

pub(crate) async fn payments(
    db: &Db,
    ids: &[PaymentId],
) -> Result<HashMap<PaymentId, Payment>, Error> {
    let ids: Vec<_> = ids.iter().map(AsText).collect();
    let rows = sqlx::query(db.pick(PAYMENTS_SQLITE, PAYMENTS_POSTGRES))
        .bind(json(&ids))
        .fetch_all(db.reads())
        .await?;
    rows.iter()
        .map(|row| payment_of(row).map(|payment| (payment.id, payment)))
        .collect()
}

/// Holds whose time ran out, the longest overdue first.
pub(crate) async fn due_holds(
    db: &Db,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<PaymentId>, Error> {
    let rows = sqlx::query(DUE_HOLDS)
        .bind(now.as_millis())
        .bind(limit)
        .fetch_all(db.reads())
        .await?;
    rows.iter()
        .map(|row| parse("payment id", row.try_get("id")?))
        .collect()
}

pub(crate) async fn refunds_of(db: &Db, payment: PaymentId) -> Result<Vec<Refund>, Error> {
    let rows = sqlx::query(REFUNDS_OF_PAYMENT)
        .bind(payment.to_string())
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(refund_of).collect()
}

/// What an idempotency key was used with; none when it was not, or is forgotten.
pub(crate) async fn request_of_key(db: &Db, digest: u128) -> Result<Option<String>, Error> {
    let row = sqlx::query(REQUEST_OF_KEY)
        .bind(format!("{digest:032x}"))
        .fetch_optional(db.reads())
        .await?;
    row.map_or(Ok(None), |row| Ok(Some(row.try_get("request_hash")?)))
}

/// Forgets the oldest answers from before a time, at most `limit`.
pub(crate) async fn forget_keys(db: &Db, before: Timestamp, limit: i64) -> Result<u64, Error> {
    db.write(|| async {
        let mut tx = db.begin().await?;
        let done = sqlx::query(FORGET_KEYS)
            .bind(before.as_millis())
            .bind(limit)
            .execute(tx.conn())
            .await?;
        tx.commit().await?;
        Ok::<_, Error>(done.rows_affected())
    })
    .await
}
