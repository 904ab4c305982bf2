//! What an audit reads: the whole outbox, row after row.

use futures_util::TryStreamExt;
use qiao_db::{Error, Tx};
use qiao_model::EventId;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::id_of;

const EVENTS: &str = "select id, kind, subject from event";

/// An event as another room's audit sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: String,
    /// To what.
    pub subject: String,
}

/// Hands on every event of the outbox, or the id of a row that is not readable
/// and why.
///
/// # Errors
/// The database failed, or `each` did.
pub async fn each_event<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(Result<StoredEvent, (String, Error)>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(EVENTS).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let id = || row.try_get("id").unwrap_or_default();
        each(stored(&row).map_err(|problem| (id(), problem)))?;
    }
    Ok(())
}

fn stored(row: &AnyRow) -> Result<StoredEvent, Error> {
    Ok(StoredEvent {
        id: id_of(row, "id")?,
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
    })
}
