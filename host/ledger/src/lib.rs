//! The books: double entry, append-only, and the only writer of their tables.
//!
//! A [`NewTransfer`] debits one account and credits another by the same amount
//! of the same asset, so every asset sums to zero. A pending transfer holds an
//! amount until a later transfer posts it, or a part of it, or voids it. A
//! group of transfers is accepted or refused as one. Accounts are opened by
//! the first batch that names them; their ids follow from owner, kind and asset.
//!
//! The money path is `load` / `decide` / `store` of [`State`]: a batch loads
//! what it touches, decides by pure rules without IO, and stores the outcome
//! in a number of statements that does not grow with the batch or with history.
//!
//! Guarantees: debits equal credits; no account with a floor falls below it
//! (by the rules and by a constraint of the schema); a transfer is in the books
//! once whatever is sent twice; a pending transfer is resolved once (by a unique
//! key); a transfer never changes or goes away (by triggers). Each transfer
//! names the one before it on both accounts and the balances after it, so an
//! account's statement is a chain that needs no index.
//!
//! Every batch is an entry of the journal, a chain of hashes over the digests
//! of the rows that it wrote: this room's, and those that the rooms above
//! attest with [`State::attest`].
//!
//! What is absent: no payment, fee, user or permit; who may move what is decided
//! above. No expiry of pending transfers.

#![deny(clippy::arithmetic_side_effects)]

mod account;
mod attested;
pub mod audit;
mod journal;
mod ledger;
mod machine;
mod refusal;
mod rules;
mod spread;
mod state;
mod store;
mod transfer;

pub use account::{
    AccountKind, AssetTotal, Balance, KindTotal, LedgerAccount, NewAccount, Owner, account_id,
};
pub use attested::ATTESTED;
pub use journal::{EntryHash, Head, MalformedHead};
pub use ledger::{
    HOLDERS_PAGE_MAX, Ledger, STATEMENT_TRANSFERS_MAX, accounts_in, balance_before, holders,
};
pub use machine::LedgerMachine;
pub use refusal::{Refusal, Verdict};
pub use spread::{
    Place, SPREAD_TRANSFERS_MAX, Spread, SpreadLine, SpreadOf, lock_places, place_of,
};
pub use state::{State, attest};
pub use transfer::{GROUP_TRANSFERS_MAX, NewTransfer, StatementPage, Transfer, TransferKind};

/// The schema of this room.
pub const MIGRATIONS: &[qiao_db::Migration] = &[
    qiao_db::Migration {
        version: 202_611_220_101,
        name: "ledger",
        sql: include_str!("../migrations/202611220101_ledger.sql"),
        sqlite: include_str!("../migrations/202611220101_ledger.sqlite.sql"),
        postgres: include_str!("../migrations/202611220101_ledger.postgres.sql"),
    },
    qiao_db::Migration {
        version: 202_611_280_201,
        name: "journal_storage",
        sql: "",
        sqlite: "",
        postgres: include_str!("../migrations/202611280201_journal_storage.postgres.sql"),
    },
];
