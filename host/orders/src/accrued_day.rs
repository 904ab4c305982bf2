use qiao_auth::Permit;
use qiao_model::{Day, PaymentId, ProductId, Scope};

use crate::error::Error;
use crate::orders::Orders;
use crate::store::accrual as store;

/// Days of one listing at most.
const DAYS_MAX: u32 = 366;

/// A day whose accrued fees a fund has paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccruedDay {
    /// The price day.
    pub day: Day,
    /// The days that it stands for.
    pub days: u32,
    /// Units in circulation, in hundredths.
    pub units_minor: i64,
    /// What one was worth, in 1/10000 of the main unit.
    pub nav_e4: i64,
    /// All fees of the day together, in minor units.
    pub minor: i64,
    /// The payment; none when the fees came to less than a minor unit.
    pub payment: Option<PaymentId>,
}

impl Orders {
    /// The newest accrued days of a product of the caller's institution, the
    /// newest first; an operator sees every product's. Scope `orders:read` or `operate`.
    ///
    /// # Errors
    /// The permit is for something else, the product is another institution's,
    /// or the database failed.
    pub async fn accrued_days(
        &self,
        permit: &Permit,
        product: ProductId,
        limit: u32,
    ) -> Result<Vec<AccruedDay>, Error> {
        let inner = self.inner();
        if permit.scope() != Scope::Operate {
            permit.covers(Scope::OrdersRead)?;
            let institution = permit.demand_institution()?;
            let found = inner.catalog.product(product).await?;
            if found.is_none_or(|found| found.institution != institution) {
                return Err(qiao_catalog::Error::UnknownProduct(product).into());
            }
        }
        Ok(store::list(&inner.db, product, limit.min(DAYS_MAX)).await?)
    }
}
