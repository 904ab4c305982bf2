use std::collections::HashMap;

use qiao_catalog::{Price, Product};
use qiao_db::Tx;
use qiao_ledger::Place;
use qiao_model::{LedgerAccountId, ProductId, Rounding, UserId};
use qiao_payments::income::{self, Income, IncomeLine, IncomeOf};
use qiao_payments::{Credited, Holder};
use tokio::task::JoinSet;

use crate::crash::CrashPoint;
use crate::error::Error;
use crate::failures::Failures;
use crate::orders::Orders;
use crate::store::income as store;

/// Holders credited in one transaction at most: it keeps the writer for well
/// under a tenth of a second, and then lets others in.
pub const INCOME_HOLDERS_MAX: usize = 2_000;
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
    /// An account of the page moved since it was read.
    Moved,
}

/// A page of holders, prepared beside the writer.
struct Page {
    /// The last holding before it.
    after: Option<LedgerAccountId>,
    /// Its last holding; none when there are no holders left.
    last: Option<LedgerAccountId>,
    income: Income,
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
    /// the next call. What fails for one product keeps no other waiting.
    pub async fn accrue_income(&self) -> Result<Accrued, Error> {
        let mut accrued = Accrued::default();
        let mut failures = Failures::default();
        for product in self.inner().catalog.products_in_units().await? {
            let credited = self.accrue_income_of(&product, &mut accrued).await;
            failures.note(&product, credited)?;
        }
        failures.first_or(accrued)
    }

    async fn accrue_income_of(
        &self,
        product: &Product,
        accrued: &mut Accrued,
    ) -> Result<(), Error> {
        for price in self.uncredited(product).await? {
            self.accrue_day(product, &price, accrued).await?;
        }
        Ok(())
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

    /// Credits a day, page by page. While a page is stored the next one is read
    /// and prepared on another thread, behind what the one before will leave.
    async fn accrue_day(
        &self,
        product: &Product,
        price: &Price,
        accrued: &mut Accrued,
    ) -> Result<(), Error> {
        let inner = self.inner();
        while let Some(after) = store::progress(&inner.db, product.id, price.day).await? {
            let mut ahead = JoinSet::new();
            let mut page = self.prepare(product, price, after, None).await?;
            loop {
                if let Some(last) = page.last {
                    let (orders, product, price) = (self.clone(), product.clone(), *price);
                    let source = Some(page.income.source_after());
                    ahead.spawn(async move {
                        orders.prepare(&product, &price, Some(last), source).await
                    });
                }
                match self.store(product, price, &page).await? {
                    Step::Overtaken | Step::Moved => break,
                    Step::Finished => {
                        accrued.days += 1;
                        break;
                    }
                    Step::Credited(credited) => {
                        accrued.holders += credited.holders;
                        accrued.units_minor = accrued.units_minor.saturating_add(credited.minor);
                        inner.crash.at(CrashPoint::AfterIncomeBatch)?;
                    }
                }
                // Without one, or when it panicked, the day goes on from the last page stored.
                let Some(Ok(next)) = ahead.join_next().await else {
                    break;
                };
                page = next?;
            }
        }
        Ok(())
    }

    /// Reads the holders behind `after` and what each held when the day began,
    /// of one moment, and prepares their income.
    async fn prepare(
        &self,
        product: &Product,
        price: &Price,
        after: Option<LedgerAccountId>,
        source: Option<Place>,
    ) -> Result<Page, Error> {
        let inner = self.inner();
        let per_10k_e4 = price.income_per_10k_e4.unwrap_or(0);
        let mut tx = inner.db.begin_snapshot().await?;
        let holders = match per_10k_e4 {
            1.. => income::holders(&mut tx, product.id, after, INCOME_HOLDERS_MAX).await?,
            _ => Vec::new(),
        };
        let source = match source {
            Some(source) => source,
            None => income::source(&mut tx, product.id).await?,
        };
        let units = units_at_start(&mut tx, product.id, price, &holders).await?;
        tx.commit().await?;
        let lines = holders.iter().zip(units).map(|(holder, units)| IncomeLine {
            user: holder.user,
            account: holder.account,
            place: holder.place,
            minor: income_of(units, per_10k_e4),
        });
        let of = IncomeOf {
            product: product.id,
            day: price.day,
            at: inner.env.now(),
        };
        Ok(Page {
            after,
            last: holders.last().map(|holder| holder.account),
            income: Income::prepare(of, source, lines.filter(|line| line.minor > 0).collect())?,
        })
    }

    /// Stores a page; when one of its accounts moved since it was read, once
    /// more with all of them locked.
    async fn store(&self, product: &Product, price: &Price, page: &Page) -> Result<Step, Error> {
        let db = &self.inner().db;
        let step = db.write(|| self.store_once(product, price, page, Looked::Before));
        match step.await? {
            Step::Moved => {
                db.write(|| self.store_once(product, price, page, Looked::Locked))
                    .await
            }
            step => Ok(step),
        }
    }

    async fn store_once(
        &self,
        product: &Product,
        price: &Price,
        page: &Page,
        looked: Looked,
    ) -> Result<Step, Error> {
        let inner = self.inner();
        let per_10k_e4 = price.income_per_10k_e4.unwrap_or(0);
        let mut tx = inner.db.begin().await?;
        // The row stays locked: two nodes never credit one day at once.
        let locked = store::lock_day(&mut tx, product.id, price.day, per_10k_e4).await?;
        if locked != Some(page.after) {
            tx.commit().await?;
            return Ok(Step::Overtaken);
        }
        let Some(last) = page.last else {
            store::finish_day(&mut tx, product.id, price.day, inner.env.now()).await?;
            tx.commit().await?;
            return Ok(Step::Finished);
        };
        let again;
        let income = match looked {
            Looked::Before => &page.income,
            Looked::Locked => {
                again = page.income.again(&mut tx).await?;
                &again
            }
        };
        let credited = income.credited();
        if !income.store(&mut tx).await? {
            tx.rollback().await?;
            return Ok(Step::Moved);
        }
        store::advance(&mut tx, product.id, price.day, last, &credited).await?;
        tx.commit().await?;
        Ok(Step::Credited(credited))
    }
}

/// When the accounts of a page were looked at.
#[derive(Clone, Copy)]
enum Looked {
    /// Before the transaction that stores it.
    Before,
    /// In it, with their rows locked.
    Locked,
}

/// What each holder held when the price's day began: what they hold, less what
/// orders moved since; both of one moment, so it is the same at any.
async fn units_at_start(
    tx: &mut Tx,
    product: ProductId,
    price: &Price,
    holders: &[Holder],
) -> Result<Vec<i64>, Error> {
    if holders.is_empty() {
        return Ok(Vec::new());
    }
    let users: Vec<UserId> = holders.iter().map(|holder| holder.user).collect();
    let moved: HashMap<UserId, i64> =
        store::moved_since(tx, product, &users, price.day.start()).await?;
    let units = holders.iter().map(|holder| {
        let moved = moved.get(&holder.user).copied().unwrap_or(0);
        holder.balance.posted.saturating_sub(moved)
    });
    Ok(units.collect())
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
