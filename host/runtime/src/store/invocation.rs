use qiao_db::{Db, Tx};
use qiao_model::{InvocationId, PluginId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::{Function, Invocation, LogLevel, LogLine, Outcome};

/// A record as it crosses to the database: one JSON array for a whole batch.
#[derive(Serialize)]
struct Stored<'a> {
    id: String,
    plugin: String,
    release: String,
    function: &'a str,
    outcome: &'a str,
    message: String,
    fuel: i64,
    memory_bytes: i64,
    host_calls: i64,
    duration_us: i64,
    ended_at: i64,
    log: String,
}

#[derive(Serialize, Deserialize)]
struct StoredLine {
    level: String,
    message: String,
}

pub(crate) async fn insert(tx: &mut Tx, batch: &[Invocation]) -> Result<(), qiao_db::Error> {
    let stored: Vec<Stored<'_>> = batch.iter().map(stored).collect();
    let json = to_json(&stored);
    let statement = tx.pick(
        "insert into invocation (id, plugin, release, function, outcome, message, fuel,
            memory_bytes, host_calls, duration_us, ended_at, log)
        select value->>'id', value->>'plugin', value->>'release', value->>'function',
            value->>'outcome', value->>'message', value->>'fuel', value->>'memory_bytes',
            value->>'host_calls', value->>'duration_us', value->>'ended_at', value->>'log'
        from json_each($1) where true
        on conflict (id) do nothing",
        "insert into invocation (id, plugin, release, function, outcome, message, fuel,
            memory_bytes, host_calls, duration_us, ended_at, log)
        select id, plugin, release, function, outcome, message, fuel,
            memory_bytes, host_calls, duration_us, ended_at, log
        from json_to_recordset($1::json) as x(id text, plugin text, release text,
            function text, outcome text, message text, fuel bigint, memory_bytes bigint,
            host_calls bigint, duration_us bigint, ended_at bigint, log text)
        on conflict (id) do nothing",
    );
    sqlx::query(statement).bind(json).execute(tx.conn()).await?;
    Ok(())
}

/// The newest invocations of a plugin before `before`, newest first.
pub(crate) async fn page_of_plugin(
    db: &Db,
    plugin: PluginId,
    before: Option<InvocationId>,
    rows: i64,
) -> Result<Vec<Invocation>, qiao_db::Error> {
    // Ids of a noun sort by their text; `~` sorts after every digit of an id.
    let before = before.map_or_else(|| "~".to_owned(), |id| id.to_string());
    let found = sqlx::query(
        "select id, plugin, release, function, outcome, message, fuel, memory_bytes,
            host_calls, duration_us, ended_at, log
        from invocation where plugin = $1 and id < $2 order by id desc limit $3",
    )
    .bind(plugin.to_string())
    .bind(before)
    .bind(rows)
    .fetch_all(db.reads())
    .await?;
    found.iter().map(read).collect()
}

/// Deletes what ended before; gives how many.
pub(crate) async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<u64, qiao_db::Error> {
    let deleted = sqlx::query("delete from invocation where ended_at < $1")
        .bind(before.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(deleted.rows_affected())
}

fn stored(invocation: &Invocation) -> Stored<'_> {
    let lines: Vec<StoredLine> = invocation
        .log
        .iter()
        .map(|line| StoredLine {
            level: line.level.name().to_owned(),
            message: storable(&line.message),
        })
        .collect();
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Stored {
        id: invocation.id.to_string(),
        plugin: invocation.plugin.to_string(),
        release: invocation.release.to_string(),
        function: invocation.function.name(),
        outcome: invocation.outcome.name(),
        message: storable(invocation.outcome.message()),
        fuel: number(invocation.fuel),
        memory_bytes: number(invocation.memory_bytes),
        host_calls: i64::from(invocation.host_calls),
        duration_us: number(invocation.duration_us),
        ended_at: invocation.at.as_millis(),
        log: to_json(&lines),
    }
}

/// PostgreSQL keeps no NUL in a text.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn to_json<T: Serialize>(rows: &[T]) -> String {
    let Ok(json) = serde_json::to_string(rows) else {
        unreachable!("texts and numbers are always JSON");
    };
    json
}

fn read(row: &AnyRow) -> Result<Invocation, qiao_db::Error> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let number = |column: &str| row.try_get::<i64, _>(column);
    let count = |column: &str| number(column).map(i64::unsigned_abs);
    let broken = |what: &str| {
        qiao_db::Error::from(sqlx::Error::Decode(
            format!("an invocation has no readable {what}").into(),
        ))
    };
    let lines: Vec<StoredLine> = serde_json::from_str(&text("log")?).map_err(|_| broken("log"))?;
    let log = lines.into_iter().map(|line| {
        Some(LogLine {
            level: LogLevel::from_name(&line.level)?,
            message: line.message,
        })
    });
    Ok(Invocation {
        id: text("id")?.parse().map_err(|_| broken("id"))?,
        plugin: text("plugin")?.parse().map_err(|_| broken("plugin"))?,
        release: text("release")?.parse().map_err(|_| broken("release"))?,
        function: Function::from_name(&text("function")?).ok_or_else(|| broken("function"))?,
        outcome: Outcome::from_parts(&text("outcome")?, &text("message")?)
            .ok_or_else(|| broken("outcome"))?,
        fuel: count("fuel")?,
        memory_bytes: count("memory_bytes")?,
        host_calls: u32::try_from(number("host_calls")?).map_err(|_| broken("host_calls"))?,
        duration_us: count("duration_us")?,
        at: Timestamp::from_millis(number("ended_at")?),
        log: log.collect::<Option<_>>().ok_or_else(|| broken("log"))?,
    })
}
