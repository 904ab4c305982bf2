use std::fmt;

/// What a plugin can be allowed to ask of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Register products, fee schedules and prices.
    CatalogWrite,
    /// Read the payments of its own orders.
    PaymentsRead,
    /// Refund the payments of its own orders.
    PaymentsRefund,
    /// Place orders that a person's mandate pays for, with nobody asked.
    PaymentsCharge,
    /// Read its own orders.
    OrdersRead,
    /// Read the profile of a user who consented.
    UsersProfile,
    /// Read what a user holds of its products.
    HoldingsRead,
    /// Send messages to followers.
    MessagesSend,
    /// Keep a small store of its own.
    Storage,
    /// Send HTTP requests below the addresses of its egress rules.
    Egress,
}

impl Scope {
    /// Every scope, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::CatalogWrite,
        Self::PaymentsRead,
        Self::PaymentsRefund,
        Self::PaymentsCharge,
        Self::OrdersRead,
        Self::UsersProfile,
        Self::HoldingsRead,
        Self::MessagesSend,
        Self::Storage,
        Self::Egress,
    ];

    /// As the manifest writes it: `catalog:write`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CatalogWrite => "catalog:write",
            Self::PaymentsRead => "payments:read",
            Self::PaymentsRefund => "payments:refund",
            Self::PaymentsCharge => "payments:charge",
            Self::OrdersRead => "orders:read",
            Self::UsersProfile => "users:profile",
            Self::HoldingsRead => "holdings:read",
            Self::MessagesSend => "messages:send",
            Self::Storage => "storage",
            Self::Egress => "egress",
        }
    }

    /// The scope that the manifest writes so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an import asks of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredScope {
    /// This scope.
    Scope(Scope),
    /// Nothing: every plugin may import it.
    NotNeeded,
    /// No host offers it: no manifest can cover it.
    Unknown,
}

/// Which scope a function needs to be imported. `interface` is the whole name with its
/// version: `qiao:host/catalog@0.1.0`.
#[must_use]
pub fn required_scope(interface: &str, function: &str) -> RequiredScope {
    use RequiredScope::{NotNeeded, Unknown};
    let scope = match (interface, function) {
        ("qiao:host/catalog@0.1.0", "register-product" | "publish-price" | "latest-price") => {
            Scope::CatalogWrite
        }
        ("qiao:host/payments@0.1.0", "get") => Scope::PaymentsRead,
        ("qiao:host/payments@0.1.0", "refund") => Scope::PaymentsRefund,
        ("qiao:host/payments@0.1.0", "charge") => Scope::PaymentsCharge,
        ("qiao:host/orders@0.1.0", "get" | "by-reference") => Scope::OrdersRead,
        ("qiao:host/users@0.1.0", "profile") => Scope::UsersProfile,
        ("qiao:host/users@0.1.0", "holding") => Scope::HoldingsRead,
        ("qiao:host/messages@0.1.0", "send") => Scope::MessagesSend,
        ("qiao:host/storage@0.1.0", "get" | "set" | "delete" | "keys") => Scope::Storage,
        ("qiao:host/egress@0.1.0", "fetch") => Scope::Egress,
        ("qiao:host/log@0.1.0", "write") => return NotNeeded,
        _ => return Unknown,
    };
    RequiredScope::Scope(scope)
}

/// What a component of the world `qiao:plugin/plugin@0.1.0` exports.
pub const REQUIRED_EXPORTS: [(&str, &str); 8] = [
    ("qiao:guest/activation@0.1.0", "activate"),
    ("qiao:guest/pages@0.1.0", "open"),
    ("qiao:guest/pages@0.1.0", "submit"),
    ("qiao:guest/orders@0.1.0", "quote"),
    ("qiao:guest/orders@0.1.0", "fulfil"),
    ("qiao:guest/orders@0.1.0", "cancel"),
    ("qiao:guest/jobs@0.1.0", "run"),
    ("qiao:guest/events@0.1.0", "handle"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use wit_parser::{Resolve, WorldItem, WorldKey};

    use super::{REQUIRED_EXPORTS, RequiredScope, Scope, required_scope};

    /// Interface and function.
    type Functions = BTreeSet<(String, String)>;

    /// The functions of the contract: what the world imports and what it exports.
    fn contract() -> (Functions, Functions) {
        let mut resolve = Resolve::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/0.1.0");
        let (package, _) = resolve.push_dir(folder).unwrap();
        let world = &resolve.worlds[resolve.select_world(&[package], Some("plugin")).unwrap()];
        let functions = |items: &mut dyn Iterator<Item = (&WorldKey, &WorldItem)>| {
            let mut names = BTreeSet::new();
            for (key, item) in items {
                let WorldItem::Interface { id, .. } = item else {
                    panic!("{key:?} is no interface");
                };
                for function in resolve.interfaces[*id].functions.keys() {
                    names.insert((resolve.name_world_key(key), function.clone()));
                }
            }
            names
        };
        (
            functions(&mut world.imports.iter()),
            functions(&mut world.exports.iter()),
        )
    }

    #[test]
    fn every_import_of_the_contract_has_its_scope() {
        let (imports, _) = contract();
        assert!(!imports.is_empty());
        let mut scopes = BTreeSet::new();
        for (interface, function) in &imports {
            match required_scope(interface, function) {
                RequiredScope::Scope(scope) => {
                    scopes.insert(scope);
                }
                RequiredScope::NotNeeded => assert_eq!(interface, "qiao:host/log@0.1.0"),
                RequiredScope::Unknown => panic!("{interface} {function} is in no table"),
            }
        }
        assert_eq!(
            scopes,
            BTreeSet::from(Scope::ALL),
            "a scope covers no import"
        );
    }

    #[test]
    fn what_a_component_must_export_is_what_the_contract_exports() {
        let (_, exports) = contract();
        let required = REQUIRED_EXPORTS.map(|(i, f)| (i.to_owned(), f.to_owned()));
        assert_eq!(exports, BTreeSet::from(required));
    }

    #[test]
    fn an_import_that_no_host_offers_is_unknown() {
        for (interface, function) in [
            ("qiao:host/catalog@0.1.0", "drop-everything"),
            ("qiao:host/catalog@0.2.0", "register-product"),
            ("qiao:host/catalog", "register-product"),
            ("wasi:filesystem/types@0.2.0", "read"),
            ("", "register-product"),
        ] {
            assert_eq!(required_scope(interface, function), RequiredScope::Unknown);
        }
    }

    #[test]
    fn scopes_are_written_and_read_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.as_str()), Some(scope));
        }
        assert_eq!(Scope::from_name("catalog"), None);
    }
}
