use std::collections::BTreeSet;

use crate::interface::{Export, Import};
use crate::manifest::Manifest;
use crate::scope::{REQUIRED_EXPORTS, RequiredScope, Scope, required_scope};

/// An import that the manifest does not cover.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncovered {
    /// No host offers it.
    #[error("{} {} is nothing that a host offers", .0.interface, .0.function)]
    Unknown(Import),
    /// The manifest does not ask for its scope.
    #[error(
        "{} {} needs the scope {scope}; add it with its reason to [scopes]",
        .import.interface, .import.function
    )]
    NotRequested {
        /// The import.
        import: Import,
        /// The scope that covers it.
        scope: Scope,
    },
}

impl Manifest {
    /// The imports that no scope of this manifest covers; none when all is well.
    #[must_use]
    pub fn uncovered(&self, imports: &[Import]) -> Vec<Uncovered> {
        let uncovered = |import: &Import| match required_scope(&import.interface, &import.function)
        {
            RequiredScope::Scope(scope) if !self.requests(scope) => Some(Uncovered::NotRequested {
                import: import.clone(),
                scope,
            }),
            RequiredScope::Scope(_) | RequiredScope::NotNeeded => None,
            RequiredScope::Unknown => Some(Uncovered::Unknown(import.clone())),
        };
        imports.iter().filter_map(uncovered).collect()
    }

    /// The scopes that it asks for and that no import needs: more than it should have.
    #[must_use]
    pub fn unused_scopes(&self, imports: &[Import]) -> Vec<Scope> {
        let used: BTreeSet<Scope> = imports
            .iter()
            .filter_map(
                |import| match required_scope(&import.interface, &import.function) {
                    RequiredScope::Scope(scope) => Some(scope),
                    RequiredScope::NotNeeded | RequiredScope::Unknown => None,
                },
            )
            .collect();
        self.scopes
            .keys()
            .copied()
            .filter(|scope| !used.contains(scope))
            .collect()
    }
}

/// What the contract asks a plugin to export and this one does not.
#[must_use]
pub fn missing_exports(exports: &[Export]) -> Vec<Export> {
    REQUIRED_EXPORTS
        .into_iter()
        .map(|(interface, function)| Export {
            interface: interface.to_owned(),
            function: function.to_owned(),
        })
        .filter(|required| !exports.contains(required))
        .collect()
}
