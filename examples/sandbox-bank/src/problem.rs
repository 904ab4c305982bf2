use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::books::Refusal;

/// A refusal as RFC 9457 says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
}

impl Problem {
    pub(crate) const UNAUTHENTICATED: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        "the access token is missing, expired or revoked",
    );
    pub(crate) const FORBIDDEN: Self = Self::new(
        StatusCode::FORBIDDEN,
        "forbidden",
        "the access token does not allow this",
    );
    pub(crate) const NOT_FOUND: Self =
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is nothing here");
    pub(crate) const UNAVAILABLE: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "the bank is out of service on purpose",
    );

    pub(crate) const fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        Self {
            status,
            kind,
            title,
        }
    }

    pub(crate) const fn malformed(title: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", title)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed(title) => Self::malformed(title),
            Refusal::UnknownAccount => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unknown-account",
                "the bank has no such account",
            ),
            Refusal::IdReused => Self::new(
                StatusCode::CONFLICT,
                "id-reused",
                "the id was used for another payment",
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": format!("urn:sandbox-bank:problem:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
        });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
