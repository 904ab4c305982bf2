use qiao_catalog::{
    AccruedFee, AgeTier, Band, Capture, ChannelCharge, Charge, FeeForm, FeeLine, NewProduct, Payer,
    Price, Receiver, Redemption, Share, Tier,
};
use qiao_model::{Rate, Rounding};

use super::{day_in, order_kind_in};
use crate::bindings::v0_1_0::qiao::host::catalog as wit;
use crate::bindings::v0_1_0::qiao::host::types;

/// A product as the plugin registers it, or the refusal that it gets.
pub(crate) fn product_in(product: wit::Product) -> Result<NewProduct, wit::CatalogError> {
    let currency = product.currency.parse().map_err(|_| {
        wit::CatalogError::InvalidProduct(wit::Problem {
            at: "currency".to_owned(),
            cause: "this host keeps no books in that currency".to_owned(),
        })
    })?;
    let effective_from =
        match product.fees.effective_from {
            None => None,
            Some(date) => Some(day_in(date).ok_or_else(|| {
                fee_problem("fees.effective-from", "the calendar has no such day")
            })?),
        };
    let lines = product.fees.lines.into_iter().enumerate();
    Ok(NewProduct {
        code: product.code,
        name: product.name,
        summary: product.summary,
        currency,
        in_units: product.in_units,
        capture: match product.capture {
            wit::Capture::OnFulfilment => Capture::OnFulfilment,
            wit::Capture::BeforeFulfilment => Capture::BeforeFulfilment,
        },
        redemption: match product.redemption {
            wit::Redemption::Ordinary => Redemption::Ordinary,
            wit::Redemption::Instant => Redemption::Instant,
        },
        fees: lines.map(line_in).collect::<Result<_, _>>()?,
        accrued: product.fees.accrued.into_iter().map(accrued_in).collect(),
        effective_from,
    })
}

fn line_in((index, line): (usize, wit::FeeLine)) -> Result<FeeLine, wit::CatalogError> {
    let at = |field: &str| format!("fees.lines[{index}].{field}");
    Ok(FeeLine {
        code: line.code,
        name: line.name,
        applies_to: order_kind_in(line.applies_to),
        payer: match line.payer {
            wit::Payer::User => Payer::User,
            wit::Payer::UserInside => Payer::UserInside,
            wit::Payer::Institution => Payer::Institution,
        },
        form: match line.form {
            wit::FeeForm::Flat(minor) => FeeForm::Flat(minor_in(minor, at("form"))?),
            wit::FeeForm::Percent(ppm) => FeeForm::Percent(Rate::from_ppm(ppm.into())),
            wit::FeeForm::Graduated(tiers) => FeeForm::Graduated(tiers_in(tiers, &at("form"))?),
            wit::FeeForm::Slab(tiers) => FeeForm::Slab(tiers_in(tiers, &at("form"))?),
            wit::FeeForm::BackLoad(tiers) => {
                FeeForm::BackLoad(tiers.into_iter().map(age_tier_in).collect())
            }
            wit::FeeForm::ByChannel(charges) => {
                FeeForm::ByChannel(channels_in(charges, &at("form"))?)
            }
        },
        minimum: maybe_minor_in(line.minimum_minor, at("minimum-minor"))?,
        maximum: maybe_minor_in(line.maximum_minor, at("maximum-minor"))?,
        band: line
            .band
            .map(|band| band_in(band, &at("band")))
            .transpose()?,
        monotone: line.monotone,
        rounding: match line.rounding {
            wit::Rounding::HalfUp => Rounding::HalfUp,
            wit::Rounding::HalfEven => Rounding::HalfEven,
            wit::Rounding::Down => Rounding::Down,
            wit::Rounding::Up => Rounding::Up,
        },
        shares: line.shares.into_iter().map(share_in).collect(),
    })
}

fn tiers_in(tiers: Vec<wit::Tier>, at: &str) -> Result<Vec<Tier>, wit::CatalogError> {
    let tier = |(index, tier): (usize, wit::Tier)| {
        let at = |field: &str| format!("{at}.tiers[{index}].{field}");
        Ok(Tier {
            from: minor_in(tier.from_minor, at("from-minor"))?,
            below: maybe_minor_in(tier.below_minor, at("below-minor"))?,
            charge: charge_in(tier.charge, at("charge"))?,
        })
    };
    tiers.into_iter().enumerate().map(tier).collect()
}

