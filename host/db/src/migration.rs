use crate::error::Error;
use crate::open::{Db, Engine};

/// One step of the schema, forward only. A migration that ran never changes.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// `yyyymmddNNNN`, unique over all rooms; steps run in this order.
    pub version: i64,
    /// What it changes, in snake case.
    pub name: &'static str,
    /// Statements that both engines read.
    pub sql: &'static str,
    /// Statements for SQLite alone (triggers), run after `sql`.
    pub sqlite: &'static str,
    /// Statements for PostgreSQL alone, run after `sql`.
    pub postgres: &'static str,
}

const CREATE: &str = "create table if not exists migration (
    version bigint primary key,
    name text not null,
    sql text not null
)";

/// Hosts that start at once migrate one after the other.
const LOCK: &str = "select pg_advisory_xact_lock(7147202611)";

impl Db {
    /// Runs every migration of the rooms that has not run on this database.
    ///
    /// # Errors
    /// A migration that ran has another text now, the database is newer than
    /// this host, or a statement failed; then nothing of this call remains.
    pub async fn migrate(&self, rooms: &[&[Migration]]) -> Result<(), Error> {
        let mut known: Vec<Migration> =
            rooms.iter().flat_map(|room| room.iter()).copied().collect();
        known.sort_by_key(|m| m.version);
        assert!(
            known
                .windows(2)
                .all(|pair| pair[0].version != pair[1].version),
            "two migrations share a version"
        );
        let mut tx = self.begin().await?;
        if self.engine() == Engine::Postgres {
            sqlx::query(LOCK).execute(tx.conn()).await?;
        }
        sqlx::query(CREATE).execute(tx.conn()).await?;
        let done: Vec<(i64, String)> =
            sqlx::query_as("select version, sql from migration order by version")
                .fetch_all(tx.conn())
                .await?;
        for (version, sql) in &done {
            let Some(migration) = known.iter().find(|m| m.version == *version) else {
                return Err(Error::MigrationUnknown(*version));
            };
            if migration.text(self.engine()) != *sql {
                return Err(Error::MigrationChanged {
                    version: *version,
                    name: migration.name.to_owned(),
                });
            }
        }
        for migration in &known {
            if done
                .iter()
                .any(|(version, _)| *version == migration.version)
            {
                continue;
            }
            let text = migration.text(self.engine());
            sqlx::raw_sql(sqlx::AssertSqlSafe(text.clone()))
                .execute(tx.conn())
                .await?;
            sqlx::query("insert into migration (version, name, sql) values ($1, $2, $3)")
                .bind(migration.version)
                .bind(migration.name)
                .bind(text)
                .execute(tx.conn())
                .await?;
        }
        tx.commit().await
    }
}

impl Migration {
    fn text(&self, engine: Engine) -> String {
        let own = match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        };
        format!("{}\n{own}", self.sql)
    }
}
