//! What an order moves: the rules of principal, fees, splits and units. Pure.

use std::borrow::Cow;

use qiao_catalog::fee::ChargedLine;
use qiao_catalog::{OrderKind, Payer, Receiver};
use qiao_model::{AmountError, Channel, InstitutionId, Money, ProductId, Rounding, UserId};
use qiao_payments::{Party, Split};

/// Hundredths of a unit in a unit.
const UNIT_MINOR: i128 = 100;
/// `unit_price_e4` counts 1/10000 of the currency's main unit.
const PRICE_SCALE: i128 = 10_000;

/// Who stands behind the receivers of an order's fees, beside institution and platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parties {
    /// The bank channel that it is paid through; none when it is paid from the balance.
    pub channel: Option<Channel>,
    /// Who developed the plugin; none where its institution did.
    pub developer: Option<InstitutionId>,
    /// Through whose door the person came; none where it was the institution's own.
    pub scene: Option<InstitutionId>,
}

impl Parties {
    /// Whom a receiver's share goes to. Total: without a channel or a scene it goes
    /// to the platform, without a developer to the institution.
    #[must_use]
    pub fn of(&self, receiver: Receiver, institution: InstitutionId) -> Party {
        match receiver {
            Receiver::Institution => Party::Revenue(institution),
            Receiver::Platform => Party::Platform,
            Receiver::Channel => self.channel.map_or(Party::Platform, Party::Channel),
            Receiver::Developer => Party::Revenue(self.developer.unwrap_or(institution)),
            Receiver::Scene => self.scene.map_or(Party::Platform, Party::Revenue),
        }
    }
}

/// What a plan follows from.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// What the order does.
    pub kind: OrderKind,
    /// Who orders.
    pub user: UserId,
    /// Who sells.
    pub institution: InstitutionId,
    /// What.
    pub product: ProductId,
    /// The price of the thing itself, as the plugin quoted it.
    pub principal: Money,
    /// The fees, as the host computed them.
    pub lines: &'a [ChargedLine],
    /// Who gets them.
    pub parties: Parties,
    /// The price of a unit; none for products that are not held in units.
    pub unit_price_e4: Option<i64>,
    /// For a redemption: units to give back.
    pub units_minor: Option<i64>,
}

