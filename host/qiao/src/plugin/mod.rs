//! A plugin developer's day: new, build, check, test, run, publish.

mod build;
mod check;
mod new;
pub(crate) mod publish;
mod run;
mod toolchain;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;

use build::build;
use publish::{Client, PublishArgs};

use crate::terminal::{Step, say};

/// What a developer does with a plugin.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Write a project that builds and passes `check` unchanged.
    New {
        /// The project's folder; it is made.
        folder: PathBuf,
        /// The plugin's name, when it is not the folder's.
        #[arg(long)]
        name: Option<String>,
    },
    /// Compile the project to a component: one file that is the whole upload.
    Build {
        /// The project's folder.
        #[arg(default_value = ".")]
        project: PathBuf,
        /// Where the component is written; without it target/qiao/<name>.wasm of the project.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Run what the host's upload check runs, under production limits, and print fuel, memory and sizes.
    Check {
        /// The project's folder, or a component that was built.
        #[arg(default_value = ".")]
        plugin: PathBuf,
    },
    /// Run the project's own tests, which need no host.
    Test {
        /// The project's folder.
        #[arg(default_value = ".")]
        project: PathBuf,
        /// Arguments for `cargo test`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Serve the plugin in a local sandbox with a made-up user and play money, rebuilding on change.
    Run(run::RunArgs),
    /// Sign the component, upload it, and print the review report.
    Publish(PublishArgs),
}

/// Runs a subcommand of `qiao plugin`.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::New { folder, name } => {
            let project = new::new(&folder, name.as_deref())?;
            say(&format!(
                "wrote {0}\nnext:\n  cd {0}\n  qiao plugin build\n  qiao plugin check\n  qiao plugin run",
                project.display()
            ));
            Ok(())
        }
        Command::Build { project, out } => {
            let built = build(&project, out.as_deref())?;
            say(&format!(
                "{}  {} bytes",
                built.file.display(),
                built.component.len()
            ));
            Ok(())
        }
        Command::Check { plugin } => check::check(&component(&plugin)?).await,
        Command::Test { project, arguments } => test(&project, &arguments),
        Command::Run(args) => run::run(args).await,
        Command::Publish(args) => publish(&args).await,
    }
}

/// The component of a file, or of a project that is built for it.
fn component(plugin: &Path) -> anyhow::Result<Vec<u8>> {
    if plugin.is_dir() {
        return Ok(build(plugin, None)?.component);
    }
    std::fs::read(plugin).with_context(|| format!("cannot read {}", plugin.display()))
}

fn test(project: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let cargo_toml = project.join("Cargo.toml");
    let status = std::process::Command::new("cargo")
        .args(["test", "--manifest-path"])
        .arg(&cargo_toml)
        .args(arguments)
        .status()
        .context("there is no cargo on the PATH")?;
    if !status.success() {
        bail!("the tests of {} failed", project.display());
    }
    Ok(())
}

async fn publish(args: &PublishArgs) -> anyhow::Result<()> {
    let component = component(&args.plugin)?;
    let client = Client::open(args)?;
    let step = Step::begin("signing");
    let upload = client.sign(&component)?;
    step.done(&format!("digest {}", qiao_manifest::digest(&component)?));
    let step = Step::begin(format!("uploading {} bytes to {}", upload.len(), args.host));
    let token = client.token(publish::SCOPES).await?;
    let release = client.upload(&token, upload).await?;
    let id = release["id"]
        .as_str()
        .context("the host named no release")?
        .to_owned();
    step.done(&id);
    say(&format!("{:#}", release["report"]));
    if !args.activate {
        say(&format!(
            "in review; `qiao plugin publish --activate` waits for it, or look at {}/console",
            args.host
        ));
        return Ok(());
    }
    let step = Step::begin("waiting for the review");
    client
        .reviewed(&token, &id, Duration::from_secs(args.review_timeout))
        .await?;
    step.done("approved");
    let step = Step::begin("activating");
    let token = client.token(publish::SCOPES).await?;
    client.activate(&token, &id).await?;
    step.done("people can reach it");
    Ok(())
}
