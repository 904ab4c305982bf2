use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use qiao_auth::{Actor, AuditEntry, Auth, Permit};
use qiao_catalog::Catalog;
use qiao_db::{BatchOptions, Batcher, BatcherHealth, Db};
use qiao_model::{Calendar, Env, InstitutionId, OfferId, OrderId, Scope, Secret, UserId};
use qiao_payments::Payments;
use quick_cache::sync::Cache;

use crate::crash::Crash;
use crate::error::Error;
use crate::fulfiller::Fulfiller;
use crate::machine::OrderMachine;
use crate::offer::Sealed;
use crate::order::{Order, OrderPage};
use crate::store;
use crate::token::QuoteSigner;

/// Offers kept in memory; they never change.
const OFFERS_CACHED_MAX: usize = 20_000;

/// The rooms that orders stand on.
#[derive(Clone)]
pub struct Rooms {
    /// The database; migrated.
    pub db: Db,
    /// Time and chance.
    pub env: Env,
    /// Who may do what, and how institutions know their users.
    pub auth: Auth,
    /// Products, fee schedules, prices.
    pub catalog: Catalog,
    /// Where the money is.
    pub payments: Payments,
    /// Who delivers: [`crate::PluginFulfiller`], but in tests.
    pub plugins: Arc<dyn Fulfiller>,
}

/// How this host takes part.
#[derive(Clone, Debug)]
pub struct OrdersConfig {
    /// The name of this node, its own among all nodes on the database: leases
    /// carry it, and a node that starts takes back its own at once.
    pub node: String,
    /// The host's key; the quotes' signing key is derived from it.
    pub host_key: Secret<[u8; 32]>,
    /// Where to stop on purpose.
    pub crash: Crash,
    /// The business days, on which what is not paid at once arrives.
    pub calendar: Calendar,
}

/// Offers, quotes and orders. Cheap to clone.
#[derive(Clone)]
pub struct Orders {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) auth: Auth,
    pub(crate) catalog: Catalog,
    pub(crate) payments: Payments,
    pub(crate) plugins: Arc<dyn Fulfiller>,
    pub(crate) batcher: Batcher<OrderMachine>,
    pub(crate) signer: QuoteSigner,
    pub(crate) offers: Cache<OfferId, Arc<Sealed>>,
    pub(crate) node: String,
    pub(crate) crash: Crash,
    pub(crate) calendar: Calendar,
    is_stopping: AtomicBool,
}

impl Inner {
    /// Whether this host takes no more orders to drive.
    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }
}

impl Orders {
    /// Opens the room and takes back what this node was driving when it ended.
    ///
    /// # Errors
    /// The database failed.
    pub async fn open(rooms: Rooms, config: OrdersConfig) -> Result<Self, Error> {
        let (db, node) = (&rooms.db, config.node.as_str());
        db.write(|| store::leases::release(db, node)).await?;
        let machine = OrderMachine::new(rooms.env.clone(), config.calendar.clone());
        let batcher = Batcher::start(rooms.db.clone(), machine, BatchOptions::default());
        Ok(Self {
            inner: Arc::new(Inner {
                db: rooms.db,
                env: rooms.env,
                auth: rooms.auth,
                catalog: rooms.catalog,
                payments: rooms.payments,
                plugins: rooms.plugins,
                batcher,
                signer: QuoteSigner::new(&config.host_key),
                offers: Cache::new(OFFERS_CACHED_MAX),
                node: config.node,
                crash: config.crash,
                calendar: config.calendar,
                is_stopping: AtomicBool::new(false),
            }),
        })
    }

    /// How the batcher of orders is.
    #[must_use]
    pub fn health(&self) -> BatcherHealth {
        self.inner.batcher.health()
    }

    pub(crate) const fn of(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.inner)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// One order, if it is the caller's to see: a person's own, an institution's
    /// own, a plugin's own; an operator sees every one. Scope `orders:read` or `operate`.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn get(&self, permit: &Permit, order: OrderId) -> Result<Option<Order>, Error> {
        demand_read(permit)?;
        let found = store::orders::find(&self.inner.db, order).await?;
        Ok(found.filter(|order| is_visible(permit, order)))
    }

    /// The caller's own orders, newest first. Scope `orders:read`.
    ///
    /// # Errors
    /// The permit is no person's, or the database failed.
    pub async fn list_for_user(
        &self,
        permit: &Permit,
        page: OrderPage,
    ) -> Result<Vec<Order>, Error> {
        permit.covers(Scope::OrdersRead)?;
        let user: UserId = permit.demand_user()?;
        Ok(store::orders::list_for_user(&self.inner.db, user, page).await?)
    }

    /// The orders of the caller's institution, newest first. Scope `orders:read`.
    ///
    /// # Errors
    /// The permit is no institution's, or the database failed.
    pub async fn list_for_institution(
        &self,
        permit: &Permit,
        page: OrderPage,
    ) -> Result<Vec<Order>, Error> {
        permit.covers(Scope::OrdersRead)?;
        let institution: InstitutionId = permit.demand_institution()?;
        Ok(store::orders::list_for_institution(&self.inner.db, institution, page).await?)
    }

    /// Orders that wait for the operator: the plugin was asked as often as the
    /// host asks, and gave no answer; or the day of a redemption has come and its
    /// institution has too little, which is tried again. Scope `operate`.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn stuck(&self, permit: &Permit, page: OrderPage) -> Result<Vec<Order>, Error> {
        permit.covers(Scope::Operate)?;
        Ok(store::orders::list_stuck(&self.inner.db, page).await?)
    }

    /// Has the worker go on with a stuck order at once. Gives whether there
    /// was one. Scope `operate`.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn ask_again(&self, permit: &Permit, order: OrderId) -> Result<bool, Error> {
        permit.covers(Scope::Operate)?;
        let inner = self.inner();
        let entry = &AuditEntry::allowed(permit.actor(), "order.ask-again", order);
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let was_stuck = store::leases::make_due(&mut tx, order, inner.env.now()).await?;
                if was_stuck {
                    inner.auth.audit_in(&mut tx, entry).await?;
                }
                tx.commit().await?;
                Ok(was_stuck)
            })
            .await
    }
}

impl fmt::Debug for Orders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Orders({})", self.inner.node)
    }
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rooms")
    }
}

fn demand_read(permit: &Permit) -> Result<(), Error> {
    if permit.scope() == Scope::Operate {
        return Ok(());
    }
    Ok(permit.covers(Scope::OrdersRead)?)
}

fn is_visible(permit: &Permit, order: &Order) -> bool {
    match permit.actor() {
        Actor::User(user) => order.quote.user == *user,
        Actor::Staff { institution, .. } | Actor::Client { institution, .. } => {
            order.quote.institution == *institution
        }
        Actor::Plugin { plugin, .. } => order.quote.plugin == *plugin,
        Actor::Operator(_) | Actor::System(_) => true,
    }
}
