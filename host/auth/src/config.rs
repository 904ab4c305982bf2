use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use qiao_db::Db;
use qiao_model::{Env, Secret, UserId};
use quick_cache::sync::Cache;

use crate::Error;
use crate::access_token::TokenCache;
use crate::keys::SigningKey;
use crate::password::Hasher;
use crate::pin_memory::PinMemory;
use crate::revision::Revisions;
use crate::session::SessionCache;

/// What this room is told at start. Every node of one database is told the same.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// The issuer of RFC 8414: the public address without a slash at its end.
    pub issuer: String,
    /// The audience of access tokens: the address of the API.
    pub audience: String,
    /// The P-256 or Ed25519 key that signs access tokens, as PKCS #8 PEM.
    pub signing_key_pem: Secret<String>,
    /// What hashes and pseudonyms are made with. Made once for a database and
    /// kept outside of it: without it passwords do not verify any more, and
    /// every user is somebody else to every institution.
    pub pepper: Secret<[u8; 32]>,
}

/// Who may do what. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) signing: SigningKey,
    pub(crate) pepper: Secret<[u8; 32]>,
    pub(crate) hasher: Hasher,
    pub(crate) revisions: Revisions,
    pub(crate) tokens: TokenCache,
    pub(crate) sessions: SessionCache,
    pub(crate) pins: PinMemory,
    pub(crate) known_users: Cache<UserId, ()>,
}

/// People who are known to exist, at most.
const USERS_KNOWN_MAX: usize = 100_000;

impl Auth {
    /// Opens the room over a migrated database.
    ///
    /// # Errors
    /// The signing key is not readable.
    pub fn open(db: Db, env: Env, config: AuthConfig) -> Result<Self, Error> {
        let signing = SigningKey::from_pem(&config.signing_key_pem)?;
        let hasher = Hasher::new(&derive(&config.pepper, "argon2 secret"), env.clone());
        let inner = Inner {
            revisions: Revisions::new(db.clone()),
            tokens: TokenCache::new(),
            sessions: SessionCache::new(),
            pins: PinMemory::new(&env),
            known_users: Cache::new(USERS_KNOWN_MAX),
            issuer: config.issuer.trim_end_matches('/').to_owned(),
            audience: config.audience,
            signing,
            pepper: config.pepper,
            hasher,
            db,
            env,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The issuer of RFC 8414.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.inner.issuer
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth({})", self.inner.issuer)
    }
}

/// A key of its own for each purpose, so that none can stand in for another.
pub(crate) fn derive(pepper: &Secret<[u8; 32]>, purpose: &str) -> Secret<[u8; 32]> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, pepper.expose());
    let tag = hmac::sign(&key, purpose.as_bytes());
    let mut derived = [0_u8; 32];
    derived.copy_from_slice(tag.as_ref());
    Secret::new(derived)
}
