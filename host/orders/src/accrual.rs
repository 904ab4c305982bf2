use std::borrow::Cow;
use std::collections::HashMap;

use qiao_auth::Permit;
use qiao_catalog::fee::{self, AccruedFee, NetAssetValue};
use qiao_catalog::{FeeSchedule, Price, Product};
use qiao_model::{
    Day, InstitutionId, Money, PaymentId, ProductId, Scope, split_by_largest_remainder,
};
use qiao_payments::{Command, Keyed, Method, NewPayment, Party, Refusal, Split};

use crate::crash::CrashPoint;
use crate::error::Error;
use crate::failures::Failures;
use crate::orders::Orders;
use crate::plan::Parties;
use crate::store::accrual as store;

/// Of a product's prices, so many of the newest are looked at.
const ACCRUAL_DAYS_MAX: usize = 62;

/// What a call of [`Orders::accrue_fees`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccruedFees {
    /// Price days of products whose fees are paid now.
    pub days: usize,
    /// What they came to, in minor units.
    pub minor: i64,
    /// Price days that stay due: the settlement account had too little. The next
    /// call tries again.
    pub due: usize,
}

/// A published day that is not accrued yet, with the days that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DueDay {
    price: Price,
    days: u32,
}

/// A published day whose accrued fees are not paid: the institution's settlement
/// account has too little, or the worker has not come to it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpaidDay {
    /// Whose settlement account pays.
    pub institution: InstitutionId,
    /// Of which product.
    pub product: ProductId,
    /// What people read.
    pub name: String,
    /// The price day.
    pub day: Day,
    /// The days that it stands for.
    pub days: u32,
}

enum Step {
    Paid(i64),
    Short,
    /// Another node accrued the day in between.
    Overtaken,
}

impl Orders {
    /// Worker step: has every product pay the accrued fees of each published day
    /// that is not accrued yet, the oldest first, from its institution's
    /// settlement account. A day stands for the days since the price day before
    /// it, so that weekends are paid with the next price; its value is the units
    /// in circulation when the day ended, at the day's price.
    ///
    /// One payment a day, whose id follows from product and day, in the
    /// transaction that notes the day: after a crash it goes on, and no day is
    /// paid twice. Fractions below a minor unit are carried to the next day.
    ///
    /// # Errors
    /// The database failed, or a test made the host stop; the rest follows at
    /// the next call. What fails for one product keeps no other waiting.
    pub async fn accrue_fees(&self) -> Result<AccruedFees, Error> {
        let mut accrued = AccruedFees::default();
        let mut failures = Failures::default();
        for product in self.inner().catalog.products_in_units().await? {
            let paid = self.accrue_product(&product, &mut accrued).await;
            failures.note(&product, paid)?;
        }
        failures.first_or(accrued)
    }

