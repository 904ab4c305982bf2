//! Lines to begin from.

use qiao_catalog::OrderKind;
use qiao_catalog::fee::{AgeTier, ChannelCharge, Charge, FeeForm, FeeLine, Payer, Receiver, Share};
use qiao_model::{Rate, Rounding};

/// A fee of payments, on top, all of it for the platform.
pub(crate) fn line(form: FeeForm) -> FeeLine {
    FeeLine {
        code: "fee".to_owned(),
        name: "Fee".to_owned(),
        applies_to: OrderKind::Pay,
        payer: Payer::User,
        form,
        minimum: None,
        maximum: None,
        band: None,
        monotone: false,
        rounding: Rounding::HalfUp,
        shares: vec![Share {
            receiver: Receiver::Platform,
            rate: Rate::ONE,
        }],
    }
}

pub(crate) fn percent(ppm: i64) -> FeeLine {
    line(FeeForm::Percent(Rate::from_ppm(ppm)))
}

/// A back load: days from and below, and the rate in parts per million.
pub(crate) fn back_load(tiers: &[(u32, Option<u32>, i64)]) -> FeeLine {
    let tier = |(from_days, below_days, ppm): &(u32, Option<u32>, i64)| AgeTier {
        from_days: *from_days,
        below_days: *below_days,
        rate: Rate::from_ppm(*ppm),
    };
    FeeLine {
        applies_to: OrderKind::Redeem,
        payer: Payer::UserInside,
        ..line(FeeForm::BackLoad(tiers.iter().map(tier).collect()))
    }
}

pub(crate) fn by_channel(charges: &[(&str, Charge)]) -> FeeLine {
    let charge = |(code, charge): &(&str, Charge)| ChannelCharge {
        channel: code.parse().unwrap(),
        charge: *charge,
    };
    line(FeeForm::ByChannel(charges.iter().map(charge).collect()))
}

pub(crate) fn rate(ppm: i64) -> Charge {
    Charge::Rate(Rate::from_ppm(ppm))
}
