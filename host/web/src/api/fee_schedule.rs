//! The fees of a product as everybody may read them.

use qiao_catalog::{
    AccruedFee, AgeTier, Band, ChannelCharge, Charge, FeeForm, FeeLine, FeeSchedule, Payer, Share,
    Tier,
};
use qiao_model::Rounding;
use serde::Serialize;
use utoipa::ToSchema;

/// One version of a product's fees; it never changes.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeScheduleBody {
    /// `fee_…`.
    id: String,
    /// 1, 2, 3 and so on.
    version: u32,
    /// The first day that it is in force, in Asia/Shanghai.
    effective_from: String,
    /// The fees of orders.
    lines: Vec<FeeLineBody>,
    /// The fees that a fund pays for every day.
    accrued: Vec<AccruedFeeBody>,
}

/// A fee that accrues every day on the net asset value.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccruedFeeBody {
    /// Its key.
    code: String,
    /// What people read.
    name: String,
    /// The rate of a year of 365 days, in parts per million.
    rate_ppm: i64,
    /// Who gets it.
    shares: Vec<ShareBody>,
}

/// One fee.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeLineBody {
    /// Its key.
    code: String,
    /// What people read.
    name: String,
    /// `purchase`, `redeem` or `pay`.
    applies_to: &'static str,
    /// `user` beside the principal, `user_inside` out of it, or `institution`.
    payer: &'static str,
    /// How it is computed.
    form: FeeFormBody,
    /// At least this much, in minor units.
    minimum: Option<i64>,
    /// At most this much, in minor units.
    maximum: Option<i64>,
    /// Where the plugin may propose another fee for one order.
    band: Option<FeeBandBody>,
    /// Whether the fee is declared never to fall.
    monotone: bool,
    /// `half_up`, `half_even`, `down` or `up`.
    rounding: &'static str,
    /// Who gets it.
    shares: Vec<ShareBody>,
}

/// How a fee follows from the amount.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum FeeFormBody {
    /// The same for every order.
    Flat {
        /// In minor units.
        minor: i64,
    },
    /// A share of the amount.
    Percent {
        /// In parts per million.
        rate_ppm: i64,
    },
    /// Each tier charges the part of the amount inside it.
    Graduated {
        /// In order.
        tiers: Vec<TierBody>,
    },
    /// The tier that holds the whole amount decides.
    Slab {
        /// In order.
        tiers: Vec<TierBody>,
    },
    /// By holding days, first in, first out.
    BackLoad {
        /// In order.
        tiers: Vec<FeeAgeTierBody>,
    },
    /// A surcharge of payments through one of these channels.
    ByChannel {
        /// What each charges.
        channels: Vec<FeeChannelBody>,
    },
}

/// Units held from `from_days` (inclusive) up to `below_days` (exclusive).
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeAgeTierBody {
    /// Inclusive.
    from_days: u32,
    /// Exclusive; none for the last.
    below_days: Option<u32>,
    /// A share of the proceeds, in parts per million.
    rate_ppm: i64,
}

/// What a payment through one bank channel is charged.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeChannelBody {
    /// The channel's code.
    channel: String,
    /// What it charges.
    charge: FeeChargeBody,
}

/// One of `rate_ppm` and `flat_minor`.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeChargeBody {
    /// A share of the amount, in parts per million.
    rate_ppm: Option<i64>,
    /// A flat amount in minor units.
    flat_minor: Option<i64>,
}

/// The least and the most that a plugin may propose.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeBandBody {
    /// Inclusive.
    least: FeeChargeBody,
    /// Inclusive.
    most: FeeChargeBody,
}

/// Amounts from `from` (inclusive) up to `below` (exclusive); one of `rate_ppm` and
/// `flat_minor` says what it charges.
#[derive(Serialize, ToSchema)]
pub(crate) struct TierBody {
    /// Inclusive, in minor units.
    from: i64,
    /// Exclusive, in minor units; none for the last.
    below: Option<i64>,
    /// A share of the amount, in parts per million.
    rate_ppm: Option<i64>,
    /// A flat amount in minor units.
    flat_minor: Option<i64>,
}

/// A receiver's share of a fee.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShareBody {
    /// `institution`, `platform`, `channel`, `developer` or `scene`.
    receiver: &'static str,
    /// How much of the fee, in parts per million.
    rate_ppm: i64,
}

