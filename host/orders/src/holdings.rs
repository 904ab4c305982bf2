use std::sync::Arc;

use qiao_auth::Permit;
use qiao_catalog::{Price, Product};
use qiao_db::Tx;
use qiao_model::{Money, Rounding, Scope, Timestamp, UserId};
use qiao_payments::Holding as Held;

use crate::error::Error;
use crate::orders::Orders;
use crate::store;

/// Hundredths of a unit times 1/10000 of the main unit, in millionths of it.
const WORTH_SCALE: i128 = 1_000_000;

/// What a user holds of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The product.
    pub product: Arc<Product>,
    /// In hundredths of a unit, free to redeem.
    pub available_minor: i64,
    /// In hundredths of a unit, held by open orders.
    pub held_minor: i64,
    /// Income credited so far, in hundredths of a unit.
    pub income_minor: i64,
    /// The newest price.
    pub price: Option<Price>,
    /// What all of it is worth at that price, rounded down.
    pub worth: Option<Money>,
}

impl Orders {
    /// What the caller holds. Scope `account`.
    ///
    /// # Errors
    /// The permit is no person's, or the database failed.
    pub async fn holdings(&self, permit: &Permit) -> Result<Vec<Holding>, Error> {
        permit.covers(Scope::Account)?;
        let user = permit.demand_user()?;
        let inner = self.inner();
        let mut tx = inner.db.begin_snapshot().await?;
        let mut all = Vec::new();
        for held in qiao_payments::holdings_in(&mut tx, permit, user).await? {
            all.push((held, income_so_far(&mut tx, user, &held).await?));
        }
        tx.commit().await?;
        let mut holdings = Vec::new();
        for (held, income_minor) in all {
            let Some(product) = inner.catalog.product(held.product).await? else {
                continue;
            };
            let balance = held.balance;
            if balance.posted == 0 && balance.pending_in == 0 && income_minor == 0 {
                continue;
            }
            let price = inner.catalog.latest_price(product.id).await?;
            holdings.push(Holding {
                worth: price.and_then(|price| worth(&product, &price, balance.posted)),
                available_minor: balance.available(),
                held_minor: balance.pending_out,
                income_minor,
                price,
                product,
            });
        }
        Ok(holdings)
    }
}

/// What a holding was credited as income: what it has beyond what orders moved, both as
/// the transaction sees them.
pub(crate) async fn income_so_far(tx: &mut Tx, user: UserId, held: &Held) -> Result<i64, Error> {
    let ever = Timestamp::from_millis(0);
    let moved = store::income::moved_since(tx, held.product, &[user], ever).await?;
    let moved = moved.get(&user).copied().unwrap_or(0);
    Ok(held.balance.posted.saturating_sub(moved))
}

fn worth(product: &Product, price: &Price, units_minor: i64) -> Option<Money> {
    let minor_of_main = 10_i128.pow(product.currency.exponent());
    let exact = i128::from(units_minor) * i128::from(price.nav_e4) * minor_of_main;
    let minor = Rounding::Down.divide(exact, WORTH_SCALE).ok()?;
    Some(Money::new(minor, product.currency))
}
