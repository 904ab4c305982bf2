//! The fee engine, which needs no database.

mod charge;
mod check;
mod golden;
mod properties;
