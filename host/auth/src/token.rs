use qiao_model::ScopeSet;

use crate::access_token::{ACCESS_TOKEN_LIFETIME_SECS, NewToken};
use crate::assertion::ClientAssertion;
use crate::client::OAuthClient;
use crate::{Auth, OAuthError};

const CLIENT_CREDENTIALS: &str = "client_credentials";

/// A form at the token endpoint.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// `grant_type`: `client_credentials` alone for now.
    pub grant_type: Option<String>,
    /// Who asks.
    pub client: ClientAssertion,
    /// `scope`: what is asked for, space-separated; nothing means all it may have.
    pub scope: Option<String>,
}

/// What the token endpoint answers (RFC 6749 section 5.1); `token_type` is `Bearer`.
#[derive(Clone, Debug)]
pub struct TokenResponse {
    /// The access token, an RFC 9068 JWT.
    pub access_token: String,
    /// Seconds that it lives.
    pub expires_in: i64,
    /// What was granted.
    pub scope: ScopeSet,
}

impl Auth {
    /// The token endpoint (RFC 6749 section 3.2).
    ///
    /// # Errors
    /// As RFC 6749 section 5.2 names them.
    pub async fn token(&self, request: TokenRequest) -> Result<TokenResponse, OAuthError> {
        let grant_type = request
            .grant_type
            .as_deref()
            .ok_or(OAuthError::InvalidRequest("grant_type is missing"))?;
        if grant_type != CLIENT_CREDENTIALS {
            return Err(OAuthError::UnsupportedGrantType);
        }
        let client = self.authenticate(&request.client).await?;
        let scope = granted(&client, request.scope.as_deref())?;
        let token = NewToken {
            client: client.id,
            institution: client.institution,
            scopes: scope,
        };
        Ok(TokenResponse {
            access_token: self.mint(&token)?,
            expires_in: ACCESS_TOKEN_LIFETIME_SECS,
            scope,
        })
    }
}

/// What was asked for, if the client may have all of it.
fn granted(client: &OAuthClient, asked: Option<&str>) -> Result<ScopeSet, OAuthError> {
    let asked = asked.map(str::trim).filter(|asked| !asked.is_empty());
    let Some(asked) = asked else {
        return Ok(client.scopes);
    };
    let asked: ScopeSet = asked
        .parse()
        .map_err(|unknown| OAuthError::InvalidScope(format!("{unknown}")))?;
    match asked.iter().find(|scope| !client.scopes.contains(*scope)) {
        None => Ok(asked),
        Some(scope) => Err(OAuthError::InvalidScope(format!(
            "`{scope}` is not registered for this client"
        ))),
    }
}
