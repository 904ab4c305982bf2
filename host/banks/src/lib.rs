//! Money on its way to and from custody banks: the accounts that people link,
//! the channels, and every transfer that a bank is asked for.
//!
//! The players: [`Banks`] is the door; `client` speaks the banks' HTTP and OAuth
//! through the one way out of the host; `rules` decide how a transfer's state
//! changes and [`routing`] which channel carries it, both without IO; a machine
//! stores transfers and their payments in one transaction; the worker of the
//! binary calls [`Banks::repair`].
//!
//! The invariant: **what is asked of a bank is stored before it is sent, what
//! the bank answered is stored with the money it moves, and an outcome that
//! nobody knows is asked for, never assumed.**
//!
//! Guarantees: a transfer's id is its key at the bank and the root of its
//! payments' ids, so an answer that comes twice, late, or after a crash has one
//! effect; a state never goes back (asserted, and refused by a trigger); another
//! channel is tried only when the first one certainly did nothing; a bank's
//! tokens are sealed under the id of their link, and one node refreshes them at
//! a time.
//!
//! What is absent: no order is known here (the checkout composes both), no
//! settlement and no reconciliation (their room reads this one), no task of its
//! own.

#![deny(clippy::arithmetic_side_effects)]

mod access;
mod answer;
mod attested;
pub mod audit;
mod banks;
mod callback;
mod channel;
mod client;
mod crash;
mod custody;
mod drive;
mod error;
mod link;
mod linking;
mod machine;
mod operate;
mod parts;
mod repair;
mod request;
pub mod routing;
pub mod rules;
mod store;
mod tokens;
mod transfer;

pub use answer::{ANSWERS_KEPT_MAX, Answer, Evidence, Via};
pub use attested::ATTESTED;
pub use banks::{Banks, BanksConfig, LINKS_MAX, Rooms, TRANSFERS_PAGE_MAX};
pub use callback::{CallbackHeaders, callback_key};
pub use channel::{Abilities, BankChannel, ChannelState, Cost, NewChannel};
pub use client::statement::{Custody, Statement, StatementLine};
pub use crash::{Crash, CrashPoint};
pub use error::Error;
pub use link::{BankLink, LinkState};
pub use linking::{Authorization, LOGIN_LIFETIME_SECS, Redirected};
pub use operate::Verdict;
pub use parts::PAYOUT_PARTS_MAX;
pub use repair::REPAIR_TRANSFERS_MAX;
pub use request::{
    ACCOUNT_NUMBER_CHARS_MAX, NewAdvance, NewPayIn, NewPayout, NewTopUp, NewWithdrawal,
};
pub use transfer::{
    BankTransfer, Direction, Lease, Purpose, Route, Routing, Standing, TransferPage, TransferState,
};

/// The schema of this room.
pub const MIGRATIONS: &[qiao_db::Migration] = &[qiao_db::Migration {
    version: 202_611_270_601,
    name: "banks",
    sql: include_str!("../migrations/202611270601_banks.sql"),
    sqlite: include_str!("../migrations/202611270601_banks.sqlite.sql"),
    postgres: include_str!("../migrations/202611270601_banks.postgres.sql"),
}];
