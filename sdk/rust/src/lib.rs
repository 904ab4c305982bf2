//! Write a Qiao plugin in Rust.
//!
//! A plugin is a type that implements [`Plugin`]; every method has a default, so a
//! plugin writes down only what it does. [`export!`] makes the type a component.
//!
//! ```
//! use qiao_sdk::{Page, PageError, Plugin, Visit};
//!
//! struct Hello;
//!
//! impl Plugin for Hello {
//!     fn open(visit: Visit) -> Result<Page, PageError> {
//!         Ok(Page::new("Hello").text(visit.say("Good day.", "您好。")))
//!     }
//! }
//!
//! qiao_sdk::export!(Hello);
//! ```
//!
//! What a plugin may ask of its host is one module each: [`catalog`], [`payments`],
//! [`orders`], [`users`], [`messages`], [`storage`], [`egress`] and [`log`]. A module
//! that is not used leaves no import in the binary, and the host refuses an import
//! that no scope of the manifest covers. There is no clock, no randomness, no file
//! and no socket besides.
//!
//! Every call runs in a fresh instance: statics do not outlive it. On any target but
//! wasm32 the modules talk to [`testing::FakeHost`], so that plugins are tested by
//! plain `cargo test`.

mod date;
pub mod decimal;
mod mandate;
mod money;
mod offer;
mod page;
mod plugin;
mod product;
mod rate;
mod units;
mod visit;

pub mod catalog;
pub mod egress;
pub mod log;
pub mod messages;
pub mod orders;
pub mod payments;
pub mod storage;
pub mod users;

#[cfg(target_arch = "wasm32")]
mod allocator;
#[cfg(any(target_arch = "wasm32", test))]
mod arena;
#[cfg(target_arch = "wasm32")]
mod panic;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[doc(hidden)]
pub mod bindings;

pub use crate::bindings::exports::qiao::guest::activation::ActivationError;
pub use crate::bindings::exports::qiao::guest::events::{
    Event, EventError, Happening, MandateChanged, OrderChanged,
};
pub use crate::bindings::exports::qiao::guest::jobs::{JobError, JobRun};
pub use crate::bindings::exports::qiao::guest::orders::{
    FulfilError, Fulfilment, Order, Proposal, QuoteAnswer, QuoteError, QuoteRequest, Receipt,
};
pub use crate::bindings::exports::qiao::guest::pages::{
    Action, Answer, Block, FieldProblem, Form, Input, InputKind, Item, Metric, Notice, Page,
    PageError, Submission, Tone, Visit,
};
pub use crate::bindings::qiao::host::catalog::{
    AccruedFee, AgeTier, Band, Capture, ChannelCharge, Charge, FeeForm, FeeLine, FeeSchedule,
    Payer, Product, Receiver, Redemption, Rounding, Share, Tier,
};
pub use crate::bindings::qiao::host::types::{
    Date, Entry, Field, MandateOffer, MandateState, Money, Offer, OrderKind, OrderState, Price,
    Subject,
};
pub use crate::date::DateError;
pub use crate::decimal::DecimalError;
#[doc(hidden)]
pub use crate::plugin::Exported;
pub use crate::plugin::Plugin;
pub use crate::rate::Rate;
pub use crate::units::Units;
