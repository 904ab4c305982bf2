//! The authority over HTTP, as a channel sees it.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

struct Channel {
    client: Client,
    address: String,
}

impl Channel {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        #[expect(clippy::disallowed_methods, reason = "the test's own server")]
        tokio::spawn(async move {
            let router = biller::router_with(Duration::from_millis(300));
            axum::serve(listener, router).await
        });
        Self {
            client: Client::new(),
            address,
        }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self
            .client
            .get(format!("{}{path}", self.address))
            .send()
            .await;
        let response = response.expect("an answer");
        (response.status(), response.json().await.expect("JSON"))
    }

    async fn post(&self, path: &str, body: Value) -> reqwest::Result<(StatusCode, Value)> {
        let request = self
            .client
            .post(format!("{}{path}", self.address))
            .json(&body);
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.json().await?))
    }

    async fn pay(&self, fine: &str, minor: i64, order: &str) -> (StatusCode, Value) {
        self.post("/payments", payment(fine, minor, order))
            .await
            .expect("an answer")
    }

    async fn mode(&self, mode: &str) {
        let (status, _) = self
            .post("/mode", json!({ "mode": mode }))
            .await
            .expect("an answer");
        assert_eq!(status, StatusCode::OK);
    }

    /// Number and amount of the first fine of a plate.
    async fn first_fine(&self, plate: &str) -> (String, i64) {
        let request = self
            .client
            .get(format!("{}/fines", self.address))
            .query(&[("plate", plate)]);
        let body: Value = request
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        let fine = &body["fines"][0];
        let number = fine["number"].as_str().expect("a number").to_owned();
        (number, fine["amount_minor"].as_i64().expect("an amount"))
    }

    async fn status(&self, fine: &str) -> Value {
        self.get(&format!("/fines/{fine}")).await.1["status"].clone()
    }

    async fn payments(&self) -> usize {
        self.get("/payments").await.1["payments"]
            .as_array()
            .expect("a list")
            .len()
    }
}

fn payment(fine: &str, minor: i64, order: &str) -> Value {
    json!({ "fine": fine, "amount_minor": minor, "currency": "CNY", "order": order })
}

#[tokio::test]
async fn an_order_pays_once_however_often_it_asks() {
    let channel = Channel::open().await;
    let (fine, minor) = channel.first_fine("京A12345").await;
    assert_eq!(channel.status(&fine).await, "open");
    let first = channel.pay(&fine, minor, "ord_1").await;
    assert_eq!(first.0, StatusCode::OK);
    assert_eq!(first.1["receipt"], "TA-2026-000001");
    assert_eq!(channel.pay(&fine, minor, "ord_1").await, first);
    assert_eq!(channel.status(&fine).await, "paid");
    assert_eq!(channel.payments().await, 1);
}

#[tokio::test]
async fn payments_that_do_not_fit_are_refused_with_their_reason() {
    let channel = Channel::open().await;
    let (fine, minor) = channel.first_fine("京A12345").await;
    let (other, other_minor) = channel.first_fine("沪B67890").await;
    channel.pay(&fine, minor, "ord_1").await;
    for (fine, minor, order, status, reason) in [
        (
            fine.as_str(),
            minor,
            "ord_2",
            409,
            "another order pays this fine",
        ),
        (
            other.as_str(),
            other_minor,
            "ord_1",
            409,
            "the order was used for another payment",
        ),
        (
            other.as_str(),
            other_minor + 1,
            "ord_3",
            422,
            "the amount is not that of the fine",
        ),
        ("BJA12345-9", minor, "ord_4", 404, "there is no such fine"),
    ] {
        let (refused, body) = channel.pay(fine, minor, order).await;
        assert_eq!(refused.as_u16(), status);
        assert_eq!(body, json!({ "status": "failed", "reason": reason }));
    }
    assert_eq!(channel.payments().await, 1);
}

