//! What happens around every request, whatever its route.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::App;
use crate::problem::{Kind, Problem};

/// Longest body of a request that says nothing else.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the requests below may take: they compile or start a plugin.
const LONG_REQUEST_TIMEOUT: Duration = Duration::from_secs(180);
const LONG_REQUESTS: [&str; 5] = [
    "/console/{institution}/releases/upload",
    "/console/{institution}/releases/{release}/activate",
    "/v1/releases",
    "/v1/releases/{id}/activate",
    "/v1/plugins/{id}/roll-back",
];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// No script runs on any page, none may frame one, and forms go only to the host.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; font-src 'self'; \
    img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Two years (the minimum of the browsers' preload lists is one).
const STRICT_TRANSPORT_SECURITY: &str = "max-age=63072000; includeSubDomains";

/// The router with everything that is around it.
pub(crate) fn around(router: Router<App>, app: &App) -> Router<App> {
    router
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), door))
}

/// Request id, span, time limit, metrics and security headers.
async fn door(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = tokio::time::Instant::now();
    let id = request_id(&app);
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        request.id = id.to_str().unwrap_or_default(),
        http.method = %method,
        http.route = route,
    );
    let answer = tokio::time::timeout(time_limit(route), next.run(request));
    let mut response = match answer.instrument(span.clone()).await {
        Ok(response) => response,
        Err(_) => timed_out(route),
    };
    let took = began.elapsed();
    let status = response.status();
    app.metrics.answered(&method, route, status, took);
    span.in_scope(|| {
        tracing::debug!(
            http.status = status.as_u16(),
            duration_ms = took.as_millis(),
            "answered"
        );
    });
    secure(response.headers_mut(), &app);
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// An id of the host's own: what a caller sends is not trusted in logs.
fn request_id(app: &App) -> HeaderValue {
    let chance = u128::from_be_bytes(*app.env.secret::<16>().expose());
    HeaderValue::from_str(&format!("{chance:032x}")).expect("hexadecimal digits are a header value")
}

fn time_limit(route: &str) -> Duration {
    if LONG_REQUESTS.contains(&route) {
        LONG_REQUEST_TIMEOUT
    } else {
        REQUEST_TIMEOUT
    }
}

fn timed_out(route: &str) -> Response {
    let seconds = time_limit(route).as_secs();
    let detail = format!("no answer within {seconds} seconds; what it began may still take effect");
    Problem::new(Kind::TimedOut, detail).into_response()
}

fn secure(headers: &mut HeaderMap, app: &App) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::CACHE_CONTROL, "no-store");
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    if app.config.is_https() {
        set(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY);
    }
}

/// A handler panicked: a broken invariant. The other requests go on.
fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    Problem::new(Kind::Internal, "the failure is logged under the request id").into_response()
}

pub(crate) async fn no_route(request: Request) -> Problem {
    let path: String = request.uri().path().chars().take(200).collect();
    Problem::new(Kind::NotFound, format!("no route is at {path}"))
}

async fn no_method(request: Request) -> Problem {
    let path: String = request.uri().path().chars().take(200).collect();
    let method = request.method();
    Problem::new(Kind::Method, format!("{path} does not take {method}"))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use tower::ServiceExt;

    use super::*;

    async fn broken() -> &'static str {
        assert!(std::hint::black_box(false), "the sum of entries is zero");
        "unreachable"
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing_of_it() {
        let router: Router = Router::new()
            .fallback(broken)
            .layer(CatchPanicLayer::custom(panicked));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(response.into_body(), 4096).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("entries"));
    }

    #[test]
    fn what_compiles_or_starts_a_plugin_may_take_longer() {
        assert_eq!(time_limit("/v1/payments"), REQUEST_TIMEOUT);
        assert_eq!(time_limit("/v1/releases"), LONG_REQUEST_TIMEOUT);
    }
}
