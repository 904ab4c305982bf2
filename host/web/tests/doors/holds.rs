use serde_json::{Value, json};

use crate::caller::Caller;
use crate::host::{Host, text};
use crate::payments::{cny, fill};

fn hold(minor: i64) -> Value {
    json!({
        "amount": cny(minor),
        "capture": "later",
        "splits": [{ "receiver": { "type": "platform" }, "amount": cny(minor), "purpose": "fee" }],
    })
}

async fn held(server: &Caller, key: &str, body: &Value) -> String {
    let held = server.keyed("/v1/payments", key, body).await.expect(201);
    assert_eq!(held.body["state"], "held");
    assert_eq!(held.body["captured"], cny(0));
    format!("/v1/payments/{}", text(&held.body["id"]))
}

#[tokio::test]
async fn an_institution_holds_captures_a_part_and_voids() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        let server = host.able_server(&fund).await;
        fill(&host, &fund, 10_000).await;
        let path = held(&server, "hold-1", &hold(1_000)).await;
        let part = json!({ "amount": cny(250) });
        let capture = format!("{path}/capture");
        let taken = server.keyed(&capture, "take-1", &part).await.expect(200);
        assert_eq!(taken.body["state"], "posted");
        assert_eq!(taken.body["captured"], cny(250));
        let again = server.keyed(&capture, "take-1", &part).await.expect(200);
        assert_eq!(again.body, taken.body);
        let more = server.keyed(&capture, "take-2", &json!({})).await;
        more.expect_problem(409, "wrong-state");
        let late = server
            .keyed(&format!("{path}/void"), "void-1", &json!({}))
            .await;
        late.expect_problem(409, "wrong-state");

        let path = held(&server, "hold-2", &hold(500)).await;
        let too_much = json!({ "amount": cny(501) });
        let refused = server
            .keyed(&format!("{path}/capture"), "take-3", &too_much)
            .await;
        let refused = refused.expect_problem(422, "not-capturable");
        assert_eq!(refused.body["held_minor"], 500);
        let voided = server
            .keyed(&format!("{path}/void"), "void-2", &json!({}))
            .await;
        assert_eq!(voided.expect(200).body["void_reason"], "released");
        let balances = server
            .get("/v1/institution/balances")
            .await
            .expect(200)
            .body;
        assert_eq!(balances["items"][0]["settlement"]["available_minor"], 9_750);
        assert_eq!(balances["items"][0]["owed_minor"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_hold_lasts_as_long_as_it_says_and_thirty_days_at_most() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let server = host.able_server(&fund).await;
    fill(&host, &fund, 10_000).await;
    let lasting = |secs: i64| {
        let mut body = hold(100);
        body["expires_in"] = secs.into();
        body
    };
    let month = 30 * 24 * 3600;
    for (key, secs) in [("a", 0), ("b", -1), ("c", month + 1), ("d", i64::MAX)] {
        let refused = server.keyed("/v1/payments", key, &lasting(secs)).await;
        refused.expect_problem(422, "invalid-value");
    }
    held(&server, "e", &lasting(month)).await;
    let mut now = lasting(60);
    now["capture"] = "now".into();
    let now = server.keyed("/v1/payments", "f", &now).await;
    now.expect_problem(422, "invalid-value");

    let path = held(&server, "g", &lasting(60)).await;
    host.clock.advance_millis(60_000);
    assert_eq!(host.app.payments.expire_holds().await.unwrap(), 1);
    let late = server
        .keyed(&format!("{path}/capture"), "h", &json!({}))
        .await;
    late.expect_problem(409, "hold-expired");
    let found = server.get(&path).await.expect(200).body;
    assert_eq!(
        (&found["state"], &found["void_reason"]),
        (&json!("voided"), &json!("expired"))
    );
}

#[tokio::test]
async fn fifty_receivers_are_paid_and_one_more_is_refused() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let server = host.able_server(&fund).await;
    fill(&host, &fund, 10_000).await;
    let split = json!({ "receiver": { "type": "platform" }, "amount": cny(1), "purpose": "fee" });
    let splits = |count: usize| json!({ "amount": { "minor": count, "currency": "CNY" }, "splits": vec![split.clone(); count] });
    server
        .keyed("/v1/payments", "50", &splits(50))
        .await
        .expect(201);
    let many = server.keyed("/v1/payments", "51", &splits(51)).await;
    many.expect_problem(422, "invalid-value");
}

#[tokio::test]
async fn a_debt_is_seen_by_the_institution_and_the_operator() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let server = host.able_server(&fund).await;
    // The sandbox pays the institution, which spends it and then gives it back.
    let payment = fill(&host, &fund, 1_000).await;
    let spend = json!({
        "amount": cny(900),
        "splits": [{ "receiver": { "type": "platform" }, "amount": cny(900), "purpose": "fee" }],
    });
    server
        .keyed("/v1/payments", "spend", &spend)
        .await
        .expect(201);
    let refunds = format!("/v1/payments/{payment}/refunds");
    let all = json!({ "amount": cny(1_000) });
    let refund = server.keyed(&refunds, "back", &all).await.expect(201);
    assert_eq!(refund.body["receivable"], cny(900));
    assert_eq!(refund.body["parts"], json!([1_000]));
    let balances = server
        .get("/v1/institution/balances")
        .await
        .expect(200)
        .body;
    assert_eq!(balances["items"][0]["owed_minor"], 900);
    let debts = operator.get("/v1/receivables").await.expect(200).body;
    assert_eq!(debts["items"][0]["institution"], json!(fund.id));
    assert_eq!(debts["items"][0]["owed"], cny(900));
    let page = operator.get("/operator/books").await.expect(200);
    assert!(page.text.contains("Receivables"), "{}", page.text);
}
