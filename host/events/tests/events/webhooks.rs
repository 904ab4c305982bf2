//! One attempt at a webhook, from the outbox to the receiver's own check.

use std::time::{Duration, SystemTime};

use qiao_events::{
    AttemptOutcome, Delivery, Egress, Endpoint, ID_HEADER, NewEndpoint, Policy, SIGNATURE_HEADER,
    TIMESTAMP_HEADER, WEBHOOK_TIMEOUT, WebhookDelivery,
};
use qiao_model::{Secret, Timestamp};
use qiao_tests::each_database;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::fixture::{Fixture, OURS};
use crate::server::{Received, Script, Server};

/// The receiver's library compares with the machine's own clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the library under test reads this clock"
)]
fn present() -> Timestamp {
    let elapsed = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    Timestamp::from_millis(i64::try_from(elapsed.as_millis()).unwrap())
}

async fn endpoint_at(f: &Fixture, server: &Server) -> (Endpoint, Secret<String>) {
    let new = NewEndpoint {
        url: server.url("/hook?shop=1").into(),
        kinds: Vec::new(),
    };
    f.events
        .register_endpoint(&f.permit(OURS), new)
        .await
        .unwrap()
}

async fn due(f: &Fixture) -> WebhookDelivery {
    f.happen(1).await;
    let mut claimed = f.claim().await;
    match claimed.pop() {
        Some(Delivery::Webhook(webhook)) => webhook,
        other => panic!("{other:?} is not for an endpoint"),
    }
}

fn headers_of(received: &Received) -> HeaderMap {
    let header = |name: &'static str| {
        let value = received.header(name).unwrap();
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        )
    };
    [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER]
        .into_iter()
        .map(header)
        .collect()
}

fn answering(status: &str) -> Script {
    Script::Answer(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").into())
}

#[tokio::test]
async fn the_receivers_library_accepts_our_signature_and_no_changed_body() {
    each_database(|database| async move {
        let mut server = Server::start(answering("204 No Content")).await;
        let policy = Policy::allowing([format!("127.0.0.1:{}", server.port)]).unwrap();
        let f = Fixture::at(database, present(), policy).await;
        let (_, secret) = endpoint_at(&f, &server).await;
        let webhook = due(&f).await;
        let attempt = f
            .events
            .send_webhook(&Egress::new().unwrap(), &webhook)
            .await;
        assert_eq!(attempt.outcome, AttemptOutcome::Delivered, "{attempt:?}");
        assert_eq!(attempt.status, Some(204));
        f.events.finish(webhook.ticket, attempt).await.unwrap();

        let received = server.received().await;
        assert!(received.head.starts_with("POST /hook?shop=1 HTTP/1.1\r\n"));
        assert_eq!(received.header("content-type"), Some("application/json"));
        assert_eq!(
            received.header(ID_HEADER),
            Some(webhook.event.id.to_string().as_str())
        );
        let headers = headers_of(&received);
        let ours = Webhook::new(secret.expose()).unwrap();
        ours.verify(&received.body, &headers).unwrap();
        let mut changed = received.body.clone();
        changed[0] ^= 1;
        assert!(ours.verify(&changed, &headers).is_err());
        let another = Webhook::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert!(another.verify(&received.body, &headers).is_err());
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        assert_eq!(body["type"], "order.completed");
        assert_eq!(body["data"], json!({ "order": "ord_1" }));
        assert_eq!(body["timestamp"], webhook.event.created_at.rfc3339());
    })
    .await;
}

#[tokio::test]
async fn each_answer_is_the_attempt_that_the_specification_says() {
    use AttemptOutcome::{Delivered, Failed, Gone};
    each_database(|database| async move {
        let anywhere = Policy::allowing((1..=u16::MAX).map(|port| format!("127.0.0.1:{port}")));
        let f = Fixture::at(database, present(), anywhere.unwrap()).await;
        let egress = Egress::new().unwrap();
        for (status, outcome) in [
            ("200 OK", Delivered),
            ("299 Fine", Delivered),
            ("302 Found", Failed),
            ("400 Bad Request", Failed),
            ("410 Gone", Gone),
            ("500 Internal Server Error", Failed),
        ] {
            let server = Server::start(answering(status)).await;
            let (endpoint, _) = endpoint_at(&f, &server).await;
            let webhook = due(&f).await;
            let attempt = f.events.send_webhook(&egress, &webhook).await;
            assert_eq!(attempt.outcome, outcome, "{status}");
            let code = status.split(' ').next().unwrap();
            assert!(attempt.detail.ends_with(code), "{attempt:?}");
            f.events
                .delete_endpoint(&f.permit(OURS), endpoint.id)
                .await
                .unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_whose_address_turned_private_gets_nothing() {
    each_database(|database| async move {
        let mut server = Server::start(answering("200 OK")).await;
        let f = Fixture::at(database, present(), Policy::public_only()).await;
        f.endpoint().await;
        let webhook = WebhookDelivery {
            url: format!("http://localhost:{}/", server.port)
                .parse()
                .unwrap(),
            ..due(&f).await
        };
        let attempt = f
            .events
            .send_webhook(&Egress::new().unwrap(), &webhook)
            .await;
        assert_eq!(attempt.outcome, AttemptOutcome::Failed);
        assert_eq!(attempt.status, None);
        assert!(attempt.detail.contains("private network"), "{attempt:?}");
        server.assert_quiet();
    })
    .await;
}

#[test]
fn an_attempt_ends_well_before_its_lease() {
    assert_eq!(WEBHOOK_TIMEOUT, Duration::from_secs(15));
    let lease = Duration::from_secs(u64::try_from(qiao_events::LEASE_SECS).unwrap());
    assert!(WEBHOOK_TIMEOUT * 2 <= lease);
}
