//! The database: a pool, a transaction, migrations, and group commit.
//!
//! SQLite is embedded and the default; PostgreSQL is for scale. One set of SQL
//! serves both (`$1` placeholders, `on conflict`, `returning`; BIGINT, TEXT and
//! BYTEA); where a statement needs a form per engine the two stand side by side
//! and [`Tx::pick`] chooses.
//!
//! There are two ways to write. [`Db::write`] retries an ordinary transaction
//! of the control plane. The money path is data, not closures: commands go to a
//! [`Batcher`], which takes everything that waits and commits it once.
//!
//! Guarantees: SQLite runs in WAL mode with `synchronous=FULL` and one writer;
//! a commit that was answered is on disk. A full disk refuses the write and
//! leaves the database readable; a broken connection is replaced; a machine
//! that panics loses its batch and not its batcher. [`Faults`] make each of
//! these happen on purpose, and a [`Crash`] ends a host where a test wants it.
//! [`Db::mark`] tells without a statement that nobody has committed since.
//!
//! Two pieces that rooms share are over tables of theirs: [`Leases`] (who drives a
//! row) and [`attest`] (what the journal keeps of a row). What is absent: no query
//! of one room lives here, no business rule, no cache.

pub mod attest;
mod batcher;
mod crash;
mod error;
mod fault;
mod flat;
mod lease;
mod mark;
mod migration;
mod open;
mod rows;
mod tx;

pub use batcher::{
    BATCH_COMMANDS_MAX, BatchOptions, Batcher, BatcherHealth, Machine, QUEUE_COMMANDS_MAX,
    RECONNECTS_MAX,
};
pub use crash::{Crash, CrashPoint, Crashed, ParseCrashPointError};
pub use error::{Error, Retryable};
pub use fault::{Fault, Faults};
pub use lease::{Claim, Leases};
pub use mark::CommitMark;
pub use migration::Migration;
pub use open::{Db, Engine, OpenOptions};
pub use rows::{WriteRows, rows_of_text};
pub use tx::Tx;
