use qiao_model::{Money, PaymentId, Scope};
use qiao_payments::{Method, NewPayment, Party, Split};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::host::{Host, Institution, text};

pub(crate) fn cny(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "CNY" })
}

/// Money on an institution's settlement account: a person pays it there.
pub(crate) async fn fill(host: &Host, institution: &Institution, minor: i64) -> PaymentId {
    let id = institution.id.parse().unwrap();
    let permit = host.app.auth.permit_system("test", Scope::PaymentsWrite);
    let payment = NewPayment {
        id: host.app.env.id(),
        order: None,
        institution: Some(id),
        payer: Party::Sandbox,
        method: Method::Balance,
        amount: Money::cny(minor),
        splits: vec![Split {
            receiver: Party::Institution(id),
            amount: Money::cny(minor),
            purpose: "principal".into(),
        }],
        deliveries: Vec::new(),
        description: "filled by a test".to_owned(),
        expires_at: None,
    };
    let paid = host.app.payments.pay(&permit, payment, None).await;
    paid.unwrap().id
}

async fn subject(host: &Host, of: &Institution, person: &Caller) -> String {
    let session = person.get("/v1/sessions/current").await.expect(200).body;
    let user = text(&session["user"]).parse().unwrap();
    host.app.auth.subject(of.id.parse().unwrap(), user)
}

#[tokio::test]
async fn an_institution_pays_in_splits_and_gives_back() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        let police = host.institution(&operator, "police").await;
        let person = host.person("li.wei").await;
        let server = host.able_server(&fund).await;
        fill(&host, &fund, 10_000).await;
        let subject = subject(&host, &fund, &person).await;
        let body = json!({
            "amount": cny(1_000),
            "description": "dividend",
            "splits": [
                { "receiver": { "type": "user", "subject": subject }, "amount": cny(700), "purpose": "dividend" },
                { "receiver": { "type": "institution", "id": police.id }, "amount": cny(200), "purpose": "commission" },
                { "receiver": { "type": "platform" }, "amount": cny(100), "purpose": "service-fee" },
            ],
        });
        let paid = server.keyed("/v1/payments", "pay-1", &body).await.expect(201);
        insta::assert_json_snapshot!("a_payment_in_splits", paid.body, {
            ".id" => "[id]", ".payer.id" => "[id]",
            ".splits[].receiver.id" => "[id]", ".splits[].receiver.subject" => "[subject]",
        });
        let again = server.keyed("/v1/payments", "pay-1", &body).await.expect(201);
        assert_eq!(again.body, paid.body);
        let mut other = body.clone();
        other["description"] = json!("another");
        let other = server.keyed("/v1/payments", "pay-1", &other).await;
        other.expect_problem(422, "idempotency-key-reused");
        let balances = person.get("/v1/balances").await.expect(200).body;
        assert_eq!(balances["items"][0]["available_minor"], 700);

        let path = format!("/v1/payments/{}", text(&paid.body["id"]));
        server.get(&path).await.expect(200);
        let stranger = host.able_server(&police).await;
        stranger.get(&path).await.expect_problem(404, "not-found");
        // What a person was paid is theirs.
        let refunds = format!("{path}/refunds");
        let taken = server.keyed(&refunds, "take", &json!({ "amount": cny(10) })).await;
        taken.expect_problem(422, "not-refundable");
        let balances = person.get("/v1/balances").await.expect(200).body;
        assert_eq!(balances["items"][0]["available_minor"], 700);
        let body = json!({
            "amount": cny(1_000),
            "splits": [
                { "receiver": { "type": "institution", "id": police.id }, "amount": cny(700), "purpose": "fine" },
                { "receiver": { "type": "platform" }, "amount": cny(200), "purpose": "commission" },
                { "receiver": { "type": "platform" }, "amount": cny(100), "purpose": "service-fee" },
            ],
        });
        let paid = server.keyed("/v1/payments", "pay-2", &body).await.expect(201);
        give_back(&server, &format!("/v1/payments/{}", text(&paid.body["id"]))).await;
        let books = operator.get("/v1/books").await.expect(200).body;
        assert_eq!(books["items"][0]["sum_of_balances"], 0);
    })
    .await;
}

