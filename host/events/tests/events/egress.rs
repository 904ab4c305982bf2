//! The way out: what it refuses, and what it can say about a failure.

use std::time::Duration;

use qiao_events::egress::{
    EgressError, REQUEST_BODY_BYTES_MAX, RESPONSE_BODY_BYTES_MAX, RESPONSE_HEADER_BYTES_MAX,
    RESPONSE_HEADERS_MAX, TIMEOUT_MAX,
};
use qiao_events::{Egress, EgressRequest, EgressResponse, Method, Policy};
use url::Url;

use crate::server::{Script, Server};

fn request(url: Url) -> EgressRequest {
    EgressRequest {
        method: Method::Get,
        url,
        headers: Vec::new(),
        body: Vec::new(),
        timeout: TIMEOUT_MAX,
    }
}

async fn send(url: Url, policy: &Policy) -> Result<EgressResponse, EgressError> {
    Egress::new().unwrap().send(request(url), policy).await
}

fn allowing(server: &Server) -> Policy {
    Policy::allowing([format!("127.0.0.1:{}", server.port)]).unwrap()
}

/// The answer of a server that writes these bytes.
async fn answer(bytes: impl Into<Vec<u8>>) -> Result<EgressResponse, EgressError> {
    let server = Server::start(Script::Answer(bytes.into())).await;
    send(server.url("/"), &allowing(&server)).await
}

fn with_body(bytes: usize) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n{}",
        "x".repeat(bytes)
    )
}

#[tokio::test]
async fn a_request_goes_out_as_it_was_given() {
    let mut server = Server::start(Script::Answer(
        b"HTTP/1.1 404 Not Found\r\nX-Reason: No Such Plate\r\ncontent-length: 2\r\n\r\nno"
            .to_vec(),
    ))
    .await;
    let request = EgressRequest {
        method: Method::Put,
        headers: vec![("x-api-key".to_owned(), "k".to_owned())],
        body: vec![7; REQUEST_BODY_BYTES_MAX],
        ..request(server.url("/fines?plate=%E4%BA%ACA12345"))
    };
    let sent = Egress::new()
        .unwrap()
        .send(request, &allowing(&server))
        .await;
    let response = sent.unwrap();
    assert_eq!(response.status, 404);
    assert!(
        response
            .headers
            .contains(&("x-reason".to_owned(), "No Such Plate".to_owned()))
    );
    assert_eq!(response.body, b"no");
    let received = server.received().await;
    assert!(
        received
            .head
            .starts_with("PUT /fines?plate=%E4%BA%ACA12345 HTTP/1.1\r\n")
    );
    assert_eq!(received.header("x-api-key"), Some("k"));
    assert!(received.header("user-agent").unwrap().starts_with("qiao/"));
    assert_eq!(received.body, vec![7; REQUEST_BODY_BYTES_MAX]);
    server.assert_quiet();
}

#[tokio::test]
async fn a_private_address_is_refused_unless_the_operator_names_it() {
    let mut server = Server::start(Script::Answer(with_body(0).into())).await;
    let other_port = Policy::allowing(["127.0.0.1:1"]).unwrap();
    for policy in [Policy::public_only(), other_port] {
        let refused = send(server.url("/"), &policy).await;
        assert!(
            matches!(refused, Err(EgressError::PrivateNetwork { .. })),
            "{refused:?}"
        );
    }
    server.assert_quiet();
    assert!(send(server.url("/"), &allowing(&server)).await.is_ok());
    server.received().await;
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_refused_unless_it_is_named() {
    let mut server = Server::start(Script::Answer(with_body(0).into())).await;
    let url: Url = format!("http://localhost:{}/", server.port)
        .parse()
        .unwrap();
    // The address of the same server is allowed, and its name is not.
    for policy in [Policy::public_only(), allowing(&server)] {
        let refused = send(url.clone(), &policy).await;
        assert!(
            matches!(refused, Err(EgressError::PrivateNetwork { .. })),
            "{refused:?}"
        );
    }
    server.assert_quiet();
    let named = Policy::allowing([format!("localhost:{}", server.port)]).unwrap();
    assert!(send(url, &named).await.is_ok());
    server.received().await;
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let response = answer(
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
    );
    let response = response.await.unwrap();
    assert_eq!(response.status, 302);
    let location = ("location".to_owned(), "http://169.254.169.254/".to_owned());
    assert!(response.headers.contains(&location));
}

#[tokio::test]
async fn the_largest_body_is_taken_and_one_byte_more_is_refused() {
    let largest = answer(with_body(RESPONSE_BODY_BYTES_MAX)).await.unwrap();
    assert_eq!(largest.body.len(), RESPONSE_BODY_BYTES_MAX);
    let announced = answer(with_body(RESPONSE_BODY_BYTES_MAX + 1)).await;
    let unannounced = |bytes| format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(bytes));
    assert!(answer(unannounced(RESPONSE_BODY_BYTES_MAX)).await.is_ok());
    let unannounced = answer(unannounced(RESPONSE_BODY_BYTES_MAX + 1)).await;
    for refused in [announced, unannounced] {
        let error = refused.unwrap_err();
        let limit = matches!(
            error,
            EgressError::ResponseTooLarge {
                limit: RESPONSE_BODY_BYTES_MAX,
                of: "bytes"
            }
        );
        assert!(limit && error.effect_is_unknown(), "{error:?}");
    }
}

