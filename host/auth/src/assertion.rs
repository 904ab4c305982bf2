use qiao_model::{OAuthClientId, Timestamp, is_plain_text};
use serde::Deserialize;
use serde_json::Value;

use crate::audit::AuditEntry;
use crate::client::OAuthClient;
use crate::keys::{KeyError, verify_any_type};
use crate::metadata::TOKEN_PATH;
use crate::permit::Actor;
use crate::store::{client, token};
use crate::{Auth, Error, OAuthError};

/// The only way that a client proves who it is (RFC 7523 section 2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// An assertion expires at most so much later.
pub const ASSERTION_LIFETIME_SECS_MAX: i64 = 300;
/// A `jti` has at most so many characters.
pub const ASSERTION_JTI_CHARS_MAX: usize = 128;
/// The clocks of client and server may differ by so much (FAPI 2.0 section 5.3.2.1).
pub const CLOCK_LEEWAY_SECS: i64 = 10;

/// What a client shows at an OAuth endpoint.
#[derive(Clone, Debug, Default)]
pub struct ClientAssertion {
    /// The form's `client_assertion_type`.
    pub client_assertion_type: Option<String>,
    /// The form's `client_assertion`.
    pub client_assertion: Option<String>,
    /// The form's `client_id`; optional, and then the same as in the assertion.
    pub client_id: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Value,
    exp: i64,
    jti: String,
    iat: Option<i64>,
    nbf: Option<i64>,
}

impl Auth {
    /// The client that an assertion proves. The assertion counts once.
    ///
    /// # Errors
    /// `invalid_client`, with the cause.
    pub(crate) async fn authenticate(
        &self,
        shown: &ClientAssertion,
    ) -> Result<OAuthClient, OAuthError> {
        let refuse = OAuthError::InvalidClient;
        if shown.client_assertion_type.as_deref() != Some(CLIENT_ASSERTION_TYPE) {
            return Err(refuse("client_assertion_type is not jwt-bearer"));
        }
        let assertion = shown
            .client_assertion
            .as_deref()
            .ok_or(refuse("client_assertion is missing"))?;
        let claimed = claimed_client(assertion)?;
        let named = shown.client_id.as_deref();
        if named.is_some_and(|named| named != claimed.to_string()) {
            return Err(refuse("client_id is not the assertion's"));
        }
        let inner = self.inner();
        let Some(client) = client::find_able(&inner.db, claimed).await? else {
            return Err(refuse(
                "no such client, or it is disabled, or its institution is suspended or not approved yet",
            ));
        };
        match self.check_assertion(&client, assertion).await {
            Err(OAuthError::InvalidClient(cause)) => {
                let actor = Actor::Client {
                    client: client.id,
                    institution: client.institution,
                };
                let entry = AuditEntry::refused(&actor, "client.authenticate", client.id, cause);
                self.audit(entry).await?;
                Err(refuse(cause))
            }
            outcome => outcome.map(|()| client),
        }
    }

    async fn check_assertion(
        &self,
        client: &OAuthClient,
        assertion: &str,
    ) -> Result<(), OAuthError> {
        let refuse = OAuthError::InvalidClient;
        let (typ, verified) = verify_any_type(&client.keys, assertion).map_err(explain)?;
        // RFC 7523bis names the type; older clients send `JWT` or none. A release
        // signature of the same key is neither.
        let is_assertion = typ.is_none_or(|typ| {
            ["jwt", "client-authentication+jwt"].contains(&typ.to_ascii_lowercase().as_str())
        });
        if !is_assertion {
            return Err(refuse("the signature is of another type"));
        }
        let claims: Claims = serde_json::from_slice(&verified.payload)
            .map_err(|_| refuse("iss, sub, aud, exp and jti are all required"))?;
        let id = client.id.to_string();
        if claims.iss != id || claims.sub != id {
            return Err(refuse("iss and sub are not both the client_id"));
        }
        let inner = self.inner();
        // One audience, as text: an array would let one assertion serve two servers.
        let issuer = inner.issuer.as_str();
        let token_endpoint = format!("{issuer}{TOKEN_PATH}");
        let audience = claims.aud.as_str().unwrap_or_default();
        if audience != issuer && audience != token_endpoint {
            return Err(refuse("aud is not this issuer or its token endpoint"));
        }
        let now = inner.env.now();
        check_times(&claims, now)?;
        let length = claims.jti.chars().count();
        if !(1..=ASSERTION_JTI_CHARS_MAX).contains(&length) || !is_plain_text(&claims.jti) {
            return Err(refuse("jti is empty, too long or not plain text"));
        }
        let forget_at = Timestamp::from_millis(0)
            .plus_secs(claims.exp)
            .plus_secs(CLOCK_LEEWAY_SECS);
        let is_new = inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let is_new =
                    token::use_assertion(&mut tx, client.id, &claims.jti, forget_at).await?;
                tx.commit().await?;
                Ok::<_, Error>(is_new)
            })
            .await?;
        if is_new {
            Ok(())
        } else {
            Err(refuse("this assertion was used before"))
        }
    }
}

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), OAuthError> {
    let refuse = OAuthError::InvalidClient;
    let now = now.as_secs();
    let latest = now.saturating_add(CLOCK_LEEWAY_SECS);
    if claims.exp.saturating_add(CLOCK_LEEWAY_SECS) <= now {
        return Err(refuse("the assertion has expired"));
    }
    if claims.exp > latest.saturating_add(ASSERTION_LIFETIME_SECS_MAX) {
        return Err(refuse("exp is more than 5 minutes ahead"));
    }
    if claims.iat.is_some_and(|iat| iat > latest) || claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(refuse("iat or nbf is in the future"));
    }
    Ok(())
}

/// Whose assertion it says it is; believed only as far as to find the keys.
fn claimed_client(assertion: &str) -> Result<OAuthClientId, OAuthError> {
    #[derive(Deserialize)]
    struct Claimed {
        sub: String,
    }
    let unreadable = OAuthError::InvalidClient("client_assertion is not a JWT with sub");
    let payload = crate::keys::unverified_payload(assertion);
    let Some(claimed) = payload.and_then(|p| serde_json::from_slice::<Claimed>(&p).ok()) else {
        return Err(unreadable);
    };
    claimed.sub.parse().map_err(|_| unreadable)
}

fn explain(error: KeyError) -> OAuthError {
    OAuthError::InvalidClient(match error {
        KeyError::Algorithm => "the assertion is not signed with ES256 or EdDSA",
        KeyError::UnknownKey => "no registered key has the assertion's kid and alg",
        KeyError::BadSignature => "the assertion's signature does not verify",
        _ => "client_assertion is not a compact JWS",
    })
}
