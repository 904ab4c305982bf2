use qiao_catalog::fee::Proposal;
use qiao_catalog::{OrderKind, Price};
use qiao_model::{Day, Money, OrderId, UserId};

use crate::Entry;

/// What a plugin proposes to a user: the host stores it and quotes from it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The product's code, as the plugin registered it.
    pub product: String,
    /// What an order of it does.
    pub kind: OrderKind,
    /// What the user reads at the top of the checkout.
    pub title: String,
    /// For a purchase and a payment: what the user means to spend before fees on top.
    pub amount: Option<Money>,
    /// For a redemption: units to give back, in hundredths of a unit.
    pub units_minor: Option<i64>,
    /// The plugin's own key for the thing.
    pub reference: String,
    /// Facts looked up for the user and shown at the checkout.
    pub facts: Vec<Entry>,
}

/// All that a quote may depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRequest {
    /// The stored offer.
    pub offer: Offer,
    /// The product's newest published price.
    pub price: Option<Price>,
    /// Today in Asia/Shanghai.
    pub today: Day,
}

/// The plugin's price of the thing itself; the host computes the fees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// For a purchase and a payment: the principal that the user pays. For a
    /// redemption: what the units are worth before fees.
    pub principal: Money,
    /// For products in units: the price of a unit in 1/10000 of the currency's main unit.
    pub unit_price_e4: Option<i64>,
    /// Lines for the user beside the fees.
    pub notes: Vec<Entry>,
    /// Fees that the plugin proposes; the fee engine takes them within their bands.
    pub proposals: Vec<Proposal>,
}

/// A quote and what it takes to prove it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// The plugin's answer.
    pub quote: Quote,
    /// What it burnt; the same request burns the same.
    pub fuel: u64,
    /// SHA-256 of the request.
    pub input_hash: [u8; 32],
    /// SHA-256 of the answer.
    pub output_hash: [u8; 32],
}

/// Why there is no quote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// The offer is not for sale any more, with a sentence for the user.
    #[error("the offer is not available: {0}")]
    NotAvailable(String),
    /// The amount is outside what the product takes, with a sentence for the user.
    #[error("the amount is out of range: {0}")]
    AmountOutOfRange(String),
}

/// The state of an order, as plugins see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderState {
    /// The money is held, the plugin has not fulfilled it yet.
    Held,
    /// The money is captured and the plugin has not fulfilled it yet.
    Paid,
    /// Fulfilled and posted. Final.
    Completed,
    /// The hold was released. Final.
    Voided,
    /// Captured and given back. Final.
    Refunded,
    /// The plugin did not say how it ended; the host keeps asking.
    Unknown,
}

/// A confirmed order whose money is held or captured, as `fulfil` and `cancel` get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedOrder {
    /// The same order may come again.
    pub id: OrderId,
    /// The stored offer; its kind is the order's.
    pub offer: Offer,
    /// Who ordered; the plugin sees its institution's pseudonym.
    pub user: UserId,
    /// The principal as quoted.
    pub principal: Money,
    /// Units as quoted, in hundredths.
    pub units_minor: Option<i64>,
    /// 1 for the first try.
    pub attempt: u32,
}

/// What the user gets to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The institution's own number for it.
    pub number: String,
    /// Lines for the user.
    pub entries: Vec<Entry>,
}

/// How fulfilment went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fulfilment {
    /// It is done.
    Done(Receipt),
    /// It is accepted and not final; ask again after so many seconds.
    Pending(u32),
}

/// Why it was not fulfilled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FulfilError {
    /// It never will be: the host voids or refunds. A sentence for the user.
    #[error("the order was rejected: {0}")]
    Rejected(String),
    /// It may or may not have happened: the host asks again. A sentence for the operator.
    #[error("the order's outcome is unknown: {0}")]
    Unknown(String),
}

/// Why the plugin does not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivationError {
    /// The host refused a registration; the sentence says which and why.
    #[error("a registration was refused: {0}")]
    Registration(String),
    /// The plugin is not configured.
    #[error("the plugin is not configured: {0}")]
    Configuration(String),
}
