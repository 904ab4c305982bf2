//! The catalog over a database: every test runs on SQLite and on PostgreSQL.

mod fixture;
mod prices;
mod products;
