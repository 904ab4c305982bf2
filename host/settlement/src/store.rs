//! The statements of this room, one file for each table.

pub(crate) mod audit;
pub(crate) mod case;
pub(crate) mod close;
pub(crate) mod line;
pub(crate) mod payout;
pub(crate) mod terms;

use std::str::FromStr;

use qiao_db::Error;

/// After every id.
const LAST: &str = "~";

/// Reads a stored text as its type.
fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::corrupt(what, text))
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
