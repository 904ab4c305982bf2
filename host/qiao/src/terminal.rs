//! What a person at the terminal sees: progress, results, and errors that name
//! the cause and the fix.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Writes a line of results.
#[expect(
    clippy::print_stdout,
    reason = "this is the one place that prints results"
)]
pub(crate) fn say(line: &str) {
    println!("{line}");
    drop(std::io::stdout().flush());
}

/// Writes an error with its causes.
#[expect(
    clippy::print_stderr,
    reason = "this is the one place that prints errors"
)]
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("qiao: {error:#}");
    ExitCode::FAILURE
}

/// Writes log lines to standard error; `QIAO_LOG` filters them. A line that cannot
/// be written is dropped: a full disk must not end who logs there.
pub(crate) fn start_log() {
    let filter = EnvFilter::try_from_env("QIAO_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let json = std::env::var("QIAO_LOG_FORMAT").is_ok_and(|format| format == "json");
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let started = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
    if started.is_err() {
        tracing::debug!("a log was started before");
    }
}

/// One step of long work: a spinner on a terminal, a plain line elsewhere.
#[derive(Debug)]
pub(crate) struct Step {
    bar: ProgressBar,
    what: String,
}

impl Step {
    /// Begins a step.
    pub(crate) fn begin(what: impl Into<String>) -> Self {
        let what = what.into();
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what.clone());
        bar.enable_steady_tick(TICK);
        Self { bar, what }
    }

    /// Ends it well, with what there is to say.
    pub(crate) fn done(self, result: &str) {
        self.bar.finish_and_clear();
        let what = &self.what;
        say(&format!(
            "ok   {what}{}{result}",
            if result.is_empty() { "" } else { ": " }
        ));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.bar.is_finished() {
            self.bar.finish_and_clear();
            say(&format!("FAIL {}", self.what));
        }
    }
}
