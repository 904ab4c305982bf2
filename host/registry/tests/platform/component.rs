//! Small components, made from WIT text, that import and export what a test wants.

use std::path::Path;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

/// What every plugin exports.
pub(crate) const EXPORTS: [&str; 5] = ["activation", "pages", "orders", "jobs", "events"];

/// A component that imports these interfaces and exports these.
pub(crate) fn of(imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/wit/0.1.0");
    resolve.push_dir(contract).unwrap();
    let imports = imports.iter().map(|name| format!("import {name};"));
    let exports = exports
        .iter()
        .map(|name| format!("export qiao:guest/{name}@0.1.0;"));
    let items: Vec<String> = imports.chain(exports).collect();
    let wit = format!(
        "package test:guest;
         interface elsewhere {{ call: func(); }}
         world guest {{ {} }}",
        items.join(" ")
    );
    let package = resolve.push_str("test.wit", &wit).unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    let abi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
    let mut module = dummy_module(&resolve, world, abi);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// A manifest with a menu, that asks for these scopes.
pub(crate) fn manifest(name: &str, version: &str, scopes: &[&str]) -> String {
    let scopes: Vec<String> = scopes
        .iter()
        .map(|scope| format!("\"{scope}\" = \"needs it\""))
        .collect();
    format!(
        "[plugin]\nname = \"{name}\"\nversion = \"{version}\"\nwit = \"0.1.0\"\n\
         title = \"Title\"\nsummary = \"Summary\"\n\n[scopes]\n{}\n\n\
         [[services]]\nname = \"{name}-service\"\ntitle = \"Service\"\n\n\
         [[menu]]\ntitle = \"Menu\"\nitems = [{{ title = \"Item\", service = \"{name}-service\" }}]\n\n\
         [[jobs]]\nname = \"daily\"\nat = \"16:00\"\n",
        scopes.join("\n")
    )
}

/// A component that logs and registers products, with its manifest.
pub(crate) fn good(name: &str, version: &str) -> Vec<u8> {
    let imports = ["qiao:host/log@0.1.0", "qiao:host/catalog@0.1.0"];
    let manifest = manifest(name, version, &["catalog:write"]);
    qiao_manifest::embed(&of(&imports, &EXPORTS), &manifest).unwrap()
}

/// The component with one more custom section, whatever is in it.
pub(crate) fn with_section(component: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut file = component.to_vec();
    CustomSection {
        name: name.into(),
        data: content.into(),
    }
    .append_to_component(&mut file);
    file
}
