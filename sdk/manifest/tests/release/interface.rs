use qiao_manifest::{
    Export, Import, Manifest, PackingError, REQUIRED_EXPORTS, Scope, Uncovered, exports, imports,
    missing_exports,
};

use crate::component::{MANIFEST, component, nothing};

fn import(interface: &str, function: &str) -> Import {
    Import {
        interface: interface.to_owned(),
        function: function.to_owned(),
    }
}

fn manifest_with(scope: &str) -> Manifest {
    Manifest::parse(&format!("{MANIFEST}[scopes]\n\"{scope}\" = \"why\"\n")).unwrap()
}

const PAYMENTS: &str = "
    package qiao:host@0.1.0;
    interface types { record money { minor: s64 } }
    interface payments {
        use types.{money};
        get: func(order: string) -> money;
        refund: func(order: string, amount: money);
    }
    interface log { write: func(message: string); }
    world guest {
        import payments;
        import log;
        export pages: interface { open: func(); }
    }
";

#[test]
fn the_functions_of_imported_interfaces_are_listed() {
    assert_eq!(
        imports(&component(PAYMENTS)).unwrap(),
        [
            import("qiao:host/payments@0.1.0", "get"),
            import("qiao:host/payments@0.1.0", "refund"),
            import("qiao:host/log@0.1.0", "write"),
        ]
    );
    assert_eq!(imports(&nothing()).unwrap(), []);
}

#[test]
fn a_function_that_is_imported_by_itself_is_listed_without_interface() {
    let bare = component("package test:guest; world guest { import drop-all: func(); }");
    assert_eq!(imports(&bare).unwrap(), [import("", "drop-all")]);
    let uncovered = manifest_with("storage").uncovered(&imports(&bare).unwrap());
    assert_eq!(uncovered, [Uncovered::Unknown(import("", "drop-all"))]);
}

#[test]
fn exports_are_listed_and_missing_ones_named() {
    let exports = exports(&component(PAYMENTS)).unwrap();
    assert_eq!(
        exports,
        [Export {
            interface: "pages".to_owned(),
            function: "open".to_owned()
        }]
    );
    assert_eq!(missing_exports(&exports).len(), REQUIRED_EXPORTS.len());
    let all = REQUIRED_EXPORTS.map(|(interface, function)| Export {
        interface: interface.to_owned(),
        function: function.to_owned(),
    });
    assert_eq!(missing_exports(&all), []);
    assert_eq!(missing_exports(&all[1..]), all[..1]);
}

#[test]
fn each_import_needs_its_scope() {
    let imports = imports(&component(PAYMENTS)).unwrap();
    let manifest = manifest_with("payments:read");
    let uncovered = manifest.uncovered(&imports);
    assert_eq!(
        uncovered,
        [Uncovered::NotRequested {
            import: import("qiao:host/payments@0.1.0", "refund"),
            scope: Scope::PaymentsRefund,
        }]
    );
    assert_eq!(
        uncovered[0].to_string(),
        "qiao:host/payments@0.1.0 refund needs the scope payments:refund; \
         add it with its reason to [scopes]"
    );
    assert_eq!(manifest.unused_scopes(&imports), []);
}

#[test]
fn a_scope_that_no_import_needs_is_unused() {
    assert_eq!(
        manifest_with("storage").unused_scopes(&[]),
        [Scope::Storage]
    );
}

#[test]
fn a_resource_cannot_cross() {
    let wit = "
        package test:guest;
        interface files { resource file { constructor(); } }
        world guest { import files; }
    ";
    let refusal = imports(&component(wit)).err();
    let Some(PackingError::UnsupportedExtern { name, kind }) = refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!((name.as_str(), kind), ("test:guest/files file", "resource"));
}

#[test]
fn a_component_that_does_not_validate_is_refused() {
    let mut broken = component(PAYMENTS);
    broken.truncate(broken.len() / 2);
    assert!(matches!(
        imports(&broken),
        Err(PackingError::Malformed { .. })
    ));
    assert_eq!(
        imports(b"\0asm\x01\0\0\0").err(),
        Some(PackingError::CoreModule)
    );
}

#[test]
fn no_prefix_of_a_component_makes_the_reader_panic() {
    let whole = component(PAYMENTS);
    for end in 0..whole.len() {
        let _ = imports(&whole[..end]);
        let _ = qiao_manifest::extract(&whole[..end]);
        let _ = qiao_manifest::detach_signature(&whole[..end]);
    }
}
