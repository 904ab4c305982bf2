//! Who drives what: rows that some node must do something about, one node at a time.

use qiao_model::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::error::Error;
use crate::open::{Db, Engine};
use crate::tx::Tx;

/// Which due rows to claim, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Who claims: a name of its own among all nodes on the database.
    pub node: &'a str,
    /// When.
    pub now: Timestamp,
    /// From when on another may take over.
    pub until: Timestamp,
    /// How many at most.
    pub limit: usize,
}

/// A table whose rows are driven: `next_at` is when something is to be done, none
/// when nothing is; `lease_node` and `lease_until` say who does it now.
#[derive(Clone, Copy, Debug)]
pub struct Leases {
    /// The table; its key is `id`.
    pub table: &'static str,
    /// The column that counts the claims of a row, so that who comes back after
    /// its lease ran out decides nothing.
    pub attempts: &'static str,
    /// What a claim gives of each row.
    pub columns: &'static str,
}

/// A row that is due and that nobody drives at this time.
macro_rules! due {
    ($now:literal) => {
        concat!(
            "next_at <= ",
            $now,
            " and (lease_until is null or lease_until <= ",
            $now,
            ")"
        )
    };
}

impl Leases {
    /// Whether any row is due that nobody drives. An idle worker asks this, so that
    /// it does not take the writer from those who pay.
    ///
    /// # Errors
    /// The database failed.
    pub async fn is_any_due(&self, db: &Db, now: Timestamp) -> Result<bool, Error> {
        let sql = format!("select 1 from {} where {} limit 1", self.table, due!("$1"));
        let found = sqlx::query(AssertSqlSafe(sql))
            .bind(now.as_millis())
            .fetch_optional(db.reads())
            .await?;
        Ok(found.is_some())
    }

    /// Takes the lease of due rows, and begins a new attempt of each.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim(&self, tx: &mut Tx, claim: &Claim<'_>) -> Result<Vec<AnyRow>, Error> {
        let rows = sqlx::query(AssertSqlSafe(self.claim_sql(tx.engine())))
            .bind(claim.node.to_owned())
            .bind(claim.until.as_millis())
            .bind(claim.now.as_millis())
            .bind(i64::try_from(claim.limit).unwrap_or(1))
            .fetch_all(tx.conn())
            .await?;
        Ok(rows)
    }

    fn claim_sql(&self, engine: Engine) -> String {
        let Self {
            table,
            attempts,
            columns,
        } = self;
        let lock = match engine {
            Engine::Sqlite => "",
            Engine::Postgres => " for update skip locked",
        };
        format!(
            "update {table} set lease_node = $1, lease_until = $2, {attempts} = {attempts} + 1
where id in (select id from {table} where {} order by next_at limit $4{lock})
returning {columns}",
            due!("$3")
        )
    }

    /// Gives back every lease of a node that starts anew.
    ///
    /// # Errors
    /// The database failed.
    pub async fn release(&self, tx: &mut Tx, node: &str) -> Result<(), Error> {
        let sql = format!(
            "update {} set lease_node = null, lease_until = null where lease_node = $1",
            self.table
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(node.to_owned())
            .execute(tx.conn())
            .await?;
        Ok(())
    }
}
