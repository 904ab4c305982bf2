use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Transaction};

use crate::error::{Error, Retryable};
use crate::fault::Faults;
use crate::mark::{CommitMark, LogIndex};
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
/// A log of more pages than this is begun anew: 16 MiB.
const LOG_PAGES_MAX: i64 = 4_096;
/// Pages that may be left to copy while the next commit waits.
const LAST_PAGES_MAX: i64 = 512;
/// How often the log is copied to get down to those.
const COPIES_MAX: u32 = 4;

/// What every SQLite connection is told. The log is never copied on the commit
/// path: a task of [`Db`] does it.
const SQLITE_PRAGMAS: &str = "pragma journal_mode = wal;
pragma synchronous = full;
pragma foreign_keys = on;
pragma busy_timeout = 10000;
pragma wal_autocheckpoint = 0;
pragma cache_size = -16384;
pragma mmap_size = 67108864;
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
    log_index: Option<LogIndex>,
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
        let db = Self::assemble(Some(LogIndex::of(file)), reads, writer, options);
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
        Ok(Self::assemble(None, pool.clone(), pool, options))
    }

    fn assemble(
        log_index: Option<LogIndex>,
        reads: AnyPool,
        writer: AnyPool,
        options: &OpenOptions,
    ) -> Self {
        let engine = match log_index {
            Some(_) => Engine::Sqlite,
            None => Engine::Postgres,
        };
        Self {
            inner: Arc::new(Inner {
                engine,
                reads,
                writer,
                log_index,
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

    /// What the database is now: while a later mark is equal, nobody has committed.
    /// None where that cannot be told, as on PostgreSQL: then ask the database.
    #[must_use]
    pub fn mark(&self) -> Option<CommitMark> {
        self.inner.log_index.as_ref()?.mark()
    }

    /// Begins a transaction: on SQLite it takes the one writer at once, on
    /// PostgreSQL it is READ COMMITTED and locks the rows it selects for update.
    ///
    /// # Errors
    /// No connection within the time limit.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let statement = self.pick("begin immediate", "begin");
        let inner = begin(&self.inner.writer, self.engine(), statement).await?;
        Ok(Tx::new(self.engine(), inner, self.inner.faults.as_ref()))
    }

    /// Begins a transaction that reads one state of the database, whatever others
    /// commit meanwhile. Nothing is written in it, and nobody waits for it.
    ///
    /// # Errors
    /// No connection within the time limit.
    pub async fn begin_snapshot(&self) -> Result<Tx, Error> {
        let statement = self.pick("begin", "begin isolation level repeatable read read only");
        let inner = begin(&self.inner.reads, self.engine(), statement).await?;
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
                if let Err(error) = inner.checkpoint(LOG_PAGES_MAX).await {
                    tracing::debug!(%error, "the write-ahead log was not copied; it is tried again");
                }
            }
        });
    }
}

impl Inner {
    /// Copies what was committed into the file, and has a log of more than so many
    /// pages begun anew.
    ///
    /// SQLite begins the log anew with the first commit that finds all of it copied
    /// and nobody reading it. While commits go on there is always a little left, so
    /// the last of it is copied in the writer's turn, when nobody commits: it waits
    /// for its turn as a batch does, and the batches wait for the few pages that were
    /// written meanwhile. (The pragma's other forms poll for the writer's lock and
    /// hold it until every reader is done.)
    async fn checkpoint(&self, pages_max: i64) -> Result<(), sqlx::Error> {
        if self.reads.is_closed() {
            return Ok(());
        }
        let mut log = copy_log(&self.reads).await?;
        if log.pages <= pages_max {
            return Ok(());
        }
        for _ in 1..COPIES_MAX {
            if log.left() <= LAST_PAGES_MAX {
                break;
            }
            log = copy_log(&self.reads).await?;
        }
        copy_log(&self.writer).await?;
        Ok(())
    }
}

/// The write-ahead log, in pages.
#[derive(Clone, Copy, Debug)]
struct Log {
    pages: i64,
    copied: i64,
}