impl From<&FeeSchedule> for FeeScheduleBody {
    fn from(schedule: &FeeSchedule) -> Self {
        Self {
            id: schedule.id.to_string(),
            version: schedule.version,
            effective_from: schedule.effective_from.to_string(),
            lines: schedule.lines.iter().map(FeeLineBody::from).collect(),
            accrued: schedule.accrued.iter().map(AccruedFeeBody::from).collect(),
        }
    }
}

impl From<&AccruedFee> for AccruedFeeBody {
    fn from(fee: &AccruedFee) -> Self {
        Self {
            code: fee.code.clone(),
            name: fee.name.clone(),
            rate_ppm: fee.rate.ppm(),
            shares: fee.shares.iter().map(ShareBody::from).collect(),
        }
    }
}

impl From<&FeeLine> for FeeLineBody {
    fn from(line: &FeeLine) -> Self {
        Self {
            code: line.code.clone(),
            name: line.name.clone(),
            applies_to: line.applies_to.name(),
            payer: payer_name(line.payer),
            form: FeeFormBody::from(&line.form),
            minimum: line.minimum,
            maximum: line.maximum,
            band: line.band.as_ref().map(FeeBandBody::from),
            monotone: line.monotone,
            rounding: match line.rounding {
                Rounding::HalfUp => "half_up",
                Rounding::HalfEven => "half_even",
                Rounding::Down => "down",
                Rounding::Up => "up",
            },
            shares: line.shares.iter().map(ShareBody::from).collect(),
        }
    }
}

/// The wire name of who pays a fee.
pub(crate) const fn payer_name(payer: Payer) -> &'static str {
    match payer {
        Payer::User => "user",
        Payer::UserInside => "user_inside",
        Payer::Institution => "institution",
    }
}

impl From<&FeeForm> for FeeFormBody {
    fn from(form: &FeeForm) -> Self {
        let wire = |tiers: &[Tier]| tiers.iter().map(TierBody::from).collect();
        match form {
            FeeForm::Flat(minor) => Self::Flat { minor: *minor },
            FeeForm::Percent(rate) => Self::Percent {
                rate_ppm: rate.ppm(),
            },
            FeeForm::Graduated(tiers) => Self::Graduated { tiers: wire(tiers) },
            FeeForm::Slab(tiers) => Self::Slab { tiers: wire(tiers) },
            FeeForm::BackLoad(tiers) => Self::BackLoad {
                tiers: tiers.iter().map(FeeAgeTierBody::from).collect(),
            },
            FeeForm::ByChannel(charges) => Self::ByChannel {
                channels: charges.iter().map(FeeChannelBody::from).collect(),
            },
        }
    }
}

impl From<&AgeTier> for FeeAgeTierBody {
    fn from(tier: &AgeTier) -> Self {
        Self {
            from_days: tier.from_days,
            below_days: tier.below_days,
            rate_ppm: tier.rate.ppm(),
        }
    }
}

impl From<&ChannelCharge> for FeeChannelBody {
    fn from(of: &ChannelCharge) -> Self {
        Self {
            channel: of.channel.to_string(),
            charge: of.charge.into(),
        }
    }
}

impl From<Charge> for FeeChargeBody {
    fn from(charge: Charge) -> Self {
        let (rate_ppm, flat_minor) = match charge {
            Charge::Rate(rate) => (Some(rate.ppm()), None),
            Charge::Flat(minor) => (None, Some(minor)),
        };
        Self {
            rate_ppm,
            flat_minor,
        }
    }
}

impl From<&Band> for FeeBandBody {
    fn from(band: &Band) -> Self {
        Self {
            least: band.least.into(),
            most: band.most.into(),
        }
    }
}

impl From<&Tier> for TierBody {
    fn from(tier: &Tier) -> Self {
        let FeeChargeBody {
            rate_ppm,
            flat_minor,
        } = tier.charge.into();
        Self {
            from: tier.from,
            below: tier.below,
            rate_ppm,
            flat_minor,
        }
    }
}

impl From<&Share> for ShareBody {
    fn from(share: &Share) -> Self {
        Self {
            receiver: share.receiver.name(),
            rate_ppm: share.rate.ppm(),
        }
    }
}
