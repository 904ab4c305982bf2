//! Who may do what: users, sessions, payment PINs, institutions' staff and
//! OAuth clients, access tokens, and the audit.
//!
//! The players: [`Auth`] knows every caller; each door turns what its caller
//! shows (a session cookie, a bearer token, the identity of a running plugin)
//! into a [`Permit`], and domain functions demand one. **Two doors, one gate**:
//! nothing outside this crate can make a `Permit`.
//!
//! Guarantees: passwords, PINs and session tokens are stored hashed alone; a
//! guess is counted before it is compared, so guesses in parallel gain nothing;
//! guesses at names that nobody can have leave no row, and those during a pause
//! are counted in one; a client gets nothing before its institution is approved,
//! and nothing beyond what its staff may do that no operator granted;
//! an assertion counts once; a revocation, a log-out or a suspension counts on
//! the very next call of every node, although verified tokens and sessions are
//! cached (see `revision.rs`); a right PIN is remembered for minutes, in its own
//! session alone (see `pin_memory.rs`); the audit is append-only.
//!
//! What is absent: no HTTP and no cookies (the `web` room), no authorization
//! code flow and no consents yet (a grant will be one more source of a
//! `Permit`), no business rule about money.

mod access_token;
mod assertion;
mod audit;
mod client;
mod client_scope;
mod config;
mod error;
mod introspection;
pub mod keys;
mod metadata;
mod password;
mod permit;
mod pin;
mod pin_memory;
mod revision;
mod revocation;
mod session;
mod staff;
mod store;
mod subject;
mod sweep;
mod throttle;
mod token;
mod user;

pub use access_token::{ACCESS_TOKEN_BYTES_MAX, ACCESS_TOKEN_LIFETIME_SECS, BearerError};
pub use assertion::{
    ASSERTION_JTI_CHARS_MAX, ASSERTION_LIFETIME_SECS_MAX, CLIENT_ASSERTION_TYPE, CLOCK_LEEWAY_SECS,
    ClientAssertion,
};
pub use audit::{AUDIT_PAGE_ROWS, AuditEntry, AuditRow, Outcome};
pub use client::{CLIENT_KEYS_MAX, NewClient, OAuthClient};
pub use client_scope::{ASKING_CLIENTS_MAX, ScopeVerdict};
pub use config::{Auth, AuthConfig};
pub use error::{Denied, Error, OAuthError};
pub use introspection::{ActiveToken, Introspection};
pub use keys::PublicKey;
pub use metadata::{INTROSPECTION_PATH, JWKS_PATH, METADATA_PATH, REVOCATION_PATH, TOKEN_PATH};
pub use password::{ARGON2_AT_ONCE_MAX, ARGON2_ITERATIONS, ARGON2_LANES, ARGON2_MEMORY_KIB};
pub use permit::{Actor, Permit, PluginCaller, STAFF_GRANTS};
pub use pin::{PIN_DIGITS, PIN_LOCK_SECS, PIN_TRIES_MAX, PinProof};
pub use pin_memory::{PIN_MEMORY_SECS, PINS_REMEMBERED_MAX};
pub use session::{SESSION_LIFETIME_SECS, Session, SessionToken};
pub use throttle::{LOGIN_FAILURES_FREE, LOGIN_LOCK_SECS_FIRST, LOGIN_LOCK_SECS_MAX};
pub use token::{TokenRequest, TokenResponse};
pub use user::{NewUser, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, User};

/// The schema of this room.
pub const MIGRATIONS: &[qiao_db::Migration] = &[qiao_db::Migration {
    version: 202_611_220_200,
    name: "people_clients_and_audit",
    sql: include_str!("../migrations/202611220200_people_clients_and_audit.sql"),
    sqlite: include_str!("../migrations/202611220200_audit_is_append_only.sqlite.sql"),
    postgres: include_str!("../migrations/202611220200_audit_is_append_only.postgres.sql"),
}];
