//! Orders: a service's pages and offers, quotes, checkout, and the saga that
//! ends every order with the goods or with the money.
//!
//! The players: [`Orders`] is the door; a [`Fulfiller`] delivers (the plugins,
//! through [`PluginFulfiller`]); `rules` decide how an order's state changes and
//! [`plan`] what it moves, both without IO; a machine stores orders and their
//! payments in one transaction; the worker of the binary calls the steps
//! [`Orders::resume`], [`Orders::run_due_jobs`], [`Orders::accrue_income`],
//! [`Orders::accrue_fees`], [`Orders::repay_advances`], [`Orders::prune_offers`] and,
//! for claimed deliveries,
//! [`Orders::deliver_to_plugin`].
//!
//! Guarantees: an offer never changes; a quote is written nowhere and its
//! signature holds every figure of it; one quote makes at most one order; an
//! order and the hold of its money are one transaction, and so is every later
//! change of both; a state never goes back (asserted, and refused by a
//! trigger); after a crash at any point an order is driven on by whoever claims
//! its lease, under the same id, and money moves once; a plugin that gives no
//! answer leaves `unknown`, never `failed`; income of a day is credited to a
//! holder once, and a day's accrued fees are paid once; a plugin's charge places
//! one order per key, within its mandate; the daily limit of instant redemptions
//! is counted in the transaction that holds their money; a redemption that is not
//! paid at once holds its units and is paid on its day, or as soon as its
//! institution has the money; a redemption takes the
//! lots that its quote saw, first in, first out, or is refused; the fees of a
//! quote are those of the schedule that it is pinned to ([`check_fees`]).
//!
//! What is absent: no page is rendered, no fee is computed here (the catalog
//! does), no account is touched but through payments, no task of its own.

mod accrual;
mod accrued_day;
mod attested;
pub mod audit;
mod charge;
mod claims;
mod confirm;
mod crash;
mod error;
mod failures;
mod fees;
mod fulfiller;
mod head;
mod holdings;
mod income;
mod jobs;
mod lots;
mod machine;
mod mandate;
mod offer;
mod order;
mod orders;
mod pages;
pub mod plan;
mod plugin_events;
mod plugin_fulfiller;
mod port;
mod pricing;
mod quote;
mod redemption;
mod redemptions;
mod refund;
mod resume;
pub mod rules;
mod saga;
mod store;
mod token;

pub use accrual::{AccruedFees, UnpaidDay};
pub use accrued_day::AccruedDay;
pub use attested::ATTESTED;
pub use claims::ClaimsError;
pub use confirm::{Confirmation, Reviewed};
pub use crash::{CRASH_VARIABLE, Crash, CrashPoint};
pub use error::Error;
pub use fees::{FeesDiffer, check_fees};
pub use fulfiller::{Called, DailyJob, Found, Fulfiller, LookupError, Serving};
pub use holdings::Holding;
pub use income::{Accrued, INCOME_HOLDERS_MAX};
pub use jobs::{JOB_LEASE_SECS, JOB_PAUSES_SECS, JOBS_AT_ONCE};
pub use lots::{LotEffect, LotsDigest};
pub use mandate::{
    MANDATE_PROPOSAL_LIFETIME_SECS, MANDATE_PROPOSALS_LISTED_MAX, MANDATE_PROPOSALS_MAX,
    MandateOffer, Proposer,
};
pub use offer::{Answer, OFFER_LIFETIME_SECS, Offer};
pub use order::{
    Captured, Lease, ORDERS_PAGE_MAX, Order, OrderPage, OrderState, Receipt, STATES, Standing,
    state_from_name, state_name,
};
pub use orders::{Orders, OrdersConfig, Rooms};
pub use pages::{Submission, Visit};
pub use plugin_fulfiller::PluginFulfiller;
pub use pricing::Replay;
pub use qiao_catalog::OrderKind;
pub use quote::{QUOTE_LIFETIME_SECS, Quote, QuoteContext, QuoteId, QuoteNoun};
pub use redemption::{ADVANCES_PAGE_MAX, Arrival, INSTANT_REDEMPTION_DAY_MAX};
pub use resume::{RESUME_AT_ONCE, RESUME_PLUGIN_SHARE};
pub use token::{QuoteSigner, TOKEN_BYTES_MAX, TokenError};

/// The schema of this room.
pub const MIGRATIONS: &[qiao_db::Migration] = &[
    qiao_db::Migration {
        version: 202_611_220_801,
        name: "orders",
        sql: include_str!("../migrations/202611220801_orders.sql"),
        sqlite: include_str!("../migrations/202611220801_orders.sqlite.sql"),
        postgres: include_str!("../migrations/202611220801_orders.postgres.sql"),
    },
    qiao_db::Migration {
        version: 202_611_270_301,
        name: "lots_and_accrued_fees",
        sql: include_str!("../migrations/202611270301_lots_and_accrued_fees.sql"),
        sqlite: include_str!("../migrations/202611270301_lots_and_accrued_fees.sqlite.sql"),
        postgres: include_str!("../migrations/202611270301_lots_and_accrued_fees.postgres.sql"),
    },
    qiao_db::Migration {
        version: 202_611_270_801,
        name: "mandate_offers",
        sql: include_str!("../migrations/202611270801_mandate_offers.sql"),
        sqlite: include_str!("../migrations/202611270801_mandate_offers.sqlite.sql"),
        postgres: include_str!("../migrations/202611270801_mandate_offers.postgres.sql"),
    },
    qiao_db::Migration {
        version: 202_611_280_101,
        name: "mandate_proposals",
        sql: include_str!("../migrations/202611280101_mandate_proposals.sql"),
        sqlite: include_str!("../migrations/202611280101_mandate_proposals.sqlite.sql"),
        postgres: include_str!("../migrations/202611280101_mandate_proposals.postgres.sql"),
    },
];
