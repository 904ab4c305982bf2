use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// What guests are built for: no WASI, so no clock, files or sockets of their own.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Where Debian puts the Rust that can build guests where rustup cannot.
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SOURCE: &str = "/usr/src/rustc-*/library";

/// A cargo that can build guests.
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The target's standard library is installed.
    Installed { cargo: PathBuf },
    /// The standard library is built from its source by a Rust of Debian.
    BuildStd { cargo: PathBuf },
}

impl Toolchain {
    /// Finds one, and adds the target with rustup when that is all that is missing.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
        if has_target()? {
            return Ok(Self::Installed { cargo });
        }
        let added = Command::new("rustup")
            .args(["target", "add", TARGET])
            .status();
        if added.is_ok_and(|status| status.success()) && has_target()? {
            return Ok(Self::Installed { cargo });
        }
        if Path::new(DEBIAN_CARGO).exists() && debian_source_exists() {
            return Ok(Self::BuildStd {
                cargo: DEBIAN_CARGO.into(),
            });
        }
        bail!(
            "this Rust cannot build {TARGET}: run `rustup target add {TARGET}`, \
             or on Debian `apt-get install rustc-web cargo-web rust-web-src lld`"
        );
    }

    /// A cargo command that builds for the target.
    pub(crate) fn build(&self) -> Command {
        match self {
            Self::Installed { cargo } => {
                let mut command = Command::new(cargo);
                command.arg("build");
                command
            }
            Self::BuildStd { cargo } => {
                let mut command = Command::new(cargo);
                command
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("RUSTC_BOOTSTRAP", "1")
                    // Debian's Rust carries no linker of its own; `lld` brings this one.
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
                    .args([
                        "build",
                        "-Zbuild-std=std,panic_abort",
                        "--ignore-rust-version",
                    ]);
                command
            }
        }
    }
}

fn has_target() -> anyhow::Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("there is no rustc on the PATH: install Rust from https://rustup.rs")?;
    let folder = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && Path::new(folder.trim()).is_dir())
}

fn debian_source_exists() -> bool {
    let parent = Path::new(DEBIAN_SOURCE).parent().and_then(Path::parent);
    let entries = parent.and_then(|folder| std::fs::read_dir(folder).ok());
    entries.is_some_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("rustc-"))
    })
}
