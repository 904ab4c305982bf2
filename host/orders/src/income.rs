use std::collections::HashMap;

use qiao_catalog::{Price, Product};
use qiao_db::Tx;
use qiao_ledger::State;
use qiao_model::{LedgerAccountId, ProductId, Rounding, Scope, Timestamp, UserId};
use qiao_payments::{Account, Command, Credit, CreditLine, Credited, Holder, Keyed, Outcome};

use crate::crash::CrashPoint;
use crate::error::Error;
use crate::orders::Orders;
use crate::store::income as store;

/// Holders credited in one transaction at most.
pub const INCOME_HOLDERS_MAX: usize = 2_000;
/// Holders of one credit: its transfers are one group of the ledger.
const CREDIT_HOLDERS_MAX: usize = 500;
/// Of a product's prices, so many of the newest are looked at.
const INCOME_DAYS_MAX: usize = 62;
/// Hundredths of a unit times 1/10000 CNY per 10,000 units, as hundredths of a
/// unit at 1.0000 CNY each.
const INCOME_SCALE: i128 = 100_000_000;

/// What a call of [`Orders::accrue_income`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accrued {
    /// Days of products that are now credited to every holder.
    pub days: usize,
    /// Credits to holders.
    pub holders: usize,
    /// Units credited, in hundredths.
    pub units_minor: i64,
}

/// What one transaction did.
enum Step {
    Credited(Credited),
    Finished,
    /// Another node went on with the day in between.
    Overtaken,
}

impl Orders {
    /// Worker step: credits the income of every published day that is not
    /// credited yet, the oldest day first, holder by holder in batches. After a
    /// crash it goes on behind the last holder; nobody is credited twice, since
    /// a transfer's id follows from product, day and holder.
    ///
    /// A day's income belongs to who held units when the day began: units bought
    /// on a day earn from the next day on, units redeemed on it earn once more.
    ///
    /// # Errors
    /// The database failed, or a test made the host stop; the rest follows at
    /// the next call.
    pub async fn accrue_income(&self) -> Result<Accrued, Error> {
        let mut accrued = Accrued::default();
        for product in self.inner().catalog.products_in_units().await? {
            for price in self.uncredited(&product).await? {
                self.accrue_day(&product, &price, &mut accrued).await?;
            }
        }
        Ok(accrued)
    }

    /// Published days of the product that are not credited, the oldest first.
    async fn uncredited(&self, product: &Product) -> Result<Vec<Price>, Error> {
        let inner = self.inner();
        let mut prices = inner.catalog.prices(product.id, INCOME_DAYS_MAX).await?;
        let Some(oldest) = prices.iter().map(|price| price.day).min() else {
            return Ok(Vec::new());
        };
        let finished = store::finished_since(&inner.db, product.id, oldest).await?;
        prices.retain(|price| !finished.contains(&price.day));
        prices.sort_unstable_by_key(|price| price.day);
        Ok(prices)
    }

    async fn accrue_day(
        &self,
        product: &Product,
        price: &Price,
        accrued: &mut Accrued,
    ) -> Result<(), Error> {
        let inner = self.inner();
        let permit = inner.auth.permit_system("income", Scope::HoldingsRead);
        while let Some(after) = store::progress(&inner.db, product.id, price.day).await? {
            let holders = match price.income_per_10k_e4 {
                Some(1..) => {
                    let payments = &inner.payments;
                    payments
                        .holders(&permit, product.id, after, INCOME_HOLDERS_MAX)
                        .await?
                }
                _ => Vec::new(),
            };
            let credit = || self.credit(product, price, after, &holders);
            match inner.db.write(credit).await? {
                Step::Overtaken => {}
                Step::Finished => accrued.days += 1,
                Step::Credited(credited) => {
                    accrued.holders += credited.holders;
                    accrued.units_minor = accrued.units_minor.saturating_add(credited.minor);
                    inner.crash.at(CrashPoint::AfterIncomeBatch)?;
                }
            }
        }
        Ok(())
    }

