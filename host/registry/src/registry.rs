use std::fmt;
use std::sync::Arc;

use qiao_auth::Auth;
use qiao_db::Db;
use qiao_model::{Env, InstitutionId};
use quick_cache::sync::Cache;

use crate::rollout::ReleaseCache;

/// Institutions, public accounts and releases. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) auth: Auth,
    pub(crate) releases: ReleaseCache,
    pub(crate) known_institutions: Cache<InstitutionId, ()>,
}

/// Institutions that are known to exist, at most.
const INSTITUTIONS_KNOWN_MAX: usize = 10_000;

impl Registry {
    /// Opens the room over a migrated database.
    #[must_use]
    pub fn new(db: Db, env: Env, auth: Auth) -> Self {
        let inner = Inner {
            db,
            env,
            auth,
            releases: ReleaseCache::new(),
            known_institutions: Cache::new(INSTITUTIONS_KNOWN_MAX),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registry")
    }
}
