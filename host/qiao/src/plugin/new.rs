use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use include_dir::{Dir, include_dir};

/// The smallest plugin, which a new project begins as.
static TEMPLATE: Dir = include_dir!("$CARGO_MANIFEST_DIR/../../examples/hello-plugin");
/// The SDK that a project carries along until the SDK is on a registry.
static SDK_RUST: Dir = include_dir!("$CARGO_MANIFEST_DIR/../../sdk/rust");
/// The contract that the SDK is generated from.
static SDK_WIT: Dir = include_dir!("$CARGO_MANIFEST_DIR/../../sdk/wit");

/// Where a project keeps the SDK.
const SDK_FOLDER: &str = ".qiao/sdk";

const CARGO_TOML: &str = r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false

# A workspace of its own, wherever on the disk it is.
[workspace]

[lib]
# cdylib becomes the component; rlib is for the tests, which run without a host.
crate-type = ["cdylib", "rlib"]

[dependencies]
qiao-sdk = { path = ".qiao/sdk/rust" }

# What `qiao plugin build` builds with: small and fast.
[profile.guest]
inherits = "release"
opt-level = "s"
lto = true
codegen-units = 1
panic = "abort"
strip = true
"#;

const README: &str = r"# {name}

A Qiao plugin.

```
qiao plugin test     # unit tests, without a host
qiao plugin build    # target/qiao/{name}.wasm: one file is the whole upload
qiao plugin check    # what the host checks at upload, under its limits
qiao plugin run      # serve it in a local sandbox with play money
qiao plugin publish --help
```

- `plugin.toml` says what it is: scopes with their reasons, services, menu, jobs, egress.
- `src/lib.rs` implements the `Plugin` trait; every method has a default.
- `.qiao/sdk` is the SDK of the `qiao` that made this project; `.qiao/sdk/rust/README.md` explains it.
";

/// Writes a project that builds and passes `check` unchanged.
pub(crate) fn new(folder: &Path, name: Option<&str>) -> anyhow::Result<PathBuf> {
    let own = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name
        .map(str::to_owned)
        .or(own)
        .context("name the folder of the project")?;
    check_name(&name)?;
    if folder
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
    {
        bail!("{} is not empty: name a new folder", folder.display());
    }
    write(
        &folder.join("Cargo.toml"),
        &CARGO_TOML.replace("{name}", &name),
    )?;
    write(&folder.join("README.md"), &README.replace("{name}", &name))?;
    write(&folder.join(".gitignore"), "/target\n")?;
    for file in ["plugin.toml", "src/lib.rs"] {
        let text = TEMPLATE
            .get_file(file)
            .and_then(|file| file.contents_utf8())
            .context("the built-in template is complete")?;
        let text = text
            .replace("hello-plugin", &name)
            .replace("HelloPlugin", &type_name(&name));
        write(&folder.join(file), &text)?;
    }
    copy(&SDK_RUST, &folder.join(SDK_FOLDER).join("rust"))?;
    copy(&SDK_WIT, &folder.join(SDK_FOLDER).join("wit"))?;
    Ok(folder.to_path_buf())
}

/// A name is the package's, the plugin's and part of the type's.
fn check_name(name: &str) -> anyhow::Result<()> {
    let good = (1..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !good {
        bail!(
            "`{name}` cannot name a plugin: use 1 to 32 of a-z, 0-9 and -, beginning with a letter (--name)"
        );
    }
    Ok(())
}

fn type_name(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_uppercase() + rest
        })
        .collect()
}

fn copy(from: &Dir, to: &Path) -> anyhow::Result<()> {
    for file in from.files() {
        let name = file.path().file_name().context("a file has a name")?;
        let target = to.join(name);
        make_parent(&target)?;
        fs::write(&target, file.contents())
            .with_context(|| format!("writing {}", target.display()))?;
    }
    for folder in from.dirs() {
        let name = folder.path().file_name().context("a folder has a name")?;
        if name != "target" {
            copy(folder, &to.join(name))?;
        }
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    make_parent(file)?;
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

fn make_parent(file: &Path) -> anyhow::Result<()> {
    let parent = file.parent().context("a file has a folder")?;
    fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_carries_the_sdk_and_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let project = new(&folder.path().join("my-fund"), None).unwrap();
        let source = fs::read_to_string(project.join("src/lib.rs")).unwrap();
        assert!(source.contains("struct MyFund;") && !source.contains("HelloPlugin"));
        let manifest = fs::read_to_string(project.join("plugin.toml")).unwrap();
        assert!(manifest.contains("name = \"my-fund\""));
        assert!(project.join(".qiao/sdk/rust/src/lib.rs").is_file());
        assert!(project.join(".qiao/sdk/wit/0.1.0/world.wit").is_file());
        assert!(project.join(".qiao/sdk/wit/0.1.0/deps/host.wit").is_file());
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kept"), "x").unwrap();
        let error = new(folder.path(), Some("ok")).unwrap_err().to_string();
        assert!(error.contains("not empty"), "{error}");
    }

    #[test]
    fn a_name_of_another_form_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "Fund", "1st", "a_b", "end-", &"a".repeat(33)] {
            assert!(new(&folder.path().join("x"), Some(name)).is_err(), "{name}");
        }
        assert!(new(&folder.path().join("y"), Some(&"a".repeat(32))).is_ok());
    }
}
