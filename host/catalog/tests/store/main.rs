//! The catalog over a database: every test runs on SQLite and on PostgreSQL.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its arrangement fails"
)]

mod fixture;
mod prices;
mod products;
