use std::sync::Arc;

use qiao_auth::{Auth, Permit};
use qiao_banks::Banks;
use qiao_db::Db;
use qiao_ledger::Ledger;
use qiao_model::{Calendar, Env, Scope};
use qiao_payments::Payments;

/// Rows of one page at most.
pub const PAGE_MAX: usize = 100;

/// The name of this room's jobs in permits and in the audit.
const JOB: &str = "settlement";

/// The rooms that settlement stands on.
#[derive(Clone)]
pub struct Rooms {
    /// The database; migrated.
    pub db: Db,
    /// Time and chance.
    pub env: Env,
    /// Who may do what, and the audit.
    pub auth: Auth,
    /// Where the money is.
    pub payments: Payments,
    /// Who moves it out.
    pub banks: Banks,
    /// When banks work.
    pub calendar: Calendar,
}

/// Terms, payouts, statements, custody and cases. Cheap to clone.
#[derive(Clone)]
pub struct Settlement {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) auth: Auth,
    pub(crate) ledger: Ledger,
    pub(crate) payments: Payments,
    pub(crate) banks: Banks,
    pub(crate) calendar: Calendar,
    pub(crate) node: String,
}

impl Settlement {
    /// Opens the room for a node, whose name is its own among all nodes on the
    /// database, and takes back what it had in hand when it ended.
    ///
    /// # Errors
    /// The database failed.
    pub async fn open(rooms: Rooms, node: &str) -> Result<Self, crate::Error> {
        crate::store::payout::release(&rooms.db, node).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                ledger: Ledger::new(rooms.db.clone()),
                db: rooms.db,
                env: rooms.env,
                auth: rooms.auth,
                payments: rooms.payments,
                banks: rooms.banks,
                calendar: rooms.calendar,
                node: node.to_owned(),
            }),
        })
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// When banks work.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.inner.calendar
    }
}

impl Inner {
    pub(crate) fn own_permit(&self, scope: Scope) -> Permit {
        self.auth.permit_system(JOB, scope)
    }
}
