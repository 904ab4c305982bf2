use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where plugins live in this repository.
const ROOMS: [&str; 3] = ["plugins", "examples", "tests/guests"];
/// Keeps the guest's stack small, as `qiao plugin build` does.
const LINK: &str = "target.wasm32-unknown-unknown.rustflags=['-Clink-arg=-zstack-size=65536']";

/// The component of a plugin of this repository with its manifest, unsigned: the
/// bytes that `qiao plugin build` writes. All guests are built once, in a target
/// folder of their own.
///
/// # Panics
/// The guest does not build; the message is cargo's.
#[must_use]
pub fn component(package: &str) -> Vec<u8> {
    let manifest = std::fs::read_to_string(folder_of(package).join("plugin.toml"))
        .unwrap_or_else(|error| panic!("{package} has no plugin.toml: {error}"));
    component_with_manifest(package, &manifest)
}

/// The same component with another manifest.
///
/// # Panics
/// The guest does not build or the manifest does not embed.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "a test stops where its guest does not build"
)]
pub fn component_with_manifest(package: &str, manifest: &str) -> Vec<u8> {
    let module = guests_folder().join(format!("{}.wasm", package.replace('-', "_")));
    let module = std::fs::read(&module)
        .unwrap_or_else(|error| panic!("{} was not built: {error}", module.display()));
    let component = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .expect("the guest was built with wit-bindgen")
        .encode()
        .expect("the guest encodes as a component");
    qiao_manifest::embed(&component, manifest).expect("the manifest embeds")
}

/// The folder of a guest's package.
///
/// # Panics
/// No such guest.
#[must_use]
pub fn folder_of(package: &str) -> PathBuf {
    folders()
        .into_iter()
        .find(|folder| package_of(folder) == package)
        .unwrap_or_else(|| panic!("no guest {package} in {ROOMS:?}"))
}

/// Every folder of this repository that holds a plugin.
fn folders() -> Vec<PathBuf> {
    let rooms = ROOMS
        .iter()
        .filter_map(|room| std::fs::read_dir(workspace().join(room)).ok());
    rooms
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|folder| folder.join("plugin.toml").is_file())
        .collect()
}

/// The package's name, read from its Cargo.toml.
fn package_of(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("name = \""));
    name.unwrap_or_default().trim_end_matches('"').to_owned()
}

fn workspace() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[expect(
    clippy::expect_used,
    reason = "a test stops where its guest does not build"
)]
fn guests_folder() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        // Not the target folder of the tests: cargo holds its lock while they run.
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| workspace().join("target"), PathBuf::from)
            .join("guests");
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        cargo
            .current_dir(workspace())
            .env("CARGO_TARGET_DIR", &target)
            .args([
                "build",
                "--quiet",
                "--profile",
                "guest",
                "--target",
                "wasm32-unknown-unknown",
                "--config",
                LINK,
            ]);
        for folder in folders() {
            cargo.args(["-p", &package_of(&folder)]);
        }
        let output = cargo.output().expect("cargo runs");
        assert!(
            output.status.success(),
            "the guests do not build: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        target.join("wasm32-unknown-unknown").join("guest")
    });
    built.clone()
}
