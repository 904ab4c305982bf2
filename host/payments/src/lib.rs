//! The shared payment API: every movement of money and units, for plugins and
//! for institutions' servers alike. It knows no plugin.
//!
//! A payment takes an amount from one payer and gives it to up to
//! [`SPLITS_MAX`] receivers, with the units that go along. It is held and then
//! posted (as a whole or in part), voided or expired, or paid at once. A refund
//! claws every split back by its share, and what a receiver no longer has becomes
//! a debt of the payment's institution, which is taken off what it gets later.
//!
//! Commands are data: [`batch`] loads what a batch touches, decides each command
//! by pure rules, and stores the outcome with a few statements in one
//! transaction: transfers, payments, refunds, idempotency records and outbox
//! rows. [`PaymentMachine`] puts that behind a batcher; the orders room composes
//! the same three steps with rows of its own. A payment whose method is a
//! [`Mandate`] needs no other consent: the batch locks the mandate, the rules of
//! [`SpendGrant`] consume it, and both are stored with the money. [`Payments`] is the door: each of
//! its methods demands a `Permit` and checks scope and ownership.
//!
//! Guarantees: splits sum to the amount; a command takes effect once, by the id
//! it carries and by its caller's idempotency key (same request, same answer;
//! another request, refused); states never go back; no more is spent of a mandate
//! than it allows, however many hosts charge it, and a revoked one not again; one
//! outbox row per change.
//!
//! What is absent: no fee is computed here (the catalog does), no order is
//! known but by its id, and no bank.

#![deny(clippy::arithmetic_side_effects)]

mod access;
mod advance;
mod answer;
mod attested;
pub mod audit;
pub mod batch;
mod command;
mod error;
mod event;
mod grant;
mod holding;
mod idempotency;
pub mod income;
mod institution;
mod machine;
mod mandate;
mod mandates;
mod method;
mod party;
mod payment;
mod payments;
mod reads;
mod receivable;
mod refusal;
mod rules;
mod statement;
mod store;

pub use advance::Advance;
pub use attested::ATTESTED;
pub use command::{
    CREDIT_LINES_MAX, Command, Credit, CreditLine, Credited, Keyed, NewRefund, Outcome, Purse,
    Recovery, TopUp,
};
pub use error::Error;
pub use grant::{
    GRANT_DAYS_MAX, GRANT_PRODUCTS_MAX, GrantRefusal, InvalidLimits, PAYEES_MAX, Returned, Spend,
    SpendGrant, SpendLimits, SpendUsage,
};
pub use holding::{Holder, Holding, holding_in, holdings_in};
pub use idempotency::{IDEMPOTENCY_KEY_CHARS_MAX, IdempotencyKey, InFlight, InFlightGuard};
pub use institution::{InstitutionSummary, PAYMENTS_PAGE_MAX, PaymentsPage};
pub use machine::PaymentMachine;
pub use mandate::{
    Charge, ChargeCapture, InvalidMandate, MANDATE_PURPOSE_CHARS_MAX, MANDATE_REFERENCE_CHARS_MAX,
    MANDATE_TITLE_CHARS_MAX, MANDATES_PAGE_MAX, Mandate, MandateState, NewMandate,
};
pub use mandates::{EXPIRED_MANDATES_MAX, MANDATE_PAYMENTS_MAX};
pub use method::{Method, ParseMethodError};
pub use party::{Account, ParsePartyError, Party};
pub use payment::{
    DELIVERIES_MAX, DESCRIPTION_CHARS_MAX, Delivery, HOLD_SECS_DEFAULT, HOLD_SECS_MAX, NewPayment,
    PURPOSE_BYTES_MAX, Payment, PaymentState, REFUND_DAYS_MAX, REFUNDS_MAX, Refund, SPLITS_MAX,
    Split, VoidReason,
};
pub use payments::{EXPIRED_HOLDS_MAX, IDEMPOTENCY_KEEP_HOURS, Payments};
pub use reads::LAST_PAID_TRANSFERS_MAX;
pub use receivable::{RECOVERIES_PAGE_MAX, Receivable};
pub use refusal::{Invalid, Refusal};
pub use statement::{StatementLine, StatementOf, StatementPage};

pub use qiao_ledger::{AccountKind, AssetTotal, Balance, LedgerAccount, Transfer, TransferKind};

/// The schema of this room.
pub const MIGRATIONS: &[qiao_db::Migration] = &[
    qiao_db::Migration {
        version: 202_611_220_501,
        name: "payments",
        sql: include_str!("../migrations/202611220501_payments.sql"),
        sqlite: include_str!("../migrations/202611220501_payments.sqlite.sql"),
        postgres: include_str!("../migrations/202611220501_payments.postgres.sql"),
    },
    qiao_db::Migration {
        version: 202_611_270_501,
        name: "mandates",
        sql: include_str!("../migrations/202611270501_mandates.sql"),
        sqlite: include_str!("../migrations/202611270501_mandates.sqlite.sql"),
        postgres: include_str!("../migrations/202611270501_mandates.postgres.sql"),
    },
    qiao_db::Migration {
        version: 202_611_280_501,
        name: "no_income",
        sql: include_str!("../migrations/202611280501_no_income.sql"),
        sqlite: "",
        postgres: "",
    },
];
