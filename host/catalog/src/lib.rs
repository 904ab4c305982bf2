//! Products, their fee schedules, their prices, and the fee engine.
//!
//! The players: a plugin registers a [`Product`] with its fees; every change of
//! the fees is the next version of its [`FeeSchedule`], in force from a day on;
//! [`fee::charge`] computes what an order costs from the lines of one version,
//! and [`fee::accrue`] what a day costs a fund.
//!
//! Guarantees: a schedule that was registered never changes, so an order that
//! keeps its version keeps its fees; a schedule with a gap, an overlap, a rate
//! above the whole or shares that do not sum is refused with its place; no fee
//! is negative or above its amount; a price is published once for a day. Reads
//! are cached and at most [`STALE_MILLIS_MAX`] behind a write of another host.
//!
//! What is absent: [`fee`] does no IO and has no floats; nothing here moves
//! money or calls a plugin. Reads take no permit: products, fees and prices are
//! public.

mod cache;
mod catalog;
mod error;
pub mod fee;
mod order_kind;
mod price;
mod product;
mod schedule;
mod store;

pub use catalog::{Catalog, STALE_MILLIS_MAX};
pub use error::{Error, Problem};
pub use fee::{
    AccruedFee, AgeTier, Band, ChannelCharge, Charge, FeeForm, FeeLine, Fees, Payer, Receiver,
    Share, Tier,
};
pub use order_kind::{OrderKind, ParseOrderKindError};
pub use price::{INCOME_PER_10K_E4_MAX, NAV_E4_MAX, Price, YIELD_7D_PPM_MAX};
pub use product::{
    Capture, NewProduct, PRODUCT_CODE_CHARS_MAX, PRODUCT_NAME_CHARS_MAX, PRODUCT_SUMMARY_CHARS_MAX,
    PRODUCTS_OF_PLUGIN_MAX, Product, Redemption,
};
pub use schedule::{FeeSchedule, VERSIONS_MAX, stored_schedule};

/// The schema of this room.
pub const MIGRATIONS: &[qiao_db::Migration] = &[qiao_db::Migration {
    version: 202_611_220_301,
    name: "products_fee_schedules_and_prices",
    sql: include_str!("../migrations/202611220301_products_fee_schedules_and_prices.sql"),
    sqlite: include_str!("../migrations/202611220301_versions_are_immutable.sqlite.sql"),
    postgres: include_str!("../migrations/202611220301_versions_are_immutable.postgres.sql"),
}];
