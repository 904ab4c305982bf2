use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use qiao_db::{Db, OpenOptions};
use tempfile::TempDir;

/// Names the PostgreSQL server of the tests.
const POSTGRES: &str = "QIAO_TEST_POSTGRES";

/// A fresh database; a file goes away with it.
#[derive(Debug)]
pub struct TestDatabase {
    /// The open database, empty and not migrated.
    pub db: Db,
    /// How to open it again: after a restart, or from another host.
    pub options: OpenOptions,
    /// Its address for a `--database-url` flag; none for SQLite.
    pub url: Option<String>,
    /// The folder of an SQLite file, and of whatever else the test keeps.
    pub folder: Arc<TempDir>,
}

/// A fresh SQLite file.
///
/// # Panics
/// The temporary folder cannot be written.
#[expect(
    clippy::unwrap_used,
    reason = "a test stops where its database is missing"
)]
pub async fn sqlite() -> TestDatabase {
    let folder = Arc::new(TempDir::new().unwrap());
    let options = OpenOptions::sqlite(folder.path().join("qiao.db"));
    let db = Db::open(&options).await.unwrap();
    TestDatabase {
        db,
        options,
        url: None,
        folder,
    }
}

/// A fresh PostgreSQL database.
///
/// # Panics
/// No server: the message says how to start one.
#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where its database is missing"
)]
pub async fn postgres() -> TestDatabase {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = server();
    let folder = Arc::new(TempDir::new().unwrap());
    let unique: String = folder
        .path()
        .file_name()
        .unwrap()
        .to_string_lossy()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let name = format!(
        "t_{}_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::SeqCst),
        unique.to_lowercase()
    );
    let admin = Db::open(&OpenOptions::postgres(&server).connections_max(1))
        .await
        .expect("the PostgreSQL server of QIAO_TEST_POSTGRES answers");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {name}")))
        .execute(admin.reads())
        .await
        .unwrap();
    admin.close().await;
    let (base, _) = server.rsplit_once('/').unwrap();
    let url = format!("{base}/{name}");
    let options = OpenOptions::postgres(&url).connections_max(8);
    let db = Db::open(&options).await.unwrap();
    TestDatabase {
        db,
        options,
        url: Some(url),
        folder,
    }
}

/// The server's address: from the environment, else of the throw-away cluster,
/// which is started when it does not run yet.
#[expect(
    clippy::expect_used,
    reason = "a test stops where its server is missing"
)]
fn server() -> String {
    if let Ok(server) = std::env::var(POSTGRES) {
        return server;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/postgres");
    let started = std::process::Command::new(script)
        .arg("start")
        .output()
        .expect(".ci/postgres can be run");
    assert!(
        started.status.success(),
        "no PostgreSQL for the tests: {}",
        String::from_utf8_lossy(&started.stderr)
    );
    String::from_utf8_lossy(&started.stdout).trim().to_owned()
}

/// Runs a test on a fresh SQLite database and on a fresh PostgreSQL database.
pub async fn each_database<F, Fut>(test: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    for database in [sqlite().await, postgres().await] {
        // An async block may capture the database alone; its folder stays until the test ends.
        let folder = Arc::clone(&database.folder);
        test(database).await;
        drop(folder);
    }
}
