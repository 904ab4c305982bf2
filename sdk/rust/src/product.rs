use crate::{
    AccruedFee, AgeTier, Band, Capture, ChannelCharge, Charge, Date, FeeForm, FeeLine, FeeSchedule,
    OrderKind, Payer, Product, Rate, Receiver, Redemption, Rounding, Share, Tier,
};

impl Product {
    /// A product in CNY that is consumed, captured on fulfilment and free of fees.
    #[must_use]
    pub fn new(code: &str, name: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            name: name.into(),
            summary: String::new(),
            currency: "CNY".to_owned(),
            in_units: false,
            capture: Capture::OnFulfilment,
            redemption: Redemption::Ordinary,
            fees: FeeSchedule {
                effective_from: None,
                lines: Vec::new(),
                accrued: Vec::new(),
            },
        }
    }

    /// One sentence about it.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// The currency of its prices.
    #[must_use]
    pub fn currency(mut self, currency: &str) -> Self {
        self.currency = currency.to_owned();
        self
    }

    /// It is held in units, as a fund is.
    #[must_use]
    pub fn in_units(mut self) -> Self {
        self.in_units = true;
        self
    }

    /// When the money of its orders is captured.
    #[must_use]
    pub fn capture(mut self, capture: Capture) -> Self {
        self.capture = capture;
        self
    }

    /// Its redemptions are paid at once, up to the daily limit.
    #[must_use]
    pub fn redeemed_instantly(mut self) -> Self {
        self.redemption = Redemption::Instant;
        self
    }

    /// The first day that the fees are in force; today when it is not said.
    #[must_use]
    pub fn fees_from(mut self, day: Date) -> Self {
        self.fees.effective_from = Some(day);
        self
    }

    /// Adds a fee.
    #[must_use]
    pub fn fee(mut self, line: FeeLine) -> Self {
        self.fees.lines.push(line);
        self
    }

    /// Adds a fee that accrues every day.
    #[must_use]
    pub fn accrues(mut self, fee: AccruedFee) -> Self {
        self.fees.accrued.push(fee);
        self
    }
}

impl AccruedFee {
    /// A yearly rate of the net asset value, shared by nobody until
    /// [`AccruedFee::share`] or [`AccruedFee::all_to`] says so.
    #[must_use]
    pub fn new(code: &str, name: impl Into<String>, rate: Rate) -> Self {
        Self {
            code: code.to_owned(),
            name: name.into(),
            rate: rate.as_ppm(),
            shares: Vec::new(),
        }
    }

    /// Gives a receiver a share; the host refuses a fee whose shares do not sum to 100 %.
    #[must_use]
    pub fn share(mut self, receiver: Receiver, share: Rate) -> Self {
        let share = share.as_ppm();
        self.shares.push(Share { receiver, share });
        self
    }

    /// Gives all of it to one receiver.
    #[must_use]
    pub fn all_to(self, receiver: Receiver) -> Self {
        self.share(receiver, Rate::WHOLE)
    }
}

impl FeeLine {
    /// A fee of any form: on payments, paid by the user, rounded half up, and shared
    /// by nobody until [`FeeLine::share`] or [`FeeLine::all_to`] says so.
    #[must_use]
    pub fn new(code: &str, name: impl Into<String>, form: FeeForm) -> Self {
        Self {
            code: code.to_owned(),
            name: name.into(),
            applies_to: OrderKind::Pay,
            payer: Payer::User,
            form,
            minimum_minor: None,
            maximum_minor: None,
            band: None,
            monotone: false,
            rounding: Rounding::HalfUp,
            shares: Vec::new(),
        }
    }

    /// The same amount for every order, in minor units.
    #[must_use]
    pub fn flat(code: &str, name: impl Into<String>, minor: u64) -> Self {
        Self::new(code, name, FeeForm::Flat(minor))
    }

    /// A share of the amount.
    #[must_use]
    pub fn percent(code: &str, name: impl Into<String>, rate: Rate) -> Self {
        Self::new(code, name, FeeForm::Percent(rate.as_ppm()))
    }

    /// A front load: the tier of the whole amount decides, net = amount / (1 + rate) and
    /// fee = amount - net, out of what the user pays for a purchase.
    #[must_use]
    pub fn front_load(code: &str, name: impl Into<String>, tiers: Vec<Tier>) -> Self {
        Self::new(code, name, FeeForm::Slab(tiers))
            .applies_to(OrderKind::Purchase)
            .payer(Payer::UserInside)
    }

