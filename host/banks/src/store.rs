//! The statements of this room. Each of the money path takes one JSON array, so
//! their number does not depend on the size of the batch.

pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod channel;
pub(crate) mod lease;
pub(crate) mod link;
pub(crate) mod login;
mod row;
pub(crate) mod transfer;

use std::str::FromStr;

use qiao_db::Error;
use serde::Serialize;

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

fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::corrupt(what, text))
}
