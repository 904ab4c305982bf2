use qiao_model::{AmountError, Money, Rate, Rounding, split_by_largest_remainder};

use super::line::{Charge, FeeForm, FeeLine, Payer, Receiver, Tier};
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

/// Computes the fees of an order: every line of its kind, of the principal.
/// Amounts of the lines are in minor units of the principal's currency.
///
/// # Errors
/// The principal is not above zero, the lines together are more than it, or
/// the lines were never checked.
pub fn charge(lines: &[FeeLine], kind: OrderKind, principal: Money) -> Result<Fees, FeeError> {
    if principal.minor <= 0 {
        return Err(FeeError::NotPositive(principal));
    }
    let charged = lines
        .iter()
        .filter(|line| line.applies_to == kind)
        .map(|line| charge_line(line, principal))
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

fn charge_line(line: &FeeLine, principal: Money) -> Result<ChargedLine, FeeError> {
    let unchecked = || FeeError::Unchecked {
        code: line.code.clone(),
        principal,
    };
    let fee = fee_of(line, principal.minor).ok_or_else(unchecked)?;
    let fee = fee.max(line.minimum.unwrap_or(0));
    let fee = fee.min(line.maximum.unwrap_or(i64::MAX));
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

/// The fee before minimum and maximum; none where no tier holds the amount.
fn fee_of(line: &FeeLine, amount: i64) -> Option<i64> {
    let fee = match &line.form {
        FeeForm::Flat(minor) => Ok(*minor),
        FeeForm::Percent(rate) => share_of(line, *rate, amount),
        FeeForm::Graduated(tiers) => graduated(tiers, amount, line.rounding),
        FeeForm::Slab(tiers) => match tiers.iter().find(|tier| tier.holds(amount))?.charge {
            Charge::Flat(minor) => Ok(minor),
            Charge::Rate(rate) => share_of(line, rate, amount),
        },
    };
    fee.ok()
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
