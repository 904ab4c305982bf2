use axum::body::Body;
use axum::http::{Method, header};
use qiao_web::WebConfig;
use serde_json::json;

use crate::host::{Host, PUBLIC_URL};

async fn host() -> Host {
    Host::open(qiao_tests::sqlite().await).await
}

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_a_request_id() {
    let host = host().await;
    let mut ids = Vec::new();
    for path in [
        "/healthz",
        "/v1/public-accounts",
        "/v1/nothing",
        "/openapi.json",
    ] {
        let answer = host.guest().get(path).await;
        let headers = &answer.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("script-src"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "same-origin");
        assert!(!headers.contains_key("strict-transport-security"));
        ids.push(headers["x-request-id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn a_callers_request_id_is_not_taken() {
    let host = host().await;
    let request = host.guest().request(Method::GET, "/healthz");
    let request = request.header("x-request-id", "forged").body(Body::empty());
    let answer = host.guest().send(request.unwrap()).await;
    assert_ne!(answer.headers["x-request-id"], "forged");
}

#[tokio::test]
async fn what_is_nowhere_or_of_another_method_is_a_problem() {
    let host = host().await;
    let nowhere = host.guest().get("/v1/nothing").await;
    insta::assert_json_snapshot!("a_route_that_is_not_there", nowhere.expect(404).body);
    let method = host.guest().delete("/v1/users").await;
    let method = method.expect_problem(405, "method-not-allowed");
    assert_eq!(method.headers["allow"], "POST");
}

#[tokio::test]
async fn a_body_too_large_of_another_type_or_broken_is_a_problem() {
    let host = host().await;
    let send = async |media_type: &str, body: Vec<u8>| {
        let request = host.guest().request(Method::POST, "/v1/users");
        let request = request.header(header::CONTENT_TYPE, media_type);
        host.guest()
            .send(request.body(Body::from(body)).unwrap())
            .await
    };
    let json = "application/json";
    send(json, b"{".to_vec())
        .await
        .expect_problem(400, "malformed-request");
    send(json, vec![b' '; 64 * 1024 + 1])
        .await
        .expect_problem(413, "body-too-large");
    send("text/plain", b"{}".to_vec())
        .await
        .expect_problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn health_readiness_and_metrics_answer() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let guest = host.guest();
        assert_eq!(guest.get("/healthz").await.expect(200).text, "ok\n");
        assert_eq!(guest.get("/readyz").await.expect(200).text, "ready\n");
        let metrics = guest.get("/metrics").await.expect(200).text;
        assert!(
            metrics.contains(r#"http_requests_total{method="GET",route="/healthz",status="200"}"#)
        );
        assert!(
            metrics
                .contains(r#"http_request_duration_seconds_bucket{method="GET",route="/readyz""#)
        );
        host.app.db.close().await;
        guest.get("/healthz").await.expect(200);
        let gone = guest
            .get("/readyz")
            .await
            .expect_problem(503, "unavailable");
        assert_eq!(gone.headers["retry-after"], "1");
    })
    .await;
}

#[tokio::test]
async fn play_money_and_the_movable_clock_do_not_exist_in_production() {
    let config = WebConfig {
        public_url: PUBLIC_URL.to_owned(),
        sandbox: false,
    };
    let host = Host::open_with(qiao_tests::sqlite().await, config).await;
    let person = host.person("li.wei").await;
    let body = json!({ "amount": { "minor": 1, "currency": "CNY" } });
    let top_up = person.keyed("/v1/sandbox/top-ups", "k", &body).await;
    top_up.expect_problem(404, "not-found");
    let clock = person
        .post("/v1/sandbox/clock", &json!({ "advance_ms": 1 }))
        .await;
    clock.expect_problem(404, "not-found");
    let document = host.guest().get("/openapi.json").await.expect(200).text;
    assert!(!document.contains("/v1/sandbox"));
}

#[tokio::test]
async fn over_tls_the_cookie_is_locked_to_the_host_and_browsers_stay_on_tls() {
    let config = WebConfig {
        public_url: "https://qiao.example".to_owned(),
        sandbox: false,
    };
    let host = Host::open_with(qiao_tests::sqlite().await, config).await;
    host.person("li.wei").await;
    let body = json!({ "login": "li.wei", "password": "correct horse" });
    let answer = host.guest().post("/v1/sessions", &body).await.expect(201);
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-qiao="), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let hsts = answer.headers["strict-transport-security"]
        .to_str()
        .unwrap();
    assert!(hsts.starts_with("max-age=63072000"));
}
