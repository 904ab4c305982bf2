//! What the audit reads: whole tables, row after row.

use futures_util::TryStreamExt;
use qiao_db::{Error, Tx};
use sqlx::Row;

use super::mandate::{mandate_columns, mandate_of};
use super::row::{payment_columns, record_of, refund_of};
use crate::answer::Answer;
use crate::batch::Record;
use crate::mandate::Mandate;
use crate::payment::Refund;

const PAYMENTS: &str = concat!("select ", payment_columns!(), " from payment");

const REFUNDS: &str =
    "select id, payment_id, currency, minor, parts, owed, reason, created_at from payment_refund";

const ANSWERS: &str = "select digest, answer from payment_idempotency";

const MANDATES: &str = concat!("select ", mandate_columns!(), " from mandate");

/// Hands on every payment, or why its row is not readable.
pub(crate) async fn payments<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<Record, Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(PAYMENTS).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let id: String = row.try_get("id").unwrap_or_default();
        each(&id, record_of(&row))?;
    }
    Ok(())
}

/// Hands on every refund, or why its row is not readable.
pub(crate) async fn refunds<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<Refund, Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(REFUNDS).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let id: String = row.try_get("id").unwrap_or_default();
        each(&id, refund_of(&row))?;
    }
    Ok(())
}

/// Hands on every kept answer, or why it is not readable.
pub(crate) async fn answers<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<Answer, Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(ANSWERS).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let digest: String = row.try_get("digest").unwrap_or_default();
        let text: Result<&str, sqlx::Error> = row.try_get("answer");
        each(&digest, text.map_err(Error::from).and_then(Answer::of_text))?;
    }
    Ok(())
}

/// Hands on every mandate, or why its row is not readable.
pub(crate) async fn mandates<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<Mandate, Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(MANDATES).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let id: String = row.try_get("id").unwrap_or_default();
        each(&id, mandate_of(&row))?;
    }
    Ok(())
}
