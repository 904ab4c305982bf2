use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

/// How often the biller is asked whether it is up, and how many times.
const ASK: Duration = Duration::from_millis(50);
const ASK_TIMES: u32 = 100;

/// The biller of examples/, running until this is dropped.
#[derive(Debug)]
pub(crate) struct Biller {
    _process: Child,
}

impl Biller {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(program: Option<PathBuf>, address: &str) -> anyhow::Result<Self> {
        let program = match program {
            Some(program) => program,
            None => std::env::current_exe()?.with_file_name("biller"),
        };
        let mut process = Command::new(&program)
            .args(["--listen", address])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start; `cargo build --release -p biller` makes it (--biller names it)", program.display()))?;
        for _ in 0..ASK_TIMES {
            if let Some(status) = process.try_wait()? {
                bail!("the biller ended at once ({status}): is {address} taken?");
            }
            if reqwest::get(format!("http://{address}/healthz"))
                .await
                .is_ok()
            {
                return Ok(Self { _process: process });
            }
            tokio::time::sleep(ASK).await;
        }
        bail!("the biller does not answer at {address}");
    }
}
