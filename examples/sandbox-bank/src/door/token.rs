//! The token endpoint (RFC 6749 section 3.2) and revocation (RFC 7009).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use crate::grant::{Issued, Scope};
use crate::office::Office;

#[derive(Deserialize)]
pub(crate) struct TokenRequest {
    grant_type: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    scope: Option<String>,
}

pub(crate) async fn token(
    State(office): State<Arc<Office>>,
    headers: HeaderMap,
    Form(request): Form<TokenRequest>,
) -> Response {
    if !is_client(&office, &headers) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let term = office.token_term();
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let issued = match request.grant_type.as_deref() {
        Some("authorization_code") => office.desk().grants.exchange(
            &text(&request.code),
            &text(&request.redirect_uri),
            &text(&request.code_verifier),
            term,
        ),
        Some("refresh_token") => {
            let refresh_token = text(&request.refresh_token);
            office.desk().grants.refresh(&refresh_token, term)
        }
        Some("client_credentials") => {
            let scope = request.scope.as_deref().unwrap_or(Scope::Custody.name());
            if scope != Scope::Custody.name() {
                return refused(StatusCode::BAD_REQUEST, "invalid_scope");
            }
            Some(office.desk().grants.for_platform(term))
        }
        Some(_) => return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        None => return refused(StatusCode::BAD_REQUEST, "invalid_request"),
    };
    match issued {
        Some(issued) => granted(&issued, office.options.token_lifetime.as_secs()),
        None => refused(StatusCode::BAD_REQUEST, "invalid_grant"),
    }
}

#[derive(Deserialize)]
pub(crate) struct RevocationRequest {
    token: String,
}

pub(crate) async fn revoke(
    State(office): State<Arc<Office>>,
    headers: HeaderMap,
    Form(request): Form<RevocationRequest>,
) -> Response {
    if !is_client(&office, &headers) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    office.desk().grants.revoke(&request.token);
    StatusCode::OK.into_response()
}

/// `client_secret_basic`: both parts are form-encoded first (RFC 6749 section 2.3.1).
fn is_client(office: &Office, headers: &HeaderMap) -> bool {
    let Some((id, secret)) = basic_credentials(headers) else {
        return false;
    };
    id == office.options.client_id && secret == office.options.client_secret
}

fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let bytes = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    let pair = format!("text={text}");
    let (_, decoded) = url::form_urlencoded::parse(pair.as_bytes()).next()?;
    Some(decoded.into_owned())
}

fn granted(issued: &Issued, expires_in: u64) -> Response {
    let mut body = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": expires_in,
        "scope": Scope::join(&issued.scopes),
    });
    if let Some(refresh_token) = &issued.refresh_token {
        body["refresh_token"] = json!(refresh_token);
    }
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn refused(status: StatusCode, error: &str) -> Response {
    let mut response = (status, Json(json!({ "error": error }))).into_response();
    let headers = response.headers_mut();
    let no_store = axum::http::HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, no_store);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = axum::http::HeaderValue::from_static("Basic realm=\"bank\"");
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
