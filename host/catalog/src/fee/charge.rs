use qiao_model::{AmountError, Money, Rate, Rounding, split_by_largest_remainder};

use super::age::{AgeTier, Aged};
use super::basis::Basis;
use super::line::{Charge, FeeForm, FeeLine, Payer, Receiver, Tier};
use super::proposal::{check_proposals, proposed};
use crate::order_kind::OrderKind;

/// What an order costs by its schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fees {
    /// What the fees were computed of.
    pub principal: Money,
    /// Every line that applies, in the schedule's order; also one that comes to nothing.
    pub lines: Vec<ChargedLine>,
}

/// One line as it was charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargedLine {
    /// The schedule's key of the line.
    pub code: String,
    /// What the user reads.
    pub name: String,
    /// Who pays it.
    pub payer: Payer,
    /// How much.
    pub amount: Money,
    /// Who gets how much of it; sums to the amount.
    pub shares: Vec<(Receiver, Money)>,
}

/// Why there is no charge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeeError {
    /// Fees are of an amount above zero.
    #[error("fees are of an amount above zero, not of {0}")]
    NotPositive(Money),
    /// All lines together are more than the amount that they are of.
    #[error("the fees are {minor} minor units, more than the amount of {principal}")]
    AboveAmount {
        /// All lines together; more than 64 bits are possible.
        minor: i128,
        /// What they are of.
        principal: Money,
    },
    /// The plugin proposes a fee outside the band that its schedule declares.
    #[error("the fee `{code}` is proposed at {proposed}, outside its band of {least} to {most}")]
    OutsideBand {
        /// The line.
        code: String,
        /// What the plugin proposes.
        proposed: Money,
        /// The smallest fee of the band, of this principal.
        least: Money,
        /// The largest.
        most: Money,
    },
    /// The plugin proposes a fee where no line of this order declares a band, or
    /// proposes it twice.
    #[error("the fee `{0}` cannot be proposed")]
    NotProposable(String),
    /// A back load is of units by age, and the order has none.
    #[error("the fee `{0}` is by holding days, and the order has no lots")]
    NoLots(String),
    /// The lines were never checked: [`super::check`] refuses what leads here.
    #[error("line `{code}` does not charge {principal}")]
    Unchecked {
        /// The line.
        code: String,
        /// The amount.
        principal: Money,
    },
}

impl Fees {
    /// What the user pays beside the principal.
    #[must_use]
    pub fn on_top(&self) -> Money {
        self.paid_by(Payer::User)
    }

    /// What comes out of the principal.
    #[must_use]
    pub fn inside(&self) -> Money {
        self.paid_by(Payer::UserInside)
    }

    /// What the institution pays out of what it receives.
    #[must_use]
    pub fn from_institution(&self) -> Money {
        self.paid_by(Payer::Institution)
    }

    /// All lines together.
    #[must_use]
    pub fn total(&self) -> Money {
        self.sum(|_| true)
    }

    /// What a receiver gets of all lines together.
    #[must_use]
    pub fn to(&self, receiver: Receiver) -> Money {
        let shares = self.lines.iter().flat_map(|line| &line.shares);
        let minor = shares
            .filter(|(to, _)| *to == receiver)
            .map(|(_, share)| share.minor)
            .sum();
        Money::new(minor, self.principal.currency)
    }

    fn paid_by(&self, payer: Payer) -> Money {
        self.sum(|line| line.payer == payer)
    }

    /// The lines together are at most the principal, so no sum overflows.
    fn sum(&self, keep: impl Fn(&ChargedLine) -> bool) -> Money {
        let lines = self.lines.iter().filter(|line| keep(line));
        let minor = lines.map(|line| line.amount.minor).sum();
        Money::new(minor, self.principal.currency)
    }
}

/// Computes the fees of an order: every line that applies to it, of the
/// principal. Amounts of the lines are in minor units of the principal's currency.
///
/// # Errors
/// The principal is not above zero, the lines together are more than it, a
/// proposal is outside its band or has none, a back load finds no lots, or the
/// lines were never checked.
pub fn charge(lines: &[FeeLine], basis: &Basis<'_>) -> Result<Fees, FeeError> {
    let principal = basis.principal;
    if principal.minor <= 0 {
        return Err(FeeError::NotPositive(principal));
    }
    let applying: Vec<&FeeLine> = lines.iter().filter(|line| applies(line, basis)).collect();
    check_proposals(&applying, basis.proposals)?;
    let charged = applying
        .into_iter()
        .map(|line| charge_line(line, basis))
        .collect::<Result<Vec<_>, _>>()?;
    let minor: i128 = charged
        .iter()
        .map(|line| i128::from(line.amount.minor))
        .sum();
    if minor > i128::from(principal.minor) {
        return Err(FeeError::AboveAmount { minor, principal });
    }
    Ok(Fees {
        principal,
        lines: charged,
    })
}

fn applies(line: &FeeLine, basis: &Basis<'_>) -> bool {
    line.applies_to == basis.kind
        && match &line.form {
            FeeForm::ByChannel(charges) => charges
                .iter()
                .any(|charge| Some(charge.channel) == basis.channel),
            FeeForm::Flat(_)
            | FeeForm::Percent(_)
            | FeeForm::Graduated(_)
            | FeeForm::Slab(_)
            | FeeForm::BackLoad(_) => true,
        }
}

