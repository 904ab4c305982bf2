use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use qiao_model::{InstitutionId, Secret, SessionId, Timestamp, UserId};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use crate::audit::AuditEntry;
use crate::config::derive;
use crate::permit::Actor;
use crate::store::{revision, session as store, throttle, user};
use crate::user::{is_login, normal_login};
use crate::{Auth, Error};

/// A session ends a week after the log-in; what moves money asks for the PIN again.
pub const SESSION_LIFETIME_SECS: i64 = 7 * 86_400;
const SESSION_TOKEN_BYTES: usize = 32;
const SESSION_TOKEN_CHARS_MAX: usize = 64;
const SESSIONS_CACHED_MAX: usize = 100_000;

/// What the browser keeps in its cookie; stored hashed alone.
#[derive(Clone, Debug)]
pub struct SessionToken(Secret<String>);

impl SessionToken {
    /// The cookie's value.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// A signed-in person, as far as the doors need to know. Made by this room
/// alone, since permits follow from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) login: String,
    pub(crate) name: String,
    pub(crate) is_operator: bool,
    pub(crate) institutions: Vec<InstitutionId>,
    pub(crate) csrf: String,
    pub(crate) expires_at: Timestamp,
}

impl Session {
    /// Which session.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// Who.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// Their log-in name.
    #[must_use]
    pub fn login(&self) -> &str {
        &self.login
    }

    /// What they are called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether they operate the platform.
    #[must_use]
    pub const fn is_operator(&self) -> bool {
        self.is_operator
    }

    /// The institutions that they are on the staff of, without suspended ones.
    #[must_use]
    pub fn institutions(&self) -> &[InstitutionId] {
        &self.institutions
    }

    /// What every form of this session carries, so that no other site can send one.
    #[must_use]
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    /// Whether a form carried this session's token.
    #[must_use]
    pub fn is_csrf(&self, token: &str) -> bool {
        constant_time::verify_slices_are_equal(self.csrf.as_bytes(), token.as_bytes()).is_ok()
    }

    /// When it ends.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Sessions as they were read, each with the revision that it was read at.
pub(crate) struct SessionCache(Cache<[u8; 32], (i64, Arc<Session>)>);

impl SessionCache {
    pub(crate) fn new() -> Self {
        Self(Cache::new(SESSIONS_CACHED_MAX))
    }
}

impl fmt::Debug for SessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionCache")
    }
}

impl Auth {
    /// Signs a person in.
    ///
    /// # Errors
    /// The name or the password is wrong (which of the two is not told), or the
    /// name was guessed at too often.
    pub async fn log_in(
        &self,
        login: &str,
        password: &Secret<String>,
    ) -> Result<SessionToken, Error> {
        let inner = self.inner();
        let login = normal_login(login);
        // What nobody can be called is not counted: anybody may send any text here, and
        // each would be a row. What is learnt from the quick answer everybody can read.
        if !is_login(&login) {
            return Err(Error::WrongCredentials);
        }
        self.count_guess(&login).await?;
        let Some((user, hash)) = user::find_password(&inner.db, &login).await? else {
            inner.hasher.match_nobody(password).await?;
            // The audit keeps its rows for good, so names that nobody has make none:
            // they are in the throttle's row until a quiet day has passed.
            return Err(Error::WrongCredentials);
        };
        if !inner.hasher.matches(password, hash).await? {
            self.refuse_log_in(&login, "the password is wrong").await?;
            return Err(Error::WrongCredentials);
        }
        let bytes = inner.env.secret::<SESSION_TOKEN_BYTES>();
        let token = URL_SAFE_NO_PAD.encode(bytes.expose());
        let now = inner.env.now();
        let row = store::NewSession {
            id: inner.env.id(),
            token_hash: hex::encode(hash_token(&token)),
            user,
            created_at: now,
            expires_at: now.plus_secs(SESSION_LIFETIME_SECS),
        };
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                throttle::forget(&mut tx, &login).await?;
                store::insert(&mut tx, &row).await?;
                let entry = AuditEntry::allowed(&Actor::User(user), "user.log_in", &login);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok::<(), Error>(())
            })
            .await?;
        Ok(SessionToken(Secret::new(token)))
    }

    async fn refuse_log_in(&self, login: &str, cause: impl ToString) -> Result<(), Error> {
        self.audit(refused_log_in(login, cause)).await
    }

    /// The session of a cookie's value; none when there is no such session, or
    /// it ended. A log-out counts on the very next call of every node.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, Error> {
        let inner = self.inner();
        if token.is_empty() || token.len() > SESSION_TOKEN_CHARS_MAX {
            return Ok(None);
        }
        let hash = hash_token(token);
        // Read before the row, so that a row is never taken for newer than it is.
        let revision = inner.revisions.current().await?.sessions;
        let now = inner.env.now();
        if let Some((read_at, session)) = inner.sessions.0.get(&hash)
            && read_at == revision
        {
            return Ok(Some(session.as_ref().clone()).filter(|s| now < s.expires_at));
        }
        let Some(row) = store::find(&inner.db, &hex::encode(hash)).await? else {
            inner.sessions.0.remove(&hash);
            return Ok(None);
        };
        if now >= row.expires_at {
            return Ok(None);
        }
        let session = Session {
            csrf: self.csrf_of(row.id),
            institutions: store::institutions_of(&inner.db, row.user).await?,
            id: row.id,
            user: row.user,
            login: row.login,
            name: row.name,
            is_operator: row.is_operator,
            expires_at: row.expires_at,
        };
        let cached = (revision, Arc::new(session.clone()));
        inner.sessions.0.insert(hash, cached);
        Ok(Some(session))
    }

    /// Ends a session; ending none is no error.
    ///
    /// # Errors
    /// The database did not take it.
    pub async fn log_out(&self, token: &str) -> Result<(), Error> {
        let inner = self.inner();
        let hash = hash_token(token);
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if store::delete(&mut tx, &hex::encode(hash)).await? {
                    revision::raise_sessions(&mut tx).await?;
                }
                tx.commit().await?;
                Ok::<(), Error>(())
            })
            .await?;
        if let Some((_, (_, session))) = inner.sessions.0.remove(&hash) {
            inner.pins.forget(session.id);
        }
        Ok(())
    }

    fn csrf_of(&self, session: SessionId) -> String {
        let key = derive(&self.inner().pepper, "csrf");
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, session.to_string().as_bytes()))
    }
}

/// What the audit keeps of a log-in that was refused.
pub(crate) fn refused_log_in(login: &str, cause: impl ToString) -> AuditEntry {
    AuditEntry::refused(&Actor::System("log-in"), "user.log_in", login, cause)
}

/// A fast hash is enough: the token is 256 bits of chance.
fn hash_token(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
