//! The WIT contract as Rust: nothing but what wit-bindgen writes.

wit_bindgen::generate!({
    path: "../wit/0.1.0",
    world: "plugin",
    generate_all,
    additional_derives: [PartialEq, Eq],
    pub_export_macro: true,
    export_macro_name: "export_bindings",
    default_bindings_module: "qiao_sdk::bindings",
    generate_unused_types: true,
});
