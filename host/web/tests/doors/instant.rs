use serde_json::{Value, json};

use crate::caller::Caller;
use crate::checkout::{SERVICE, confirmation, offer, quote};
use crate::host::{Host, PIN, text};
use crate::payments::cny;

/// A quote to give back so many units.
async fn redemption(person: &Caller, units: &str) -> Value {
    let form = json!({
        "form": "redeem", "locale": "en",
        "fields": [{ "name": "units", "value": units }],
    });
    let answer = person.post(SERVICE, &form).await.expect(200).body;
    quote(person, &answer["offer"]).await
}

#[tokio::test]
async fn a_redemption_says_when_its_money_arrives_before_and_after() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        host.serving(&operator, &fund, "money-fund").await;
        let person = host.person("li.wei").await;
        host.top_up(&person, 100_000).await;
        let bought = quote(&person, &offer(&person, "1000").await).await;
        assert_eq!(bought["arrival"], Value::Null);
        let body = confirmation(&bought, PIN);
        person.keyed("/v1/orders", "buy", &body).await.expect(201);

        // Sunday, and no bank advanced anything: what counts as Monday's comes on Tuesday.
        let later = json!({ "day": "2026-11-24", "form": "next_business_day" });
        let quoted = redemption(&person, "1.00").await;
        assert_eq!(quoted["arrival"], later);
        let body = confirmation(&quoted, PIN);
        let placed = person.keyed("/v1/orders", "later", &body).await.expect(201);
        assert_eq!(
            (&placed.body["state"], &placed.body["arrival"]),
            (&json!("held"), &later)
        );

        let advance = json!({ "amount": cny(10_000), "channel": "sandbox" });
        let advances = format!("/v1/institutions/{}/advances", fund.id);
        for _ in 0..2 {
            let lent = operator
                .keyed(&advances, "line", &advance)
                .await
                .expect(201);
            assert_eq!(lent.body["splits"][0]["receiver"]["type"], "advance");
        }
        let at_once = json!({ "day": "2026-11-22", "form": "instant" });
        let quoted = redemption(&person, "100.00").await;
        assert_eq!(quoted["arrival"], at_once);
        let body = confirmation(&quoted, PIN);
        let placed = person.keyed("/v1/orders", "now", &body).await.expect(201);
        assert_eq!(placed.body["state"], "completed");
        let path = format!("/v1/orders/{}", text(&placed.body["id"]));
        let stored = person.get(&path).await.expect(200).body;
        assert_eq!(stored["arrival"], at_once);
        let page = person
            .get(&format!("/orders/{}", text(&placed.body["id"])))
            .await;
        assert!(page.expect(200).text.contains("2026-11-22"));
        let server = host.server(&fund).await;
        let balances = server
            .get("/v1/institution/balances")
            .await
            .expect(200)
            .body;
        assert_eq!(balances["items"][0]["advance"]["available_minor"], 0);
    })
    .await;
}

#[tokio::test]
async fn an_advance_is_for_an_institution_that_is_there_and_of_an_amount() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let path = format!("/v1/institutions/{}/advances", fund.id);
    for (key, minor, channel) in [
        ("a", 0, "sandbox"),
        ("b", -1, "sandbox"),
        ("c", 1, "no bank"),
    ] {
        let body = json!({ "amount": cny(minor), "channel": channel });
        let refused = operator.keyed(&path, key, &body).await;
        refused.expect_problem(422, "invalid-value");
    }
    let nobody = "/v1/institutions/ins_00000000000000000000000000/advances";
    let body = json!({ "amount": cny(1), "channel": "sandbox" });
    let refused = operator.keyed(nobody, "d", &body).await;
    refused.expect_problem(422, "invalid-value");
    let staff = fund.staff.keyed(&path, "e", &body).await;
    staff.expect_problem(403, "forbidden");
}
