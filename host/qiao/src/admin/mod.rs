//! The operator's shell, over a host's data: it needs the data folder, not a
//! running host.

mod audit;
mod books;
mod custody;
mod operator;

use clap::Subcommand;

use crate::config::{DEFAULT_TOML, DataArgs};
use crate::terminal::say;

pub use audit::audit;
pub(crate) use books::books_line;

/// What an operator does at a shell.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Print every configuration key with its default, commented.
    Config,
    /// Operators of the platform.
    #[command(subcommand)]
    Operator(operator::Command),
    /// Print the books per asset; the sum of all balances is zero.
    Books(DataArgs),
    /// Print whose money there is and at which bank; it fails when it does not add up.
    Custody(DataArgs),
    /// Prove that the books are what the journal says; names every row that is not.
    Audit(audit::AuditArgs),
}

/// Runs a subcommand of `qiao admin`.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Config => {
            say(DEFAULT_TOML.trim_end());
            Ok(())
        }
        Command::Operator(command) => operator::run(command).await,
        Command::Books(data) => books::run(data).await,
        Command::Custody(data) => custody::run(data).await,
        Command::Audit(args) => audit::run(args).await,
    }
}
