use serde_json::json;

use crate::host::{Host, text};

#[tokio::test]
async fn an_endpoint_is_registered_gets_deliveries_and_is_deleted() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        let server = host.server(&fund).await;
        let body = json!({ "url": "http://127.0.0.1:9100/hook", "kinds": ["release.uploaded"] });
        let created = server.post("/v1/webhooks", &body).await.expect(201).body;
        assert!(text(&created["secret"]).starts_with("whsec_"));
        insta::assert_json_snapshot!("a_webhook_endpoint", created["endpoint"], { ".id" => "[id]" });
        let upload = host.signed(&fund, "hello-plugin");
        server.upload("/v1/releases", upload).await.expect(201);
        host.app.events.fan_out().await.unwrap();
        let deliveries = server.get("/v1/deliveries").await.expect(200).body;
        let delivery = &deliveries["items"][0];
        assert_eq!(delivery["kind"], "release.uploaded");
        assert_eq!(delivery["state"], "waiting");
        let path = format!("/v1/deliveries/{}", text(&delivery["id"]));
        let attempts = server.get(&format!("{path}/attempts")).await.expect(200).body;
        assert_eq!(attempts["items"], json!([]));
        let waiting = server.post(&format!("{path}/redeliver"), &json!({})).await;
        waiting.expect_problem(409, "wrong-state");

        let other = host.institution(&operator, "police").await;
        let stranger = host.server(&other).await;
        let endpoint = format!("/v1/webhooks/{}", text(&created["endpoint"]["id"]));
        stranger.delete(&endpoint).await.expect_problem(404, "not-found");
        server.delete(&endpoint).await.expect(204);
        let endpoints = server.get("/v1/webhooks").await.expect(200).body;
        assert_eq!(endpoints["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn an_address_that_cannot_be_an_endpoint_is_refused() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let server = host.server(&fund).await;
    for url in ["http://shop.example/hook", "https://10.0.0.1/", "nowhere"] {
        let answer = server.post("/v1/webhooks", &json!({ "url": url })).await;
        answer.expect_problem(422, "invalid-value");
    }
    let missing = server
        .post(
            "/v1/webhooks/whk_00000000000000000000000000/enable",
            &json!({}),
        )
        .await;
    missing.expect_problem(404, "not-found");
}