/// What an order moves once it is posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the user pays in all; for a redemption, what the user receives.
    pub amount: Money,
    /// Who pays.
    pub payer: Party,
    /// What the payer pays: the sum of the splits.
    pub paid: Money,
    /// Who receives how much.
    pub splits: Vec<Split>,
    /// Units that the user buys or gives back, in hundredths.
    pub units_minor: Option<i64>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The schedule does not charge the principal.
    #[error(transparent)]
    Fees(#[from] qiao_catalog::fee::FeeError),
    /// The principal is not positive.
    #[error("the principal {0} is not positive")]
    Principal(Money),
    /// A fee is negative or in another currency.
    #[error("the fee `{0}` is not an amount of the principal's currency")]
    Fee(String),
    /// The shares of a fee are not the fee.
    #[error("the shares of the fee `{0}` do not sum to it")]
    Shares(String),
    /// The fees leave nothing.
    #[error("the fees are not less than the principal {0}")]
    FeesExceedPrincipal(Money),
    /// The unit price is missing, not positive, or given for a product without units.
    #[error("the unit price does not fit the order")]
    UnitPrice,
    /// Too little for a hundredth of a unit.
    #[error("the amount buys less than a hundredth of a unit")]
    NoUnits,
    /// The principal of a redemption is not units times price.
    #[error("{units_minor} hundredths of a unit are not worth {principal}")]
    Worth {
        /// Hundredths of a unit.
        units_minor: i64,
        /// What the plugin says they are worth.
        principal: Money,
    },
    /// The figures of the quote do not follow from one another.
    #[error("the figures of the quote contradict each other")]
    Inconsistent,
    /// More than 64 bits.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

/// The fees of an order by who pays them.
#[derive(Default)]
struct Totals {
    on_top: i64,
    inside: i64,
    from_institution: i64,
}

impl Plan {
    /// Computes what an order moves.
    ///
    /// A purchase and a payment: the user pays the principal and the fees on top;
    /// fees inside come out of the principal and the rest buys the units, rounded
    /// down. A redemption: the institution pays the units' worth, and the user's
    /// fees come out of it. The institution's own fees come out of what it
    /// receives, or beside what it pays.
    ///
    /// # Errors
    /// [`PlanError`] names the figure that does not fit.
    ///
    /// # Panics
    /// The splits do not sum to what is paid: a bug of this room.
    pub fn new(terms: &Terms<'_>) -> Result<Self, PlanError> {
        let money = |minor| Money::new(minor, terms.principal.currency);
        let principal = terms.principal.minor;
        if principal <= 0 {
            return Err(PlanError::Principal(terms.principal));
        }
        let fees = totals(terms)?;
        let excess = || PlanError::FeesExceedPrincipal(terms.principal);
        let (payer, amount, paid, units_minor, first) = match terms.kind {
            OrderKind::Purchase | OrderKind::Pay => {
                let amount = add(principal, fees.on_top)?;
                let net = positive(sub(principal, fees.inside)?).ok_or_else(excess)?;
                let received = sub(net, fees.from_institution)?;
                if received < 0 {
                    return Err(excess());
                }
                let units = bought(terms, net)?;
                let institution = Party::Institution(terms.institution);
                (
                    Party::User(terms.user),
                    amount,
                    amount,
                    units,
                    (institution, received, "principal"),
                )
            }
            OrderKind::Redeem => {
                let units = given_back(terms)?;
                let own = add(fees.on_top, fees.inside)?;
                let proceeds = positive(sub(principal, own)?).ok_or_else(excess)?;
                let paid = add(principal, fees.from_institution)?;
                (
                    Party::Institution(terms.institution),
                    proceeds,
                    paid,
                    Some(units),
                    (Party::User(terms.user), proceeds, "proceeds"),
                )
            }
        };
        let (receiver, minor, purpose) = first;
        let mut splits = vec![Split {
            receiver,
            amount: money(minor),
            purpose: Cow::Borrowed(purpose),
        }];
        splits.extend(fee_splits(terms));
        splits.retain(|split| split.amount.minor > 0);
        let sum: i128 = splits.iter().map(|s| i128::from(s.amount.minor)).sum();
        assert_eq!(
            sum,
            i128::from(paid),
            "the splits sum to what the payer pays"
        );
        Ok(Self {
            amount: money(amount),
            payer,
            paid: money(paid),
            splits,
            units_minor,
        })
    }
}

fn totals(terms: &Terms<'_>) -> Result<Totals, PlanError> {
    let mut totals = Totals::default();
    for line in terms.lines {
        let fits = |m: Money| m.minor >= 0 && m.currency == terms.principal.currency;
        if !fits(line.amount) || !line.shares.iter().all(|(_, share)| fits(*share)) {
            return Err(PlanError::Fee(line.code.clone()));
        }
        let shared: i128 = line.shares.iter().map(|(_, s)| i128::from(s.minor)).sum();
        if shared != i128::from(line.amount.minor) {
            return Err(PlanError::Shares(line.code.clone()));
        }
        let total = match line.payer {
            Payer::User => &mut totals.on_top,
            Payer::UserInside => &mut totals.inside,
            Payer::Institution => &mut totals.from_institution,
        };
        *total = add(*total, line.amount.minor)?;
    }
    Ok(totals)
}

/// One split for each share of each fee, named after the fee.
fn fee_splits<'a>(terms: &'a Terms<'_>) -> impl Iterator<Item = Split> + 'a {
    terms.lines.iter().flat_map(|line| {
        line.shares.iter().map(|(receiver, share)| Split {
            receiver: terms.parties.of(*receiver, terms.institution),
            amount: *share,
            purpose: Cow::Owned(line.code.clone()),
        })
    })
}

/// Units that the net amount buys, rounded down; none for a product without units.
fn bought(terms: &Terms<'_>, net_minor: i64) -> Result<Option<i64>, PlanError> {
    let Some(price) = terms.unit_price_e4 else {
        return Ok(None);
    };
    if price <= 0 || terms.kind != OrderKind::Purchase {
        return Err(PlanError::UnitPrice);
    }
    let numerator = i128::from(net_minor)
        .checked_mul(UNIT_MINOR * PRICE_SCALE)
        .ok_or(AmountError::Overflow)?;
    let units = Rounding::Down.divide(numerator, i128::from(price) * minor_of_main(terms))?;
    positive(units).map(Some).ok_or(PlanError::NoUnits)
}

/// The units of a redemption, if the principal is what they are worth: within
/// one minor unit, since the plugin chooses how it rounds.
fn given_back(terms: &Terms<'_>) -> Result<i64, PlanError> {
    let price = terms.unit_price_e4.and_then(positive);
    let price = price.ok_or(PlanError::UnitPrice)?;
    let units = terms.units_minor.and_then(positive);
    let units_minor = units.ok_or(PlanError::NoUnits)?;
    let scale = UNIT_MINOR * PRICE_SCALE;
    let exact = i128::from(units_minor) * i128::from(price);
    let exact = exact
        .checked_mul(minor_of_main(terms))
        .ok_or(AmountError::Overflow)?;
    let quoted = i128::from(terms.principal.minor) * scale;
    if (quoted - exact).abs() >= scale {
        return Err(PlanError::Worth {
            units_minor,
            principal: terms.principal,
        });
    }
    Ok(units_minor)
}

/// Minor units in a main unit of the principal's currency.
fn minor_of_main(terms: &Terms<'_>) -> i128 {
    10_i128.pow(terms.principal.currency.exponent())
}

fn add(a: i64, b: i64) -> Result<i64, PlanError> {
    Ok(a.checked_add(b).ok_or(AmountError::Overflow)?)
}

fn sub(a: i64, b: i64) -> Result<i64, PlanError> {
    Ok(a.checked_sub(b).ok_or(AmountError::Overflow)?)
}

fn positive(minor: i64) -> Option<i64> {
    (minor > 0).then_some(minor)
}

#[cfg(test)]
mod tests;
