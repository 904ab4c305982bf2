use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::error::Error;
use crate::flat::{Value, push_fields};
use crate::open::Engine;
use crate::tx::Tx;

/// Rows of one SQLite statement: a batch of any size is cut into these, so that there are
/// few different texts to prepare. The largest times the columns of a table stays far
/// below the 32,766 parameters that a statement may have.
const SQLITE_ROWS: [usize; 5] = [256, 64, 16, 4, 1];

/// A statement that writes rows, in the form that each engine is quick with: SQLite takes
/// their values as parameters (reading them out of JSON costs it thrice the insert),
/// PostgreSQL plans a statement of one parameter once for any number of rows.
#[derive(Clone, Copy, Debug)]
pub struct WriteRows {
    /// The text before and after the values, which come as `values (?, …), …` in the order
    /// of the row's fields.
    pub sqlite: [&'static str; 2],
    /// The whole text; `$1` is a JSON array of the rows, by the names of their fields.
    pub postgres: &'static str,
}

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
        match self.engine() {
            _ if rows.is_empty() => Ok(0),
            Engine::Sqlite => self.write_values(statement, rows).await,
            Engine::Postgres => {
                let rows = match serde_json::to_string(rows) {
                    Ok(rows) => rows,
                    Err(error) => panic!("a row has no JSON form: {error}"),
                };
                let query = sqlx::query(statement.postgres).bind(rows);
                Ok(query.execute(self.conn()).await?.rows_affected())
            }
        }
    }

    async fn write_values<T: Serialize>(
        &mut self,
        statement: &WriteRows,
        mut rows: &[T],
    ) -> Result<u64, Error> {
        let mut written = 0;
        for size in SQLITE_ROWS {
            while let Some((chunk, rest)) = rows.split_at_checked(size) {
                written += self.write_chunk(statement, chunk).await?;
                rows = rest;
            }
        }
        Ok(written)
    }

    async fn write_chunk<T: Serialize>(
        &mut self,
        statement: &WriteRows,
        rows: &[T],
    ) -> Result<u64, Error> {
        let mut values = Vec::new();
        for row in rows {
            if let Err(error) = push_fields(row, &mut values) {
                panic!("a row has no flat form: {error}");
            }
        }
        let sql = values_sql(statement, rows.len(), values.len() / rows.len().max(1));
        // Constants and question marks alone.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in values {
            query = match value {
                Value::Null => query.bind(None::<String>),
                Value::Integer(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
            };
        }
        Ok(query.execute(self.conn()).await?.rows_affected())
    }
}

fn values_sql(statement: &WriteRows, rows: usize, columns: usize) -> String {
    let [before, after] = statement.sqlite;
    let row = format!("({})", vec!["?"; columns].join(","));
    let rows = vec![row.as_str(); rows].join(",");
    format!("{before} values {rows} {after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_a_parameter_for_each_column_of_each_row() {
        let statement = WriteRows {
            sqlite: ["insert into t (a, b)", "on conflict (a) do nothing"],
            postgres: "",
        };
        assert_eq!(
            values_sql(&statement, 2, 2),
            "insert into t (a, b) values (?,?),(?,?) on conflict (a) do nothing"
        );
    }
}