    /// The days of every product whose accrued fees are due, the oldest first of
    /// each: they stay so until the settlement account pays. Scope `operate`.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn unpaid_days(&self, permit: &Permit) -> Result<Vec<UnpaidDay>, Error> {
        permit.covers(Scope::Operate)?;
        let mut unpaid = Vec::new();
        for product in self.inner().catalog.products_in_units().await? {
            if !self.accrues(&product).await? {
                continue;
            }
            unpaid.extend(
                self.due_days_of(&product)
                    .await?
                    .iter()
                    .map(|due| UnpaidDay {
                        institution: product.institution,
                        product: product.id,
                        name: product.name.clone(),
                        day: due.price.day,
                        days: due.days,
                    }),
            );
        }
        Ok(unpaid)
    }

    async fn due_days_of(&self, product: &Product) -> Result<Vec<DueDay>, Error> {
        let inner = self.inner();
        let prices = inner.catalog.prices(product.id, ACCRUAL_DAYS_MAX).await?;
        let last = store::last_day(&inner.db, product.id).await?;
        Ok(due_days(prices, last))
    }

    /// Whether the product accrues fees by the version that is in force today.
    async fn accrues(&self, product: &Product) -> Result<bool, Error> {
        let inner = self.inner();
        match inner.catalog.schedule(product.id, inner.env.today()).await {
            Ok(schedule) => Ok(!schedule.accrued.is_empty()),
            Err(qiao_catalog::Error::NoSchedule { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn accrue_product(
        &self,
        product: &Product,
        accrued: &mut AccruedFees,
    ) -> Result<(), Error> {
        if !self.accrues(product).await? {
            return Ok(());
        }
        let inner = self.inner();
        let due = self.due_days_of(product).await?;
        for (index, day) in due.iter().enumerate() {
            match self.accrue_fees_of(product, day).await? {
                Step::Overtaken => {}
                Step::Paid(minor) => {
                    accrued.days += 1;
                    accrued.minor = accrued.minor.saturating_add(minor);
                    inner.crash.at(CrashPoint::AfterAccruedDay)?;
                }
                Step::Short => {
                    let day = day.price.day;
                    tracing::warn!(product.id = %product.id, %day, "the settlement account has too little for the accrued fees of a day");
                    accrued.due += due.len() - index;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn accrue_fees_of(&self, product: &Product, due: &DueDay) -> Result<Step, Error> {
        let inner = self.inner();
        let day = due.price.day;
        let schedule = match inner.catalog.schedule(product.id, day).await {
            Ok(schedule) => schedule,
            // Its first price is older than its fees.
            Err(qiao_catalog::Error::NoSchedule { .. }) => return Ok(Step::Overtaken),
            Err(error) => return Err(error.into()),
        };
        let serving = inner.plugins.serving(product.plugin).await?;
        let parties = Parties {
            developer: serving.and_then(|serving| serving.developer),
            ..Parties::default()
        };
        let value = NetAssetValue {
            units_minor: self.circulation_of(product, day).await?,
            nav_e4: due.price.nav_e4,
            currency: product.currency,
        };
        let store = || self.store_accrued(product, due, &schedule, value, parties);
        inner.db.write(store).await
    }

    /// The units in circulation when a day ended, whatever happened since: what was
    /// sold by then, and the income of the days before. A day's income is part of
    /// the fund from the next day on, whenever it is credited.
    async fn circulation_of(&self, product: &Product, day: Day) -> Result<i64, Error> {
        let end = day.plus_days(1).start();
        let mut tx = self.inner().db.begin_snapshot().await?;
        let issued = qiao_payments::income::issued_before(&mut tx, product.id, end).await?;
        let credited = crate::store::income::credited_before(&mut tx, product.id, day).await?;
        tx.commit().await?;
        Ok(issued.saturating_add(credited))
    }

    async fn store_accrued(
        &self,
        product: &Product,
        due: &DueDay,
        schedule: &FeeSchedule,
        value: NetAssetValue,
        parties: Parties,
    ) -> Result<Step, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        let day = due.price.day;
        let mut tx = inner.db.begin().await?;
        let carried = store::carried(&mut tx, product.id, day).await?;
        let fees = accrue_each(&schedule.accrued, value, due.days, &carried)?;
        let payment = payment_of(product, day, &fees, parties)?;
        let row = store::NewAccruedDay {
            product: product.id,
            day,
            days: due.days,
            value,
            schedule_version: schedule.version,
            payment: payment.as_ref().map(|payment| payment.id),
        };
        if !store::insert_day(&mut tx, &row, now).await? {
            tx.rollback().await?;
            return Ok(Step::Overtaken);
        }
        let paid = payment.as_ref().map_or(0, |payment| payment.amount.minor);
        if let Some(payment) = payment {
            let command = Keyed::from(Command::Pay(payment));
            let mut books = qiao_payments::batch::load(&mut tx, &[&command]).await?;
            match qiao_payments::batch::decide(&mut books, &command, now) {
                Ok(_) => qiao_payments::batch::store(books, &mut tx, now).await?,
                Err(Refusal::InsufficientFunds { .. }) => {
                    tx.rollback().await?;
                    return Ok(Step::Short);
                }
                Err(refusal) => return Err(Error::Payment(refusal)),
            }
        }
        store::insert_fees(&mut tx, product.id, day, &fees).await?;
        tx.commit().await?;
        Ok(Step::Paid(paid))
    }
}

/// What a fee of a day came to.
#[derive(Clone, Debug)]
pub(crate) struct DayFee<'a> {
    pub(crate) fee: &'a AccruedFee,
    pub(crate) accrual: fee::Accrual,
}

/// The published days after the last accrued one, the oldest first, each with
/// the days since the price day before it.
fn due_days(mut prices: Vec<Price>, last: Option<Day>) -> Vec<DueDay> {
    prices.sort_unstable_by_key(|price| price.day);
    let mut before: Option<Day> = None;
    let mut due = Vec::new();
    for price in prices {
        let since = before.max(last.filter(|last| *last < price.day));
        let days = since.map_or(1, |since| price.day.days_since(since));
        if last.is_none_or(|last| price.day > last) {
            due.push(DueDay {
                price,
                days: u32::try_from(days).unwrap_or(1),
            });
        }
        before = Some(price.day);
    }
    due
}

fn accrue_each<'a>(
    fees: &'a [AccruedFee],
    value: NetAssetValue,
    days: u32,
    carried: &HashMap<String, i64>,
) -> Result<Vec<DayFee<'a>>, Error> {
    let accrued = fees.iter().map(|fee| {
        let before = carried.get(&fee.code).copied().unwrap_or(0);
        let accrual = fee::accrue(fee.rate, value, days, before);
        let accrual = accrual.ok_or_else(|| Error::AccrualTooLarge(fee.code.clone()))?;
        Ok(DayFee { fee, accrual })
    });
    accrued.collect()
}

/// The payment of a day's fees; none when they come to nothing yet.
fn payment_of(
    product: &Product,
    day: Day,
    fees: &[DayFee<'_>],
    parties: Parties,
) -> Result<Option<NewPayment>, Error> {
    let money = |minor| Money::new(minor, product.currency);
    let mut splits = Vec::new();
    for DayFee { fee, accrual } in fees {
        let weights: Vec<i64> = fee.shares.iter().map(|share| share.rate.ppm()).collect();
        let parts = split_by_largest_remainder(accrual.minor, &weights)
            .map_err(|_| Error::AccrualTooLarge(fee.code.clone()))?;
        let split = |(share, minor): (&fee::Share, i64)| Split {
            receiver: parties.of(share.receiver, product.institution),
            amount: money(minor),
            purpose: Cow::Owned(fee.code.clone()),
        };
        let parts = fee.shares.iter().zip(parts).filter(|(_, minor)| *minor > 0);
        splits.extend(parts.map(split));
    }
    let sum = splits
        .iter()
        .map(|split| i128::from(split.amount.minor))
        .sum::<i128>();
    if sum == 0 {
        return Ok(None);
    }
    let too_large = |_| Error::AccrualTooLarge(product.code.clone());
    Ok(Some(NewPayment {
        id: payment_id(product, day),
        order: None,
        institution: Some(product.institution),
        payer: Party::Institution(product.institution),
        method: Method::Balance,
        amount: money(i64::try_from(sum).map_err(too_large)?),
        splits,
        deliveries: Vec::new(),
        description: format!("accrued fees of {} for {day}", product.code),
        expires_at: None,
    }))
}

fn payment_id(product: &Product, day: Day) -> PaymentId {
    let (year, month, of_month) = day.parts();
    let number = i64::from(year) * 10_000 + i64::from(month) * 100 + i64::from(of_month);
    product.id.derive("accrued fees", number.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(day: i8) -> Price {
        Price {
            day: Day::new(2026, 11, day).unwrap(),
            nav_e4: 10_000,
            income_per_10k_e4: None,
            yield_7d_ppm: None,
        }
    }

    fn due(days: &[i8], last: Option<i8>) -> Vec<(i8, u32)> {
        let prices = days.iter().map(|day| price(*day)).collect();
        due_days(prices, last.map(|day| price(day).day))
            .iter()
            .map(|due| (due.price.day.parts().2, due.days))
            .collect()
    }

    #[test]
    fn a_price_day_stands_for_the_days_since_the_one_before() {
        assert_eq!(due(&[6], None), [(6, 1)], "the first day is one");
        assert_eq!(due(&[9, 6], None), [(6, 1), (9, 3)], "over a weekend");
        assert_eq!(due(&[6, 9, 10], Some(6)), [(9, 3), (10, 1)]);
        assert_eq!(due(&[6, 9], Some(9)), []);
    }

    #[test]
    fn a_price_that_comes_after_a_later_day_was_accrued_adds_nothing() {
        assert_eq!(due(&[6, 7, 8], Some(8)), []);
        assert_eq!(due(&[6, 7, 9], Some(8)), [(9, 1)]);
    }

    #[test]
    fn without_a_price_day_before_it_a_day_stands_for_those_since_the_last_accrued_one() {
        assert_eq!(due(&[19, 20], Some(6)), [(19, 13), (20, 1)]);
        assert_eq!(due(&[18, 19], Some(6)), [(18, 12), (19, 1)]);
    }
}
