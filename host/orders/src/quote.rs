use qiao_catalog::fee::{Aged, ChargedLine, Proposal};
use qiao_catalog::{Capture, OrderKind, Price};
use qiao_model::id::{Id, Noun};
use qiao_model::{
    Channel, Day, InstitutionId, Money, OfferId, OrderId, PaymentId, PluginId, ProductId,
    ReleaseId, Timestamp, UserId,
};
use qiao_payments::Method;
use qiao_runtime::Entry;

use crate::lots::{LotEffect, LotsDigest};
use crate::plan::{Parties, Plan, PlanError, Terms};

/// How long a quote can be confirmed.
pub const QUOTE_LIFETIME_SECS: i64 = 5 * 60;

/// What a quote id is the id of.
#[derive(Debug)]
pub enum QuoteNoun {}

impl Noun for QuoteNoun {
    const PREFIX: &'static str = "quo";
}

/// A quote.
pub type QuoteId = Id<QuoteNoun>;

/// What a quote depends on beside its offer: what was chosen at the checkout. The
/// fees follow from it, so a quote is confirmed with the same choice or not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteContext {
    /// How the user wants to pay.
    pub method: Method,
}

impl QuoteContext {
    /// The bank channel of the method, which has surcharges and a share of fees.
    pub(crate) const fn channel(&self) -> Option<Channel> {
        match self.method {
            Method::Bank { channel, .. } => Some(channel),
            Method::Balance | Method::Mandate(_) => None,
        }
    }
}

/// A priced offer that the user can confirm for a few minutes. It is written
/// nowhere: `token` carries it, signed, and the order keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Which. One quote makes at most one order.
    pub id: QuoteId,
    /// The signed text that `confirm` takes.
    pub token: String,
    /// What was quoted.
    pub offer: OfferId,
    /// SHA-256 of the offer.
    pub offer_digest: [u8; 32],
    /// The offer's title.
    pub title: String,
    /// The offer's reference: the plugin's own key for the thing.
    pub reference: String,
    /// For whom.
    pub user: UserId,
    /// By which plugin.
    pub plugin: PluginId,
    /// Whose plugin.
    pub institution: InstitutionId,
    /// What is sold.
    pub product: ProductId,
    /// The product's code in its plugin.
    pub product_code: String,
    /// What the order does.
    pub kind: OrderKind,
    /// How the user pays.
    pub method: Method,
    /// When its money is captured.
    pub capture: Capture,
    /// The release that priced it.
    pub release: ReleaseId,
    /// The release's digest.
    pub release_digest: String,
    /// The fee schedule's version.
    pub schedule_version: u32,
    /// The day that it was quoted on, in Asia/Shanghai.
    pub day: Day,
    /// The price that it was quoted on.
    pub price: Option<Price>,
    /// The price of the thing itself, before fees.
    pub principal: Money,
    /// Every fee.
    pub lines: Vec<ChargedLine>,
    /// Who stands behind the fees' receivers.
    pub parties: Parties,
    /// Fees that the plugin proposed, within their bands.
    pub proposals: Vec<Proposal>,
    /// For a redemption under a back load: its units by age.
    pub ages: Vec<Aged>,
    /// What the order does to the user's lots of the product.
    pub lots: LotEffect,
    /// For a redemption that takes lots: which, so that it takes no others.
    pub lots_digest: Option<LotsDigest>,
    /// The price of a unit in 1/10000 of the main unit.
    pub unit_price_e4: Option<i64>,
    /// What the user pays in all; for a redemption, what the user receives.
    pub amount: Money,
    /// Units bought or given back, in hundredths.
    pub units_minor: Option<i64>,
    /// Lines for the user beside the fees.
    pub notes: Vec<Entry>,
    /// SHA-256 of what the plugin was asked.
    pub input_hash: [u8; 32],
    /// SHA-256 of what it answered.
    pub output_hash: [u8; 32],
    /// What it burnt.
    pub fuel: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

impl Quote {
    /// The order that confirming this quote makes.
    #[must_use]
    pub fn order(&self) -> OrderId {
        self.id.derive("order", 0)
    }

    /// The payment of that order.
    #[must_use]
    pub fn payment(&self) -> PaymentId {
        self.id.derive("payment", 0)
    }

    /// What the order moves, computed from what the quote holds.
    ///
    /// # Errors
    /// Figures that no quote of this host holds together.
    pub fn plan(&self) -> Result<Plan, PlanError> {
        let plan = Plan::new(&Terms {
            kind: self.kind,
            user: self.user,
            institution: self.institution,
            product: self.product,
            principal: self.principal,
            lines: &self.lines,
            parties: self.parties,
            unit_price_e4: self.unit_price_e4,
            units_minor: match self.kind {
                OrderKind::Redeem => self.units_minor,
                OrderKind::Purchase | OrderKind::Pay => None,
            },
        })?;
        if plan.amount != self.amount || plan.units_minor != self.units_minor {
            return Err(PlanError::Inconsistent);
        }
        Ok(plan)
    }
}
