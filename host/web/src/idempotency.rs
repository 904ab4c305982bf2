//! The `Idempotency-Key` of a POST that moves money.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, header};
use qiao_auth::Permit;
use qiao_payments::{IDEMPOTENCY_KEY_CHARS_MAX, IdempotencyKey};
use serde::de::DeserializeOwned;

use crate::problem::{Kind, Problem};

/// The header that carries the key.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A JSON body that came under an idempotency key. Asked for after the caller, so that
/// who may not ask is told that first.
#[derive(Debug)]
pub(crate) struct Keyed<T> {
    /// The body.
    pub(crate) body: T,
    key: String,
    path: String,
    bytes: Bytes,
}

impl<T> Keyed<T> {
    /// The key as the caller's own (two callers never share one), for this path and body.
    pub(crate) fn under(&self, permit: &Permit) -> Result<IdempotencyKey, Problem> {
        self.under_part(permit, &self.bytes)
    }

    /// The same for a part of the body, where a hash of all of it must not be kept.
    pub(crate) fn under_part(
        &self,
        permit: &Permit,
        part: &[u8],
    ) -> Result<IdempotencyKey, Problem> {
        let request = [self.path.as_bytes(), b"\n", part].concat();
        Ok(IdempotencyKey::of(permit, &self.key, &request)?)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Keyed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        demand_json(request.headers())?;
        let key = key(request.headers())?;
        let path = request.uri().path().to_owned();
        let bytes = Bytes::from_request(request, state).await?;
        let axum::Json(body) = axum::Json::from_bytes(&bytes)?;
        Ok(Self {
            body,
            key,
            path,
            bytes,
        })
    }
}

fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let refuse = |detail: &str| Err(Problem::new(Kind::IdempotencyKey, detail));
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return refuse(
            "send the header Idempotency-Key: the same key with the same body has one effect",
        );
    };
    let Ok(key) = value.to_str() else {
        return refuse("an Idempotency-Key is visible ASCII");
    };
    match key.len() {
        0 => refuse("the Idempotency-Key is empty"),
        1..=IDEMPOTENCY_KEY_CHARS_MAX => Ok(key.to_owned()),
        _ => refuse("an Idempotency-Key has at most 255 characters"),
    }
}

fn demand_json(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = headers.get(header::CONTENT_TYPE);
    let media_type = media_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Problem::new(
            Kind::MediaType,
            "send the body as application/json",
        ))
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        let kind = match rejection.status().as_u16() {
            413 => Kind::TooLarge,
            _ => Kind::Malformed,
        };
        Self::new(kind, rejection.body_text())
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn taken(key: Option<&str>, path: &str, body: &str) -> Result<Keyed<u32>, Problem> {
        let mut request =
            axum::http::Request::post(path).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        Keyed::from_request(request.body(Body::from(body.to_owned())).unwrap(), &()).await
    }

    #[tokio::test]
    async fn a_key_is_wanted_and_has_at_most_255_characters() {
        let longest = "k".repeat(IDEMPOTENCY_KEY_CHARS_MAX);
        assert!(taken(Some(&longest), "/v1/payments", "7").await.is_ok());
        for refused in [None, Some(""), Some("k".repeat(256).as_str())] {
            let problem = taken(refused, "/v1/payments", "7").await.unwrap_err();
            assert_eq!(problem.kind(), Kind::IdempotencyKey);
        }
    }

    #[tokio::test]
    async fn a_body_that_is_not_json_is_refused() {
        let problem = taken(Some("k"), "/v1/payments", "{").await.unwrap_err();
        assert_eq!(problem.kind(), Kind::Malformed);
    }
}