    /// A back load: first in, first out, the proceeds of units of an age are charged
    /// that age's rate, out of what the user receives for a redemption.
    #[must_use]
    pub fn back_load(code: &str, name: impl Into<String>, tiers: Vec<AgeTier>) -> Self {
        Self::new(code, name, FeeForm::BackLoad(tiers))
            .applies_to(OrderKind::Redeem)
            .payer(Payer::UserInside)
    }

    /// A surcharge of orders that are paid through one of these bank channels.
    #[must_use]
    pub fn by_channel(code: &str, name: impl Into<String>, charges: Vec<ChannelCharge>) -> Self {
        Self::new(code, name, FeeForm::ByChannel(charges))
    }

    /// The kind of order that it applies to.
    #[must_use]
    pub fn applies_to(mut self, kind: OrderKind) -> Self {
        self.applies_to = kind;
        self
    }

    /// Who pays it.
    #[must_use]
    pub fn payer(mut self, payer: Payer) -> Self {
        self.payer = payer;
        self
    }

    /// At least this much, in minor units.
    #[must_use]
    pub fn minimum(mut self, minor: u64) -> Self {
        self.minimum_minor = Some(minor);
        self
    }

    /// At most this much, in minor units.
    #[must_use]
    pub fn maximum(mut self, minor: u64) -> Self {
        self.maximum_minor = Some(minor);
        self
    }

    /// Lets `quote` propose a fee between two rates of the principal.
    #[must_use]
    pub fn band(mut self, least: Rate, most: Rate) -> Self {
        self.band = Some(Band {
            least: Charge::Rate(least.as_ppm()),
            most: Charge::Rate(most.as_ppm()),
        });
        self
    }

    /// Lets `quote` propose a fee between two amounts in minor units.
    #[must_use]
    pub fn flat_band(mut self, least: u64, most: u64) -> Self {
        self.band = Some(Band {
            least: Charge::Flat(least),
            most: Charge::Flat(most),
        });
        self
    }

    /// Declares that the fee never falls when the amount grows; the host refuses a
    /// schedule where it does.
    #[must_use]
    pub fn monotone(mut self) -> Self {
        self.monotone = true;
        self
    }

    /// How a fraction of a minor unit is rounded.
    #[must_use]
    pub fn rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = rounding;
        self
    }

    /// Gives a receiver a share; the host refuses a line whose shares do not sum to 100 %.
    #[must_use]
    pub fn share(mut self, receiver: Receiver, share: Rate) -> Self {
        self.shares.push(Share {
            receiver,
            share: share.as_ppm(),
        });
        self
    }

    /// Gives all of it to one receiver.
    #[must_use]
    pub fn all_to(self, receiver: Receiver) -> Self {
        self.share(receiver, Rate::WHOLE)
    }
}

impl Tier {
    /// A tier that charges a share, from `from_minor` up to but not including `below_minor`.
    #[must_use]
    pub fn rate(from_minor: u64, below_minor: Option<u64>, rate: Rate) -> Self {
        Self {
            from_minor,
            below_minor,
            charge: Charge::Rate(rate.as_ppm()),
        }
    }

    /// A tier that charges a flat amount in minor units.
    #[must_use]
    pub fn flat(from_minor: u64, below_minor: Option<u64>, minor: u64) -> Self {
        Self {
            from_minor,
            below_minor,
            charge: Charge::Flat(minor),
        }
    }
}

impl AgeTier {
    /// Units held from `from_days` up to but not including `below_days`.
    #[must_use]
    pub fn new(from_days: u32, below_days: Option<u32>, rate: Rate) -> Self {
        Self {
            from_days,
            below_days,
            rate: rate.as_ppm(),
        }
    }
}

impl ChannelCharge {
    /// A share of what is paid through the channel.
    #[must_use]
    pub fn rate(channel: &str, rate: Rate) -> Self {
        Self {
            channel: channel.to_owned(),
            charge: Charge::Rate(rate.as_ppm()),
        }
    }

    /// A flat amount in minor units.
    #[must_use]
    pub fn flat(channel: &str, minor: u64) -> Self {
        Self {
            channel: channel.to_owned(),
            charge: Charge::Flat(minor),
        }
    }
}
