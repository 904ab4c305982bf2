use std::io::Write;
use std::process::Stdio;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// The subcommand of this program that runs the echo.
pub(crate) const SUBCOMMAND: &str = "echo-server";
/// Where it echoes.
pub(crate) const PATH: &str = "/echo";

/// What HTTP alone costs here: a server that answers each body with itself, in a process
/// of its own as the host is. It ends when this is dropped.
pub(crate) struct Echo {
    /// Where it listens.
    pub(crate) address: String,
    _process: Child,
}

impl Echo {
    /// Starts it and waits until it listens.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(SUBCOMMAND)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting the echo")?;
        let stdout = process.stdout.take().context("the echo has no output")?;
        let address = BufReader::new(stdout).lines().next_line().await?;
        Ok(Self {
            address: address.context("the echo ended at once")?,
            _process: process,
        })
    }
}

/// Serves until the process is killed; says first where.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut output = std::io::stdout();
    writeln!(output, "{}", listener.local_addr()?)?;
    output.flush()?;
    let router = Router::new().route(PATH, post(|body: Bytes| async move { body }));
    Ok(axum::serve(listener, router).await?)
}
