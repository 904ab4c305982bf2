use qiao_model::{Day, MandateId, Money, OrderId, PluginId};
use qiao_payments::GrantRefusal;

use crate::{Entry, Offer, OrderState};

/// A standing permission that a plugin proposes to a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MandateOffer {
    /// The code of the product whose orders it pays for.
    pub product: String,
    /// What it allows.
    pub terms: MandateTerms,
}

/// What a standing permission allows, whoever proposes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MandateTerms {
    /// What the user reads at the top of the consent page.
    pub title: String,
    /// What it is for, in a sentence.
    pub purpose: String,
    /// One charge takes at most this much.
    pub per_payment: Money,
    /// All charges of a day take at most so many minor units.
    pub per_day: Option<i64>,
    /// All charges of a month take at most so many minor units.
    pub per_month: Option<i64>,
    /// At most so many charges in all.
    pub count: Option<u32>,
    /// The last day on which it can be charged.
    pub until: Day,
    /// The proposer's own key for it.
    pub reference: String,
    /// Facts shown on the consent page.
    pub facts: Vec<Entry>,
}

/// An order that a plugin asks for, to be paid by a mandate.
#[derive(Clone, Debug)]
pub struct ChargeRequest<'a> {
    /// Whose plugin asks.
    pub plugin: PluginId,
    /// By which mandate.
    pub mandate: MandateId,
    /// What is ordered.
    pub offer: Offer,
    /// Makes it happen once.
    pub key: &'a str,
}

/// The order that a charge placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargedOrder {
    /// Which.
    pub order: OrderId,
    /// Where it stands.
    pub state: OrderState,
    /// What the user pays in all.
    pub amount: Money,
}

/// Why nothing was charged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChargePortError {
    /// This plugin has no such mandate.
    #[error("there is no mandate {0}")]
    UnknownMandate(MandateId),
    /// The mandate does not allow it.
    #[error("the mandate does not allow it: {0}")]
    Refused(GrantRefusal),
    /// The user has too little money.
    #[error("the user has too little money")]
    InsufficientFunds,
    /// The offer makes no order, or the key was used for another.
    #[error("the offer cannot be ordered: {0}")]
    NotOrderable(String),
    /// The permit does not cover it.
    #[error("denied: {0}")]
    Denied(String),
    /// The host failed.
    #[error("charges are not available")]
    Unavailable,
}
