use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection};

use crate::error::{Error, Retryable};
use crate::fault::Faults;
use crate::tx::Tx;

/// Which database serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded: one file, one writer.
    Sqlite,
    /// A server, for scale and for several hosts.
    Postgres,
}

/// Which database to open, and how many connections it may take.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    address: Address,
    connections_max: u32,
    size_max_mib: u32,
    faults: Option<Faults>,
}

#[derive(Clone, Debug)]
enum Address {
    File(PathBuf),
    Postgres(String),
}

/// Connections of a pool unless told otherwise.
const CONNECTIONS_MAX: u32 = 16;
/// How long a caller waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a unit of work is tried in all.
const WRITE_TRIES_MAX: u32 = 8;
/// Pages of an SQLite file in a MiB, at its default of 4,096 bytes.
const PAGES_PER_MIB: u64 = 256;
/// How often the write-ahead log is copied into the database file.
const CHECKPOINT_PERIOD: Duration = Duration::from_millis(500);
/// A log of more pages than this is emptied even if a commit must wait for it.
const CHECKPOINT_PAGES_MAX: i64 = 65_536;

/// What every SQLite connection is told. The log is never copied on the commit
/// path: a task of [`Db`] does it.
const SQLITE_PRAGMAS: &str = "pragma journal_mode = wal;
pragma synchronous = full;
pragma foreign_keys = on;
pragma busy_timeout = 10000;
pragma wal_autocheckpoint = 0;
pragma cache_size = -16384;
pragma mmap_size = 268435456;
pragma temp_store = memory;
pragma recursive_triggers = on;";

/// A batch's statements take their rows as one parameter: a plan made while the
/// tables were empty would scan them when they are large.
const POSTGRES_SETTINGS: &str = "set plan_cache_mode = force_custom_plan";

impl OpenOptions {
    /// An SQLite file, made when it is not there.
    #[must_use]
    pub fn sqlite(file: impl AsRef<Path>) -> Self {
        Self {
            address: Address::File(file.as_ref().to_path_buf()),
            connections_max: CONNECTIONS_MAX,
            size_max_mib: 0,
            faults: None,
        }
    }

    /// A PostgreSQL database by its `postgres://` address.
    #[must_use]
    pub fn postgres(url: impl Into<String>) -> Self {
        Self {
            address: Address::Postgres(url.into()),
            connections_max: CONNECTIONS_MAX,
            size_max_mib: 0,
            faults: None,
        }
    }

    /// At most so many connections.
    #[must_use]
    pub const fn connections_max(mut self, connections_max: u32) -> Self {
        self.connections_max = connections_max;
        self
    }

    /// An SQLite file grows to so many MiB at most, its log aside: a quota that
    /// leaves room on the disk. 0 is no quota; PostgreSQL has its own.
    #[must_use]
    pub const fn size_max_mib(mut self, size_max_mib: u32) -> Self {
        self.size_max_mib = size_max_mib;
        self
    }

    /// Transactions meet what is planned there.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = Some(faults);
        self
    }
}

/// A database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    reads: AnyPool,
    writer: AnyPool,
    faults: Option<Faults>,
}

