use serde::{Deserialize, Serialize};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

use crate::error::Error;
use crate::flat::{Value, push_fields};
use crate::open::Engine;
use crate::tx::Tx;

/// Rows of one SQLite statement at most: times the columns of a table they stay far below
/// the 32,766 parameters that a statement may have.
const SQLITE_ROWS_MAX: usize = 256;
/// The numbers of rows that fewer are filled up to with rows of nulls, so that there are
/// few different texts to prepare and a table is written with one statement: each is a hop
/// to the driver's thread, which costs as much as a dozen rows.
const SQLITE_ROWS: [usize; 12] = [1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, SQLITE_ROWS_MAX];

/// A statement that writes rows, in the form that each engine is quick with: SQLite takes
/// their values as parameters (reading them out of JSON costs it thrice the insert),
/// PostgreSQL plans a statement of one parameter once for any number of rows.
#[derive(Clone, Copy, Debug)]
pub struct WriteRows {
    /// The text before and after the values, which come as `values (?, …), …` in the order
    /// of the row's fields, or as a selection from such values; the first field of a row is
    /// never null. Each `?` in the text after them is a field of what all rows share, in
    /// order.
    pub sqlite: [&'static str; 2],
    /// The whole text; `$1` is a JSON array of the rows, by the names of their fields, `$2`
    /// and so on are the fields of what all rows share.
    pub postgres: &'static str,
}

/// Rows that share nothing.
#[derive(Serialize)]
struct Nothing {}

impl Tx {
    /// Writes rows, which are structs of texts and integers; tells how many were written.
    /// No rows, no statement.
    ///
    /// # Errors
    /// The database failed.
    ///
    /// # Panics
    /// A row is not such a struct, which no data can cause.
    pub async fn write_rows<T: Serialize>(
        &mut self,
        statement: &WriteRows,
        rows: &[T],
    ) -> Result<u64, Error> {
        self.write_rows_sharing(statement, rows, &Nothing {}).await
    }

    /// As [`Tx::write_rows`], for rows that share some of their values: a struct like a row.
    ///
    /// # Errors
    /// The database failed.
    ///
    /// # Panics
    /// A row, or what they share, is not such a struct, which no data can cause.
    pub async fn write_rows_sharing<T: Serialize, S: Serialize>(
        &mut self,
        statement: &WriteRows,
        rows: &[T],
        shared: &S,
    ) -> Result<u64, Error> {
        match self.engine() {
            _ if rows.is_empty() => Ok(0),
            Engine::Sqlite => self.write_values(statement, rows, shared).await,
            Engine::Postgres => {
                let rows = match serde_json::to_string(rows) {
                    Ok(rows) => rows,
                    Err(error) => panic!("a row has no JSON form: {error}"),
                };
                let mut values = Vec::new();
                push(shared, &mut values);
                let query = bind(sqlx::query(statement.postgres).bind(rows), values);
                Ok(query.execute(self.conn()).await?.rows_affected())
            }
        }
    }

    async fn write_values<T: Serialize, S: Serialize>(
        &mut self,
        statement: &WriteRows,
        rows: &[T],
        shared: &S,
    ) -> Result<u64, Error> {
        let mut written = 0;
        for chunk in rows.chunks(SQLITE_ROWS_MAX) {
            written += self.write_chunk(statement, chunk, shared).await?;
        }
        Ok(written)
    }

    async fn write_chunk<T: Serialize, S: Serialize>(
        &mut self,
        statement: &WriteRows,
        rows: &[T],
        shared: &S,
    ) -> Result<u64, Error> {
        let mut values = Vec::new();
        for row in rows {
            push(row, &mut values);
        }
        let columns = values.len() / rows.len().max(1);
        let sql = match rows.len() {
            size @ (1 | SQLITE_ROWS_MAX) => values_sql(statement, &values_of(size, columns)),
            few => {
                let size = SQLITE_ROWS.into_iter().find(|size| *size >= few);
                let size = size.unwrap_or(SQLITE_ROWS_MAX);
                values.resize_with(size * columns, || Value::Null);
                let given = format!(
                    "select * from ({}) where column1 is not null",
                    values_of(size, columns)
                );
                values_sql(statement, &given)
            }
        };
        push(shared, &mut values);
        // Constants and question marks alone.
        let query = bind(sqlx::query(AssertSqlSafe(sql)), values);
        Ok(query.execute(self.conn()).await?.rows_affected())
    }
}

fn push(row: &impl Serialize, values: &mut Vec<Value>) {
    if let Err(error) = push_fields(row, values) {
        panic!("a row has no flat form: {error}");
    }
}

fn bind(
    mut query: Query<'_, Any, AnyArguments>,
    values: Vec<Value>,
) -> Query<'_, Any, AnyArguments> {
    for value in values {
        query = match value {
            Value::Null => query.bind(None::<String>),
            Value::Integer(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
        };
    }
    query
}

/// The rows of a query that makes one JSON text of them: an array with an array for each
/// row, whose values come in the order of the fields of `T`. The driver hands over row by
/// row and value by value, which for a thousand rows costs more than the query.
///
/// # Errors
/// The text is not of that form.
pub fn rows_of_text<'a, T: Deserialize<'a>>(
    what: &'static str,
    text: &'a str,
) -> Result<Vec<T>, Error> {
    serde_json::from_str(text).map_err(|error| Error::corrupt(what, error.to_string()))
}

fn values_of(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    format!("values {}", vec![row.as_str(); rows].join(","))
}

fn values_sql(statement: &WriteRows, values: &str) -> String {
    let [before, after] = statement.sqlite;
    format!("{before} {values} {after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_a_parameter_for_each_column_of_each_row() {
        let statement = WriteRows {
            sqlite: ["insert into t (a, b, c)", "on conflict (a) do nothing"],
            postgres: "",
        };
        assert_eq!(
            values_sql(&statement, &values_of(2, 3)),
            "insert into t (a, b, c) values (?,?,?),(?,?,?) on conflict (a) do nothing"
        );
    }

    #[test]
    fn a_text_is_read_row_by_row_or_refused() {
        #[derive(Debug, PartialEq, Eq, Deserialize)]
        struct Row<'a> {
            id: &'a str,
            minor: i64,
            last: Option<&'a str>,
        }
        let rows: Vec<Row<'_>> =
            rows_of_text("row", r#"[["a",-9223372036854775808,null],["b",1,"a"]]"#).unwrap();
        let row = |id, minor, last| Row { id, minor, last };
        assert_eq!(rows, [row("a", i64::MIN, None), row("b", 1, Some("a"))]);
        for text in ["", "[[\"a\",1]]", "[[\"a\",1.5,null]]", "[[1,1,null]]"] {
            assert!(rows_of_text::<Row<'_>>("row", text).is_err(), "{text}");
        }
    }
}
