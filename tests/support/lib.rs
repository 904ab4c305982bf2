//! What the tests of every room share: fresh databases on both engines.
//!
//! SQLite is a file in a temporary folder; PostgreSQL is a new database on the
//! server that `QIAO_TEST_POSTGRES` names (`make test` starts one; by hand:
//! `export QIAO_TEST_POSTGRES=$(.ci/postgres start)`). There are no mocks.

mod database;

pub use database::{TestDatabase, each_database, postgres, sqlite};
