//! A simulator: the real payments and ledger code over a real SQLite file, in a
//! world where everything else breaks by chance.
//!
//! One seed decides all of it: who asks for what, which parcels a virtual network
//! loses, delays, doubles and reorders, when a bank calls back twice or too late,
//! which batch dies between two statements, which commit is refused or loses its
//! answer, and where the host ends. The clock moves when it is told. An auditor
//! that shares no code with the rooms hears every request and every answer, keeps
//! books of its own, and compares them with the tables after each step.
//!
//! What is absent: PostgreSQL (its races need real concurrency: the payments room
//! tests them), threads, real time, and anything above payments.

mod ask;
mod auditor;
mod chance;
mod drive;
mod host;
mod network;
mod people;
mod simulation;

pub use simulation::{Failure, Options, Summary, run, silence_planned_panics};
