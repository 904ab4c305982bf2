use futures_util::TryStreamExt;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Attested, Form, Keeping, RowDigest};
use crate::error::Error;
use crate::open::Engine;

/// A row as it is stored.
#[derive(Clone, Debug)]
pub struct StoredRow {
    /// Its id as it stands there.
    pub text: String,
    /// Its id, if that text is one.
    pub id: Option<u128>,
    /// The digest of what its columns hold.
    pub digest: RowDigest,
    /// Whether it must have a fact.
    pub is_attested: bool,
}

/// Reads every row of an attested table, one after the other, and hands each
/// on; what is kept in memory does not grow with the table.
///
/// # Errors
/// The database failed, or `each` did.
pub async fn scan<E: From<Error>>(
    conn: &mut AnyConnection,
    engine: Engine,
    rows: &Attested,
    mut each: impl FnMut(StoredRow) -> Result<(), E>,
) -> Result<(), E> {
    let sql = select(engine, rows);
    let mut stream = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch(conn);
    let mut values = Vec::new();
    while let Some(row) = stream.try_next().await.map_err(Error::from)? {
        read(&row, &mut values)?;
        each(stored(rows, &values))?;
    }
    Ok(())
}

fn read(row: &AnyRow, values: &mut Vec<Option<Vec<u8>>>) -> Result<(), Error> {
    values.clear();
    for column in 0..row.len() {
        values.push(row.try_get(column)?);
    }
    Ok(())
}

/// The digest of the row of a query that [`select`] begins.
pub(super) fn digest(rows: &Attested, row: &AnyRow) -> Result<RowDigest, Error> {
    let mut values = Vec::new();
    read(row, &mut values)?;
    Ok(stored(rows, &values).digest)
}

/// Every attested column as the bytes of its text: a byte that is no letter any
/// more is read too.
pub(super) fn select(engine: Engine, rows: &Attested) -> String {
    let columns = rows.fields.iter().map(|(_, column, _)| *column);
    let columns: Vec<String> = columns
        .map(|column| match engine {
            Engine::Sqlite => format!("cast({column} as blob)"),
            Engine::Postgres => format!("convert_to(cast({column} as text), 'UTF8')"),
        })
        .collect();
    format!("select {} from {}", columns.join(", "), rows.table)
}

fn stored(rows: &Attested, values: &[Option<Vec<u8>>]) -> StoredRow {
    let text = |value: &Option<Vec<u8>>| {
        String::from_utf8_lossy(value.as_deref().unwrap_or_default()).into_owned()
    };
    let key: Vec<String> = values.iter().take(rows.id.columns()).map(text).collect();
    let id = key.join("/");
    let mut content = rows.begin();
    content.extend(json(rows, values));
    StoredRow {
        id: rows.id.read(&id),
        text: id,
        digest: RowDigest::of(&content),
        is_attested: is_attested(rows, values),
    }
}

fn is_attested(rows: &Attested, values: &[Option<Vec<u8>>]) -> bool {
    let Keeping::Shared {
        field, attested, ..
    } = rows.keeping
    else {
        return true;
    };
    let at = rows.fields.iter().position(|(name, _, _)| *name == field);
    let value = at.and_then(|at| values.get(at)).and_then(Option::as_deref);
    let value = value.unwrap_or_default();
    attested
        .iter()
        .any(|begin| value.starts_with(begin.as_bytes()))
}

/// The JSON text of the row, as its room wrote it.
fn json(rows: &Attested, values: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut out = Vec::from(b"{");
    for ((name, _, form), value) in rows.fields.iter().zip(values) {
        if out.len() > 1 {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        match (value, form) {
            (None, _) => out.extend_from_slice(b"null"),
            (Some(bytes), Form::Integer) => out.extend_from_slice(bytes),
            (Some(bytes), Form::Text) => {
                let text = String::from_utf8_lossy(bytes);
                // Text always has a JSON form.
                out.extend_from_slice(&serde_json::to_vec(&text).unwrap_or_default());
            }
        }
    }
    out.push(b'}');
    out
}
