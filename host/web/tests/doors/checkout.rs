use serde_json::{Value, json};

use crate::caller::Caller;
use crate::host::{Host, PIN, text};

pub(crate) const SERVICE: &str = "/v1/public-accounts/harvest/services/invest";

/// An offer to buy for so many yuan.
pub(crate) async fn offer(person: &Caller, yuan: &str) -> Value {
    let form = json!({
        "form": "buy", "locale": "en",
        "fields": [{ "name": "amount", "value": yuan }],
    });
    let answer = person.post(SERVICE, &form).await.expect(200).body;
    assert_eq!(answer["type"], "offer");
    answer["offer"].clone()
}

pub(crate) async fn quote(person: &Caller, offer: &Value) -> Value {
    let body = json!({ "offer": offer["id"] });
    person.post("/v1/quotes", &body).await.expect(200).body
}

pub(crate) fn confirmation(quote: &Value, pin: &str) -> Value {
    json!({ "quote": quote["token"], "amount": quote["amount"], "pin": pin })
}

#[tokio::test]
async fn a_person_buys_the_fund_from_its_page_to_the_receipt() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        host.serving(&operator, &fund, "money-fund").await;
        let person = host.person("li.wei").await;
        host.top_up(&person, 150_000).await;

        let page = person
            .get(&format!("{SERVICE}?locale=en"))
            .await
            .expect(200)
            .body;
        insta::assert_json_snapshot!("the_funds_page", page);
        let offer = offer(&person, "1000.00").await;
        insta::assert_json_snapshot!("an_offer", offer, {
            ".id" => "[id]", ".plugin" => "[id]", ".institution" => "[id]", ".product" => "[id]",
        });
        let quote = quote(&person, &offer).await;
        insta::assert_json_snapshot!("a_quote", quote, {
            ".token" => "[token]", ".release_digest" => "[digest]", ".fuel" => "[fuel]",
        });
        let body = confirmation(&quote, PIN);
        let placed = person.keyed("/v1/orders", "buy-1", &body).await.expect(201);
        insta::assert_json_snapshot!("a_completed_order", placed.body, {
            ".id" => "[id]", ".subject" => "[subject]", ".plugin" => "[id]", ".payment" => "[id]",
            ".institution" => "[id]", ".product" => "[id]", ".receipt.number" => "[number]",
        });
        let path = text(&Value::from(placed.headers["location"].to_str().unwrap()));
        let again = person.keyed("/v1/orders", "buy-1", &body).await.expect(201);
        assert_eq!(again.body["id"], placed.body["id"]);
        let stored = person.get(&path).await.expect(200).body;
        assert_eq!(stored["state"], "completed");
        let stranger = host.person("li.na").await;
        stranger.get(&path).await.expect_problem(404, "not-found");

        let holdings = person.get("/v1/holdings").await.expect(200).body;
        insta::assert_json_snapshot!("holdings", holdings, { ".items[].product" => "[id]" });
        let balances = person.get("/v1/balances").await.expect(200).body;
        assert_eq!(balances["items"][0]["available_minor"], 50_000);
        seen_by_the_institution(&host, &fund, &placed.body).await;
        let books = operator.get("/v1/books").await.expect(200).body;
        for asset in books["items"].as_array().unwrap() {
            assert_eq!(asset["sum_of_balances"], 0, "{asset}");
            assert_eq!(asset["debits"], asset["credits"], "{asset}");
        }
    })
    .await;
}

async fn seen_by_the_institution(host: &Host, fund: &crate::host::Institution, placed: &Value) {
    let server = host.server(fund).await;
    let orders = server.get("/v1/institution/orders").await.expect(200).body;
    assert_eq!(orders["items"][0]["id"], placed["id"]);
    let order = format!("/v1/institution/orders/{}", text(&placed["id"]));
    server.get(&order).await.expect(200);
    let payments = server.get("/v1/payments").await.expect(200).body;
    let payment = &payments["items"][0];
    assert_eq!(payment["id"], placed["payment"]);
    assert_eq!(payment["payer"]["subject"], placed["subject"]);
    let split: i64 = payment["splits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["amount"]["minor"].as_i64().unwrap())
        .sum();
    assert_eq!(split, 100_000);
    let balances = server
        .get("/v1/institution/balances")
        .await
        .expect(200)
        .body;
    insta::assert_json_snapshot!("balances_of_an_institution", balances);
    let statement = "/v1/institution/statement?account=revenue&currency=CNY";
    let statement = server.get(statement).await.expect(200).body;
    let kinds: Vec<_> = statement["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["kind"])
        .collect();
    assert_eq!(kinds, ["post", "pending"]);
}

#[tokio::test]
async fn what_the_checkout_refuses_moves_nothing() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        host.serving(&operator, &fund, "money-fund").await;
        let person = host.person("li.wei").await;
        host.top_up(&person, 100_000).await;
        let good = quote(&person, &offer(&person, "1000").await).await;
        let confirm = async |key: &str, body: &Value| person.keyed("/v1/orders", key, body).await;

        let wrong_pin = confirm("pin", &confirmation(&good, "246801")).await;
        let wrong_pin = wrong_pin.expect_problem(403, "wrong-pin");
        assert_eq!(wrong_pin.body["tries_left"], 4);
        let mut off = confirmation(&good, PIN);
        off["amount"]["minor"] = json!(99_999);
        confirm("off", &off).await.expect_problem(422, "quote-invalid");
        let mut forged = confirmation(&good, PIN);
        forged["quote"] = json!(format!("{}x", text(&good["token"])));
        confirm("forged", &forged).await.expect_problem(422, "quote-invalid");
        let much = quote(&person, &offer(&person, "1000.01").await).await;
        let poor = confirm("poor", &confirmation(&much, PIN)).await;
        poor.expect_problem(402, "insufficient-funds");
        let stranger = host.person("li.na").await;
        let theirs = stranger.keyed("/v1/orders", "k", &confirmation(&good, PIN)).await;
        theirs.expect_problem(422, "quote-invalid");
        let small = json!({ "form": "buy", "locale": "en", "fields": [{ "name": "amount", "value": "0.99" }] });
        let small = person.post(SERVICE, &small).await.expect_problem(422, "invalid-value");
        assert_eq!(small.body["field"], "amount");
        let nowhere = person.get("/v1/public-accounts/harvest/services/nothing").await;
        nowhere.expect_problem(404, "not-found");
        host.clock.advance_millis(5 * 60 * 1000);
        let late = confirm("late", &confirmation(&good, PIN)).await;
        late.expect_problem(422, "quote-invalid");

        let orders = person.get("/v1/orders").await.expect(200).body;
        assert_eq!(orders["items"], json!([]));
        let balances = person.get("/v1/balances").await.expect(200).body;
        assert_eq!(balances["items"][0]["available_minor"], 100_000);
    })
    .await;
}

#[tokio::test]
async fn a_key_of_one_order_is_refused_for_another() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    host.serving(&operator, &fund, "money-fund").await;
    let person = host.person("li.wei").await;
    host.top_up(&person, 100_000).await;
    let first = quote(&person, &offer(&person, "100").await).await;
    let second = quote(&person, &offer(&person, "200").await).await;
    let placed = person
        .keyed("/v1/orders", "k", &confirmation(&first, PIN))
        .await;
    placed.expect(201);
    let reused = person
        .keyed("/v1/orders", "k", &confirmation(&second, PIN))
        .await;
    reused.expect_problem(422, "idempotency-key-reused");
}
