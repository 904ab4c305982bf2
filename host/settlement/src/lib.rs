//! What institutions are owed and when they are paid, what every receiver can
//! read of it, and whether the banks keep what the books say.
//!
//! The players: [`Settlement`] is the door. A [`Mark`] is a place in an account's
//! chain of transfers with the sums up to it; closing a day keeps the mark where
//! it ended. From two marks follow a [`Statement`] and what a [`Payout`] owes;
//! the banks room moves the money. `compare` holds a bank's statement against the
//! bank transfers, without IO; each difference becomes a [`Case`].
//!
//! The invariant: **what an institution is owed is paid once, on its day, and
//! statements sum to the books to the fen; at day end every yuan is at a custody
//! account, and every difference with a bank's statement is a case with a state.**
//!
//! Guarantees: a payout is unique by institution, account, currency, day and part, and
//! its bank transfer's id follows from it, so a restart anywhere pays once; what
//! is refunded between the day and its payout is not paid out; what waits for a
//! channel is not planned again, and nothing goes to a suspended institution until
//! it is resumed; opening balance, lines and closing balance of a statement are one
//! chain; a line of a bank's statement has one case at most, which closes by itself
//! when its other half turns up.
//!
//! What is absent: no fee and no split (the books have them), no bank protocol
//! (the banks room), no task of its own: the worker of the binary calls
//! [`Settlement::plan_payouts`], [`Settlement::drive_payouts`] and
//! [`Settlement::end_days`].

#![deny(clippy::arithmetic_side_effects)]

mod access;
mod attested;
pub mod audit;
mod case;
mod compare;
mod csv;
mod custody;
mod doubt;
mod error;
mod give_up;
mod mark;
mod pay;
mod payout;
mod plan;
mod reconcile;
mod settlement;
mod statement;
mod store;
mod terms;

pub use attested::ATTESTED;
pub use case::{Case, CaseEnd, CaseKind, CaseState, NOTE_CHARS_MAX};
pub use custody::{ChannelCustody, CustodyCheck, DayCheck};
pub use doubt::Doubt;
pub use error::Error;
pub use mark::{CLOSE_AFTER_SECS, Mark};
pub use pay::{PAYOUT_LEASE_SECS, PAYOUT_PAUSES_SECS};
pub use payout::{Payout, PayoutState, Source};
pub use plan::{PAYOUT_MINUTE, SAME_DAY_PAYOUT_MINUTE, due_through};
pub use qiao_banks::ACCOUNT_NUMBER_CHARS_MAX;
pub use reconcile::Reconciliation;
pub use settlement::{PAGE_MAX, Rooms, Settlement};
pub use statement::{Line, LineKind, PERIOD_DAYS_MAX, Period, STATEMENT_LINES_MAX, Statement};
pub use terms::{NewTerms, TERMS_DAYS_MAX, Terms, TermsState};

/// The schema of this room.
pub const MIGRATIONS: &[qiao_db::Migration] = &[qiao_db::Migration {
    version: 202_611_270_701,
    name: "settlement",
    sql: include_str!("../migrations/202611270701_settlement.sql"),
    sqlite: include_str!("../migrations/202611270701_settlement.sqlite.sql"),
    postgres: include_str!("../migrations/202611270701_settlement.postgres.sql"),
}];
