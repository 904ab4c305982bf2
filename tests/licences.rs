//! What is linked in has a licence that `.config/licences.toml` allows, is not
//! banned, and stands above the floors under which a flaw is known. Reads
//! `cargo metadata`, offline.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its input is missing"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

#[derive(Deserialize)]
struct Policy {
    allowed: BTreeSet<String>,
    banned: BTreeMap<String, String>,
    floors: BTreeMap<String, semver::Version>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: semver::Version,
    license: Option<String>,
    source: Option<String>,
}

impl Policy {
    fn read() -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../.config/licences.toml");
        toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    /// The reason to refuse a package, if there is one.
    fn objection(&self, package: &Package) -> Option<String> {
        let name = format!("{} {}", package.name, package.version);
        if let Some(instead) = self.banned.get(&package.name) {
            return Some(format!("{name} is banned: use {instead}"));
        }
        if let Some(floor) = self.floors.get(&package.name)
            && package.version < *floor
        {
            return Some(format!("{name} is below the floor {floor}"));
        }
        let Some(licence) = &package.license else {
            return Some(format!("{name} names no licence"));
        };
        let expression = match spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX) {
            Ok(expression) => expression,
            Err(error) => return Some(format!("{name}: {licence}: {error}")),
        };
        let passes = expression.evaluate(|need| self.allowed.contains(&need.to_string()));
        (!passes).then(|| format!("{name} has licence {licence}"))
    }
}

fn linked_packages() -> Vec<Package> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    metadata.packages
}

#[test]
fn everything_that_is_linked_passes_the_policy() {
    let policy = Policy::read();
    let packages = linked_packages();
    let foreign: Vec<_> = packages.iter().filter(|p| p.source.is_some()).collect();
    assert!(foreign.len() > 100, "cargo metadata lists the dependencies");
    let objections: Vec<_> = foreign.iter().filter_map(|p| policy.objection(p)).collect();
    assert!(objections.is_empty(), "{objections:#?}");
}

#[test]
fn a_package_outside_the_policy_is_refused() {
    let policy = Policy::read();
    let package = |name: &str, version: &str, license: Option<&str>| Package {
        name: name.to_owned(),
        version: version.parse().unwrap(),
        license: license.map(str::to_owned),
        source: None,
    };
    let refused = [
        package("openssl", "0.10.70", Some("Apache-2.0")),
        package("wasmtime", "48.0.7", Some("Apache-2.0 WITH LLVM-exception")),
        package("viral", "1.0.0", Some("AGPL-3.0-only")),
        package("half", "1.0.0", Some("MIT AND GPL-3.0-only")),
        package("silent", "1.0.0", None),
    ];
    for package in &refused {
        assert!(
            policy.objection(package).is_some(),
            "{} passed",
            package.name
        );
    }
    let allowed = package("kind", "1.0.0", Some("GPL-3.0-only OR MIT"));
    assert_eq!(policy.objection(&allowed), None);
}
