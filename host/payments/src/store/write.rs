//! What a batch writes, beside the ledger and the outbox.

use std::collections::HashSet;
use std::sync::Arc;

use qiao_db::attest::Fact;
use qiao_db::{Error, Tx, WriteRows};
use qiao_model::{InstitutionId, OrderId, PaymentId, RefundId, Timestamp};
use serde::Serialize;

use super::row::{AsText, deliveries_text, json, splits_text};
use crate::attested::{KEYS, PAYMENTS, REFUNDS};
use crate::batch::{Loaded, Record};
use crate::method::Method;
use crate::party::Party;
use crate::payment::VoidReason;

macro_rules! payments_sqlite {
    () => {
        "insert into payment (id, order_id, institution_id, payer, method, currency, minor, splits, deliveries,
    description, state, expires_at, void_reason, captured, refunded, refunds, returned, created_at, changed_at)"
    };
}

macro_rules! payments_postgres {
    () => {
        "insert into payment (id, order_id, institution_id, payer, method, currency, minor, splits, deliveries,
    description, state, expires_at, void_reason, captured, refunded, refunds, returned, created_at, changed_at)
select id, \"order\", institution, payer, method, currency, minor, splits, deliveries, description, state,
    expires_at, void_reason, captured, refunded, refunds, returned, created_at, changed_at
from json_to_recordset($1::json) as x(id text, \"order\" text, institution text, payer text, method text,
    currency text, minor bigint, splits text, deliveries text, description text, state text,
    expires_at bigint, void_reason text, captured bigint, refunded bigint, refunds bigint, returned text,
    created_at bigint, changed_at bigint)
"
    };
}

// A changed payment is there since it was loaded; the conflict finds it by its
// primary key, which no planner can miss.
macro_rules! change {
    () => {
        "on conflict (id) do update set state = excluded.state, void_reason = excluded.void_reason,
    captured = excluded.captured, refunded = excluded.refunded, refunds = excluded.refunds,
    returned = excluded.returned, changed_at = excluded.changed_at"
    };
}

const INSERT_PAYMENTS: WriteRows = WriteRows {
    sqlite: [payments_sqlite!(), "on conflict (id) do nothing"],
    postgres: concat!(payments_postgres!(), "on conflict (id) do nothing"),
};

const CHANGE_PAYMENTS: WriteRows = WriteRows {
    sqlite: [payments_sqlite!(), change!()],
    postgres: concat!(payments_postgres!(), change!()),
};

const INSERT_REFUNDS: WriteRows = WriteRows {
    sqlite: [
        "insert into payment_refund (id, payment_id, currency, minor, parts, owed, reason, created_at)",
        "",
    ],
    postgres: "insert into payment_refund (id, payment_id, currency, minor, parts, owed, reason, created_at)
select id, payment, currency, minor, parts, owed, reason, created_at
from json_to_recordset($1::json) as x(id text, payment text, currency text, minor bigint, parts text,
    owed text, reason text, created_at bigint)",
};

const INSERT_KEYS: WriteRows = WriteRows {
    sqlite: [
        "insert into payment_idempotency (digest, request_hash, answer, created_at)",
        "on conflict (digest) do nothing",
    ],
    postgres: "insert into payment_idempotency (digest, request_hash, answer, created_at)
select digest, request_hash, answer, created_at
from json_to_recordset($1::json) as x(digest text, request_hash text, answer text, created_at bigint)
on conflict (digest) do nothing",
};

#[derive(Serialize)]
struct PaymentRow<'a> {
    id: AsText<PaymentId>,
    order: Option<AsText<OrderId>>,
    institution: Option<AsText<InstitutionId>>,
    payer: AsText<Party>,
    method: AsText<Method>,
    currency: &'a str,
    minor: i64,
    splits: String,
    deliveries: String,
    description: &'a str,
    state: &'static str,
    expires_at: Option<i64>,
    void_reason: Option<&'static str>,
    captured: i64,
    refunded: i64,
    refunds: i64,
    returned: String,
    created_at: i64,
    changed_at: i64,
}