async fn give_back(server: &Caller, path: &str) {
    let refunds = format!("{path}/refunds");
    let half = json!({ "amount": cny(500), "reason": "half of it was wrong" });
    let refund = server.keyed(&refunds, "back-1", &half).await.expect(201);
    insta::assert_json_snapshot!("a_refund", refund.body, {
        ".id" => "[id]", ".payment" => "[id]",
    });
    let again = server.keyed(&refunds, "back-1", &half).await.expect(201);
    assert_eq!(again.body, refund.body);
    let more = json!({ "amount": cny(501) });
    let more = server.keyed(&refunds, "back-2", &more).await;
    let more = more.expect_problem(422, "not-refundable");
    assert_eq!(more.body["refundable_minor"], 500);
    let listed = server.get(&refunds).await.expect(200).body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let payment = server.get(path).await.expect(200).body;
    assert_eq!(payment["state"], "partly-refunded");
}

/// PostgreSQL keeps no NUL: one in a text would be a 500 for everybody in its batch.
#[tokio::test]
async fn control_characters_are_refused_by_name_on_both_engines() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        let server = host.able_server(&fund).await;
        fill(&host, &fund, 1_000).await;
        for (key, description, purpose) in [("a", "a\0b", "fee"), ("b", "plain", "f\u{1}e")] {
            let body = json!({
                "amount": cny(10),
                "description": description,
                "splits": [{ "receiver": { "type": "platform" }, "amount": cny(10), "purpose": purpose }],
            });
            let refused = server.keyed("/v1/payments", key, &body).await;
            refused.expect_problem(422, "invalid-value");
        }
        let body = json!({
            "amount": cny(10),
            "splits": [{ "receiver": { "type": "platform" }, "amount": cny(10), "purpose": "fee" }],
        });
        let paid = server.keyed("/v1/payments", "c", &body).await.expect(201).body;
        let refunds = format!("/v1/payments/{}/refunds", text(&paid["id"]));
        let body = json!({ "amount": cny(1), "reason": "\u{7f}" });
        let refused = server.keyed(&refunds, "d", &body).await;
        refused.expect_problem(422, "invalid-value");
        let body = json!({ "reason": "\0" });
        let suspend = format!("/v1/institutions/{}/suspend", fund.id);
        operator.post(&suspend, &body).await.expect_problem(422, "invalid-value");
        for path in ["/v1/public-accounts/a%00b", "/v1/public-accounts/a%00b/services/x"] {
            let nobody = operator.get(path).await;
            nobody.expect_problem(404, "not-found");
        }
        let none = operator.get("/v1/audit?before=%00").await.expect(200).body;
        assert_eq!(none["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn what_a_payment_refuses_names_the_cause() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let server = host.able_server(&fund).await;
    fill(&host, &fund, 1_000).await;
    let platform = json!({ "type": "platform" });
    let pay = |key: &'static str, amount: i64, split: i64, receiver: Value| {
        let body = json!({
            "amount": cny(amount),
            "splits": [{ "receiver": receiver, "amount": cny(split), "purpose": "fee" }],
        });
        let server = server.clone();
        async move { server.keyed("/v1/payments", key, &body).await }
    };
    for _ in 0..2 {
        let poor = pay("a", 1_001, 1_001, platform.clone()).await;
        poor.expect_problem(402, "insufficient-funds");
    }
    pay("b", 100, 99, platform.clone())
        .await
        .expect_problem(422, "invalid-value");
    pay("c", 0, 0, platform.clone())
        .await
        .expect_problem(422, "invalid-value");
    let nobody = json!({ "type": "user", "subject": "sub_00000000000000000000000000" });
    pay("d", 100, 100, nobody)
        .await
        .expect_problem(422, "invalid-value");
    let nowhere = json!({ "type": "institution", "id": "ins_00000000000000000000000000" });
    pay("e", 100, 100, nowhere)
        .await
        .expect_problem(422, "invalid-value");
    let sandbox = json!({ "type": "sandbox" });
    pay("f", 100, 100, sandbox)
        .await
        .expect_problem(422, "invalid-value");
    let own = json!({ "type": "institution", "id": fund.id });
    pay("g", 100, 100, own)
        .await
        .expect_problem(422, "invalid-value");
    pay("h", 1_000, 1_000, platform).await.expect(201);
}
