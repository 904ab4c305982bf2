use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use notify::{Event, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::build::{encode, manifest};
use crate::config::Config;
use crate::demo::person::Person;
use crate::demo::stage::{self, Institution, PASSWORD, PIN, Profile, Stage};
use crate::host::{Host, HostOptions};
use crate::serve::{Serving, interrupted, listen};
use crate::terminal::{Step, failed, say};

/// Changes closer together than this are one.
const SETTLE: Duration = Duration::from_millis(400);
/// What the made-up user begins with.
const FUNDS: &str = "10000.00";

/// The made-up institution that owns the plugin.
const INSTITUTION: Profile = Profile {
    login: "staff",
    name: "Sandbox Institution",
    kind: "fund",
    handle: "sandbox",
    summary: "The plugin you are writing.",
};

/// Flags of `qiao plugin run`.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The project's folder.
    #[arg(default_value = ".")]
    project: PathBuf,
    /// Where the sandbox listens.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
}

/// Serves the plugin in a sandbox host of its own until Ctrl-C.
pub(super) async fn run(args: RunArgs) -> anyhow::Result<()> {
    let project = args
        .project
        .canonicalize()
        .with_context(|| format!("no folder {}", args.project.display()))?;
    let step = Step::begin("building the plugin");
    let first = Candidate::build(&project, 0)?;
    step.done("");
    let folder = tempfile::tempdir().context("making a folder for the sandbox")?;
    let (_, wanted) = manifest(&project)?;
    let loopback = wanted.egress.iter().filter_map(|rule| {
        let port = rule.url.port_or_known_default()?;
        Some(format!("{}:{port}", rule.url.host_str()?))
    });
    let config = Config::sandbox(
        folder.path().join("data"),
        None,
        args.listen,
        loopback.collect(),
    )?;
    let listener = listen(args.listen).await?;
    let host = Arc::new(Host::open(HostOptions::of_this_binary(config)?).await?);
    let serving = Serving::start(host.clone(), listener)?;
    let sandbox = Sandbox::open(&host, folder.path().join("keys")).await?;
    sandbox.publish(first).await?;
    sandbox.welcome();
    sandbox.watch(&project).await?;
    serving.stop().await;
    host.close().await;
    Ok(())
}

/// A build of the plugin under a version of its own.
struct Candidate {
    component: Vec<u8>,
}

impl Candidate {
    /// Builds the project; the `turn`-th build of version 1.2.3 is 1.2.3-dev.<turn>.
    fn build(project: &Path, turn: u32) -> anyhow::Result<Self> {
        let (text, manifest) = manifest(project)?;
        let mut table: toml::Table = text.parse().context("plugin.toml")?;
        if let Some(plugin) = table.get_mut("plugin").and_then(toml::Value::as_table_mut) {
            let version = format!("{}-dev.{turn}", manifest.version);
            plugin.insert("version".to_owned(), version.into());
        }
        let component = qiao_manifest::embed(&encode(project)?, &table.to_string())?;
        Ok(Self { component })
    }
}

struct Sandbox {
    stage: Stage,
    operator: Person,
    institution: Institution,
}

impl Sandbox {
    async fn open(host: &Host, keys: PathBuf) -> anyhow::Result<Self> {
        let step = Step::begin("making a sandbox with an institution and a user with play money");
        let stage = Stage {
            url: host.config.public_url(),
            keys,
        };
        let (operator, _) = stage::bootstrap(host).await?;
        let (institution, _) = stage::register(&stage, &operator, &INSTITUTION).await?;
        let (person, _) = stage::sign_up(&stage, "user", "Sandbox User").await?;
        person
            .fill("/wallet", "top-up", &[("amount", FUNDS)])
            .await?;
        person
            .fill(&format!("/a/{}", INSTITUTION.handle), "follow", &[])
            .await?;
        step.done("");
        Ok(Self {
            stage,
            operator,
            institution,
        })
    }

    async fn publish(&self, candidate: Candidate) -> anyhow::Result<()> {
        let step = Step::begin("checking and activating it");
        let published = stage::publish(
            &self.stage,
            &self.operator,
            &self.institution,
            &candidate.component,
        );
        let (_, line) = published.await?;
        step.done(&line);
        Ok(())
    }

    fn welcome(&self) {
        let url = &self.stage.url;
        say(&format!(
            "\n{url}/a/{handle}   log in as `user`, password `{PASSWORD}`, payment PIN {PIN}\n\
             {url}/console     log in as `staff`: orders, invocations, log lines\n\
             watching for changes; Ctrl-C stops",
            handle = INSTITUTION.handle,
        ));
    }

    /// Builds and publishes again after each change; a build that fails leaves the last one serving.
    async fn watch(&self, project: &Path) -> anyhow::Result<()> {
        let (sender, mut changes) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let touched = event.is_ok_and(|event| {
                event.kind.is_modify() || event.kind.is_create() || event.kind.is_remove()
            });
            if touched {
                // One waiting change is enough: the build reads what is there then.
                let _waits_already = sender.try_send(()).is_err();
            }
        })
        .context("watching the project")?;
        for (part, mode) in [
            ("src", RecursiveMode::Recursive),
            ("plugin.toml", RecursiveMode::NonRecursive),
            ("Cargo.toml", RecursiveMode::NonRecursive),
        ] {
            let part = project.join(part);
            watcher
                .watch(&part, mode)
                .with_context(|| format!("watching {}", part.display()))?;
        }
        for turn in 1.. {
            tokio::select! {
                changed = changes.recv() => changed.context("the watcher ended")?,
                done = interrupted() => return done,
            }
            tokio::time::sleep(SETTLE).await;
            while changes.try_recv().is_ok() {}
            let again = match Candidate::build(project, turn) {
                Ok(candidate) => self.publish(candidate).await,
                Err(error) => Err(error),
            };
            if let Err(error) = again {
                failed(&error.context("the last build that worked goes on serving"));
            }
        }
        Ok(())
    }
}
