use std::sync::Arc;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::net::TcpListener;

use super::publish::{Client, PublishArgs, SCOPES};
use crate::config::Config;
use crate::demo::stage::{self, Profile, Stage};
use crate::host::{Host, HostOptions};
use crate::serve::Serving;
use crate::terminal::{Step, say};

/// Who uploads the component to the host that checks it.
const INSTITUTION: Profile = Profile {
    login: "staff",
    name: "Check",
    kind: "fund",
    handle: "check",
    summary: "Checks a component.",
};

/// Uploads the component to a host of its own, so that nothing is checked here
/// that is not checked there, and prints what a reviewer will read.
pub(super) async fn check(component: &[u8]) -> anyhow::Result<()> {
    let step = Step::begin("checking it as a host does at upload, under production limits");
    let folder = tempfile::tempdir().context("making a folder for the check")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let config = Config::sandbox(
        folder.path().join("data"),
        None,
        listener.local_addr()?,
        Vec::new(),
    )?;
    let host = Arc::new(Host::open(HostOptions::of_this_binary(config)?).await?);
    let serving = Serving::start(host.clone(), listener)?;
    let uploaded = upload(&host, folder.path(), component).await;
    serving.stop().await;
    host.close().await;
    let release = uploaded?;
    step.done("");
    let report = &release["report"];
    print(&release, report);
    let failed = refused_calls(report);
    if !failed.is_empty() {
        bail!(
            "the host would take it for review, but these calls failed: {}",
            failed.join("; ")
        );
    }
    say("ok: a host takes it for review");
    Ok(())
}

async fn upload(host: &Host, folder: &std::path::Path, component: &[u8]) -> anyhow::Result<Value> {
    let stage = Stage {
        url: host.config.public_url(),
        keys: folder.join("keys"),
    };
    let (operator, _) = stage::bootstrap(host).await?;
    let (institution, _) = stage::register(&stage, &operator, &INSTITUTION).await?;
    let client = Client::open(&PublishArgs {
        plugin: ".".into(),
        host: stage.url.clone(),
        client_id: institution.client_id().await?,
        key: stage.key_file(INSTITUTION.handle),
        activate: false,
        review_timeout: 0,
    })?;
    let token = client.token(SCOPES).await?;
    client.upload(&token, client.sign(component)?).await
}

/// Prints the report in the words of the terminal.
fn print(release: &Value, report: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    say(&format!(
        "{} {}  digest {}",
        text(&release["name"]),
        text(&release["version"]),
        text(&release["digest"])
    ));
    say(&format!(
        "sizes    component {} bytes, machine code {} bytes, memory of an instance {} bytes",
        report["upload_bytes"], report["compiled_bytes"], report["memory_bytes"]
    ));
    for scope in rows(&report["scopes"]) {
        let unused = if scope["used"] == Value::Bool(false) {
            "  (no import needs it: take it out)"
        } else {
            ""
        };
        say(&format!(
            "scope    {:<16} {}{unused}",
            text(&scope["scope"]),
            text(&scope["reason"])
        ));
    }
    for import in rows(&report["imports"]) {
        say(&format!(
            "import   {}.{}",
            text(&import["interface"]),
            text(&import["function"])
        ));
    }
    for rule in rows(&report["egress"]) {
        say(&format!(
            "egress   {:<16} {}",
            text(&rule["name"]),
            text(&rule["url"])
        ));
    }
    for call in rows(&report["fuel"]) {
        say(&format!(
            "fuel     {:<28} {:>12}  {}",
            text(&call["case"]),
            call["fuel"],
            text(&call["outcome"])
        ));
    }
}

/// The calls of the corpus that trapped or overran a limit.
fn refused_calls(report: &Value) -> Vec<String> {
    rows(&report["fuel"])
        .iter()
        .filter(|call| {
            call["outcome"]
                .as_str()
                .is_some_and(|outcome| !["answered", "refused"].contains(&outcome))
        })
        .map(|call| {
            format!(
                "{}: {}",
                call["case"].as_str().unwrap_or("a call"),
                call["outcome"].as_str().unwrap_or("")
            )
        })
        .collect()
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
