//! What a plugin says about itself, and how it travels.
//!
//! A release is one file: a WebAssembly component with its manifest in a custom
//! section and its institution's signature in a last one. This crate reads and writes
//! both, and says which scope each import of the component needs.
//!
//! Guarantees: a [`Manifest`] that exists is valid; the digest covers every byte but
//! the signature; an import that no scope covers is found whatever the manifest says.
//! Absent: cryptography beyond the digest (the host verifies signatures), wasmtime,
//! and any host crate.

pub mod limits;

mod coverage;
mod document;
mod error;
mod interface;
mod manifest;
mod packing;
mod scope;
mod section;
mod source;
mod validation;

pub use crate::coverage::{Uncovered, missing_exports};
pub use crate::error::{Fix, ManifestError, PackingError, Refusal};
pub use crate::interface::{Export, Import, exports, imports};
pub use crate::manifest::{
    EgressMethod, EgressRule, Job, Manifest, MenuEntry, MenuItem, Service, TimeOfDay, Title,
};
pub use crate::packing::{
    MANIFEST_SECTION, SIGNATURE_SECTION, attach_signature, detach_signature, digest, embed,
    extract, signing_bytes,
};
pub use crate::scope::{REQUIRED_EXPORTS, RequiredScope, Scope, required_scope};