impl Db {
    /// Opens the database and makes the file when it is not there.
    ///
    /// # Errors
    /// The address is malformed or nothing answers there.
    pub async fn open(options: &OpenOptions) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        match &options.address {
            Address::File(file) => Self::open_sqlite(file, options).await,
            Address::Postgres(url) => Self::open_postgres(url, options).await,
        }
    }

    async fn open_sqlite(file: &Path, options: &OpenOptions) -> Result<Self, Error> {
        let path = file
            .to_str()
            .ok_or_else(|| Error::Address(file.display().to_string()))?;
        let url = format!("sqlite://{}?mode=rwc", escape(path));
        let pages_max = u64::from(options.size_max_mib) * PAGES_PER_MIB;
        let pool = |connections| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .min_connections(1)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .after_connect(move |conn, _| Box::pin(prepare_sqlite(conn, pages_max)))
                .after_release(|conn, _| Box::pin(left_its_transaction(conn)))
        };
        let writer = pool(1).connect(&url).await?;
        let reads = pool(options.connections_max).connect(&url).await?;
        let db = Self::assemble(Engine::Sqlite, reads, writer, options);
        db.start_checkpoints();
        Ok(db)
    }

    async fn open_postgres(url: &str, options: &OpenOptions) -> Result<Self, Error> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(Error::Address(url.to_owned()));
        }
        let pool = AnyPoolOptions::new()
            .max_connections(options.connections_max)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(|conn, _| {
                Box::pin(async move {
                    sqlx::raw_sql(POSTGRES_SETTINGS).execute(&mut *conn).await?;
                    Ok(())
                })
            })
            .connect(url)
            .await?;
        Ok(Self::assemble(
            Engine::Postgres,
            pool.clone(),
            pool,
            options,
        ))
    }

    fn assemble(engine: Engine, reads: AnyPool, writer: AnyPool, options: &OpenOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                engine,
                reads,
                writer,
                faults: options.faults.clone(),
            }),
        }
    }

    /// Which database this is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.inner.engine
    }

    /// Where queries outside a transaction run. Never written through.
    #[must_use]
    pub fn reads(&self) -> &AnyPool {
        &self.inner.reads
    }

    /// The statement of this database's engine.
    #[must_use]
    pub fn pick(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.engine() {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        }
    }

    /// Begins a transaction: on SQLite it takes the one writer at once, on
    /// PostgreSQL it is READ COMMITTED and locks the rows it selects for update.
    ///
    /// # Errors
    /// No connection within the time limit.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let statement = self.pick("begin immediate", "begin");
        let inner = self.inner.writer.begin_with(statement).await?;
        Ok(Tx::new(self.engine(), inner, self.inner.faults.as_ref()))
    }

    /// Begins a transaction that reads one state of the database, whatever others
    /// commit meanwhile. Nothing is written in it, and nobody waits for it.
    ///
    /// # Errors
    /// No connection within the time limit.
    pub async fn begin_snapshot(&self) -> Result<Tx, Error> {
        let statement = self.pick("begin", "begin isolation level repeatable read read only");
        let inner = self.inner.reads.begin_with(statement).await?;
        Ok(Tx::new(self.engine(), inner, None))
    }

    /// Runs `unit`, which begins and commits a transaction itself, and runs it
    /// again with a growing pause after a serialization failure or a deadlock.
    ///
    /// # Errors
    /// What `unit` answers; after the last try also a retryable error.
    pub async fn write<T, E, F, Fut>(&self, mut unit: F) -> Result<T, E>
    where
        E: From<Error> + Retryable,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let mut tries = 1;
        loop {
            match unit().await {
                Err(error) if error.is_retryable() && tries < WRITE_TRIES_MAX => {
                    tokio::time::sleep(Duration::from_millis(1 << tries)).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Closes every connection; what was committed stays.
    pub async fn close(&self) {
        self.inner.writer.close().await;
        self.inner.reads.close().await;
    }

    /// Copies the write-ahead log into the file, beside the commits.
    #[expect(
        clippy::disallowed_methods,
        reason = "the task belongs to the pool and ends with it"
    )]
    fn start_checkpoints(&self) {
        let inner = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(CHECKPOINT_PERIOD).await;
                let Some(inner) = inner.upgrade() else { return };
                if let Err(error) = checkpoint(&inner.reads).await {
                    tracing::debug!(%error, "the write-ahead log was not copied; it is tried again");
                }
            }
        });
    }
}

async fn prepare_sqlite(conn: &mut AnyConnection, pages_max: u64) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SQLITE_PRAGMAS).execute(&mut *conn).await?;
    if pages_max > 0 {
        let quota = format!("pragma max_page_count = {pages_max}");
        let quota = sqlx::AssertSqlSafe(quota);
        sqlx::raw_sql(quota).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Whether the connection can begin a transaction. SQLite ends one by itself when
/// the disk is full; the driver's own roll-back fails then and it believes for ever
/// that it is still inside: such a connection is closed.
async fn left_its_transaction(conn: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    if conn.is_in_transaction() {
        // The roll-back of a dropped transaction is on its way before this.
        conn.ping().await?;
    }
    Ok(!conn.is_in_transaction())
}

async fn checkpoint(pool: &AnyPool) -> Result<(), sqlx::Error> {
    if pool.is_closed() {
        return Ok(());
    }
    let mut conn = pool.acquire().await?;
    let (_, pages, _): (i64, i64, i64) = sqlx::query_as("pragma wal_checkpoint(passive)")
        .fetch_one(&mut *conn)
        .await?;
    if pages > CHECKPOINT_PAGES_MAX {
        sqlx::query("pragma wal_checkpoint(restart)")
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Percent-encodes what would end the path of a database address.
fn escape(path: &str) -> String {
    path.replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}
