use std::io::Read;

use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use qiao_auth::NewUser;
use qiao_model::Secret;

use crate::config::{Config, DataArgs, ServeArgs};
use crate::host::{Host, HostOptions};
use crate::terminal::say;

/// What is done with operators.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make the first operator of a host. Its password is printed once unless it comes by standard input.
    Add(AddArgs),
}

/// Flags of `qiao admin operator add`.
#[derive(Args, Debug)]
pub(crate) struct AddArgs {
    /// What the operator logs in with.
    #[arg(long)]
    login: String,
    /// The operator's name; without it, the login.
    #[arg(long)]
    name: Option<String>,
    /// Read the password from standard input.
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// Runs a subcommand of `qiao admin operator`.
pub(super) async fn run(Command::Add(args): Command) -> anyhow::Result<()> {
    let config = Config::read(&ServeArgs {
        data: args.data.clone(),
        ..ServeArgs::default()
    })?;
    let host = Host::open(HostOptions::of_this_binary(config)?).await?;
    let password = if args.password_stdin {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("reading the password")?;
        text.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        URL_SAFE_NO_PAD.encode(crate::host_env().secret::<15>().expose())
    };
    ensure!(!password.is_empty(), "standard input has no password");
    let operator = NewUser {
        login: args.login.clone(),
        name: args.name.unwrap_or_else(|| args.login.clone()),
        password: Secret::new(password.clone()),
    };
    let made = host.app.auth.bootstrap_operator(operator).await;
    host.close().await;
    made.context("the operator was not made")?;
    say(&format!("operator  {}", args.login));
    if !args.password_stdin {
        say(&format!("password  {password}  (shown this once)"));
    }
    Ok(())
}
