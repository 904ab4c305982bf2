//! The statements of this room. Each of the money path takes one JSON array, so
//! their number does not depend on the size of the batch.

pub(crate) mod accrual;
pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod income;
pub(crate) mod jobs;
pub(crate) mod leases;
pub(crate) mod lots;
pub(crate) mod mandates;
pub(crate) mod offers;
pub(crate) mod orders;
pub(crate) mod redemption;
mod row;

use std::fmt::Display;
use std::str::FromStr;

use qiao_db::{Db, Error};
use qiao_model::Timestamp;
use qiao_runtime::Entry;
use serde::{Serialize, Serializer};

/// A value as its text, without an allocation.
pub(crate) struct AsText<T>(pub(crate) T);

impl<T: Display> Serialize for AsText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The rows as one JSON array.
fn json<T: Serialize>(rows: impl IntoIterator<Item = T>) -> String {
    let rows: Vec<T> = rows.into_iter().collect();
    text_of(&rows)
}

/// Texts, numbers and lists of them always have a JSON form.
#[expect(clippy::expect_used, reason = "plain data always serializes")]
fn text_of<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data has a JSON form")
}

/// Labels and values as pairs, the form that rows keep.
fn pairs(entries: &[Entry]) -> Vec<(String, String)> {
    let pair = |e: &Entry| (e.label.clone(), e.value.clone());
    entries.iter().map(pair).collect()
}

/// The labels and values of such pairs.
fn entries(pairs: Vec<(String, String)>) -> Vec<Entry> {
    let entry = |(label, value)| Entry { label, value };
    pairs.into_iter().map(entry).collect()
}

/// Runs a statement that deletes at most so many rows from before a time; gives
/// how many it did.
async fn forget(
    db: &Db,
    sql: &'static str,
    (before, limit): (Timestamp, i64),
) -> Result<u64, Error> {
    let mut tx = db.begin().await?;
    let done = sqlx::query(sql)
        .bind(before.as_millis())
        .bind(limit)
        .execute(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::corrupt(what, text))
}
