//! OAuth 2.0 towards a bank: authorization code with PKCE, refresh, the
//! platform's own token, revocation.

use std::pin::Pin;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, Scope, StandardErrorResponse, TokenResponse as _, TokenUrl,
};
use qiao_events::{EgressRequest, Method};
use qiao_model::{Channel, Secret, Timestamp};
use url::Url;

use super::metadata::Metadata;
use super::{Client, Failure};

/// What a link may do at the bank.
const LINK_SCOPES: [&str; 2] = ["accounts", "payments"];
/// What the platform itself may do.
const CUSTODY_SCOPE: &str = "custody";
/// A token is not used in its last moments.
pub(crate) const EXPIRY_LEEWAY_SECS: i64 = 30;
/// What a token lives when the bank does not say.
const LIFETIME_SECS_DEFAULT: u64 = 300;

type OAuthClient =
    BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// The tokens of a link.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: Secret<String>,
    pub(crate) refresh: Secret<String>,
    pub(crate) expires_at: Timestamp,
}

/// What an authorization request carries.
pub(crate) struct AuthorizationRequest<'a> {
    pub(crate) redirect_uri: &'a str,
    pub(crate) state: &'a str,
    pub(crate) verifier: &'a Secret<String>,
}

/// A code that came back.
pub(crate) struct CodeExchange<'a> {
    pub(crate) redirect_uri: &'a str,
    pub(crate) code: &'a str,
    pub(crate) verifier: &'a Secret<String>,
}