fn charge_line(line: &FeeLine, basis: &Basis<'_>) -> Result<ChargedLine, FeeError> {
    let principal = basis.principal;
    let unchecked = || FeeError::Unchecked {
        code: line.code.clone(),
        principal,
    };
    let proposal = basis.proposals.iter().find(|p| p.code == line.code);
    let fee = match (&line.form, proposal) {
        (_, Some(proposal)) => proposed(line, proposal.minor, principal)?,
        (FeeForm::BackLoad(_), None) if basis.ages.is_empty() => {
            return Err(FeeError::NoLots(line.code.clone()));
        }
        (form, None) => {
            let fee = match form {
                FeeForm::BackLoad(tiers) => {
                    back_load(tiers, basis.ages, principal.minor, line.rounding)
                }
                FeeForm::ByChannel(charges) => charges
                    .iter()
                    .find(|charge| Some(charge.channel) == basis.channel)
                    .and_then(|of| flat_or_share(line, of.charge, principal.minor)),
                FeeForm::Flat(_)
                | FeeForm::Percent(_)
                | FeeForm::Graduated(_)
                | FeeForm::Slab(_) => fee_of(line, principal.minor),
            };
            within_bounds(line, fee.ok_or_else(unchecked)?)
        }
    };
    let weights: Vec<i64> = line.shares.iter().map(|share| share.rate.ppm()).collect();
    let parts = split_by_largest_remainder(fee, &weights).map_err(|_| unchecked())?;
    let money = |minor| Money::new(minor, principal.currency);
    Ok(ChargedLine {
        code: line.code.clone(),
        name: line.name.clone(),
        payer: line.payer,
        amount: money(fee),
        shares: line
            .shares
            .iter()
            .zip(parts)
            .map(|(share, part)| (share.receiver, money(part)))
            .collect(),
    })
}

/// The fee of a line that follows from the amount alone, within the line's bounds.
pub(super) fn line_fee(line: &FeeLine, amount: i64) -> Option<i64> {
    Some(within_bounds(line, fee_of(line, amount)?))
}

fn within_bounds(line: &FeeLine, fee: i64) -> i64 {
    let fee = fee.max(line.minimum.unwrap_or(0));
    fee.min(line.maximum.unwrap_or(i64::MAX))
}

/// The fee before minimum and maximum; none where no tier holds the amount, and
/// for forms that need more than the amount.
fn fee_of(line: &FeeLine, amount: i64) -> Option<i64> {
    match &line.form {
        FeeForm::Flat(minor) => Some(*minor),
        FeeForm::Percent(rate) => share_of(line, *rate, amount).ok(),
        FeeForm::Graduated(tiers) => graduated(tiers, amount, line.rounding).ok(),
        FeeForm::Slab(tiers) => {
            let tier = tiers.iter().find(|tier| tier.holds(amount))?;
            flat_or_share(line, tier.charge, amount)
        }
        FeeForm::BackLoad(_) | FeeForm::ByChannel(_) => None,
    }
}

fn flat_or_share(line: &FeeLine, charge: Charge, amount: i64) -> Option<i64> {
    match charge {
        Charge::Flat(minor) => Some(minor),
        Charge::Rate(rate) => share_of(line, rate, amount).ok(),
    }
}

/// amount × Σ(units × rate of their age) / Σ(units), rounded once; none above 128
/// bits on the way.
fn back_load(tiers: &[AgeTier], ages: &[Aged], amount: i64, rounding: Rounding) -> Option<i64> {
    let mut units: i128 = 0;
    let mut weighted: i128 = 0;
    for aged in ages {
        let tier = tiers.iter().find(|tier| tier.holds(aged.days))?;
        units += i128::from(aged.units_minor);
        weighted += i128::from(aged.units_minor) * i128::from(tier.rate.ppm());
    }
    let numerator = i128::from(amount).checked_mul(weighted)?;
    let whole = i128::from(Rate::ONE.ppm());
    (units > 0)
        .then(|| rounding.divide(numerator, units * whole).ok())
        .flatten()
}

fn share_of(line: &FeeLine, rate: Rate, amount: i64) -> Result<i64, AmountError> {
    match (line.payer, line.applies_to) {
        (Payer::UserInside, OrderKind::Purchase | OrderKind::Pay) => {
            front_load(rate, amount, line.rounding)
        }
        (Payer::UserInside, OrderKind::Redeem) | (Payer::User | Payer::Institution, _) => {
            rate.of(amount, line.rounding)
        }
    }
}

/// net = amount / (1 + rate), fee = amount - net; the net amount is rounded.
fn front_load(rate: Rate, amount: i64, rounding: Rounding) -> Result<i64, AmountError> {
    let one = i128::from(Rate::ONE.ppm());
    let net = rounding.divide(i128::from(amount) * one, one + i128::from(rate.ppm()))?;
    amount.checked_sub(net).ok_or(AmountError::Overflow)
}

/// Each tier's rate of the part of the amount inside it, summed exactly and
/// rounded once.
fn graduated(tiers: &[Tier], amount: i64, rounding: Rounding) -> Result<i64, AmountError> {
    let mut millionths: i128 = 0;
    for tier in tiers {
        let top = tier.below.map_or(amount, |below| below.min(amount));
        let inside = i128::from(top) - i128::from(tier.from);
        if inside > 0 {
            let Charge::Rate(rate) = tier.charge else {
                return Err(AmountError::Overflow);
            };
            millionths += inside * i128::from(rate.ppm());
        }
    }
    rounding.divide(millionths, i128::from(Rate::ONE.ppm()))
}

impl Tier {
    fn holds(&self, amount: i64) -> bool {
        self.from <= amount && self.below.is_none_or(|below| amount < below)
    }
}