    /// Credits holders behind `after` and notes the last of them, or that there
    /// is none left.
    async fn credit(
        &self,
        product: &Product,
        price: &Price,
        after: Option<LedgerAccountId>,
        holders: &[Holder],
    ) -> Result<Step, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        let per_10k_e4 = price.income_per_10k_e4.unwrap_or(0);
        let mut tx = inner.db.begin().await?;
        // The row stays locked: two nodes never credit one day at once.
        let locked = store::lock_day(&mut tx, product.id, price.day, per_10k_e4).await?;
        if locked != Some(after) {
            tx.commit().await?;
            return Ok(Step::Overtaken);
        }
        let Some(last) = holders.last() else {
            store::finish_day(&mut tx, product.id, price.day, now).await?;
            tx.commit().await?;
            return Ok(Step::Finished);
        };
        let units = units_at_start(&mut tx, product.id, price, holders).await?;
        let lines: Vec<CreditLine> = holders
            .iter()
            .zip(units)
            .map(|(holder, units)| CreditLine {
                user: holder.user,
                minor: income_of(units, per_10k_e4),
            })
            .filter(|line| line.minor > 0)
            .collect();
        let credited = pay_out(&mut tx, product.id, price, &lines, now).await?;
        store::advance(&mut tx, product.id, price.day, last.account, &credited).await?;
        tx.commit().await?;
        Ok(Step::Credited(credited))
    }
}

async fn pay_out(
    tx: &mut Tx,
    product: ProductId,
    price: &Price,
    lines: &[CreditLine],
    now: Timestamp,
) -> Result<Credited, Error> {
    let mut sum = Credited::default();
    let credits = credits(product, price, lines);
    if credits.is_empty() {
        return Ok(sum);
    }
    let named: Vec<&Keyed> = credits.iter().collect();
    let mut books = qiao_payments::batch::load(tx, &named).await?;
    for credit in named {
        let outcome = qiao_payments::batch::decide(&mut books, credit, now)?;
        if let Outcome::Credited(credited) = outcome {
            sum.holders += credited.holders;
            sum.existing += credited.existing;
            sum.minor = sum.minor.saturating_add(credited.minor);
        }
    }
    qiao_payments::batch::store(books, tx, now).await?;
    Ok(sum)
}

/// What each user held when the price's day began: what they hold now, less
/// what orders moved since. Holding accounts are locked first, so that no order
/// moves units between the two looks.
async fn units_at_start(
    tx: &mut Tx,
    product: ProductId,
    price: &Price,
    holders: &[Holder],
) -> Result<Vec<i64>, Error> {
    let users: Vec<UserId> = holders.iter().map(|holder| holder.user).collect();
    let account = |user: &UserId| Account::Holding(*user).of(product);
    let accounts: Vec<_> = users.iter().map(account).collect();
    let books = State::load(tx, &accounts, &[]).await?;
    let moved: HashMap<UserId, i64> =
        store::moved_since(tx, product, &users, price.day.start()).await?;
    let units = holders.iter().map(|holder| {
        let posted = books.balance(holder.account).map_or(0, |b| b.posted);
        posted.saturating_sub(moved.get(&holder.user).copied().unwrap_or(0))
    });
    Ok(units.collect())
}

fn credits(product: ProductId, price: &Price, lines: &[CreditLine]) -> Vec<Keyed> {
    let credit = |lines: &[CreditLine]| {
        Keyed::from(Command::Credit(Credit {
            product,
            day: price.day,
            lines: lines.to_vec(),
        }))
    };
    lines.chunks(CREDIT_HOLDERS_MAX).map(credit).collect()
}

/// A day's income in hundredths of a unit, rounded down.
fn income_of(units_minor: i64, per_10k_e4: i64) -> i64 {
    let exact = i128::from(units_minor.max(0)) * i128::from(per_10k_e4.max(0));
    Rounding::Down.divide(exact, INCOME_SCALE).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ten_thousand_units_earn_the_published_income_rounded_down() {
        // 10,000.00 units at 0.5432 CNY earn 0.54 units.
        assert_eq!(income_of(1_000_000, 5_432), 54);
        assert_eq!(income_of(100_000, 5_432), 5);
        assert_eq!(income_of(18_409, 5_432), 0);
        assert_eq!(income_of(18_410, 5_432), 1);
        assert_eq!(income_of(-5, 5_432), 0);
        assert_eq!(income_of(i64::MAX, 5_432), 501_013_569_041_951);
    }

    proptest! {
        #[test]
        fn income_is_never_more_than_its_share(units in 0..i64::MAX, per_10k_e4 in 0..100_000_i64) {
            let income = i128::from(income_of(units, per_10k_e4));
            let exact = i128::from(units) * i128::from(per_10k_e4);
            prop_assert!(income * INCOME_SCALE <= exact);
            prop_assert!((income + 1) * INCOME_SCALE > exact);
        }
    }
}
