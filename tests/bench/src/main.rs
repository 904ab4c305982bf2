//! The benches: each case against a baseline of the same run, so that a ratio
//! can be read on a noisy machine. Prints a table and writes JSON.
//!
//! What is absent: no assertion on time. A goal is a line of the note, not a test.
#![expect(clippy::print_stdout, reason = "the table is the result")]

mod accrual;
mod bare;
mod checkout;
mod echo;
mod history;
mod host;
mod invoke;
mod ledger;
mod load;
mod payments;
mod person;
mod pgbench;
mod process;
mod quote;
mod report;
mod restart;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use report::Report;

/// As the host has it: what runs in this process is to cost what it costs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Qiao, each case against a baseline of the same run.
#[derive(Parser, Debug)]
#[command(name = "qiao-bench", version)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Run these benches alone.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Bench>,
    /// Where the figures are written as JSON.
    #[arg(long, default_value = "target/bench.json")]
    out: PathBuf,
    /// Seconds that each case is measured.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Transfers of the history that `payments` is measured after; 0 leaves the case out.
    #[arg(long, default_value_t = 5_000_000)]
    history: u64,
}

/// What this program starts as a process of its own.
#[derive(Debug, Subcommand)]
enum Part {
    /// Credits what income is due: the measured part of `accrual`.
    #[command(name = accrual::SUBCOMMAND, hide = true)]
    Accrue(accrual::AccrueArgs),
    /// Echoes until it is killed: the baseline of `quote`.
    #[command(name = echo::SUBCOMMAND, hide = true)]
    Echo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// A plugin's quote in a fresh instance, against a bare wasmtime call.
    Invoke,
    /// Posted transfers, against pgbench and against one commit for each.
    Ledger,
    /// A day's income of 1,000,000 holders, against the engine's bare insert.
    Accrual,
    /// Payments over HTTP, against pgbench.
    Payments,
    /// Quotes over HTTP, against a bare echo.
    Quote,
    /// Whole orders over HTTP.
    Checkout,
    /// From a kill under load until the host is ready again.
    Restart,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match arguments.part {
        Some(Part::Echo) => return runtime.block_on(echo::serve()),
        Some(Part::Accrue(args)) => return runtime.block_on(accrual::accrue(args)),
        None => {}
    }
    let measure = Duration::from_secs(arguments.seconds);
    let mut report = Report::default();
    let wanted = |bench| arguments.only.is_empty() || arguments.only.contains(&bench);
    if wanted(Bench::Invoke) {
        invoke::run(&mut report, measure, runtime.handle())?;
    }
    if wanted(Bench::Ledger) {
        runtime.block_on(ledger::run(&mut report, measure))?;
    }
    if wanted(Bench::Accrual) {
        runtime.block_on(accrual::run(&mut report))?;
    }
    // One thread sends what two servers' threads can answer.
    let clients = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if wanted(Bench::Payments) {
        clients.block_on(payments::run(&mut report, measure, arguments.history))?;
    }
    if wanted(Bench::Quote) {
        clients.block_on(quote::run(&mut report, measure))?;
    }
    if wanted(Bench::Checkout) {
        clients.block_on(checkout::run(&mut report, measure))?;
    }
    if wanted(Bench::Restart) {
        clients.block_on(restart::run(&mut report))?;
    }
    report.write(&arguments.out)?;
    println!("\n{report}\nwrote {}", arguments.out.display());
    Ok(())
}
