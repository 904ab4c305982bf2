use std::fmt;
use std::sync::Arc;

use qiao_auth::Auth;
use qiao_db::Db;
use qiao_model::Env;

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
}

impl Registry {
    /// Opens the room over a migrated database.
    #[must_use]
    pub fn new(db: Db, env: Env, auth: Auth) -> Self {
        let inner = Inner {
            db,
            env,
            auth,
            releases: ReleaseCache::new(),
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
