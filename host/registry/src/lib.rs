//! Institutions, their public accounts, and the releases of their plugins:
//! upload, review, rollout.
//!
//! The players: an institution founds itself and waits for an operator; its
//! staff or servers upload signed components; an operator approves or rejects
//! each with a reason; the institution activates what was approved, and may roll
//! back to any earlier release. People follow public accounts and are written to.
//!
//! Guarantees: a release never changes once it is stored and is known by its
//! digest; nothing of a refused upload is kept but its row in the audit; every
//! import of a stored release is covered by a scope that its manifest asks for;
//! a plugin has one active release at most, and a change of it reaches every
//! node within a second ([`ROLLOUT_STALE_MS_MAX`]); every decision and every
//! refusal has a row in the audit, every decision an event in the outbox.
//!
//! What is absent: wasmtime (compiling and running are ports that the runtime
//! fills, [`ComponentCheck`] and [`Activator`]), products and fees (a plugin
//! registers them with the catalog when it is activated), HTTP.

mod account;
mod decision;
mod error;
mod follower;
mod institution;
mod message;
mod port;
mod registry;
mod release;
mod report;
mod review;
mod rollout;
mod store;
mod upload;
mod upload_error;

pub use account::{
    HANDLE_CHARS_MAX, HANDLE_CHARS_MIN, MenuEntry, MenuItem, PublicAccount, RESERVED_HANDLES,
    ServiceEntry,
};
pub use error::Error;
pub use institution::{
    FIRST_CLIENT_SCOPES, Founded, Institution, InstitutionKind, InstitutionState, NewInstitution,
};
pub use message::{
    MESSAGE_CHARS_MAX, MESSAGE_PAGE_ROWS, MESSAGE_QUOTA, MESSAGE_WINDOW_SECS, Message, NewMessage,
    Sender,
};
pub use port::{Activator, CheckError, ComponentCheck, PortFuture};
pub use registry::Registry;
pub use release::{Plugin, Release, ReleaseState};
pub use report::{CheckReport, FuelSample, ReportEgress, ReportImport, ReportScope, ReviewReport};
pub use review::REASON_CHARS_MAX;
pub use rollout::ROLLOUT_STALE_MS_MAX;
pub use upload::{COMPONENT_BYTES_MAX, SIGNATURE_TYPE};
pub use upload_error::UploadError;

/// The schema of this room.
pub const MIGRATIONS: &[qiao_db::Migration] = &[qiao_db::Migration {
    version: 202_611_220_600,
    name: "institutions_and_releases",
    sql: include_str!("../migrations/202611220600_institutions_and_releases.sql"),
    sqlite: include_str!("../migrations/202611220600_releases_are_immutable.sqlite.sql"),
    postgres: include_str!("../migrations/202611220600_releases_are_immutable.postgres.sql"),
}];
