use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

/// How often a neighbour is asked whether it is up, and how many times.
const ASK: Duration = Duration::from_millis(50);
const ASK_TIMES: u32 = 100;

/// A program of examples/ that the demo needs beside it, running until this is
/// dropped.
#[derive(Debug)]
pub(crate) struct Neighbour {
    _process: Child,
}

/// What to start, and how it shows that it is up.
pub(crate) struct NeighbourOptions<'a> {
    /// Its package and program.
    pub(crate) name: &'static str,
    /// The file; without it, the one beside this binary.
    pub(crate) program: Option<PathBuf>,
    /// Its arguments.
    pub(crate) args: &'a [&'a str],
    /// An address that it answers at.
    pub(crate) probe: String,
}

impl Neighbour {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(options: NeighbourOptions<'_>) -> anyhow::Result<Self> {
        let name = options.name;
        let program = match options.program {
            Some(program) => program,
            None => std::env::current_exe()?.with_file_name(name),
        };
        let mut process = Command::new(&program)
            .args(options.args)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!(
                    "{} does not start; `cargo build --release -p {name}` makes it (--{name} names it)",
                    program.display()
                )
            })?;
        for _ in 0..ASK_TIMES {
            if let Some(status) = process.try_wait()? {
                bail!("{name} ended at once ({status}): is its address taken?");
            }
            if reqwest::get(&options.probe).await.is_ok() {
                return Ok(Self { _process: process });
            }
            tokio::time::sleep(ASK).await;
        }
        bail!("{name} does not answer at {}", options.probe);
    }
}
