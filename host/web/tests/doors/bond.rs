//! A bond fund from purchase to redemption: fees by amount, by holding days and every day.

use serde_json::{Value, json};

use crate::caller::Caller;
use crate::host::{Host, PIN, text};

const SERVICE: &str = "/v1/public-accounts/harvest/services/invest";
const DAY_MILLIS: i64 = 86_400_000;

async fn quote(person: &Caller, form: &str, field: &str, value: &str) -> Value {
    let body = json!({
        "form": form, "locale": "en", "scene": "lifestyle",
        "fields": [{ "name": field, "value": value }],
    });
    let answer = person.post(SERVICE, &body).await.expect(200).body;
    let body = json!({ "offer": answer["offer"]["id"] });
    person.post("/v1/quotes", &body).await.expect(200).body
}

async fn order(person: &Caller, key: &str, quote: &Value) -> Value {
    let body = json!({ "quote": quote["token"], "amount": quote["amount"], "pin": PIN });
    let placed = person
        .keyed("/v1/orders", key, &body)
        .await
        .expect(201)
        .body;
    assert_eq!(placed["state"], "completed", "{placed}");
    placed
}

/// What the only fee of a quote comes to.
fn fee(quote: &Value) -> i64 {
    assert_eq!(quote["fees"].as_array().map(Vec::len), Some(1), "{quote}");
    quote["fees"][0]["amount"]["minor"].as_i64().unwrap()
}

/// Days pass, the fund publishes its net asset value, and the person logs in again.
async fn later(host: &Host, days: i64) -> Caller {
    host.clock.advance_millis(days * DAY_MILLIS);
    host.app.orders.run_due_jobs().await.unwrap();
    host.app.orders.accrue_fees().await.unwrap();
    host.log_in("li.wei").await
}

async fn revenue(host: &Host, of: &crate::host::Institution) -> i64 {
    let server = host.server(of).await;
    let balances = server
        .get("/v1/institution/balances")
        .await
        .expect(200)
        .body;
    let revenue = &balances["items"][0]["revenue"]["posted_minor"];
    revenue.as_i64().unwrap_or(0)
}

#[tokio::test]
async fn a_bond_fund_is_bought_through_a_scene_and_redeemed_after_ten_and_two_hundred_days() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        let scene = host.institution(&operator, "lifestyle").await;
        host.serving(&operator, &fund, "bond-fund").await;
        let person = host.person("li.wei").await;
        host.top_up(&person, 10_000_000).await;

        let bought = quote(&person, "buy", "amount", "20000.00").await;
        // 20,000.00 / 1.013 is 19,743.34; a fifth of the 256.66 goes to the scene.
        assert_eq!(fee(&bought), 25_666);
        assert_eq!(bought["fees"][0]["shares"][1]["receiver"], "scene");
        order(&person, "buy", &bought).await;
        assert_eq!(revenue(&host, &scene).await, 5_133);
        let before = revenue(&host, &fund).await;

        let person = later(&host, 10).await;
        let ten_days = quote(&person, "redeem", "units", "1000.00").await;
        let worth = ten_days["principal"]["minor"].as_i64().unwrap();
        assert_eq!(fee(&ten_days), (worth * 75 + 5_000) / 10_000, "0.75 %");
        order(&person, "redeem-10", &ten_days).await;
        assert!(
            revenue(&host, &fund).await > before,
            "fees accrue every day"
        );

        let person = later(&host, 190).await;
        let free = quote(&person, "redeem", "units", "1000.00").await;
        assert_eq!(fee(&free), 0, "after 200 days");
        order(&person, "redeem-200", &free).await;
        let books = operator_books(&host).await;
        for asset in books["items"].as_array().unwrap() {
            assert_eq!(asset["sum_of_balances"], 0, "{asset}");
        }
        let product = text(&held_product(&person).await);
        let schedules = format!("/v1/products/{product}/fee-schedules");
        let schedules = person.get(&schedules).await.expect(200).body;
        insta::assert_json_snapshot!("the_fees_of_a_bond_fund", schedules, {
            ".items[].id" => "[id]",
        });
    })
    .await;
}

async fn operator_books(host: &Host) -> Value {
    let operator = host.log_in("ops").await;
    operator.get("/v1/books").await.expect(200).body
}

/// The product that the person holds.
async fn held_product(person: &Caller) -> Value {
    let holdings = person.get("/v1/holdings").await.expect(200).body;
    holdings["items"][0]["product"].clone()
}
