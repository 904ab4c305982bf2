use qiao_db::{Db, Error, Tx};
use qiao_model::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::audit::{AuditEntry, AuditRow, Outcome};

pub(crate) async fn insert(
    tx: &mut Tx,
    id: &str,
    at: Timestamp,
    entry: &AuditEntry,
    detail: &str,
) -> Result<(), Error> {
    sqlx::query(
        "insert into audit (id, at, actor, action, subject, outcome, detail)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(at.as_millis())
    .bind(&entry.actor)
    .bind(entry.action)
    .bind(&entry.subject)
    .bind(entry.outcome.name())
    .bind(detail)
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn page_before(
    db: &Db,
    before: Option<&str>,
    rows: i64,
) -> Result<Vec<AuditRow>, Error> {
    // Sorts after every id, in any collation.
    sqlx::query("select * from audit where id < $1 order by id desc limit $2")
        .bind(before.unwrap_or("aud_zzzzzzzzzzzzzzzzzzzzzzzzzzz"))
        .bind(rows)
        .fetch_all(db.reads())
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(crate) async fn page_of_subject(
    db: &Db,
    subject: &str,
    rows: i64,
) -> Result<Vec<AuditRow>, Error> {
    sqlx::query("select * from audit where subject = $1 order by id desc limit $2")
        .bind(subject)
        .bind(rows)
        .fetch_all(db.reads())
        .await?
        .iter()
        .map(read)
        .collect()
}

fn read(row: &AnyRow) -> Result<AuditRow, Error> {
    let outcome: String = row.try_get("outcome")?;
    Ok(AuditRow {
        id: row.try_get("id")?,
        at: Timestamp::from_millis(row.try_get("at")?),
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        outcome: Outcome::parse(&outcome)
            .ok_or_else(|| Error::corrupt("audit outcome", outcome))?,
        detail: row.try_get("detail")?,
    })
}
