use qiao_settlement::Doubt;
use sandbox_bank::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::banks::{FUND_NUMBER, World};
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

        let advance = json!({ "amount": cny(10_000), "institution": fund.id });
        for _ in 0..2 {
            let lent = operator.keyed("/v1/sandbox/advances", "line", &advance);
            lent.await.expect(201);
        }
        let audit = operator.get("/v1/audit").await.expect(200).body;
        let rows = audit["items"].as_array().unwrap();
        assert!(rows.iter().any(|row| row["action"] == "advance.lend"));
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
async fn a_bank_lends_an_institution_and_gets_back_what_is_free() {
    qiao_tests::each_database(|database| async move {
        let world = World::new(database).await;
        let (operator, bank) = (&world.operator, &world.bank);
        let fund = world.host.institution(operator, "harvest").await;
        let moves = |way: &str| format!("/v1/institutions/{}/{way}", fund.id);
        let body = |minor| {
            json!({ "amount": cny(minor), "channel": "river", "account_number": FUND_NUMBER })
        };
        for _ in 0..2 {
            let (path, body) = (moves("advances"), body(10_000));
            let lent = operator.keyed(&path, "line", &body).await.expect(201).body;
            assert_eq!((&lent["state"], &lent["purpose"]), (&json!("done"), &json!("advance")));
        }
        assert_eq!(bank.custody_minor(), 10_000);
        let server = world.host.server(&fund).await;
        let line = async || {
            let balances = server.get("/v1/institution/balances").await.expect(200).body;
            balances["items"][0]["advance"]["available_minor"].clone()
        };
        assert_eq!(line().await, 10_000);
        let back = moves("advance-returns");
        let refused = operator.keyed(&back, "more", &body(10_001)).await;
        refused.expect_problem(402, "insufficient-funds");
        let returned = operator.keyed(&back, "back", &body(4_000)).await.expect(201).body;
        assert_eq!(returned["state"], "done");
        assert_eq!((line().await, bank.custody_minor()), (json!(6_000), 6_000));

        // What its bank does not have is not lent, and what it rejects is free again.
        let rejected = operator.keyed(&moves("advances"), "much", &body(1_000_000)).await;
        assert_eq!(rejected.expect(201).body["reason"], "insufficient_funds");
        bank.plan(Fault::once(FaultKind::Reject));
        let rejected = operator.keyed(&back, "closed", &body(6_000)).await;
        assert_eq!(rejected.expect(201).body["state"], "rejected");
        assert_eq!(line().await, 6_000);
        let ops = world.host.app.auth.permit_system("test", qiao_model::Scope::Operate);
        let check = world.host.app.settlement.custody(&ops).await.unwrap();
        // The bank's statement of the day is yet to come; nothing else is open.
        let is_waiting = |doubt: &Doubt| matches!(doubt, Doubt::NotCompared { .. });
        assert!(check.doubts().iter().all(is_waiting), "{check:?}");
    })
    .await;
}

#[tokio::test]
async fn an_advance_is_for_an_institution_that_is_there_and_of_an_amount() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let operator = &world.operator;
    let fund = world.host.institution(operator, "harvest").await;
    let body = |minor: i64, channel: &str, number: &str| json!({ "amount": cny(minor), "channel": channel, "account_number": number });
    let longer = "1".repeat(35);
    for way in ["advances", "advance-returns"] {
        let path = format!("/v1/institutions/{}/{way}", fund.id);
        for (key, body) in [
            ("a", body(0, "river", FUND_NUMBER)),
            ("b", body(-1, "river", FUND_NUMBER)),
            ("c", body(1, "no bank", FUND_NUMBER)),
            ("d", body(1, "river", "")),
            ("e", body(1, "river", &longer)),
        ] {
            let refused = operator.keyed(&path, key, &body).await;
            refused.expect_problem(422, "invalid-value");
        }
        let one = body(1, "lake", FUND_NUMBER);
        let refused = operator.keyed(&path, "f", &one).await;
        refused.expect_problem(404, "not-found");
        let one = body(1, "river", FUND_NUMBER);
        let nobody = format!("/v1/institutions/ins_00000000000000000000000000/{way}");
        let refused = operator.keyed(&nobody, "g", &one).await;
        refused.expect_problem(422, "invalid-value");
        let staff = fund.staff.keyed(&path, "h", &one).await;
        staff.expect_problem(403, "forbidden");
    }
    assert_eq!(world.bank.payments().len(), 0);
}

#[tokio::test]
async fn an_account_whose_holder_does_not_let_the_platform_is_not_debited() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let fund = world.host.institution(&world.operator, "harvest").await;
    let path = format!("/v1/institutions/{}/advances", fund.id);
    let of_wang = json!({
        "amount": cny(100), "channel": "river", "account_number": "6222020200018801",
    });
    let refused = world.operator.keyed(&path, "k", &of_wang).await.expect(201);
    assert_eq!(refused.body["state"], "rejected");
    assert_eq!(world.bank.custody_minor(), 0);
}

#[tokio::test]
async fn an_operator_funds_a_line_and_pays_it_back_on_the_pages() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let fund = world.host.institution(&world.operator, "harvest").await;
    let mut ops = world.host.logged_in("ops").await;
    let lines = ops.open("/operator/advances").await.expect(200);
    let path = format!("/operator/advances/{}", fund.id);
    let ask = ops
        .open(&lines.link(&format!("{path}/fund")))
        .await
        .expect(200);
    let fields = |amount| {
        [
            ("channel", "river"),
            ("account_number", FUND_NUMBER),
            ("amount", amount),
        ]
    };
    let wrong = ops.send(&ask, "advance", &fields("much")).await.expect(422);
    wrong.says("An amount such as 50000.00.");
    let done = ops
        .send(&wrong, "advance", &fields("80.00"))
        .await
        .expect(200);
    assert!(
        done.path.starts_with("/operator/banks/transfers/"),
        "{}",
        done.path
    );
    let ask = ops.open(&format!("{path}/return")).await.expect(200);
    ask.says("Free on the line 80.00 CNY");
    let more = ops
        .send(&ask, "advance", &fields("80.01"))
        .await
        .expect(422);
    ops.send(&more, "advance", &fields("30.00"))
        .await
        .expect(200);
    let lines = ops.open("/operator/advances").await.expect(200);
    lines.says("50.00 CNY");
    assert_eq!(world.bank.custody_minor(), 5_000);
    ops.open(&format!("{path}/keep")).await.expect(404);
}
