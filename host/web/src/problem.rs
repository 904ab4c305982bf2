//! Problems of RFC 9457: what every refusal of the API looks like.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $status:ident $slug:literal $title:literal;)*) => {
        /// What went wrong; each has one stable `type` and one status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The last part of the `type`.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// The status of the answer.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)* }
            }

            /// The sentence that is the same for every problem of the kind.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }
        }
    };
}

kinds! {
    /// The body or a parameter does not parse.
    Malformed = BAD_REQUEST "malformed-request" "The request does not parse";
    /// The body parses and a value in it is not acceptable.
    Invalid = UNPROCESSABLE_ENTITY "invalid-value" "A value is not acceptable";
    /// The body is longer than the route takes.
    TooLarge = PAYLOAD_TOO_LARGE "body-too-large" "The body is too large";
    /// The body is of another media type.
    MediaType = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The media type is not supported";
    /// No such route or thing, or not the caller's.
    NotFound = NOT_FOUND "not-found" "There is no such thing";
    /// The route exists, the method does not.
    Method = METHOD_NOT_ALLOWED "method-not-allowed" "The method is not allowed here";
    /// No session, or one that has ended.
    SignInRequired = UNAUTHORIZED "sign-in-required" "Sign in first";
    /// No bearer token, or one that does not count.
    InvalidToken = UNAUTHORIZED "invalid-token" "The access token does not count";
    /// The token lacks the route's scope.
    InsufficientScope = FORBIDDEN "insufficient-scope" "The access token lacks a scope";
    /// The caller is known and may not do it.
    Forbidden = FORBIDDEN "forbidden" "This caller may not do this";
    /// A cookie-authenticated request that changes something came without its token.
    Csrf = FORBIDDEN "csrf-token-mismatch" "The CSRF token does not match the session";
    /// Login or password do not match.
    WrongCredentials = UNAUTHORIZED "wrong-credentials" "Login or password is wrong";
    /// The payment PIN does not match.
    WrongPin = FORBIDDEN "wrong-pin" "The payment PIN is wrong";
    /// Too many wrong tries, or more than a quota allows.
    Locked = TOO_MANY_REQUESTS "too-many-tries" "Too many tries";
    /// No payment PIN is set yet.
    PinMissing = CONFLICT "pin-not-set" "Set a payment PIN first";
    /// The name is taken or the thing exists already.
    Conflict = CONFLICT "conflict" "It conflicts with what is there";
    /// A POST that moves money came without its key, or with one too long.
    IdempotencyKey = BAD_REQUEST "idempotency-key" "The Idempotency-Key is missing or not usable";
    /// The key was used with another body.
    KeyReused = UNPROCESSABLE_ENTITY "idempotency-key-reused" "The Idempotency-Key was used with another request";
    /// The first request with the key has not been answered yet.
    KeyInFlight = CONFLICT "idempotency-key-in-flight" "The first request with this Idempotency-Key is in flight";
    /// The payer has too little.
    InsufficientFunds = PAYMENT_REQUIRED "insufficient-funds" "The balance is too small";
    /// The payer's mandate does not allow the payment.
    MandateRefused = UNPROCESSABLE_ENTITY "mandate-refused" "The mandate does not allow this";
    /// A receiver of the payment has too little left to give its part back.
    ReceiverShort = CONFLICT "receiver-short" "A receiver cannot give its part back";
    /// More than what is left, too often, or too late.
    NotRefundable = UNPROCESSABLE_ENTITY "not-refundable" "The payment cannot be refunded so";
    /// The hold ran out before it was captured.
    HoldExpired = CONFLICT "hold-expired" "The hold has expired";
    /// More than what is held, or a part of what moves as a whole.
    NotCapturable = UNPROCESSABLE_ENTITY "not-capturable" "The hold cannot be captured so";
    /// The quote is not the host's, was changed, or has expired.
    QuoteInvalid = UNPROCESSABLE_ENTITY "quote-invalid" "The quote does not count";
    /// Another way to pay was confirmed than the quoted one.
    MethodDiffers = UNPROCESSABLE_ENTITY "method-differs" "Another way to pay was quoted";
    /// The bank was asked for the money and has not moved it yet.
    BankUnderWay = CONFLICT "bank-under-way" "The bank has not moved the money yet";
    /// The bank was asked for the money and does not move it.
    BankRejected = PAYMENT_REQUIRED "bank-rejected" "The bank does not move the money";
    /// The thing is in a state that does not allow it.
    WrongState = CONFLICT "wrong-state" "Its state does not allow this";
    /// No bank channel that works can carry it.
    NoBankRoute = CONFLICT "no-bank-route" "No bank channel can carry it now";
    /// The bank does not take the link's tokens any more.
    LinkOver = CONFLICT "bank-link-over" "Link the bank account again";
    /// The authorization at the bank is not this session's, was refused, or is over.
    NotAuthorized = FORBIDDEN "not-authorized" "The bank account was not linked";
    /// The bank does not answer, or not as it should.
    BankFailed = BAD_GATEWAY "bank-failed" "The bank failed";
    /// The signature of a callback is not the bank's.
    BadSignature = UNAUTHORIZED "bad-signature" "The signature does not count";
    /// The plugin refused, in its own words.
    PluginRefused = UNPROCESSABLE_ENTITY "plugin-refused" "The service refused";
    /// The plugin broke a limit, trapped or answered nonsense.
    PluginFailed = BAD_GATEWAY "plugin-failed" "The service failed";
    /// The upload is not acceptable as a release.
    ReleaseRefused = UNPROCESSABLE_ENTITY "release-refused" "The release is refused";
    /// The request took too long.
    TimedOut = SERVICE_UNAVAILABLE "timed-out" "The request took too long";
    /// The host cannot do it now; nothing was changed by this request.
    Unavailable = SERVICE_UNAVAILABLE "unavailable" "Try again in a moment";
    /// A fault of the host.
    Internal = INTERNAL_SERVER_ERROR "internal" "The host failed";
}

