use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, Request, header};
use serde_json::Value;
use tower::ServiceExt;

const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Whoever calls the host: nobody, a person with a session, or a server with a token.
#[derive(Clone)]
pub(crate) struct Caller {
    router: Router,
    cookie: Option<String>,
    csrf: Option<String>,
    bearer: Option<String>,
}

/// What the host answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Caller {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            cookie: None,
            csrf: None,
            bearer: None,
        }
    }

    pub(crate) fn bearing(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }

    /// The same caller, who does not know the session's CSRF token.
    pub(crate) fn without_csrf(&self) -> Self {
        Self {
            csrf: None,
            ..self.clone()
        }
    }

    /// Keeps the session of an answer to `POST /v1/sessions`.
    pub(crate) fn take_session(&mut self, answer: &Answer) {
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        self.cookie = cookie.split(';').next().map(str::to_owned);
        self.csrf = answer.body["csrf"].as_str().map(str::to_owned);
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = self.request(Method::GET, path);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        let request = self.request(Method::DELETE, path);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn put(&self, path: &str) -> Answer {
        let request = self.request(Method::PUT, path);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.json(Method::POST, path);
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// A POST that moves money.
    pub(crate) async fn keyed(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.json(Method::POST, path).header("idempotency-key", key);
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, String)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body.finish())).unwrap())
            .await
    }

    pub(crate) async fn upload(&self, path: &str, bytes: Vec<u8>) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/wasm");
        self.send(request.body(Body::from(bytes)).unwrap()).await
    }

    /// A JSON request of any method with an empty object as its body.
    pub(crate) async fn bare(&self, method: &str, path: &str) -> Answer {
        let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
        let request = self.json(method, path);
        self.send(request.body(Body::from("{}")).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    fn json(&self, method: Method, path: &str) -> Builder {
        self.request(method, path)
            .header(header::CONTENT_TYPE, "application/json")
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Builder {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-csrf-token", csrf);
        }
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        request
    }
}

impl Answer {
    /// Demands a status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Demands a problem of this status and kind.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, slug: &str) -> Self {
        assert_eq!((self.status, self.slug()), (status, slug), "{}", self.text);
        self
    }

    /// The kind of problem; empty when it is none.
    pub(crate) fn slug(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.strip_prefix("urn:qiao:problem:").unwrap_or_default()
    }
}
