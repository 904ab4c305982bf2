//! The scenario: two institutions publish, a person buys, redeems, pays, and
//! gets their money back. Everything goes through the public doors.

pub(crate) mod bank;
mod bank_steps;
mod neighbour;
pub(crate) mod person;
mod scenario;
pub(crate) mod stage;
mod steps;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;

pub use bank::SANDBOX_BANK;
use neighbour::{Neighbour, NeighbourOptions};
pub use scenario::{Scenario, ScenarioOptions};
pub use stage::{PASSWORD, PIN};

use crate::config::{Config, DataArgs, ServeArgs};
use crate::host::{Host, HostOptions};
use crate::serve::{Serving, interrupted, listen};
use crate::terminal::say;

/// Where the demo's biller listens: the address in the plugin.toml of traffic-fines.
const BILLER: &str = "127.0.0.1:9601";
/// Where the demo's custody bank listens.
const BANK: &str = "127.0.0.1:9602";
/// Where the demo keeps its data unless told otherwise.
const DATA: &str = "target/demo-data";

/// Flags of `qiao demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Stop after the scenario: exit 0 and a last line `demo: ok`, or what broke and exit 1.
    #[arg(long)]
    exit: bool,
    /// The folder with money-fund.wasm and traffic-fines.wasm; without it, beside the binary's folder.
    #[arg(long, value_name = "FOLDER")]
    components: Option<PathBuf>,
    /// The biller of examples/; without it, the one beside this binary.
    #[arg(long, value_name = "FILE")]
    biller: Option<PathBuf>,
    /// The custody bank of examples/; without it, the one beside this binary.
    #[arg(long, value_name = "FILE")]
    sandbox_bank: Option<PathBuf>,
}

/// Plays the scenario against a fresh host, then keeps serving.
pub(crate) async fn demo(args: DemoArgs) -> anyhow::Result<()> {
    let mut config = configuration(&args.serve)?;
    let folder = fresh_folder(&config)?;
    let bank_url = format!("http://{BANK}");
    config.add_sandbox_bank(&bank_url)?;
    let components = Components::read(args.components)?;
    let listener = listen(config.server.listen).await?;
    let _biller = Neighbour::start(NeighbourOptions {
        name: "biller",
        program: args.biller,
        args: &["--listen", BILLER],
        probe: format!("http://{BILLER}/healthz"),
    })
    .await?;
    let callback = format!("{}/v1/bank-callbacks/{SANDBOX_BANK}", config.public_url());
    let _bank = Neighbour::start(NeighbourOptions {
        name: "sandbox-bank",
        program: args.sandbox_bank,
        args: &["--listen", BANK, "--callback-url", &callback],
        probe: format!("{bank_url}/.well-known/oauth-authorization-server"),
    })
    .await?;
    let host = Arc::new(Host::open(HostOptions::of_this_binary(config)?).await?);
    let serving = Serving::start(host.clone(), listener)?;
    let url = host.config.public_url();
    let scenario = Scenario::new(
        &host,
        ScenarioOptions {
            biller_url: format!("http://{BILLER}"),
            fund: components.fund,
            fines: components.fines,
            keys: folder.join("institutions"),
        },
    );
    let played = scenario.play().await;
    if let Err(error) = &played {
        say(&format!("demo: broke: {error:#}"));
    } else {
        say(&format!("\n{}", scenario.logins(&url)));
    }
    if !args.exit && played.is_ok() {
        say(&format!("serving at {url}; Ctrl-C stops it"));
        interrupted().await?;
    }
    serving.stop().await;
    host.close().await;
    match played {
        Ok(()) => {
            say("demo: ok");
            Ok(())
        }
        Err(error) => Err(error.context("the demo broke")),
    }
}

fn configuration(args: &ServeArgs) -> anyhow::Result<Config> {
    let mut config = Config::read(args)?;
    if !config.data.database_url.is_empty() {
        bail!("the demo runs on a fresh SQLite file; take --database-url away");
    }
    if args.data.data.is_none() {
        config.data.folder = DATA.into();
    }
    config.sandbox.enabled = true;
    config.egress.allow_private.push(BILLER.to_owned());
    Ok(config)
}

/// Empties the demo's own folder; another folder must be empty or an earlier demo's.
fn fresh_folder(config: &Config) -> anyhow::Result<PathBuf> {
    let folder = config.data.folder.clone();
    let mark = folder.join("this-is-a-demo");
    let is_empty = !folder.exists() || folder.read_dir()?.next().is_none();
    if !is_empty && !mark.exists() {
        bail!(
            "{} holds the data of a host, not of a demo: choose another --data",
            folder.display()
        );
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("emptying {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    std::fs::write(mark, "qiao demo may delete this folder\n")?;
    Ok(folder)
}

struct Components {
    fund: Vec<u8>,
    fines: Vec<u8>,
}

impl Components {
    fn read(folder: Option<PathBuf>) -> anyhow::Result<Self> {
        let folder = match folder {
            Some(folder) => folder,
            None => std::env::current_exe()?
                .with_file_name("")
                .join("../components"),
        };
        let read = |name: &str| {
            let file = folder.join(name);
            std::fs::read(&file).with_context(|| {
                format!(
                    "{} is missing; `make demo` builds it (--components names its folder)",
                    file.display()
                )
            })
        };
        Ok(Self {
            fund: read("money-fund.wasm")?,
            fines: read("traffic-fines.wasm")?,
        })
    }
}

/// A configuration for a scenario in a test: a sandbox on this address.
impl Config {
    /// A sandbox host of a test, with everything else at its default.
    ///
    /// # Errors
    /// The built-in defaults are broken.
    pub fn sandbox(
        folder: PathBuf,
        database_url: Option<String>,
        listen: std::net::SocketAddr,
        allow_private: Vec<String>,
    ) -> anyhow::Result<Self> {
        Self::read(&ServeArgs {
            data: DataArgs {
                data: Some(folder),
                database_url,
                ..DataArgs::default()
            },
            listen: Some(listen),
            sandbox: Some(true),
            allow_private: Some(allow_private),
            ..ServeArgs::default()
        })
    }
}
