//! Every statement of this room.

pub(crate) mod audit;
pub(crate) mod delivery;
pub(crate) mod endpoint;
pub(crate) mod outbox;

use qiao_db::Error;
use qiao_model::Id;
use qiao_model::id::Noun;
use sqlx::Row;
use sqlx::any::AnyRow;

fn id_of<N: Noun>(row: &AnyRow, column: &'static str) -> Result<Id<N>, Error> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| Error::corrupt(N::PREFIX, text))
}

fn optional_id_of<N: Noun>(row: &AnyRow, column: &'static str) -> Result<Option<Id<N>>, Error> {
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|_| Error::corrupt(N::PREFIX, text)))
        .transpose()
}
