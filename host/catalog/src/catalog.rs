use std::fmt;
use std::sync::Arc;

use qiao_auth::{Actor, Permit};
use qiao_db::{Db, Tx};
use qiao_model::{Day, Env, InstitutionId, PluginId, ProductId, Scope};
use quick_cache::sync::Cache;

use crate::cache::Fresh;
use crate::error::{Error, Problem};
use crate::price::Price;
use crate::product::{NewProduct, PRODUCTS_OF_PLUGIN_MAX, Product};
use crate::schedule::{FeeSchedule, Registration, VERSIONS_MAX};
use crate::store;

/// How long a host may not see what another one wrote.
pub const STALE_MILLIS_MAX: i64 = 1_000;
/// Products whose description, versions and newest price are cached.
const CACHED_PRODUCTS_MAX: usize = 10_000;
/// Versions of schedules that are cached; they never change.
const CACHED_SCHEDULES_MAX: usize = 10_000;

/// Products, fee schedules and prices. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) env: Env,
    products: Fresh<ProductId, Arc<Product>>,
    codes: Fresh<(PluginId, String), Arc<Product>>,
    pub(crate) versions: Fresh<ProductId, Arc<Vec<(u32, Day)>>>,
    pub(crate) prices: Fresh<ProductId, Option<Price>>,
    pub(crate) schedules: Cache<(ProductId, u32), Arc<FeeSchedule>>,
}

impl Catalog {
    /// The catalog of this database.
    #[must_use]
    pub fn new(db: Db, env: Env) -> Self {
        Self {
            inner: Arc::new(Inner {
                db,
                env,
                products: Fresh::new(CACHED_PRODUCTS_MAX, STALE_MILLIS_MAX),
                codes: Fresh::new(CACHED_PRODUCTS_MAX, STALE_MILLIS_MAX),
                versions: Fresh::new(CACHED_PRODUCTS_MAX, STALE_MILLIS_MAX),
                prices: Fresh::new(CACHED_PRODUCTS_MAX, STALE_MILLIS_MAX),
                schedules: Cache::new(CACHED_SCHEDULES_MAX),
            }),
        }
    }

    /// Registers a product of the calling plugin, or replaces its name, summary
    /// and capture. Fees that differ from the newest version become the next
    /// one; the same fees again change nothing.
    ///
    /// # Errors
    /// No permit for it, not a plugin, a malformed product or schedule, another
    /// currency or kind of holding than before, or other fees from a past day.
    pub async fn register_product(
        &self,
        permit: &Permit,
        new: NewProduct,
    ) -> Result<Product, Error> {
        permit.covers(Scope::CatalogWrite)?;
        let Actor::Plugin {
            plugin,
            institution,
            ..
        } = *permit.actor()
        else {
            return Err(Error::NotAPlugin);
        };
        new.check().map_err(Error::InvalidProduct)?;
        new.check_fees().map_err(Error::InvalidFeeSchedule)?;
        let product = Product {
            id: self.inner.env.id(),
            plugin,
            institution,
            code: new.code.clone(),
            name: new.name.clone(),
            summary: new.summary.clone(),
            currency: new.currency,
            in_units: new.in_units,
            capture: new.capture,
            redemption: new.redemption,
        };
        let db = &self.inner.db;
        let stored = db
            .write(|| async {
                let mut tx = db.begin().await?;
                let stored = self.upsert(&mut tx, &product).await?;
                self.register_fees(&mut tx, stored.id, &new).await?;
                tx.commit().await?;
                Ok::<_, Error>(stored)
            })
            .await?;
        self.inner.products.remove(&stored.id);
        self.inner.codes.remove(&(plugin, stored.code.clone()));
        self.inner.versions.remove(&stored.id);
        Ok(stored)
    }

