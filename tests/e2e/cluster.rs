//! A PostgreSQL cluster of one test's own, which the test may end.

use std::process::{Command, Output};

use qiao_db::{Db, OpenOptions};
use tempfile::TempDir;

/// It goes away when this is dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    port: u16,
    folder: TempDir,
    server: String,
}

impl Cluster {
    /// A fresh cluster.
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut cluster = Self {
            port,
            folder: TempDir::new().unwrap(),
            server: String::new(),
        };
        cluster.server = cluster.tell("start");
        cluster
    }

    /// Ends the server as a crash would, and starts it again.
    pub(crate) fn restart(&self) {
        self.tell("restart");
    }

    /// A new database there, by its address.
    pub(crate) async fn database(&self) -> String {
        let options = OpenOptions::postgres(&self.server).connections_max(1);
        let admin = Db::open(&options).await.unwrap();
        let create = sqlx::raw_sql("create database qiao_test");
        create.execute(admin.reads()).await.unwrap();
        admin.close().await;
        let (base, _) = self.server.rsplit_once('/').unwrap();
        format!("{base}/qiao_test")
    }

    fn tell(&self, what: &str) -> String {
        let output = self.script(what);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{what}: {error}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn script(&self, what: &str) -> Output {
        // PostgreSQL may run as another user, who must reach the folder.
        let folder = format!("{}-cluster", self.folder.path().display());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.ci/postgres");
        Command::new(script)
            .arg(what)
            .env("QIAO_POSTGRES_PORT", self.port.to_string())
            .env("QIAO_POSTGRES_DIR", folder)
            .output()
            .unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.script("stop"));
    }
}