#[tokio::test]
async fn in_the_mode_fail_nothing_is_paid() {
    let channel = Channel::open().await;
    let (fine, minor) = channel.first_fine("京A12345").await;
    channel.mode("fail").await;
    assert_eq!(
        channel.pay(&fine, minor, "ord_1").await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(channel.payments().await, 0);
    channel.mode("ok").await;
    assert_eq!(channel.pay(&fine, minor, "ord_1").await.0, StatusCode::OK);
    channel.mode("fail").await;
    assert_eq!(
        channel.pay(&fine, minor, "ord_1").await.0,
        StatusCode::OK,
        "paid stays paid"
    );
}

#[tokio::test]
async fn in_the_mode_drop_it_is_paid_and_the_answer_is_lost() {
    let channel = Channel::open().await;
    let (fine, minor) = channel.first_fine("京A12345").await;
    channel.mode("drop").await;
    assert!(
        channel
            .post("/payments", payment(&fine, minor, "ord_1"))
            .await
            .is_err()
    );
    assert_eq!(channel.status(&fine).await, "paid");
    channel.mode("ok").await;
    assert_eq!(
        channel.pay(&fine, minor, "ord_1").await.1["receipt"],
        "TA-2026-000001"
    );
    assert_eq!(channel.payments().await, 1);
}

#[tokio::test]
async fn in_the_mode_slow_it_is_paid_before_the_answer_comes() {
    let channel = Channel::open().await;
    let (fine, minor) = channel.first_fine("京A12345").await;
    channel.mode("slow").await;
    let asked = channel.pay(&fine, minor, "ord_1");
    let looked = async {
        while channel.payments().await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        channel.status(&fine).await
    };
    let slow = async { (asked.await, "answered") };
    tokio::pin!(slow);
    tokio::select! {
        biased;
        status = looked => assert_eq!(status, "paid"),
        answer = &mut slow => panic!("answered before it was seen: {answer:?}"),
    }
    assert_eq!(slow.await.0.0, StatusCode::OK);
}

#[tokio::test]
async fn in_the_mode_pending_it_is_paid_when_it_is_asked_again() {
    let channel = Channel::open().await;
    let (fine, minor) = channel.first_fine("京A12345").await;
    channel.mode("pending").await;
    for _ in 0..2 {
        let (status, body) = channel.pay(&fine, minor, "ord_1").await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!(body, json!({ "status": "pending", "retry_after_s": 1 }));
    }
    assert_eq!(channel.status(&fine).await, "pending");
    channel.mode("ok").await;
    assert_eq!(channel.pay(&fine, minor, "ord_1").await.0, StatusCode::OK);
    assert_eq!(channel.payments().await, 1);
}

#[tokio::test]
async fn a_cancelled_order_opens_the_fine_and_pays_no_more() {
    let channel = Channel::open().await;
    let (fine, minor) = channel.first_fine("京A12345").await;
    channel.pay(&fine, minor, "ord_1").await;
    for _ in 0..2 {
        let cancelled = channel
            .post("/cancellations", json!({ "order": "ord_1" }))
            .await;
        assert_eq!(cancelled.expect("an answer").0, StatusCode::OK);
    }
    assert_eq!(channel.status(&fine).await, "open");
    assert_eq!(
        channel.pay(&fine, minor, "ord_1").await.0,
        StatusCode::CONFLICT
    );
    assert_eq!(
        channel.pay(&fine, minor, "ord_2").await.1["receipt"],
        "TA-2026-000002"
    );
    let unknown = channel
        .post("/cancellations", json!({ "order": "ord_9" }))
        .await;
    assert_eq!(unknown.expect("an answer").0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_refused() {
    let channel = Channel::open().await;
    for (path, body) in [
        ("/payments", "{}"),
        ("/payments", "not JSON"),
        ("/mode", "{\"mode\":\"sleepy\"}"),
        ("/cancellations", "[]"),
    ] {
        let request = channel.client.post(format!("{}{path}", channel.address));
        let request = request
            .header("content-type", "application/json")
            .body(body);
        let status = request.send().await.expect("an answer").status();
        assert!(status.is_client_error(), "{path} {body}: {status}");
    }
    assert_eq!(channel.get("/fines/nothing").await.0, StatusCode::NOT_FOUND);
    let healthy = channel
        .client
        .get(format!("{}/healthz", channel.address))
        .send()
        .await;
    assert_eq!(healthy.expect("an answer").status(), StatusCode::OK);
    let without_plate = channel
        .client
        .get(format!("{}/fines", channel.address))
        .send()
        .await;
    assert_eq!(
        without_plate.expect("an answer").status(),
        StatusCode::BAD_REQUEST
    );
}
