//! What the tests of every room share: fresh databases on both engines, and
//! the guests as components.
//!
//! SQLite is a file in a temporary folder; PostgreSQL is a new database on the
//! server that `QIAO_TEST_POSTGRES` names, else on the throw-away cluster of
//! `.ci/postgres`, which is started when it does not run. There are no mocks.

mod database;
/// Plugins of this repository as components.
pub mod guests;

/// Changes behind the host's back.
pub mod tamper;

pub use database::{TestDatabase, each_database, postgres, sqlite};
