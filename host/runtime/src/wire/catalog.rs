use qiao_catalog::{
    Capture, Charge, FeeForm, FeeLine, NewProduct, Payer, Price, Receiver, Redemption, Share, Tier,
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
        },
        minimum: maybe_minor_in(line.minimum_minor, at("minimum-minor"))?,
        maximum: maybe_minor_in(line.maximum_minor, at("maximum-minor"))?,
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
            charge: match tier.charge {
                wit::Charge::Rate(ppm) => Charge::Rate(Rate::from_ppm(ppm.into())),
                wit::Charge::Flat(minor) => Charge::Flat(minor_in(minor, at("charge"))?),
            },
        })
    };
    tiers.into_iter().enumerate().map(tier).collect()
}

fn share_in(share: wit::Share) -> Share {
    Share {
        receiver: match share.receiver {
            wit::Receiver::Institution => Receiver::Institution,
            wit::Receiver::Platform => Receiver::Platform,
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
