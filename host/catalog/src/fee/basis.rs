use qiao_model::{Channel, Money};

use super::age::Aged;
use super::proposal::Proposal;
use crate::order_kind::OrderKind;

/// What the fees of an order follow from, beside the lines of its schedule.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// What the order does.
    pub kind: OrderKind,
    /// The price of the thing itself, which the fees are of.
    pub principal: Money,
    /// The bank channel that it is paid through; none when it is paid from the balance.
    pub channel: Option<Channel>,
    /// For a redemption under a back load: its units by age.
    pub ages: &'a [Aged],
    /// What the plugin proposes.
    pub proposals: &'a [Proposal],
}

impl Basis<'_> {
    /// An order that is paid from the balance, without lots or proposals.
    #[must_use]
    pub const fn new(kind: OrderKind, principal: Money) -> Self {
        Self {
            kind,
            principal,
            channel: None,
            ages: &[],
            proposals: &[],
        }
    }
}
