//! Every statement of this room.

mod line_json;
pub(crate) mod price;
pub(crate) mod product;
pub(crate) mod schedule;

use qiao_db::Error;
use qiao_model::id::Noun;
use qiao_model::{Day, Id};
use sqlx::Row;
use sqlx::any::AnyRow;

fn id_of<N: Noun>(row: &AnyRow, column: &'static str) -> Result<Id<N>, Error> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| Error::corrupt(N::PREFIX, text))
}

fn day_of(row: &AnyRow, column: &'static str) -> Result<Day, Error> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| Error::corrupt("day", text))
}