impl Client {
    /// Where the person goes to log in at the bank and consent.
    pub(crate) async fn authorize_url(
        &self,
        code: Channel,
        request: &AuthorizationRequest<'_>,
    ) -> Result<Url, Failure> {
        let client = self.oauth(code, request.redirect_uri).await?;
        let verifier = PkceCodeVerifier::new(request.verifier.expose().clone());
        let state = request.state.to_owned();
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(state))
            .add_scopes(LINK_SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    /// Exchanges a code for the tokens of a link.
    pub(crate) async fn exchange_code(
        &self,
        code: Channel,
        exchange: &CodeExchange<'_>,
    ) -> Result<Tokens, Failure> {
        let client = self.oauth(code, exchange.redirect_uri).await?;
        let answer = client
            .exchange_code(AuthorizationCode::new(exchange.code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(exchange.verifier.expose().clone()))
            .request_async(self)
            .await
            .map_err(explain)?;
        let Some(refresh) = answer.refresh_token() else {
            let cause = "it gave no refresh token".to_owned();
            return Err(Failure::Refused(cause));
        };
        let refresh = Secret::new(refresh.secret().clone());
        Ok(self.tokens(&answer, refresh))
    }

    /// Fresh tokens for a link. [`Failure::Unauthorized`]: the bank refused, and
    /// the link is over.
    pub(crate) async fn refresh(
        &self,
        code: Channel,
        refresh: &Secret<String>,
    ) -> Result<Tokens, Failure> {
        let client = self.oauth(code, "").await?;
        let answer = client
            .exchange_refresh_token(&RefreshToken::new(refresh.expose().clone()))
            .request_async(self)
            .await
            .map_err(explain)?;
        let rotated = answer.refresh_token();
        let refresh = rotated.map_or_else(
            || refresh.clone(),
            |rotated| Secret::new(rotated.secret().clone()),
        );
        Ok(self.tokens(&answer, refresh))
    }

    /// The platform's own token at the bank, kept until it expires.
    pub(crate) async fn platform_token(&self, code: Channel) -> Result<Secret<String>, Failure> {
        let mut kept = self.bank(code)?.token.lock().await;
        if let Some((expires_at, token)) = kept.as_ref()
            && self.env.now().plus_secs(EXPIRY_LEEWAY_SECS) < *expires_at
        {
            return Ok(token.clone());
        }
        let client = self.oauth(code, "").await?;
        let answer = client
            .exchange_client_credentials()
            .add_scope(Scope::new(CUSTODY_SCOPE.to_owned()))
            .request_async(self)
            .await
            .map_err(explain)?;
        let token = Secret::new(answer.access_token().secret().clone());
        *kept = Some((self.expiry(&answer), token.clone()));
        Ok(token)
    }

    /// Forgets the platform's token, which the bank does not take any more.
    pub(crate) async fn forget_platform_token(&self, code: Channel) -> Result<(), Failure> {
        *self.bank(code)?.token.lock().await = None;
        Ok(())
    }

    /// Revokes a token (RFC 7009). By hand, since the oauth2 crate revokes over
    /// TLS alone, and the egress policy is what says where this host may go.
    pub(crate) async fn revoke(
        &self,
        code: Channel,
        token: &Secret<String>,
    ) -> Result<(), Failure> {
        let metadata = self.metadata(code).await?;
        let config = &self.bank(code)?.config;
        let encode =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic = format!(
            "{}:{}",
            encode(&config.client_id),
            encode(config.client_secret.expose())
        );
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token.expose())
            .finish();
        let header = |name: &str, value: String| (name.to_owned(), value);
        let request = EgressRequest {
            method: Method::Post,
            url: metadata.revocation_endpoint.clone(),
            headers: vec![
                header("authorization", format!("Basic {}", STANDARD.encode(basic))),
                header(
                    "content-type",
                    "application/x-www-form-urlencoded".to_owned(),
                ),
            ],
            body: body.into_bytes(),
            timeout: self.timeout,
        };
        match self.send(request).await?.status {
            200..=299 => Ok(()),
            status => Err(Failure::Refused(format!("{status} to a revocation"))),
        }
    }

    async fn oauth(&self, code: Channel, redirect_uri: &str) -> Result<OAuthClient, Failure> {
        let metadata: &Metadata = &*self.metadata(code).await?;
        let config = &self.bank(code)?.config;
        let client = BasicClient::new(ClientId::new(config.client_id.clone()))
            .set_client_secret(ClientSecret::new(config.client_secret.expose().clone()))
            .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
            .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()));
        Ok(match RedirectUrl::new(redirect_uri.to_owned()) {
            Ok(redirect) => client.set_redirect_uri(redirect),
            Err(_) => client,
        })
    }

    /// One exchange of the oauth2 crate, through the host's one way out.
    async fn oauth_exchange(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let (parts, body) = request.into_parts();
        let headers = parts.headers.iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        });
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|_| Failure::NotSent("the address is not one".to_owned()))?;
        let request = EgressRequest {
            method: Method::Post,
            url,
            headers: headers.collect(),
            body,
            timeout: self.timeout,
        };
        let answer = self.send(request).await?;
        let mut response = http::Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        response
            .body(answer.body)
            .map_err(|_| Failure::NoAnswer("the bank's answer cannot be read".to_owned()))
    }

    fn tokens(&self, answer: &BasicTokenResponse, refresh: Secret<String>) -> Tokens {
        Tokens {
            access: Secret::new(answer.access_token().secret().clone()),
            refresh,
            expires_at: self.expiry(answer),
        }
    }

    fn expiry(&self, answer: &BasicTokenResponse) -> Timestamp {
        let lifetime = answer
            .expires_in()
            .unwrap_or(Duration::from_secs(LIFETIME_SECS_DEFAULT));
        let secs = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        self.env.now().plus_secs(secs)
    }
}

/// The oauth2 crate speaks through the host's one way out.
impl<'c> AsyncHttpClient<'c> for Client {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.oauth_exchange(request))
    }
}

type TokenError = RequestTokenError<Failure, StandardErrorResponse<BasicErrorResponseType>>;

/// What a failed exchange says: `invalid_grant` is the end of the grant
/// (RFC 6749 section 5.2), everything else may be tried again.
fn explain(error: TokenError) -> Failure {
    match error {
        RequestTokenError::ServerResponse(answer) => match answer.error() {
            BasicErrorResponseType::InvalidGrant => Failure::Unauthorized,
            other => Failure::Refused(other.to_string()),
        },
        RequestTokenError::Request(failure) => failure,
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Failure::NoAnswer("the bank's answer cannot be read".to_owned())
        }
    }
}
