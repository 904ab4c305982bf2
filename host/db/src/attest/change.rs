use super::scan::{digest, select};
use super::{Attested, Fact, RowDigest};
use crate::error::Error;
use crate::open::Engine;
use crate::tx::Tx;

/// A row as it was before a transaction changes it, for what is not changed by the
/// batches of the money path: they know their rows and need no look at them.
#[derive(Debug)]
pub struct Before {
    rows: &'static Attested,
    key: Vec<String>,
    digest: Option<RowDigest>,
}

impl Before {
    /// Looks at the row of a key, and keeps others from changing or making it until
    /// the transaction ends.
    ///
    /// # Errors
    /// The database failed.
    pub async fn of(tx: &mut Tx, rows: &'static Attested, key: &[&str]) -> Result<Self, Error> {
        let id = rows.id_of(key);
        let key: Vec<String> = key.iter().map(|part| (*part).to_owned()).collect();
        let lock = tx.pick("", " for update");
        let mut digest = stored(tx, rows, &key, lock).await?;
        // SQLite has one writer; on PostgreSQL there is no row to lock yet.
        if digest.is_none() && tx.engine() == Engine::Postgres {
            sqlx::query(
                "select 1 from (select pg_advisory_xact_lock(hashtextextended($1, 0))) as locked",
            )
            .bind(format!("{}/{id:032x}", rows.table))
            .execute(tx.conn())
            .await?;
            digest = stored(tx, rows, &key, lock).await?;
        }
        Ok(Self { rows, key, digest })
    }

    /// What the journal must say of the row now; nothing when nothing of it changed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn fact(self, tx: &mut Tx) -> Result<Option<Fact>, Error> {
        let now = stored(tx, self.rows, &self.key, "").await?;
        let key: Vec<&str> = self.key.iter().map(String::as_str).collect();
        Ok(now
            .filter(|now| self.digest != Some(*now))
            .map(|digest| Fact {
                name: self.rows.name,
                id: self.rows.id_of(&key),
                before: self.digest,
                digest,
            }))
    }
}

async fn stored(
    tx: &mut Tx,
    rows: &Attested,
    key: &[String],
    lock: &str,
) -> Result<Option<RowDigest>, Error> {
    let columns = rows.fields.iter().take(rows.id.columns());
    let is: Vec<String> = columns
        .enumerate()
        .map(|(at, (_, column, _))| format!("{column} = ${}", at.saturating_add(1)))
        .collect();
    let sql = format!(
        "{} where {}{lock}",
        select(tx.engine(), rows),
        is.join(" and ")
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for part in key {
        query = query.bind(part.clone());
    }
    let row = query.fetch_optional(tx.conn()).await?;
    row.map(|row| digest(rows, &row)).transpose()
}
