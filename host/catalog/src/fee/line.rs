use qiao_model::{Channel, Rate, Rounding};

use super::age::AgeTier;
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
    /// Where the plugin may propose another fee for one order; none where it may not.
    pub band: Option<Band>,
    /// Whether the fee is declared never to fall: when the amount grows, or, of a
    /// back load, when the holding is younger. A declaration that does not hold
    /// is refused when it is registered.
    pub monotone: bool,
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
    /// A back load by holding days, of redemptions alone: the proceeds of the
    /// units of an age are charged that age's rate. The parts are summed exactly
    /// and rounded once.
    BackLoad(Vec<AgeTier>),
    /// A surcharge: an order that is paid through one of these bank channels is
    /// charged, any other order has no such line.
    ByChannel(Vec<ChannelCharge>),
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

/// What a payment through one bank channel is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelCharge {
    /// The channel.
    pub channel: Channel,
    /// What it charges.
    pub charge: Charge,
}

/// Where a plugin may propose a fee of one order: both bounds are rates of the
/// principal, the least rounded up and the most rounded down, or both flat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The smallest fee, inclusive.
    pub least: Charge,
    /// The largest fee, inclusive.
    pub most: Charge,
}

/// A receiver's share of a fee line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Who.
    pub receiver: Receiver,
    /// How much of the line.
    pub rate: Rate,
}

/// Who gets a share of a fee line. Where an order has no such party, the
/// platform stands in for a channel and a scene, and the institution for a developer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Receiver {
    /// The institution that owns the plugin.
    Institution,
    /// The platform that runs the host.
    Platform,
    /// The bank channel that the order is paid through.
    Channel,
    /// The institution that developed the plugin, as its manifest says.
    Developer,
    /// The institution through whose door the person came.
    Scene,
}

impl Receiver {
    /// Every receiver.
    pub const ALL: [Self; 5] = [
        Self::Institution,
        Self::Platform,
        Self::Channel,
        Self::Developer,
        Self::Scene,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Institution => "institution",
            Self::Platform => "platform",
            Self::Channel => "channel",
            Self::Developer => "developer",
            Self::Scene => "scene",
        }
    }

    /// The receiver of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|receiver| receiver.name() == name)
    }
}
