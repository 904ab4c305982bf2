use qiao_model::{Rate, Rounding};

use crate::order_kind::OrderKind;

/// One fee of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeeLine {
    /// The plugin's own key, unique in the schedule: `purchase-fee`.
    pub code: String,
    /// What the user reads.
    pub name: String,
    /// The kind of order that it applies to.
    pub applies_to: OrderKind,
    /// Who pays it.
    pub payer: Payer,
    /// How it is computed.
    pub form: FeeForm,
    /// At least this much, in minor units.
    pub minimum: Option<i64>,
    /// At most this much, in minor units.
    pub maximum: Option<i64>,
    /// How a fraction of a minor unit is rounded: of the fee, or of the net
    /// amount where that is what is computed (see [`Payer::UserInside`]).
    pub rounding: Rounding,
    /// Who gets it; the shares sum to [`Rate::ONE`].
    pub shares: Vec<Share>,
}

/// Who pays a fee line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payer {
    /// The user, beside the principal.
    User,
    /// The user, out of the principal.
    ///
    /// For a purchase or a payment a rate is a front load as Chinese funds
    /// compute it: net = principal / (1 + rate), rounded, and fee = principal -
    /// net. A redemption takes the rate of the proceeds: fee = principal × rate.
    /// A flat charge is the fee itself.
    UserInside,
    /// The institution, out of what it receives.
    Institution,
}

/// How the fee follows from the amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeeForm {
    /// The same for every order, in minor units.
    Flat(i64),
    /// A share of the amount.
    Percent(Rate),
    /// Each tier charges the part of the amount inside it; rates alone.
    Graduated(Vec<Tier>),
    /// The tier that holds the whole amount decides. A flat fee above a
    /// threshold is a tier with a flat charge.
    Slab(Vec<Tier>),
}

/// Amounts from `from` (inclusive) up to `below` (exclusive), in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Inclusive lower bound; the first tier begins at 0.
    pub from: i64,
    /// Exclusive upper bound; none for the last tier alone.
    pub below: Option<i64>,
    /// What it charges.
    pub charge: Charge,
}

/// What one tier charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// A share of the amount.
    Rate(Rate),
    /// A flat amount in minor units.
    Flat(i64),
}

/// A receiver's share of a fee line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Who.
    pub receiver: Receiver,
    /// How much of the line.
    pub rate: Rate,
}

/// Who gets a share of a fee line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Receiver {
    /// The institution that owns the plugin.
    Institution,
    /// The platform that runs the host.
    Platform,
}
