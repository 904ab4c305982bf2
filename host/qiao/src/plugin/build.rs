use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use qiao_manifest::Manifest;
use wit_component::ComponentEncoder;

use super::toolchain::{TARGET, Toolchain};

/// Keeps the guest's stack small and in front of its data, so that a call
/// touches little memory.
const LINK: &str = "target.wasm32-unknown-unknown.rustflags=['-Clink-arg=-zstack-size=65536']";

/// A component that was built.
#[derive(Debug)]
pub(crate) struct Built {
    /// Where the file is.
    pub(crate) file: PathBuf,
    /// Its bytes, unsigned.
    pub(crate) component: Vec<u8>,
}

/// Compiles the project to a component, puts its manifest in, and writes the
/// one file that is the whole upload.
pub(crate) fn build(project: &Path, out: Option<&Path>) -> anyhow::Result<Built> {
    let (text, manifest) = manifest(project)?;
    let component = qiao_manifest::embed(&encode(project)?, &text)?;
    let file = match out {
        Some(out) => out.to_path_buf(),
        None => project
            .join("target/qiao")
            .join(format!("{}.wasm", manifest.name)),
    };
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    }
    fs::write(&file, &component).with_context(|| format!("writing {}", file.display()))?;
    Ok(Built { file, component })
}

/// The project's plugin.toml, as text and as what it says.
pub(crate) fn manifest(project: &Path) -> anyhow::Result<(String, Manifest)> {
    let file = project.join("plugin.toml");
    let text = fs::read_to_string(&file).with_context(|| {
        format!(
            "{}: there is no plugin here; `qiao plugin new <folder>` makes one",
            file.display()
        )
    })?;
    let manifest = Manifest::parse(&text).with_context(|| format!("{}", file.display()))?;
    Ok((text, manifest))
}

/// The project as a component, without its manifest.
pub(crate) fn encode(project: &Path) -> anyhow::Result<Vec<u8>> {
    let module = compile(project)?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .context("the module was not built with the Qiao SDK: export a plugin with `qiao_sdk::export!(MyPlugin)`")?
        .encode()
        .context("the module does not encode as a component")
}

/// Runs cargo and reads from its messages where the module is.
fn compile(project: &Path) -> anyhow::Result<Vec<u8>> {
    let cargo_toml = project.join("Cargo.toml");
    if !cargo_toml.is_file() {
        bail!(
            "{} is missing: a plugin is a cargo project",
            cargo_toml.display()
        );
    }
    let mut child = Toolchain::find()?
        .build()
        .args(["--profile", "guest", "--target", TARGET, "--config", LINK])
        .args([
            "--message-format",
            "json-render-diagnostics",
            "--manifest-path",
        ])
        .arg(&cargo_toml)
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo does not run")?;
    let messages = child.stdout.take().context("cargo's messages are piped")?;
    let mut module = None;
    for line in BufReader::new(messages).lines() {
        module = module_of(&line?).or(module);
    }
    if !child.wait()?.success() {
        bail!(
            "{} does not build: cargo's messages are above",
            project.display()
        );
    }
    let module = module
        .context("cargo made no .wasm: Cargo.toml needs `[lib] crate-type = [\"cdylib\"]`")?;
    fs::read(&module).with_context(|| format!("reading {}", module.display()))
}

/// The module that a message of cargo names, if it names one.
fn module_of(line: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let files = message["filenames"].as_array()?;
    let module = files
        .iter()
        .filter_map(|file| file.as_str())
        .find(|file| file.ends_with(".wasm"))?;
    Some(module.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_read_from_cargos_messages() {
        let line = r#"{"reason":"compiler-artifact","filenames":["/t/a.rlib","/t/a.wasm"]}"#;
        assert_eq!(module_of(line), Some("/t/a.wasm".into()));
        assert_eq!(module_of(r#"{"reason":"build-finished"}"#), None);
        assert_eq!(module_of("not json"), None);
    }

    #[test]
    fn a_folder_without_a_plugin_is_refused_with_the_fix() {
        let folder = tempfile::tempdir().unwrap();
        let error = format!("{:#}", build(folder.path(), None).unwrap_err());
        assert!(
            error.contains("plugin.toml") && error.contains("qiao plugin new"),
            "{error}"
        );
    }

    #[test]
    fn a_broken_manifest_is_refused_before_anything_is_built() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("plugin.toml"),
            "[plugin]\nname = \"x\"\nwat = 1\n",
        )
        .unwrap();
        let error = format!("{:#}", build(folder.path(), None).unwrap_err());
        assert!(
            error.contains("plugin.toml") && error.contains("wat"),
            "{error}"
        );
    }
}
