//! A simulator: the real code of payments, ledger, banks and settlement over a real
//! SQLite file, in a world where everything else breaks by chance.
//!
//! One seed decides all of it: who asks for what, which parcels a virtual network
//! loses, delays, doubles and reorders, what a bank does with a request and when and
//! how often it says so, which batch dies between two statements, which commit is
//! refused or loses its answer, and where the host ends. The clock moves when it is
//! told. An auditor that shares no code with the rooms hears every request and every
//! answer, sees what the banks did, keeps books of its own, and compares them with
//! the tables after each step.
//!
//! What is absent: PostgreSQL (its races need real concurrency: the payments room
//! tests them), threads, real time, HTTP, and orders.

mod ask;
mod auditor;
mod banks;
mod chance;
mod citizens;
mod custody;
mod drive;
mod host;
mod network;
mod payday;
mod people;
mod simulation;

pub use simulation::{Failure, Options, Simulator, Summary, silence_planned_panics};