    async fn upsert(&self, tx: &mut Tx, product: &Product) -> Result<Product, Error> {
        let now = self.inner.env.now();
        let stored = store::product::upsert(tx, product, now).await?;
        let refuse = |at, cause: String| Err(Error::InvalidProduct(Problem::new(at, cause)));
        if stored.institution != product.institution {
            return Err(Error::UnknownProduct(stored.id));
        }
        if stored.currency != product.currency {
            let cause = format!("`{}` is in {} for ever", stored.code, stored.currency);
            return refuse("currency", cause);
        }
        if stored.in_units != product.in_units {
            let cause = format!("`{}` cannot change how it is held", stored.code);
            return refuse("in-units", cause);
        }
        let is_new = stored.id == product.id;
        if is_new
            && store::product::count_of_plugin(tx, product.plugin).await? > PRODUCTS_OF_PLUGIN_MAX
        {
            let cause = format!("a plugin has at most {PRODUCTS_OF_PLUGIN_MAX} products");
            return refuse("code", cause);
        }
        Ok(stored)
    }

    async fn register_fees(
        &self,
        tx: &mut Tx,
        product: ProductId,
        new: &NewProduct,
    ) -> Result<(), Error> {
        let env = &self.inner.env;
        let newest = store::schedule::newest(tx, product).await?;
        let refuse = |at, cause| Err(Error::InvalidFeeSchedule(Problem::new(at, cause)));
        let fees = (new.fees.as_slice(), new.accrued.as_slice());
        match Registration::of(newest.as_ref(), fees, new.effective_from, env.today()) {
            Registration::Unchanged => Ok(()),
            Registration::Next {
                version,
                effective_from,
            } => {
                let schedule = FeeSchedule {
                    id: env.id(),
                    product,
                    version,
                    effective_from,
                    lines: new.fees.clone(),
                    accrued: new.accrued.clone(),
                };
                Ok(store::schedule::insert(tx, &schedule, env.now()).await?)
            }
            Registration::InThePast(day) => refuse(
                "fees.effective-from",
                format!("changed fees cannot begin on {day}, a day in the past"),
            ),
            Registration::TooMany => refuse(
                "fees",
                format!("the fees of a product change at most {VERSIONS_MAX} times"),
            ),
        }
    }

    /// A product.
    ///
    /// # Errors
    /// The database failed.
    pub async fn product(&self, id: ProductId) -> Result<Option<Arc<Product>>, Error> {
        let now = self.inner.env.now();
        if let Some(product) = self.inner.products.get(&id, now) {
            return Ok(Some(product));
        }
        let product = store::product::find(&self.inner.db, id)
            .await?
            .map(Arc::new);
        if let Some(product) = &product {
            self.inner.products.put(id, now, Arc::clone(product));
        }
        Ok(product)
    }

    /// A plugin's product by the plugin's own key.
    ///
    /// # Errors
    /// The database failed.
    pub async fn product_by_code(
        &self,
        plugin: PluginId,
        code: &str,
    ) -> Result<Option<Arc<Product>>, Error> {
        let now = self.inner.env.now();
        let key = (plugin, code.to_owned());
        if let Some(product) = self.inner.codes.get(&key, now) {
            return Ok(Some(product));
        }
        let found = store::product::find_by_code(&self.inner.db, plugin, code).await?;
        let product = found.map(Arc::new);
        if let Some(product) = &product {
            self.inner.codes.put(key, now, Arc::clone(product));
        }
        Ok(product)
    }

    /// Every product of a plugin, by code.
    ///
    /// # Errors
    /// The database failed.
    pub async fn products_of_plugin(&self, plugin: PluginId) -> Result<Vec<Product>, Error> {
        Ok(store::product::list_of_plugin(&self.inner.db, plugin).await?)
    }

    /// Every product of an institution, by plugin and code.
    ///
    /// # Errors
    /// The database failed.
    pub async fn products_of_institution(
        &self,
        institution: InstitutionId,
    ) -> Result<Vec<Product>, Error> {
        Ok(store::product::list_of_institution(&self.inner.db, institution).await?)
    }

    /// Every product that is held in units, for the accrual of income.
    ///
    /// # Errors
    /// The database failed.
    pub async fn products_in_units(&self) -> Result<Vec<Product>, Error> {
        Ok(store::product::list_in_units(&self.inner.db).await?)
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Catalog")
    }
}
