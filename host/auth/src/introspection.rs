use qiao_model::{InstitutionId, OAuthClientId, ScopeSet, Timestamp};

use crate::access_token::BearerError;
use crate::assertion::ClientAssertion;
use crate::{Auth, OAuthError};

/// What the introspection endpoint tells (RFC 7662 section 2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// `{"active": false}`, and nothing more.
    Inactive,
    /// A token that permits something.
    Active(ActiveToken),
}

/// A token that permits something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveToken {
    /// Its own id.
    pub jti: String,
    /// Whose; also its `sub`.
    pub client_id: OAuthClientId,
    /// The client's institution.
    pub institution: InstitutionId,
    /// What it carries.
    pub scope: ScopeSet,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Auth {
    /// The introspection endpoint (RFC 7662). A client is told of the tokens of
    /// its own institution alone.
    ///
    /// # Errors
    /// The client did not prove who it is, or the host failed.
    pub async fn introspect(
        &self,
        shown: &ClientAssertion,
        token: &str,
    ) -> Result<Introspection, OAuthError> {
        let client = self.authenticate(shown).await?;
        let token = match self.verify_token(token).await {
            Ok(token) => token,
            Err(BearerError::Storage(error)) => return Err(error.into()),
            Err(_) => return Ok(Introspection::Inactive),
        };
        if token.institution != client.institution {
            return Ok(Introspection::Inactive);
        }
        Ok(Introspection::Active(ActiveToken {
            jti: token.jti.clone(),
            client_id: token.client,
            institution: token.institution,
            scope: token.scopes,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
        }))
    }
}
