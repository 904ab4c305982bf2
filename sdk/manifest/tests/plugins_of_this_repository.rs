//! The manifests that stand beside this crate are valid.

use std::path::Path;

use qiao_manifest::Manifest;

#[test]
fn every_plugin_has_a_valid_manifest_with_its_own_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut names = Vec::new();
    for folder in ["plugins", "examples", "tests/guests"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let Ok(text) = std::fs::read_to_string(entry.path().join("plugin.toml")) else {
                continue;
            };
            match Manifest::parse(&text) {
                Ok(manifest) => assert_eq!(entry.file_name().to_str(), Some(&*manifest.name)),
                Err(error) => panic!("{}: {error}", entry.path().display()),
            }
            names.push(entry.file_name());
        }
    }
    assert!(names.len() >= 9, "{names:?}");
}
