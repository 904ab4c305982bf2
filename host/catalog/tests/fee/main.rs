//! The fee engine, which needs no database.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its arrangement fails"
)]

mod charge;
mod check;
mod golden;
mod properties;
