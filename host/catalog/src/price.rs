use qiao_auth::{Actor, Permit};
use qiao_model::{Day, ProductId, Scope};

use crate::catalog::Catalog;
use crate::error::{Error, Problem};
use crate::product::Product;
use crate::store;

/// A net asset value of a unit at most, in 1/10000 of the main unit.
pub const NAV_E4_MAX: i64 = 1_000_000_000_000;
/// Income per 10,000 units of a day at most, in 1/10000 of the main unit.
pub const INCOME_PER_10K_E4_MAX: i64 = 1_000_000_000;
/// A seven-day annualised yield at most, in parts per million.
pub const YIELD_7D_PPM_MAX: i64 = 10_000_000;

/// Prices of one answer at most.
const PRICES_MAX: usize = 1_000;

/// The price of a product for a day, published once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// The day that it is the price of.
    pub day: Day,
    /// Net asset value of one unit in 1/10000 of the currency's main unit.
    pub nav_e4: i64,
    /// Income of the day per 10,000 units, in 1/10000 of the main unit; money funds only.
    pub income_per_10k_e4: Option<i64>,
    /// Seven-day annualised yield in parts per million; money funds only.
    pub yield_7d_ppm: Option<i64>,
}

impl Price {
    /// Checks the figures and that the day has begun.
    pub(crate) fn check(&self, today: Day) -> Result<(), Problem> {
        if self.day > today {
            let cause = format!("{} is in the future", self.day);
            return Err(Problem::new("day", cause));
        }
        if !(1..=NAV_E4_MAX).contains(&self.nav_e4) {
            let cause = format!("a net asset value is 1 to {NAV_E4_MAX}");
            return Err(Problem::new("nav-e4", cause));
        }
        let income = self.income_per_10k_e4.unwrap_or(0);
        if !(0..=INCOME_PER_10K_E4_MAX).contains(&income) {
            let cause = format!("an income is 0 to {INCOME_PER_10K_E4_MAX}");
            return Err(Problem::new("income-per-10k-e4", cause));
        }
        let seven_days = self.yield_7d_ppm.unwrap_or(0);
        if !(0..=YIELD_7D_PPM_MAX).contains(&seven_days) {
            let cause = format!("a yield is 0 to {YIELD_7D_PPM_MAX}");
            return Err(Problem::new("yield-7d-ppm", cause));
        }
        Ok(())
    }
}

impl Catalog {
    /// Publishes the price of a day, once; the same price again changes nothing.
    ///
    /// # Errors
    /// No permit for it, no such product of the caller, a product without
    /// units, a day in the future, or another price than was published before.
    pub async fn publish_price(
        &self,
        permit: &Permit,
        id: ProductId,
        price: Price,
    ) -> Result<(), Error> {
        permit.covers(Scope::CatalogWrite)?;
        let product = self.product(id).await?.ok_or(Error::UnknownProduct(id))?;
        if !owns(permit, &product) {
            return Err(Error::UnknownProduct(id));
        }
        let refuse = |at, cause| Err(Error::InvalidPrice(Problem::new(at, cause)));
        if !product.in_units {
            let cause = format!("`{}` is not held in units and has no price", product.code);
            return refuse("product", cause);
        }
        let env = &self.inner.env;
        price.check(env.today()).map_err(Error::InvalidPrice)?;
        let db = &self.inner.db;
        let published = db
            .write(|| async {
                let mut tx = db.begin().await?;
                let published = store::price::publish(&mut tx, id, price, env.now()).await?;
                tx.commit().await?;
                Ok::<_, Error>(published)
            })
            .await?;
        self.inner.prices.remove(&id);
        if published == price {
            Ok(())
        } else {
            let cause = format!("another price of {} was published before", price.day);
            refuse("day", cause)
        }
    }

    /// The newest published price.
    ///
    /// # Errors
    /// The database failed.
    pub async fn latest_price(&self, product: ProductId) -> Result<Option<Price>, Error> {
        let now = self.inner.env.now();
        if let Some(price) = self.inner.prices.get(&product, now) {
            return Ok(price);
        }
        let newest = store::price::newest(&self.inner.db, product, 1).await?;
        let price = newest.into_iter().next();
        self.inner.prices.put(product, now, price);
        Ok(price)
    }

    /// The price of a day.
    ///
    /// # Errors
    /// The database failed.
    pub async fn price_on(&self, product: ProductId, day: Day) -> Result<Option<Price>, Error> {
        Ok(store::price::find(&self.inner.db, product, day).await?)
    }

    /// The newest prices, the newest first, at most `limit` and 1,000.
    ///
    /// # Errors
    /// The database failed.
    pub async fn prices(&self, product: ProductId, limit: usize) -> Result<Vec<Price>, Error> {
        Ok(store::price::newest(&self.inner.db, product, row_limit(limit)).await?)
    }

    /// The prices after a day, the oldest first, at most `limit` and 1,000.
    ///
    /// # Errors
    /// The database failed.
    pub async fn prices_after(
        &self,
        product: ProductId,
        day: Day,
        limit: usize,
    ) -> Result<Vec<Price>, Error> {
        Ok(store::price::after(&self.inner.db, product, day, row_limit(limit)).await?)
    }
}

/// The plugin that registered the product, or its institution's people and servers.
fn owns(permit: &Permit, product: &Product) -> bool {
    match permit.actor() {
        Actor::Plugin { plugin, .. } => *plugin == product.plugin,
        Actor::Staff { institution, .. } | Actor::Client { institution, .. } => {
            *institution == product.institution
        }
        Actor::User(_) | Actor::Operator(_) | Actor::System(_) => false,
    }
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit.min(PRICES_MAX)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: (i64, i64, i64) = (NAV_E4_MAX, INCOME_PER_10K_E4_MAX, YIELD_7D_PPM_MAX);

    fn refused_at(days: i64, (nav, income, seven_days): (i64, i64, i64)) -> Option<String> {
        let today = Day::new(2026, 11, 22).unwrap();
        let price = Price {
            day: today.plus_days(days),
            nav_e4: nav,
            income_per_10k_e4: Some(income),
            yield_7d_ppm: Some(seven_days),
        };
        price.check(today).err().map(|problem| problem.at)
    }

    #[test]
    fn figures_are_taken_at_their_limits_and_refused_one_past_them() {
        let (nav, income, seven_days) = LARGEST;
        assert_eq!(refused_at(0, LARGEST), None);
        assert_eq!(refused_at(-1, (1, 0, 0)), None);
        let at = |figures| refused_at(0, figures).unwrap();
        assert_eq!(at((nav + 1, income, seven_days)), "nav-e4");
        assert_eq!(at((0, income, seven_days)), "nav-e4");
        assert_eq!(at((nav, income + 1, seven_days)), "income-per-10k-e4");
        assert_eq!(at((nav, -1, seven_days)), "income-per-10k-e4");
        assert_eq!(at((nav, income, seven_days + 1)), "yield-7d-ppm");
        assert_eq!(at((nav, income, -1)), "yield-7d-ppm");
    }

    #[test]
    fn a_price_of_tomorrow_is_refused() {
        assert_eq!(refused_at(1, LARGEST).unwrap(), "day");
    }
}
