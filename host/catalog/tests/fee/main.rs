//! The fee engine, which needs no database.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its arrangement fails"
)]

mod accrual;
mod back_load;
mod band;
mod by_channel;
mod charge;
mod check;
mod golden;
mod line;
mod monotone;
mod properties;
