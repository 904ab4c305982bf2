use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use sandbox_bank::{Fault, FaultKind, WEBHOOK_SECRET_DEFAULT};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

async fn plan(platform: &Platform, kind: &str, delay_ms: u64) {
    let fault = json!({ "kind": kind, "count": 1, "delay_ms": delay_ms });
    platform.control("/control/faults", fault).await;
}

#[tokio::test]
async fn a_time_out_before_leaves_nothing_and_the_id_is_still_good() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    plan(&platform, "time_out_before", 20).await;
    assert!(
        platform
            .put("btr_1", &link.access, &link.debit(1))
            .await
            .is_err()
    );
    assert_eq!(
        platform.query("btr_1", &link.access).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(platform.bank.custody_minor(), 0);
    let (status, _) = platform.pay("btr_1", &link.access, &link.debit(1)).await;
    assert_eq!(status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_time_out_after_and_a_lost_response_have_moved_the_money() {
    for kind in ["time_out_after", "lose_response"] {
        let platform = Platform::open().await;
        let link = platform.linked("wang").await;
        plan(&platform, kind, 20).await;
        assert!(
            platform
                .put("btr_1", &link.access, &link.debit(1))
                .await
                .is_err(),
            "{kind}"
        );
        let (status, answer) = platform.query("btr_1", &link.access).await;
        assert_eq!(
            (status, &answer["state"]),
            (StatusCode::OK, &json!("done")),
            "{kind}"
        );
        let (status, again) = platform.pay("btr_1", &link.access, &link.debit(1)).await;
        assert_eq!((status, again), (StatusCode::OK, answer), "{kind}");
        assert_eq!(platform.bank.custody_minor(), 1, "{kind}");
    }
}

#[tokio::test]
async fn a_rejection_on_purpose_has_its_reason() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    let fault = json!({ "kind": "reject", "count": 2, "reason": "daily_limit" });
    platform.control("/control/faults", fault).await;
    for id in ["btr_1", "btr_2"] {
        let (_, answer) = platform.pay(id, &link.access, &link.debit(1)).await;
        assert_eq!(
            (&answer["state"], &answer["reason"]),
            (&json!("rejected"), &json!("daily_limit"))
        );
    }
    let (_, answer) = platform.pay("btr_3", &link.access, &link.debit(1)).await;
    assert_eq!(answer["state"], "done");
}

#[tokio::test]
async fn an_unavailable_bank_says_so_and_does_nothing() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    platform.bank.plan(Fault::once(FaultKind::Unavailable));
    let answer = platform
        .put("btr_1", &link.access, &link.debit(1))
        .await
        .expect("one");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(
        platform.query("btr_1", &link.access).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn an_accepted_payment_is_done_after_its_delay() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    plan(&platform, "accept_only", 60_000).await;
    let (status, answer) = platform.pay("btr_1", &link.access, &link.debit(1)).await;
    assert_eq!(
        (status, &answer["state"]),
        (StatusCode::CREATED, &json!("accepted"))
    );
    platform.pass(59_999);
    assert_eq!(
        platform.query("btr_1", &link.access).await.1["state"],
        "accepted"
    );
    assert_eq!(platform.bank.custody_minor(), 0);
    platform.pass(1);
    let (_, answer) = platform.query("btr_1", &link.access).await;
    assert_eq!(
        (&answer["state"], &answer["booked_at"]),
        (&json!("done"), &json!(MORNING_MS + 60_000))
    );
    assert_eq!(platform.bank.custody_minor(), 1);
}

#[tokio::test]
async fn a_late_payment_is_unheard_of_until_it_is_done() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    plan(&platform, "late", 60_000).await;
    assert!(
        platform
            .put("btr_1", &link.access, &link.debit(1))
            .await
            .is_err()
    );
    assert_eq!(
        platform.query("btr_1", &link.access).await.0,
        StatusCode::NOT_FOUND
    );
    let (status, again) = platform.pay("btr_1", &link.access, &link.debit(1)).await;
    assert_eq!(
        (status, &again["state"]),
        (StatusCode::OK, &json!("accepted"))
    );
    platform.pass(60_000);
    assert_eq!(
        platform.query("btr_1", &link.access).await.1["state"],
        "done"
    );
    assert_eq!(platform.bank.custody_minor(), 1);
}

type Call = (HeaderMap, Bytes);

/// An address that takes callbacks, but refuses the first of them.
async fn callbacks() -> (String, mpsc::UnboundedReceiver<Call>) {
    let (calls, received) = mpsc::unbounded_channel();
    let refused_one = Arc::new(AtomicI64::new(0));
    let take = move |headers: HeaderMap, body: Bytes| {
        let is_first = refused_one.fetch_add(1, Ordering::SeqCst) == 0;
        let sent = calls.send((headers, body));
        async move {
            if is_first || sent.is_err() {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::NO_CONTENT
            }
        }
    };
    let router = Router::new().route("/called", post(take));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/called", listener.local_addr().expect("one"));
    #[expect(clippy::disallowed_methods, reason = "the test's own server")]
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

async fn next(received: &mut mpsc::UnboundedReceiver<Call>) -> Call {
    let call = tokio::time::timeout(Duration::from_secs(10), received.recv());
    call.await.expect("a callback in time").expect("a callback")
}

/// The machine's clock: the reference crate compares with it.
fn machine_now_ms() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("after 1970");
    i64::try_from(since.as_millis()).expect("before the end of time")
}

#[tokio::test]
async fn a_final_payment_is_called_back_signed_and_again_until_it_is_taken() {
    let platform = Platform::open().await;
    platform.now_ms.store(machine_now_ms(), Ordering::SeqCst);
    let link = platform.linked("wang").await;
    let (url, mut received) = callbacks().await;
    platform.bank.call_back(&url);
    platform.pay("btr_1", &link.access, &link.debit(1)).await;
    let (refused_headers, _) = next(&mut received).await;
    let (headers, body) = next(&mut received).await;
    assert_eq!(headers["webhook-id"], refused_headers["webhook-id"]);
    let webhook = standardwebhooks::Webhook::new(WEBHOOK_SECRET_DEFAULT).expect("a key");
    webhook.verify(&body, &headers).expect("a good signature");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(
        (&body["id"], &body["state"]),
        (&json!("btr_1"), &json!("done"))
    );
    assert_eq!(body["bank_reference"], "SB0000000001");
}

#[tokio::test]
async fn a_duplicate_callback_has_the_same_id() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    let (url, mut received) = callbacks().await;
    platform
        .control("/control/callback", json!({ "url": url }))
        .await;
    plan(&platform, "duplicate_callback", 0).await;
    platform.pay("btr_1", &link.access, &link.debit(1)).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (headers, _) = next(&mut received).await;
        ids.push(headers["webhook-id"].clone());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(platform.bank.custody_minor(), 1);
}

#[tokio::test]
async fn the_control_lists_what_reached_the_bank() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    plan(&platform, "late", 60_000).await;
    assert!(
        platform
            .put("btr_1", &link.access, &link.debit(7))
            .await
            .is_err()
    );
    let (_, body) = read(
        platform
            .get("/control/payments", "")
            .send()
            .await
            .expect("one"),
    )
    .await;
    assert_eq!(body["payments"][0]["amount_minor"], 7);
    assert_eq!(body["custody_minor"], 0);
    let customer = json!({
        "name": "zhao", "password": "zhao's",
        "account": { "number": "6222020200018803", "balance_minor": 3 },
    });
    platform.control("/control/customers", customer).await;
    assert_eq!(platform.linked("zhao").await.account, "acc_0005");
}
