use std::fmt;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum_extra::extract::cookie::Cookie;
use qiao_auth::{Permit, Session};
use qiao_model::Scope;

use crate::App;
use crate::problem::{Kind, Problem};

/// The header that carries the session's CSRF token.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// A scope as a type, so that a handler's signature says what it takes.
pub trait RequiredScope: Send + Sync + 'static {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! scopes {
    ($($name:ident)*) => {
        /// The scopes that a token can carry, as types.
        pub mod scope {
            $(
                #[doc = concat!("`Scope::", stringify!($name), "`.")]
                #[derive(Debug)]
                pub enum $name {}
                impl super::RequiredScope for $name {
                    const SCOPE: qiao_model::Scope = qiao_model::Scope::$name;
                }
            )*
        }
    };
}

scopes! { CatalogWrite PaymentsRead PaymentsWrite PaymentsRefund PaymentsCharge OrdersRead ReleasesWrite WebhooksWrite }

/// A server of an institution, whose access token has the scope (RFC 6750).
pub struct Bearer<S> {
    /// What it may do.
    pub permit: Permit,
    scope: PhantomData<S>,
}

impl<S: RequiredScope> FromRequestParts<App> for Bearer<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = bearer_token(&parts.headers)?;
        let permit = app.auth.permit_bearer(token, S::SCOPE).await?;
        Ok(Self {
            permit,
            scope: PhantomData,
        })
    }
}

impl<S: RequiredScope> fmt::Debug for Bearer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bearer({})", S::SCOPE)
    }
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers.get(header::AUTHORIZATION);
    value
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| {
            // RFC 6750 section 3.1: without any credentials the challenge names no error.
            Problem::new(Kind::InvalidToken, "send `Authorization: Bearer …`").with_header(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer"),
            )
        })
}

/// A person who is signed in and acts for themselves. Anything but a read also needs
/// the session's CSRF token in the [`CSRF_HEADER`].
#[derive(Debug)]
pub struct SessionUser {
    /// Their session.
    pub session: Session,
    /// What they may do.
    pub permit: Permit,
}

impl FromRequestParts<App> for SessionUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let session = guarded_session(parts, app).await?;
        let permit = app.auth.permit_session(&session, Scope::Account)?;
        Ok(Self { session, permit })
    }
}

/// An operator of the platform who is signed in; the CSRF token as for [`SessionUser`].
#[derive(Debug)]
pub struct Operator {
    /// Their session.
    pub session: Session,
    /// What they may do.
    pub permit: Permit,
}

impl FromRequestParts<App> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let session = guarded_session(parts, app).await?;
        let permit = app.auth.permit_session(&session, Scope::Operate)?;
        Ok(Self { session, permit })
    }
}

/// The session of the request's cookie, if it counts. It says nothing about CSRF.
///
/// # Errors
/// The sessions cannot be read.
pub async fn session(parts: &Parts, app: &App) -> Result<Option<Session>, Problem> {
    match session_token(&parts.headers, app) {
        Some(token) => Ok(app.auth.session(&token).await?),
        None => Ok(None),
    }
}

/// The value of the session's cookie, whether it counts or not.
#[must_use]
pub fn session_token(headers: &HeaderMap, app: &App) -> Option<String> {
    let cookie = cookie(headers, app.config.session_cookie())?;
    Some(cookie.value().to_owned())
}

/// The cookie of this name, if the request has it; of several, the one sent first, which
/// is of the narrowest path (RFC 6265, 5.4).
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cookie<'a>> {
    let sent = headers.get_all(header::COOKIE).iter();
    sent.filter_map(|header| header.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten()
        .find(|cookie| cookie.name() == name)
}

/// Whether what came with a request is the session's CSRF token.
///
/// # Errors
/// It is not: [`Kind::Csrf`].
pub fn check_csrf(session: &Session, sent: &str) -> Result<(), Problem> {
    if session.is_csrf(sent) {
        Ok(())
    } else {
        let detail = format!("send the session's csrf value in the header {CSRF_HEADER}");
        Err(Problem::new(Kind::Csrf, detail))
    }
}

async fn guarded_session(parts: &Parts, app: &App) -> Result<Session, Problem> {
    let Some(session) = session(parts, app).await? else {
        return Err(Problem::new(
            Kind::SignInRequired,
            "there is no session, or it has ended",
        ));
    };
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        let sent = parts.headers.get(CSRF_HEADER);
        let sent = sent.and_then(|value| value.to_str().ok());
        check_csrf(&session, sent.unwrap_or_default())?;
    }
    Ok(session)
}
