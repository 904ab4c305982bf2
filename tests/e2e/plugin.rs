//! A plugin developer's afternoon, outside of this repository.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn qiao(folder: &Path, arguments: &[&str]) -> Output {
    let target = folder.join("target");
    Command::new(env!("CARGO_BIN_EXE_qiao"))
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap()
}

fn ok(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    text
}

#[test]
fn a_new_plugin_builds_and_passes_the_check_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    ok(&qiao(folder.path(), &["plugin", "new", "hello"]));
    let project = folder.path().join("hello");
    let built = ok(&qiao(&project, &["plugin", "build"]));
    assert!(built.contains("hello.wasm"), "{built}");
    let checked = ok(&qiao(&project, &["plugin", "check"]));
    assert!(
        checked.contains("fuel") && checked.contains("ok:"),
        "{checked}"
    );
    serves_in_a_sandbox(&project);
}

/// `plugin run` says where the plugin is served, after it is.
fn serves_in_a_sandbox(project: &Path) {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let mut running = Command::new(env!("CARGO_BIN_EXE_qiao"))
        .args(["plugin", "run", "--listen", &format!("127.0.0.1:{port}")])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", project.join("target"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let said: Vec<String> = lines
        .map_while(Result::ok)
        .take_while(|line| !line.starts_with("watching"))
        .collect();
    let ended = running.try_wait().unwrap();
    running.kill().ok();
    running.wait().unwrap();
    assert_eq!(ended, None, "it ended: {said:#?}");
    let said = said.join("\n");
    assert!(
        said.contains("/a/sandbox") && said.contains("PIN"),
        "{said}"
    );
}

#[test]
fn a_broken_manifest_names_the_file_and_the_key() {
    let folder = tempfile::tempdir().unwrap();
    ok(&qiao(folder.path(), &["plugin", "new", "hello"]));
    let project = folder.path().join("hello");
    let file = project.join("plugin.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("version = \"0.1.0\"", "version = \"first\""),
    )
    .unwrap();
    let output = qiao(&project, &["plugin", "build"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        errors.contains("plugin.toml") && errors.contains("version"),
        "{errors}"
    );
}

#[test]
fn help_teaches() {
    let folder = tempfile::tempdir().unwrap();
    let help = ok(&qiao(folder.path(), &["plugin", "publish", "--help"]));
    for word in ["--client-id", "--key", "--activate", "private key"] {
        assert!(help.contains(word), "{help}");
    }
}
