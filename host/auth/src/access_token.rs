use std::fmt;
use std::sync::Arc;

use qiao_model::id::{Id, Noun};
use qiao_model::{InstitutionId, OAuthClientId, Scope, ScopeSet, Timestamp};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::keys::verify_jws;
use crate::permit::{Actor, Permit};
use crate::store::token as store;
use crate::{Auth, Error, OAuthError};

/// An access token lives ten minutes.
pub const ACCESS_TOKEN_LIFETIME_SECS: i64 = 600;
/// No access token of ours is longer.
pub const ACCESS_TOKEN_BYTES_MAX: usize = 4 * 1024;
const TOKENS_CACHED_MAX: usize = 100_000;
/// RFC 9068 section 2.1.
const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// A `jti`.
enum AccessToken {}

impl Noun for AccessToken {
    const PREFIX: &'static str = "tok";
}

/// Why a bearer token permits nothing (RFC 6750 section 3.1).
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// Not an access token of this server for this API.
    #[error("the access token is invalid")]
    Invalid,
    /// It was one.
    #[error("the access token has expired")]
    Expired,
    /// It was revoked, its client disabled, or its institution suspended.
    #[error("the access token was revoked")]
    Revoked,
    /// It is valid for other things.
    #[error("the access token does not carry the scope `{0}`")]
    InsufficientScope(Scope),
    /// The database does not answer.
    #[error("auth storage failed")]
    Storage(#[from] qiao_db::Error),
}

impl BearerError {
    /// The `error` of the `WWW-Authenticate` header; none when the host failed.
    #[must_use]
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Invalid | Self::Expired | Self::Revoked => Some("invalid_token"),
            Self::InsufficientScope(_) => Some("insufficient_scope"),
            Self::Storage(_) => None,
        }
    }
}

pub(crate) struct NewToken {
    pub(crate) client: OAuthClientId,
    pub(crate) institution: InstitutionId,
    pub(crate) scopes: ScopeSet,
}

/// The claims of RFC 9068 section 2.2, and whose client it is.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    jti: String,
    client_id: String,
    scope: String,
    institution: String,
}

/// A token whose signature and claims were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VerifiedToken {
    pub(crate) jti: String,
    pub(crate) client: OAuthClientId,
    pub(crate) institution: InstitutionId,
    pub(crate) scopes: ScopeSet,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Verified tokens by hash, each with the revision at which it was last found
/// not revoked: a signature check costs some 60 microseconds, a look here one.
pub(crate) struct TokenCache(Cache<[u8; 32], (i64, Arc<VerifiedToken>)>);

impl TokenCache {
    pub(crate) fn new() -> Self {
        Self(Cache::new(TOKENS_CACHED_MAX))
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache")
    }
}

impl Auth {
    pub(crate) fn mint(&self, new: &NewToken) -> Result<String, OAuthError> {
        let inner = self.inner();
        let now = inner.env.now().as_secs();
        let jti: Id<AccessToken> = inner.env.id();
        let claims = Claims {
            iss: inner.issuer.clone(),
            sub: new.client.to_string(),
            aud: inner.audience.clone(),
            exp: now.saturating_add(ACCESS_TOKEN_LIFETIME_SECS),
            iat: now,
            jti: jti.to_string(),
            client_id: new.client.to_string(),
            scope: new.scopes.to_string(),
            institution: new.institution.to_string(),
        };
        let payload = serde_json::to_vec(&claims)
            .map_err(|_| Error::Crypto("writing the claims of an access token"))?;
        let token = inner.signing.sign(ACCESS_TOKEN_TYPE, &payload);
        Ok(token.map_err(Error::from)?)
    }

    /// The permit of an access token for one scope.
    ///
    /// # Errors
    /// The token is invalid, expired or revoked (which counts on the very next
    /// call of every node), or does not carry the scope.
    pub async fn permit_bearer(&self, token: &str, scope: Scope) -> Result<Permit, BearerError> {
        let token = self.verify_token(token).await?;
        if !token.scopes.contains(scope) || !scope.grantable_to_client() {
            return Err(BearerError::InsufficientScope(scope));
        }
        let actor = Actor::Client {
            client: token.client,
            institution: token.institution,
        };
        Ok(Permit::new(actor, scope))
    }

    pub(crate) async fn verify_token(
        &self,
        token: &str,
    ) -> Result<Arc<VerifiedToken>, BearerError> {
        let inner = self.inner();
        if token.len() > ACCESS_TOKEN_BYTES_MAX {
            return Err(BearerError::Invalid);
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        let cached = inner.tokens.0.get(&hash);
        let (seen_at, verified) = match cached {
            Some((revision, verified)) => (Some(revision), verified),
            None => (None, Arc::new(self.check_signature(token)?)),
        };
        if inner.env.now() >= verified.expires_at {
            inner.tokens.0.remove(&hash);
            return Err(BearerError::Expired);
        }
        // Read before the rows, so that an answer is never taken for newer than it is.
        let revision = inner.revisions.current().await?.tokens;
        if seen_at == Some(revision) {
            return Ok(verified);
        }
        if !store::is_able(&inner.db, &verified.jti, verified.client).await? {
            inner.tokens.0.remove(&hash);
            return Err(BearerError::Revoked);
        }
        inner
            .tokens
            .0
            .insert(hash, (revision, Arc::clone(&verified)));
        Ok(verified)
    }

    fn check_signature(&self, token: &str) -> Result<VerifiedToken, BearerError> {
        let inner = self.inner();
        let key = std::slice::from_ref(inner.signing.public());
        let verified =
            verify_jws(key, ACCESS_TOKEN_TYPE, token).map_err(|_| BearerError::Invalid)?;
        let claims: Claims =
            serde_json::from_slice(&verified.payload).map_err(|_| BearerError::Invalid)?;
        if claims.iss != inner.issuer || claims.aud != inner.audience {
            return Err(BearerError::Invalid);
        }
        let epoch = Timestamp::from_millis(0);
        Ok(VerifiedToken {
            client: claims.client_id.parse().map_err(|_| BearerError::Invalid)?,
            institution: claims
                .institution
                .parse()
                .map_err(|_| BearerError::Invalid)?,
            scopes: claims.scope.parse().map_err(|_| BearerError::Invalid)?,
            issued_at: epoch.plus_secs(claims.iat),
            expires_at: epoch.plus_secs(claims.exp),
            jti: claims.jti,
        })
    }
}