impl Log {
    const fn left(self) -> i64 {
        self.pages.saturating_sub(self.copied)
    }
}

async fn copy_log(pool: &AnyPool) -> Result<Log, sqlx::Error> {
    let copied = sqlx::query_as("pragma wal_checkpoint(passive)");
    let (_, pages, copied): (i64, i64, i64) = copied.fetch_one(pool).await?;
    Ok(Log { pages, copied })
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

/// Begins a transaction, and sees the beginning through when the caller gives up.
///
/// The PostgreSQL driver forgets a `begin` that was sent and not answered: given up there,
/// the connection goes back into the pool inside a transaction that nobody ends, and what
/// is written through it next belongs to that one. So a task of its own waits for the
/// answer; what it began and nobody takes is rolled back. (SQLite's driver does as much.)
#[expect(
    clippy::disallowed_methods,
    reason = "the task ends with the answer to one statement"
)]
async fn begin(
    pool: &AnyPool,
    engine: Engine,
    statement: &'static str,
) -> Result<Transaction<'static, Any>, sqlx::Error> {
    match engine {
        Engine::Sqlite => pool.begin_with(statement).await,
        Engine::Postgres => {
            let pool = pool.clone();
            let begun = tokio::spawn(async move { pool.begin_with(statement).await });
            match begun.await {
                Ok(begun) => begun,
                // The runtime is going down, and the connection with it.
                Err(_) => Err(sqlx::Error::WorkerCrashed),
            }
        }
    }
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

/// Percent-encodes what would end the path of a database address.
fn escape(path: &str) -> String {
    path.replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes about four pages.
    async fn commit(db: &Db) {
        let mut tx = db.begin().await.unwrap();
        let text = "x".repeat(12_000);
        let insert = sqlx::query("insert into note (text) values ($1)").bind(text);
        insert.execute(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn read(db: &Db) {
        let count = sqlx::query_as("select count(*) from note");
        let (_,): (i64,) = count.fetch_one(db.reads()).await.unwrap();
    }

    async fn pages(db: &Db) -> i64 {
        copy_log(db.reads()).await.unwrap().pages
    }

    async fn open(folder: &Path) -> Db {
        let options = OpenOptions::sqlite(folder.join("notes.db"));
        let db = Db::open(&options).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let create = sqlx::raw_sql("create table note (text text not null)");
        create.execute(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
        db
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_long_log_is_begun_anew_while_others_read_and_commit() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(folder.path()).await;
        let (writer, reader) = (db.clone(), db.clone());
        let mut busy = tokio::task::JoinSet::new();
        busy.spawn(async move {
            loop {
                commit(&writer).await;
            }
        });
        busy.spawn(async move {
            loop {
                read(&reader).await;
            }
        });
        let mut last = 0;
        let mut begun_anew = 0;
        while begun_anew < 5 {
            let pages = pages(&db).await;
            begun_anew += i32::from(pages < last);
            last = pages;
            if pages > 16 {
                db.inner.checkpoint(16).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn who_reads_an_old_state_keeps_the_log_and_stops_no_commit() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(folder.path()).await;
        commit(&db).await;
        let mut old = db.begin_snapshot().await.unwrap();
        let count = "select count(*) from note";
        let (before,): (i64,) = sqlx::query_as(count).fetch_one(old.conn()).await.unwrap();
        for _ in 0..8 {
            commit(&db).await;
        }
        db.inner.checkpoint(1).await.unwrap();
        let kept = pages(&db).await;
        commit(&db).await;
        assert!(pages(&db).await > kept, "the reader's pages are in the log");
        let (now,): (i64,) = sqlx::query_as(count).fetch_one(old.conn()).await.unwrap();
        assert_eq!(now, before);
        old.rollback().await.unwrap();

        db.inner.checkpoint(1).await.unwrap();
        commit(&db).await;
        assert!(pages(&db).await < kept, "nobody reads it any more");
    }
}
