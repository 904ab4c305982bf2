//! What a batch loads and locks.

use std::collections::HashMap;

use qiao_db::{Error, Tx};
use qiao_model::{PaymentId, RefundId};
use sqlx::Row;

use super::row::{AsText, json, payment_columns, record_of, refund_of};
use crate::answer::Answer;
use crate::batch::{Record, StoredAnswer};
use crate::payment::Refund;

const KEYS_SQLITE: &str = "select digest, request_hash, answer from payment_idempotency
where digest in (select value from json_each($1))";

// PostgreSQL keeps the plan that it made when the table was small. A lateral
// look-up of each id has one plan, by the primary key, and locks in the order
// of the ids.
const KEYS_POSTGRES: &str = "select k.digest, k.request_hash, k.answer
from json_array_elements_text($1::json) as wanted (digest)
cross join lateral (
    select * from payment_idempotency where payment_idempotency.digest = wanted.digest offset 0
) as k";

const PAYMENTS_SQLITE: &str = concat!(
    "select ",
    payment_columns!(),
    " from payment where id in (select value from json_each($1))"
);

const PAYMENTS_POSTGRES: &str = concat!(
    "select ",
    payment_columns!(),
    " from json_array_elements_text($1::json) as wanted (wanted_id)
cross join lateral (select * from payment where payment.id = wanted_id for update) as p"
);

const REFUNDS_SQLITE: &str =
    "select id, payment_id, currency, minor, parts, owed, reason, created_at
from payment_refund where id in (select value from json_each($1))";

const REFUNDS_POSTGRES: &str = "select r.id, r.payment_id, r.currency, r.minor, r.parts, r.owed, r.reason, r.created_at
from json_array_elements_text($1::json) as wanted (id)
cross join lateral (select * from payment_refund where payment_refund.id = wanted.id offset 0) as r";

/// The answers that were given under these keys.
pub(crate) async fn keys(
    tx: &mut Tx,
    digests: &[u128],
) -> Result<HashMap<u128, StoredAnswer>, Error> {
    if digests.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted: Vec<String> = digests.iter().map(|d| format!("{d:032x}")).collect();
    let sql = tx.pick(KEYS_SQLITE, KEYS_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(json(&wanted))
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| {
            let digest: &str = row.try_get("digest")?;
            let stored = StoredAnswer {
                request_hash: row.try_get("request_hash")?,
                answer: Answer::of_text(row.try_get("answer")?)?,
            };
            let digest = u128::from_str_radix(digest, 16)
                .map_err(|_| Error::corrupt("idempotency digest", digest))?;
            Ok((digest, stored))
        })
        .collect()
}

/// The payments that are there, locked in key order.
pub(crate) async fn payments(
    tx: &mut Tx,
    mut ids: Vec<PaymentId>,
) -> Result<HashMap<PaymentId, Record>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<_> = ids.into_iter().map(AsText).collect();
    let sql = tx.pick(PAYMENTS_SQLITE, PAYMENTS_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(json(&ids))
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| record_of(row).map(|record| (record.payment.id, record)))
        .collect()
}

/// The refunds that are there; their payments hold the lock.
pub(crate) async fn refunds(
    tx: &mut Tx,
    mut ids: Vec<RefundId>,
) -> Result<HashMap<RefundId, Refund>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<_> = ids.into_iter().map(AsText).collect();
    let sql = tx.pick(REFUNDS_SQLITE, REFUNDS_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(json(&ids))
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| refund_of(row).map(|refund| (refund.id, refund)))
        .collect()
}
