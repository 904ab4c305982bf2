//! A plugin developer's afternoon, outside of this repository.

use std::path::Path;
use std::process::{Command, Output};

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
