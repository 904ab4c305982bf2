//! Changes rows behind the host's back, as somebody with the database's password
//! or its file would.

use std::future::Future;

use qiao_db::{Db, Engine};
use sqlx::Row;

/// One value that was changed.
#[derive(Debug)]
pub struct Tampered {
    /// The column.
    pub column: String,
    /// The row's key before.
    pub row: String,
    /// The row's key now: another one when the key itself was changed.
    pub row_now: String,
}

/// Takes away what the schema does against changes of a table.
///
/// # Panics
/// The database refuses.
pub async fn disarm(db: &Db, table: &str) {
    match db.engine() {
        Engine::Sqlite => {
            let sql = "select name from sqlite_master where type = 'trigger' and tbl_name = $1";
            for trigger in texts(db, sql, table).await {
                run(db, format!("drop trigger {trigger}")).await;
            }
        }
        Engine::Postgres => {
            run(db, format!("alter table {table} disable trigger all")).await;
            let sql = "select conname::text from pg_constraint
where conrelid = $1::text::regclass and contype = 'c'";
            for constraint in texts(db, sql, table).await {
                run(
                    db,
                    format!("alter table {table} drop constraint {constraint}"),
                )
                .await;
            }
            let sql = "select column_name::text from information_schema.columns
where table_name = $1 and is_nullable = 'NO' and column_name not in (
    select column_name from information_schema.key_column_usage where table_name = $1)";
            for column in texts(db, sql, table).await {
                run(
                    db,
                    format!("alter table {table} alter column {column} drop not null"),
                )
                .await;
            }
        }
    }
}

/// For every column of a table, beside the `free` ones: changes one byte of one
/// row, lets `check` look, and sets it back. `key` names the columns of the key,
/// with a `/` between them.
///
/// # Panics
/// The table is empty, or the database refuses.
pub async fn each_column<F, Fut>(db: &Db, table: &str, key: &str, free: &[&str], check: F)
where
    F: Fn(Tampered) -> Fut,
    Fut: Future<Output = ()>,
{
    disarm(db, table).await;
    let sql = match db.engine() {
        Engine::Sqlite => "select name from pragma_table_info($1)",
        Engine::Postgres => {
            "select column_name::text from information_schema.columns where table_name = $1 order by ordinal_position"
        }
    };
    let columns = texts(db, sql, table).await;
    assert!(!columns.is_empty(), "{table} has columns");
    for column in columns {
        if free.contains(&column.as_str()) {
            continue;
        }
        let (row, value) = value(db, table, key, &column).await;
        let changed = value.changed();
        set(db, table, key, &row, &column, &changed).await;
        let row_now = changed.in_key(key, &column, &row);
        let tampered = Tampered {
            column: column.clone(),
            row: row.clone(),
            row_now: row_now.clone(),
        };
        check(tampered).await;
        set(db, table, key, &row_now, &column, &value).await;
    }
}

#[derive(Clone, Debug)]
enum Value {
    Null,
    Text(String),
    Number(i64),
    Bytes(Vec<u8>),
}

impl Value {
    /// The key of a row once its column holds this.
    fn in_key(&self, key: &str, column: &str, row: &str) -> String {
        let value = match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Null | Self::Bytes(_) => return row.to_owned(),
        };
        let parts = key.split('/').zip(row.split('/'));
        let parts: Vec<&str> = parts
            .map(|(of, part)| if of == column { value.as_str() } else { part })
            .collect();
        parts.join("/")
    }

    /// The value with one bit changed; something where nothing was.
    fn changed(&self) -> Self {
        match self {
            Self::Null => Self::Text("1".to_owned()),
            Self::Text(text) => {
                let mut bytes = text.clone().into_bytes();
                match bytes.last_mut() {
                    Some(last) => *last ^= 1,
                    None => bytes.push(b'1'),
                }
                Self::Text(String::from_utf8_lossy(&bytes).into_owned())
            }
            Self::Number(number) => Self::Number(number ^ 1),
            Self::Bytes(bytes) => {
                let mut bytes = bytes.clone();
                match bytes.last_mut() {
                    Some(last) => *last ^= 1,
                    None => bytes.push(1),
                }
                Self::Bytes(bytes)
            }
        }
    }
}

/// The key of a row as one text.
fn text_of_key(table: &str, key: &str) -> String {
    let parts: Vec<String> = key
        .split('/')
        .map(|column| format!("cast({table}.{column} as text)"))
        .collect();
    format!("({})", parts.join(" || '/' || "))
}

/// A row whose column holds something, if there is one, and what it holds.
async fn value(db: &Db, table: &str, key: &str, column: &str) -> (String, Value) {
    let key = text_of_key(table, key);
    let sql = format!(
        "select {key} as row_key, {column} as held from {table} order by {table}.{column} is null, row_key limit 1"
    );
    let found = sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_optional(db.reads())
        .await;
    let row = match found {
        Ok(Some(row)) => row,
        Ok(None) => panic!("{table} has no row"),
        Err(error) => panic!("{table}.{column} cannot be read: {error}"),
    };
    let row_key: String = row.get(0);
    let value = row
        .try_get::<Option<String>, _>(1)
        .map(|text| text.map(Value::Text))
        .or_else(|_| {
            row.try_get::<Option<i64>, _>(1)
                .map(|n| n.map(Value::Number))
        })
        .or_else(|_| {
            row.try_get::<Option<Vec<u8>>, _>(1)
                .map(|b| b.map(Value::Bytes))
        });
    match value {
        Ok(value) => (row_key, value.unwrap_or(Value::Null)),
        Err(error) => panic!("{table}.{column} cannot be read: {error}"),
    }
}

async fn set(db: &Db, table: &str, key: &str, row: &str, column: &str, value: &Value) {
    let placed = match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Number(number) => number.to_string(),
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            match db.engine() {
                Engine::Sqlite => format!("x'{digits}'"),
                Engine::Postgres => format!("'\\x{digits}'::bytea"),
            }
        }
    };
    let key = text_of_key(table, key);
    let sql = format!("update {table} set {column} = {placed} where {key} = '{row}'");
    run(db, sql).await;
}

async fn texts(db: &Db, sql: &'static str, table: &str) -> Vec<String> {
    match sqlx::query_scalar(sql)
        .bind(table.to_owned())
        .fetch_all(db.reads())
        .await
    {
        Ok(texts) => texts,
        Err(error) => panic!("{sql}: {error}"),
    }
}

/// Runs a statement past the host's own connection and whatever guards it.
///
/// # Panics
/// The database refuses.
pub async fn run(db: &Db, sql: String) {
    let guards = db.pick(
        "pragma foreign_keys = off; pragma ignore_check_constraints = on;",
        "",
    );
    let done = async {
        let mut conn = db.reads().acquire().await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{guards} {sql}")))
            .execute(&mut *conn)
            .await
    };
    if let Err(error) = done.await {
        panic!("{sql}: {error:?}");
    }
}
