//! RFC 8414 metadata and the authorization endpoint (RFC 6749 section 4.1, RFC 7636,
//! RFC 9207).

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Json, http::HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Host, Url};

use crate::account::Account;
use crate::grant::{CODE_LIFETIME_MS, Code, Grant, Scope, Subject};
use crate::office::Office;
use crate::page::ConsentPage;

/// The base64url of a SHA-256 has so many characters.
const CHALLENGE_CHARS: usize = 43;

pub(crate) async fn metadata(State(office): State<Arc<Office>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", office.url);
    Json(json!({
        "issuer": office.url,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "revocation_endpoint": at("/revoke"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["accounts", "payments", "custody"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

/// The parameters of an authorization request.
#[derive(Deserialize)]
pub(crate) struct AuthorizationRequest {
    response_type: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    scope: Option<String>,
    state: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// What the customer answered.
#[derive(Deserialize)]
pub(crate) struct Answer {
    customer: Option<String>,
    password: Option<String>,
    account: Option<String>,
    decision: Option<String>,
    #[serde(flatten)]
    request: AuthorizationRequest,
}

/// A request that may be put to the customer.
struct Asked<'a> {
    office: &'a Office,
    request: &'a AuthorizationRequest,
    redirect_uri: Url,
    scopes: Vec<Scope>,
    code_challenge: &'a str,
}

pub(crate) async fn ask(
    State(office): State<Arc<Office>>,
    Query(request): Query<AuthorizationRequest>,
) -> Response {
    match Asked::check(&office, &request) {
        Ok(asked) => asked.page(&[], None),
        Err(refused) => *refused,
    }
}

pub(crate) async fn answer(
    State(office): State<Arc<Office>>,
    Form(answer): Form<Answer>,
) -> Response {
    let asked = match Asked::check(&office, &answer.request) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    if answer.decision.as_deref() == Some("deny") {
        return asked.redirect("error", "access_denied");
    }
    let customer = answer.customer.as_deref().unwrap_or_default();
    let password = answer.password.as_deref().unwrap_or_default();
    let accounts = {
        let books = &office.desk().books;
        if !books.log_in(customer, password) {
            return asked.page(&[], Some("Name or password is wrong. 客户名或密码不正确"));
        }
        books.accounts_of(customer)
    };
    let chosen = answer.account.as_deref().filter(|text| !text.is_empty());
    match choose(&accounts, chosen) {
        Some(account) => asked.allow(customer, account),
        None => asked.page(&accounts, Some("Choose one of your accounts. 请选择账户")),
    }
}

fn choose<'a>(accounts: &'a [Account], chosen: Option<&str>) -> Option<&'a Account> {
    match (accounts, chosen) {
        ([only], None) => Some(only),
        (several, Some(chosen)) => several
            .iter()
            .find(|account| account.id == chosen || account.number == chosen),
        (_, None) => None,
    }
}

impl<'a> Asked<'a> {
    /// Refuses with a page while the redirect cannot be trusted, and with a redirect after
    /// (RFC 6749 section 4.1.2.1).
    fn check(office: &'a Office, request: &'a AuthorizationRequest) -> Result<Self, Box<Response>> {
        if request.client_id.as_deref() != Some(office.options.client_id.as_str()) {
            return Err(Box::new(refusal_page(
                "The bank does not know this client.",
            )));
        }
        let redirect_uri = request.redirect_uri.as_deref().unwrap_or_default();
        let Some(redirect_uri) = trusted_redirect(office, redirect_uri) else {
            return Err(Box::new(refusal_page(
                "The bank does not send codes there.",
            )));
        };
        let mut asked = Self {
            office,
            request,
            redirect_uri,
            scopes: Vec::new(),
            code_challenge: request.code_challenge.as_deref().unwrap_or_default(),
        };
        if request.response_type.as_deref() != Some("code") {
            return Err(Box::new(
                asked.redirect("error", "unsupported_response_type"),
            ));
        }
        let is_s256 = request.code_challenge_method.as_deref() == Some("S256");
        if !is_s256 || asked.code_challenge.len() != CHALLENGE_CHARS {
            return Err(Box::new(asked.redirect("error", "invalid_request")));
        }
        match Scope::parse_of_customer(request.scope.as_deref().unwrap_or_default()) {
            Some(scopes) => asked.scopes = scopes,
            None => return Err(Box::new(asked.redirect("error", "invalid_scope"))),
        }
        Ok(asked)
    }

    fn page(&self, accounts: &[Account], wrong: Option<&str>) -> Response {
        let request = self.request;
        let parameters = [
            ("response_type", &request.response_type),
            ("client_id", &request.client_id),
            ("redirect_uri", &request.redirect_uri),
            ("scope", &request.scope),
            ("state", &request.state),
            ("code_challenge", &request.code_challenge),
            ("code_challenge_method", &request.code_challenge_method),
        ];
        let hidden: Vec<(&'static str, &str)> = parameters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
            .collect();
        let page = ConsentPage {
            bank: &self.office.options.name,
            client_id: &self.office.options.client_id,
            scopes: &self.scopes,
            hidden: &hidden,
            accounts,
            wrong,
        };
        let mut response = Html(page.render()).into_response();
        let unframed = HeaderValue::from_static("frame-ancestors 'none'");
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, unframed);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn allow(&self, customer: &str, account: &Account) -> Response {
        let code = Code {
            grant: Grant {
                subject: Subject::Customer {
                    name: customer.to_owned(),
                    account: account.id.clone(),
                },
                scopes: self.scopes.clone(),
            },
            redirect_uri: self.request.redirect_uri.clone().unwrap_or_default(),
            code_challenge: self.code_challenge.to_owned(),
            expires_at: self.office.now_ms().saturating_add(CODE_LIFETIME_MS),
            exchanged: None,
        };
        let code = self.office.desk().grants.add_code(code);
        self.redirect("code", &code)
    }

    /// Back to the client, with the state and the issuer (RFC 9207).
    fn redirect(&self, name: &str, value: &str) -> Response {
        let mut url = self.redirect_uri.clone();
        {
            let mut query = url.query_pairs_mut();
            query.append_pair(name, value);
            if let Some(state) = &self.request.state {
                query.append_pair("state", state);
            }
            query.append_pair("iss", &self.office.url);
        }
        (StatusCode::SEE_OTHER, [(header::LOCATION, url.to_string())]).into_response()
    }
}

/// One of the registered addresses, or any of this machine when none is registered.
fn trusted_redirect(office: &Office, text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let registered = &office.options.redirect_uris;
    let is_loopback = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let is_trusted = if registered.is_empty() {
        is_loopback
    } else {
        registered.iter().any(|known| known == text)
    };
    (is_trusted && url.fragment().is_none()).then_some(url)
}

fn refusal_page(sentence: &'static str) -> Response {
    let page = format!("<!doctype html><meta charset=\"utf-8\"><p>{sentence}</p>");
    (StatusCode::BAD_REQUEST, Html(page)).into_response()
}
