use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ServeArgs;
use crate::{admin, demo, key, plugin, serve, terminal};

/// An open financial platform: institutions upload sandboxed plugins, people
/// reach them through public accounts, and all money moves through one payment
/// API on books that balance.
#[derive(Parser, Debug)]
#[command(name = "qiao", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Begin here:
  qiao demo                            play the whole scenario, then look at http://127.0.0.1:8080
  qiao plugin new my-fund              write a plugin project
  qiao serve --sandbox --data ./data   run a host with play money";

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a host.
    Serve(ServeArgs),
    /// Play the scenario against a fresh host, through its public doors, then keep serving.
    Demo(demo::DemoArgs),
    /// Make, build, check, test, run and publish a plugin.
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// The operator's shell: needs the host's data folder.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Key pairs of an institution.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Compiles one component read from standard input; the host calls this in a child process.
    #[command(name = qiao_runtime::compile_child::SUBCOMMAND, hide = true)]
    CompileChild,
}

#[derive(Subcommand, Debug)]
enum KeyCommand {
    /// Make a key pair that signs releases and OAuth client assertions.
    New(key::NewKeyArgs),
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    if matches!(cli.command, Command::CompileChild) {
        return qiao_runtime::compile_child::main();
    }
    terminal::start_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return terminal::failed(&error.into()),
    };
    match runtime.block_on(dispatch(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => terminal::failed(&error),
    }
}

async fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve::serve(args).await,
        Command::Demo(args) => demo::demo(args).await,
        Command::Plugin(command) => plugin::run(command).await,
        Command::Admin(command) => admin::run(command).await,
        Command::Key(KeyCommand::New(args)) => {
            let public = key::new(&args)?;
            terminal::say(&format!(
                "private key  {}  (keep it; the host never sees it)\npublic key   {}  (paste it into the console when you register)",
                args.file.display(),
                public.display()
            ));
            Ok(())
        }
        Command::CompileChild => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_explains_itself() {
        fn check(command: &clap::Command) {
            assert!(
                command.get_about().is_some(),
                "{} has no help",
                command.get_name()
            );
            for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
                let id = argument.get_id();
                assert!(
                    argument.get_help().is_some(),
                    "{} {id} has no help",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
