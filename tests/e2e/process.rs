//! `qiao serve` as a process of its own, which can be ended at any moment.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use qiao_tests::TestDatabase;

const LOOK: Duration = Duration::from_millis(20);
const LOOK_TIMES: u32 = 3_000;

/// How a process is started.
#[derive(Clone, Debug)]
pub(crate) struct ProcessOptions {
    pub(crate) data: PathBuf,
    pub(crate) database_url: Option<String>,
    /// The same after each start: it is the issuer of the access tokens.
    pub(crate) address: String,
    /// The issuer, where another host is.
    pub(crate) public_url: Option<String>,
    /// MiB to which the SQLite file may grow.
    pub(crate) size_max_mib: Option<u64>,
}

impl ProcessOptions {
    /// Over the data of a test's database, on an address that nobody listens on.
    pub(crate) fn over(database: &TestDatabase) -> Self {
        Self {
            data: database.folder.path().join("data"),
            database_url: database.url.clone(),
            address: free_address(),
            public_url: None,
            size_max_mib: None,
        }
    }

    /// A configuration file with what no flag says.
    fn config(&self) -> Option<PathBuf> {
        let quota = self.size_max_mib?;
        let file = self.data.join("quota.toml");
        std::fs::write(&file, format!("[data]\nsize_max_mib = {quota}\n")).unwrap();
        Some(file)
    }
}

/// A running process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    /// From the start to the first `ready`.
    pub(crate) took: Duration,
}

impl Process {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(options: &ProcessOptions) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qiao"));
        command
            .args(["serve", "--sandbox", "--listen", &options.address])
            .arg("--data")
            .arg(&options.data)
            .stdout(Stdio::null())
            .stderr(log(&options.data));
        if let Some(url) = &options.database_url {
            command.args(["--database-url", url]);
        }
        if let Some(url) = &options.public_url {
            command.args(["--public-url", url]);
        }
        if let Some(file) = options.config() {
            command.arg("--config").arg(file);
        }
        let started = Instant::now();
        let mut process = Self {
            child: command.spawn().unwrap(),
            url: format!("http://{}", options.address),
            took: Duration::ZERO,
        };
        let ready = format!("{}/readyz", process.url);
        let http = reqwest::Client::new();
        for _ in 0..LOOK_TIMES {
            let answer = http.get(&ready).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                process.took = started.elapsed();
                return process;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("{} is not ready", process.url);
    }

    /// `kill -9`.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a subcommand of `qiao admin` says of the data, and whether it is content.
pub(crate) fn admin(options: &ProcessOptions, subcommand: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qiao"));
    command
        .args(["admin", subcommand, "--data"])
        .arg(&options.data);
    if let Some(url) = &options.database_url {
        command.args(["--database-url", url]);
    }
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// An address that nobody listens on.
pub(crate) fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// What the host logs goes beside its data.
fn log(data: &Path) -> Stdio {
    let file = data.parent().unwrap_or(data).join("host.log");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file);
    file.map_or_else(|_| Stdio::null(), Stdio::from)
}