/// Appends new payments and writes the states of changed ones.
pub(crate) async fn store_payments(
    tx: &mut Tx,
    loaded: &Loaded,
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    let changes = &loaded.changes;
    let mut ids = changes.new_payments.clone();
    ids.sort_unstable();
    let new: Vec<_> = (ids.iter())
        .map(|id| payment_row(&loaded.payments[id]))
        .collect();
    write(tx, &INSERT_PAYMENTS, &new).await?;
    let new = ids.iter().zip(&new);
    facts.extend(new.map(|(id, row)| PAYMENTS.fact(id.as_u128(), row)));
    // A payment that is new in this batch was just written with its last state.
    let is_new: HashSet<&PaymentId> = changes.new_payments.iter().collect();
    let mut changed = Vec::new();
    for (id, before) in &changes.changed_payments {
        if is_new.contains(id) {
            continue;
        }
        let row = payment_row(&loaded.payments[id]);
        let before = PAYMENTS.fact(id.as_u128(), &payment_row(before));
        facts.push(PAYMENTS.fact(id.as_u128(), &row).after(before.digest));
        changed.push(row);
    }
    write(tx, &CHANGE_PAYMENTS, &changed).await
}

fn payment_row(record: &Record) -> PaymentRow<'_> {
    let payment = &record.payment;
    PaymentRow {
        id: AsText(payment.id),
        order: payment.order.map(AsText),
        institution: payment.institution.map(AsText),
        payer: AsText(payment.payer),
        method: AsText(payment.method),
        currency: payment.amount.currency.code(),
        minor: payment.amount.minor,
        splits: splits_text(&payment.splits),
        deliveries: deliveries_text(&payment.deliveries),
        description: &payment.description,
        state: payment.state.name(),
        expires_at: payment.expires_at.map(Timestamp::as_millis),
        void_reason: payment.void_reason.map(VoidReason::name),
        captured: payment.captured.minor,
        refunded: payment.refunded.minor,
        refunds: record.refunds,
        returned: json(&record.returned),
        created_at: payment.created_at.as_millis(),
        changed_at: payment.changed_at.as_millis(),
    }
}

#[derive(Serialize)]
struct RefundRow<'a> {
    id: AsText<RefundId>,
    payment: AsText<PaymentId>,
    currency: &'a str,
    minor: i64,
    parts: String,
    owed: String,
    reason: &'a str,
    created_at: i64,
}

/// Appends new refunds.
pub(crate) async fn store_refunds(
    tx: &mut Tx,
    loaded: &Loaded,
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    let rows: Vec<_> = (loaded.changes.new_refunds.iter())
        .map(|id| &loaded.refunds[id])
        .map(|refund| RefundRow {
            id: AsText(refund.id),
            payment: AsText(refund.payment),
            currency: refund.amount.currency.code(),
            minor: refund.amount.minor,
            parts: json(&refund.parts),
            owed: json(&refund.owed),
            reason: &refund.reason,
            created_at: refund.created_at.as_millis(),
        })
        .collect();
    write(tx, &INSERT_REFUNDS, &rows).await?;
    let new = loaded.changes.new_refunds.iter().zip(&rows);
    facts.extend(new.map(|(id, row)| REFUNDS.fact(id.as_u128(), row)));
    Ok(())
}

#[derive(Serialize)]
struct KeyRow<'a> {
    digest: String,
    request_hash: &'a str,
    answer: String,
    created_at: i64,
}

/// Keeps the answers that the batch gives under idempotency keys.
pub(crate) async fn store_keys(
    tx: &mut Tx,
    loaded: &Loaded,
    facts: &mut Vec<Fact>,
    now: Timestamp,
) -> Result<(), Error> {
    // In one order on every host, so that two hosts wait for each other in line.
    let mut digests = loaded.changes.new_keys.clone();
    digests.sort_unstable();
    let rows: Vec<_> = (digests.iter())
        .map(|digest| (digest, &loaded.keys[digest]))
        .map(|(digest, stored)| KeyRow {
            digest: format!("{digest:032x}"),
            request_hash: &stored.request_hash,
            answer: stored.answer.to_text(),
            created_at: now.as_millis(),
        })
        .collect();
    write(tx, &INSERT_KEYS, &rows).await?;
    let new = digests.iter().zip(&rows);
    facts.extend(new.map(|(digest, row)| KEYS.fact(*digest, row)));
    Ok(())
}

/// Writes rows; each is one row of the table.
async fn write<T: Serialize>(tx: &mut Tx, statement: &WriteRows, rows: &[T]) -> Result<(), Error> {
    let stored = tx.write_rows(statement, rows).await?;
    all_stored(stored, rows.len())
}

/// A row that is not stored was stored by another host since this batch looked
/// for it: the batch is run again and finds it.
fn all_stored(stored: u64, rows: usize) -> Result<(), Error> {
    if usize::try_from(stored) == Ok(rows) {
        return Ok(());
    }
    let cause = "another host stored the same command first".to_owned();
    Err(Error::Busy(Arc::new(sqlx::Error::Protocol(cause))))
}