/// Seconds after which a caller may try again when the host is busy.
const RETRY_AFTER_SECS: u32 = 1;

/// A refusal on its way out. Boxed: it is rare, and results stay small.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of a problem (RFC 9457 section 3.1).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// A stable URI of the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:qiao:problem:insufficient-funds")]
    kind: String,
    /// The kind in a sentence.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What exactly went wrong this time.
    detail: String,
    /// More members, by kind.
    #[serde(flatten)]
    members: Map<String, Value>,
}

impl Problem {
    /// A problem of this kind; the detail says what exactly went wrong.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let mut headers = Vec::new();
        if kind.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.push((header::RETRY_AFTER, RETRY_AFTER_SECS.into()));
        }
        Self(Box::new(Parts {
            kind,
            detail: detail.into(),
            members: Map::new(),
            headers,
        }))
    }

    /// A fault of the host: logged here once with its causes, told without them.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %causes(error), "a request failed inside the host");
        Self::new(Kind::Internal, "the failure is logged under the request id")
    }

    /// The host cannot do it now: logged here once with its causes.
    pub fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(error = %causes(error), "a request was put off");
        Self::new(Kind::Unavailable, error.to_string())
    }

    /// Adds a member to the body.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.retain(|(known, _)| *known != name);
        self.0.headers.push((name, value));
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What exactly went wrong, in a sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let parts = *self.0;
        let body = ProblemBody {
            kind: format!("urn:qiao:problem:{}", parts.kind.slug()),
            title: parts.kind.title(),
            status: parts.kind.status().as_u16(),
            detail: parts.detail,
            members: parts.members,
        };
        let mut response = (parts.kind.status(), axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        for (name, value) in parts.headers {
            headers.insert(name, value);
        }
        response
    }
}

/// The error and what caused it, outermost first.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_an_error_with_a_slug_of_its_own() {
        let mut slugs: Vec<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!(kind.status().is_client_error() || kind.status().is_server_error());
        }
    }

    #[test]
    fn the_kinds_of_problem_are_stable() {
        let table: Vec<String> = Kind::ALL
            .iter()
            .map(|kind| {
                format!(
                    "{} {} {}",
                    kind.status().as_u16(),
                    kind.slug(),
                    kind.title()
                )
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[tokio::test]
    async fn a_problem_has_the_members_of_rfc_9457() {
        let response = Problem::new(
            Kind::InsufficientFunds,
            "account lac_1 has 1.00 CNY, needs 2.00 CNY",
        )
        .with("available", 100)
        .into_response();
        assert_eq!(response.status(), StatusCode::PAYMENT_REQUIRED);
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
        let body = axum::body::to_bytes(response.into_body(), 4096)
            .await
            .unwrap();
        // Whether serde_json keeps the order of members depends on the whole build.
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(serde_json::from_slice::<Value>(&body).unwrap());
        });
    }

    #[test]
    fn a_host_that_is_busy_says_when_to_try_again() {
        let response = Problem::new(Kind::Unavailable, "the database was busy").into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }
}