fn age_tier_in(tier: wit::AgeTier) -> AgeTier {
    AgeTier {
        from_days: tier.from_days,
        below_days: tier.below_days,
        rate: Rate::from_ppm(tier.rate.into()),
    }
}

fn channels_in(
    charges: Vec<wit::ChannelCharge>,
    at: &str,
) -> Result<Vec<ChannelCharge>, wit::CatalogError> {
    let charge = |(index, of): (usize, wit::ChannelCharge)| {
        let at = |field: &str| format!("{at}.channels[{index}].{field}");
        let channel = of.channel.parse();
        Ok(ChannelCharge {
            channel: channel.map_err(|_| {
                let cause = "the code of a channel is 1 to 16 characters of a-z 0-9 -";
                fee_problem(at("channel"), cause)
            })?,
            charge: charge_in(of.charge, at("charge"))?,
        })
    };
    charges.into_iter().enumerate().map(charge).collect()
}

fn band_in(band: wit::Band, at: &str) -> Result<Band, wit::CatalogError> {
    Ok(Band {
        least: charge_in(band.least, format!("{at}.least"))?,
        most: charge_in(band.most, format!("{at}.most"))?,
    })
}

fn charge_in(charge: wit::Charge, at: String) -> Result<Charge, wit::CatalogError> {
    Ok(match charge {
        wit::Charge::Rate(ppm) => Charge::Rate(Rate::from_ppm(ppm.into())),
        wit::Charge::Flat(minor) => Charge::Flat(minor_in(minor, at)?),
    })
}

fn accrued_in(fee: wit::AccruedFee) -> AccruedFee {
    AccruedFee {
        code: fee.code,
        name: fee.name,
        rate: Rate::from_ppm(fee.rate.into()),
        shares: fee.shares.into_iter().map(share_in).collect(),
    }
}

fn share_in(share: wit::Share) -> Share {
    Share {
        receiver: match share.receiver {
            wit::Receiver::Institution => Receiver::Institution,
            wit::Receiver::Platform => Receiver::Platform,
            wit::Receiver::Channel => Receiver::Channel,
            wit::Receiver::Developer => Receiver::Developer,
            wit::Receiver::Scene => Receiver::Scene,
        },
        rate: Rate::from_ppm(share.share.into()),
    }
}

fn maybe_minor_in(minor: Option<u64>, at: String) -> Result<Option<i64>, wit::CatalogError> {
    minor.map(|minor| minor_in(minor, at)).transpose()
}

fn minor_in(minor: u64, at: String) -> Result<i64, wit::CatalogError> {
    i64::try_from(minor).map_err(|_| fee_problem(at, "the amount does not fit in 64 bits"))
}

fn fee_problem(at: impl Into<String>, cause: impl Into<String>) -> wit::CatalogError {
    wit::CatalogError::InvalidFeeSchedule(wit::Problem {
        at: at.into(),
        cause: cause.into(),
    })
}

/// A price as the plugin publishes it, or the refusal that it gets.
pub(crate) fn price_in(price: types::Price) -> Result<Price, wit::CatalogError> {
    let problem = |at: &str, cause: &str| {
        wit::CatalogError::InvalidPrice(wit::Problem {
            at: at.to_owned(),
            cause: cause.to_owned(),
        })
    };
    let fits = |figure: u64, at: &str| {
        i64::try_from(figure).map_err(|_| problem(at, "the figure does not fit in 64 bits"))
    };
    Ok(Price {
        day: day_in(price.day).ok_or_else(|| problem("day", "the calendar has no such day"))?,
        nav_e4: fits(price.nav_e4, "nav-e4")?,
        income_per_10k_e4: price
            .income_per_10k_e4
            .map(|income| fits(income, "income-per-10k-e4"))
            .transpose()?,
        yield_7d_ppm: price.yield_7d_ppm.map(i64::from),
    })
}