#[tokio::test]
async fn the_most_headers_are_taken_and_one_more_is_refused() {
    let with_headers = |count: usize| {
        let headers = "a: b\r\n".repeat(count - 1);
        format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{headers}\r\n")
    };
    let most = answer(with_headers(RESPONSE_HEADERS_MAX)).await.unwrap();
    assert_eq!(most.headers.len(), RESPONSE_HEADERS_MAX);
    let refused = answer(with_headers(RESPONSE_HEADERS_MAX + 1)).await;
    assert!(
        matches!(
            &refused,
            Err(EgressError::ResponseTooLarge { of: "headers", .. })
        ),
        "{refused:?}"
    );
    let many = answer(with_headers(1_000)).await;
    assert!(
        matches!(many, Err(EgressError::Interrupted { .. })),
        "{many:?}"
    );
}

#[tokio::test]
async fn the_largest_headers_are_taken_and_one_byte_more_is_refused() {
    let length = "content-length: 0";
    let counted = length.len() - ": ".len();
    let with_bytes = |bytes: usize| {
        let value = "v".repeat(bytes - counted - "a".len());
        format!("HTTP/1.1 200 OK\r\n{length}\r\na: {value}\r\n\r\n")
    };
    assert!(answer(with_bytes(RESPONSE_HEADER_BYTES_MAX)).await.is_ok());
    let refused = answer(with_bytes(RESPONSE_HEADER_BYTES_MAX + 1)).await;
    assert!(
        matches!(
            &refused,
            Err(EgressError::ResponseTooLarge {
                of: "bytes of headers",
                ..
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn where_nothing_listens_nothing_was_sent() {
    let server = Server::start(Script::Hang).await;
    let (url, policy) = (server.url("/"), allowing(&server));
    drop(server);
    let error = send(url, &policy).await.unwrap_err();
    assert!(
        matches!(error, EgressError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(!error.effect_is_unknown());
}

#[tokio::test]
async fn after_an_exchange_that_broke_off_the_effect_is_unknown_and_nothing_is_retried() {
    for bytes in [
        "",
        "not HTTP\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nx",
    ] {
        let mut server = Server::start(Script::Answer(bytes.into())).await;
        let request = EgressRequest {
            method: Method::Post,
            ..request(server.url("/pay"))
        };
        let sent = Egress::new()
            .unwrap()
            .send(request, &allowing(&server))
            .await;
        let error = sent.unwrap_err();
        assert!(
            matches!(error, EgressError::Interrupted { .. }),
            "{bytes:?}: {error:?}"
        );
        assert!(error.effect_is_unknown());
        server.received().await;
        server.assert_quiet();
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_leaves_the_effect_unknown() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    let unannounced = "HTTP/1.1 200 OK\r\n\r\n";
    for script in [Script::Hang, Script::Drip(""), Script::Drip(unannounced)] {
        let server = Server::start(script.clone()).await;
        let request = EgressRequest {
            timeout: Duration::from_millis(200),
            ..request(server.url("/"))
        };
        let sent = Egress::new()
            .unwrap()
            .send(request, &allowing(&server))
            .await;
        let error = sent.unwrap_err();
        let unknown = error.effect_is_unknown();
        let expected = match script {
            // Not HTTP: the client ends it before the time does.
            Script::Drip("") => matches!(
                error,
                EgressError::Interrupted { .. } | EgressError::TimedOut { .. }
            ),
            _ => matches!(error, EgressError::TimedOut { .. }),
        };
        assert!(expected && unknown, "{script:?}: {error:?}");
    }
    // A body that is announced as too large is not even waited for.
    let server = Server::start(Script::Drip(head)).await;
    let refused = send(server.url("/"), &allowing(&server)).await;
    assert!(
        matches!(refused, Err(EgressError::ResponseTooLarge { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_request_past_a_limit_is_not_sent() {
    let mut server = Server::start(Script::Answer(with_body(0).into())).await;
    let too_large = EgressRequest {
        body: vec![0; REQUEST_BODY_BYTES_MAX + 1],
        ..request(server.url("/"))
    };
    let smuggled = EgressRequest {
        headers: vec![("Host".to_owned(), "other.example".to_owned())],
        ..request(server.url("/"))
    };
    for request in [too_large, smuggled] {
        let refused = Egress::new()
            .unwrap()
            .send(request, &allowing(&server))
            .await;
        assert!(
            matches!(refused, Err(EgressError::InvalidRequest(_))),
            "{refused:?}"
        );
    }
    server.assert_quiet();
}
