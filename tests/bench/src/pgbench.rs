use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

/// Clients of the baseline.
const CLIENTS: u32 = 32;
/// Accounts are 100,000 times this.
const SCALE: u32 = 10;

/// The tables of pgbench on a server of PostgreSQL: what the money path is compared with.
pub(crate) struct Pgbench {
    url: String,
}

impl Pgbench {
    /// Makes the tables in a database of their own or of others.
    pub(crate) fn open(url: &str) -> anyhow::Result<Self> {
        let scale = SCALE.to_string();
        run(url, &["--initialize", "--quiet", "--scale", &scale])?;
        Ok(Self {
            url: url.to_owned(),
        })
    }

    /// Transactions per second of TPC-B (prepared, 32 clients).
    pub(crate) fn tpc_b(&self, measure: Duration) -> anyhow::Result<f64> {
        let seconds = measure.as_secs().max(1);
        let output = run(
            &self.url,
            &[
                "--protocol=prepared",
                "--no-vacuum",
                &format!("--client={CLIENTS}"),
                "--jobs=2",
                &format!("--time={seconds}"),
            ],
        )?;
        rate(&output)
    }
}

fn rate(output: &str) -> anyhow::Result<f64> {
    let line = output.lines().find(|line| line.starts_with("tps = "));
    let figure = line.and_then(|line| line.split_ascii_whitespace().nth(2));
    figure
        .and_then(|figure| figure.parse().ok())
        .with_context(|| format!("pgbench printed no rate: {output}"))
}

fn run(url: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let program = program();
    let output = Command::new(&program)
        .args(arguments)
        .arg(url)
        .output()
        .with_context(|| format!("{program} does not run: install PostgreSQL's pgbench"))?;
    if !output.status.success() {
        bail!(
            "pgbench failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The newest pgbench of Debian, else the one on the PATH.
fn program() -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<_> = versions
        .map(|v| v.path().join("bin/pgbench"))
        .filter(|p| p.is_file())
        .collect();
    found.sort();
    found
        .pop()
        .map_or_else(|| "pgbench".to_owned(), |path| path.display().to_string())
}
