//! Banks through the public doors: JSON, callbacks, and what operators do.

use qiao_banks::rules::REPAIR_PAUSES_SECS;
use qiao_banks::{Abilities, Cost, NewChannel};
use qiao_model::{Rate, Secret};
use qiao_tests::{TestDatabase, each_database};
use sandbox_bank::{Bank, Customer, Fault, FaultKind, Options};
use serde_json::{Value, json};
use url::Url;

use crate::caller::Caller;
use crate::host::{Host, PIN, text};

/// The fund's account at the bank.
pub(crate) const FUND_NUMBER: &str = "1001880200000001";

/// A host with one bank, and a person with an account there.
pub(crate) struct World {
    pub(crate) host: Host,
    pub(crate) bank: Bank,
    pub(crate) person: Caller,
    pub(crate) operator: Caller,
}

impl World {
    pub(crate) async fn new(database: TestDatabase) -> Self {
        Self::charging(database, 0).await
    }

    /// With a bank that takes so many fen for each transfer.
    async fn charging(database: TestDatabase, flat_minor: i64) -> Self {
        let bank = Bank::start(Options {
            customers: vec![
                Customer::new("wang", "wang", "6222020200018801", 1_000_000),
                Customer::new("harvest", "harvest", FUND_NUMBER, 1_000_000).debitable(),
            ],
            ..Options::default()
        })
        .await
        .unwrap();
        let channel = NewChannel {
            code: "river".parse().unwrap(),
            name: "River Bank".to_owned(),
            issuer: Url::parse(&bank.url).unwrap(),
            client_id: sandbox_bank::CLIENT_ID_DEFAULT.to_owned(),
            client_secret: Secret::new(sandbox_bank::CLIENT_SECRET_DEFAULT.to_owned()),
            callback_key: qiao_banks::callback_key(sandbox_bank::WEBHOOK_SECRET_DEFAULT).unwrap(),
            abilities: Abilities::Both,
            cost: Cost {
                flat_minor,
                rate: Rate::ZERO,
            },
            priority: 100,
            amount_max_minor: 5_000_000,
        };
        let host = Host::open_with_banks(database, vec![channel]).await;
        let operator = host.operator().await;
        let person = host.person("li.wei").await;
        Self {
            host,
            bank,
            person,
            operator,
        }
    }

    /// Links the person's account: their browser goes to the bank and comes back.
    pub(crate) async fn link(&self) -> String {
        let body = json!({ "channel": "river" });
        let begun = self.person.post("/v1/bank-links", &body).await.expect(201);
        let url = Url::parse(&text(&begun.body["authorize_url"])).unwrap();
        let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        for (name, value) in [
            ("customer", "wang"),
            ("password", "wang"),
            ("decision", "allow"),
        ] {
            form.push((name.to_owned(), value.to_owned()));
        }
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let page = format!("{}/authorize", self.bank.url);
        let answer = browser.post(page).form(&form).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        let path = back.strip_prefix(crate::host::PUBLIC_URL).unwrap();
        let landed = self.person.get(path).await.expect(303);
        assert_eq!(landed.headers["location"], "/wallet?note=bank-linked");
        let links = self.person.get("/v1/bank-links").await.expect(200);
        text(&links.body["items"][0]["id"])
    }

    async fn transfer(&self, key: &str, body: &Value) -> Value {
        let made = self.person.keyed("/v1/bank-transfers", key, body).await;
        made.expect(201).body
    }
}

fn into(minor: i64) -> Value {
    json!({ "direction": "in", "amount": { "minor": minor, "currency": "CNY" } })
}

#[tokio::test]
async fn a_person_links_tops_up_and_withdraws_over_http() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let made = world.transfer("k1", &into(300_000)).await;
        assert_eq!(made["state"], "done");
        assert_eq!(made["link"], link.as_str());
        let again = world.transfer("k1", &into(300_000)).await;
        assert_eq!(again["id"], made["id"]);
        let out = json!({
            "direction": "out",
            "link": link,
            "amount": { "minor": 100_000, "currency": "CNY" },
            "pin": PIN,
        });
        let made = world.transfer("k2", &out).await;
        assert_eq!(
            (&made["state"], &made["purpose"]),
            (&json!("done"), &json!("withdrawal"))
        );
        let balances = world.person.get("/v1/balances").await.expect(200).body;
        assert_eq!(balances["items"][0]["available_minor"], 200_000);
        assert_eq!(world.bank.custody_minor(), 200_000);
        let path = format!("/v1/bank-links/{link}");
        world.person.delete(&path).await.expect(204);
        let links = world.person.get("/v1/bank-links").await.expect(200);
        assert_eq!(links.body["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn money_leaves_only_with_the_pin() {
    let world = World::new(qiao_tests::sqlite().await).await;
    world.link().await;
    world.transfer("k1", &into(10_000)).await;
    let out = |pin: &str| {
        json!({
            "direction": "out",
            "amount": { "minor": 10_000, "currency": "CNY" },
            "pin": pin,
        })
    };
    let wrong = world
        .person
        .keyed("/v1/bank-transfers", "k2", &out("000111"))
        .await;
    wrong.expect_problem(403, "wrong-pin");
    let right = world
        .person
        .keyed("/v1/bank-transfers", "k2", &out(PIN))
        .await;
    right.expect(201);
}

#[tokio::test]
async fn an_account_that_nobody_linked_carries_nothing() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let refused = world
        .person
        .keyed("/v1/bank-transfers", "k", &into(1))
        .await;
    refused.expect_problem(409, "no-bank-route");
    let foreign = json!({
        "direction": "in",
        "link": "bnk_00000000000000000000000000",
        "amount": { "minor": 1, "currency": "CNY" },
    });
    let refused = world
        .person
        .keyed("/v1/bank-transfers", "k", &foreign)
        .await;
    refused.expect_problem(404, "not-found");
}

#[tokio::test]
async fn an_unknown_outcome_is_seen_and_ends_by_the_banks_callback() {
    let world = World::new(qiao_tests::sqlite().await).await;
    world.link().await;
    world.bank.plan(Fault::once(FaultKind::LoseResponse));
    let made = world.transfer("k1", &into(10_000)).await;
    assert_eq!(made["state"], "unknown");
    let open = world
        .operator
        .get("/v1/open-bank-transfers")
        .await
        .expect(200);
    assert_eq!(open.body["items"][0]["id"], made["id"]);
    let id = text(&made["id"]);
    let evidence = format!("/v1/open-bank-transfers/{id}/evidence");
    let evidence = world.operator.get(&evidence).await.expect(200).body;
    assert_eq!(evidence["items"][0]["outcome"], "no-answer");
    let unsigned = json!({ "id": id, "state": "done" });
    let refused = world
        .host
        .guest()
        .post("/v1/bank-callbacks/river", &unsigned)
        .await;
    refused.expect_problem(401, "bad-signature");
    assert_eq!(world.host.app.banks.repair().await.unwrap(), 0);
    world.host.clock.advance_millis(5_000);
    assert_eq!(world.host.app.banks.repair().await.unwrap(), 1);
    let path = format!("/v1/bank-transfers/{id}");
    let now = world.person.get(&path).await.expect(200).body;
    assert_eq!(now["state"], "done");
}

#[tokio::test]
async fn an_operator_pauses_and_resumes_a_channel() {
    let world = World::new(qiao_tests::sqlite().await).await;
    world.link().await;
    let pause = "/v1/bank-channels/river/pause";
    let silent = world.operator.post(pause, &json!({ "reason": "" })).await;
    silent.expect_problem(422, "invalid-value");
    let why = json!({ "reason": "upkeep" });
    world.operator.post(pause, &why).await.expect(204);
    let twice = world.operator.post(pause, &why).await;
    twice.expect_problem(409, "wrong-state");
    let refused = world
        .person
        .keyed("/v1/bank-transfers", "k", &into(1))
        .await;
    refused.expect_problem(409, "no-bank-route");
    let resume = "/v1/bank-channels/river/resume";
    world.operator.post(resume, &json!({})).await.expect(204);
    world.transfer("k", &into(1)).await;
}

#[tokio::test]
async fn the_pages_say_what_a_person_can_do_with_their_bank() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let banks = world.person.get("/banks").await.expect(200);
    assert!(banks.text.contains("River Bank"));
    let stray = "/banks/river/callback?code=x&state=y&iss=z";
    let refused = world.person.get(stray).await.expect(422);
    assert!(refused.text.contains("was not linked"), "{}", refused.text);
    world.link().await;
    let wallet = world.person.get("/wallet").await.expect(200);
    for form in ["bank-top-up", "withdraw"] {
        assert!(wallet.text.contains(&format!("id=\"{form}\"")), "{form}");
    }
    assert!(
        !wallet.text.contains("id=\"top-up\""),
        "no play money beside a bank"
    );
    let body = json!({ "amount": { "minor": 1, "currency": "CNY" } });
    let refused = world.person.keyed("/v1/sandbox/top-ups", "k", &body).await;
    refused.expect_problem(404, "not-found");
    let operator = world.operator.get("/operator/banks").await.expect(200);
    assert!(operator.text.contains("River Bank"));
}

#[tokio::test]
async fn a_refused_form_of_the_wallet_keeps_what_was_typed() {
    let world = World::new(qiao_tests::sqlite().await).await;
    world.link().await;
    let mut li = world.host.logged_in("li.wei").await;
    let fields = [("amount", "ten"), ("pin", PIN)];
    let wallet = li.fill("/wallet", "withdraw", &fields).await.expect(422);
    assert_eq!(
        wallet.error("withdraw-amount"),
        "Write an amount such as 1000.00."
    );
    assert_eq!(wallet.value("withdraw-amount"), "ten");
    assert_eq!(wallet.value("withdraw-pin"), "", "a PIN never comes back");
    assert_eq!(wallet.value("bank-top-up-amount"), "", "the other form");
    let fields = [("amount", "10.00"), ("pin", "000001")];
    let wallet = li.send(&wallet, "withdraw", &fields).await.expect(422);
    assert_eq!(wallet.error("withdraw-pin"), "Wrong PIN. Tries left: 4.");
    let fields = [("amount", "10.00"), ("pin", PIN)];
    let wallet = li.send(&wallet, "withdraw", &fields).await.expect(422);
    wallet.says("You have 0.00 CNY and need 10.00 CNY");
    // Going back, reloading and changing the language open the same address.
    for path in [&wallet.path, "/banks/top-up"] {
        li.open(&format!("{path}?lang=zh-CN"))
            .await
            .expect(200)
            .says("提现");
    }
}

#[tokio::test]
async fn a_person_without_a_pin_reads_that_a_withdrawal_needs_one() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let mut na = world.host.visitor("li.na").await;
    na.open("/wallet")
        .await
        .expect(200)
        .says("Link an account")
        .says("Money stays at custody banks");
    na.open("/me").await.expect(200).says("Bank accounts");
}

#[tokio::test]
async fn ending_a_bank_transfer_by_hand_asks_first() {
    let world = World::new(qiao_tests::sqlite().await).await;
    world.link().await;
    world.bank.plan(Fault {
        count: u32::MAX,
        ..Fault::once(FaultKind::Unavailable)
    });
    let made = world.transfer("k1", &into(10_000)).await;
    let path = format!("/operator/banks/transfers/{}", text(&made["id"]));
    let mut ops = world.host.logged_in("ops").await;
    let early = ops.open(&format!("{path}/decide")).await.expect(200);
    assert_eq!(early.path, path, "what is not stuck is not ended by hand");
    for pause_secs in REPAIR_PAUSES_SECS {
        world.host.clock.advance_millis(pause_secs * 1000);
        world.host.app.banks.repair().await.unwrap();
    }
    let review = ops.open(&path).await.expect(200);
    review.says("stuck").says("River Bank");
    let question = ops
        .open(&review.link(&format!("{path}/decide")))
        .await
        .expect(200);
    question.says("A transfer ends once").says("100.00 CNY");
    let mute = ops.send(&question, "decide", &[]).await.expect(422);
    assert_eq!(
        mute.error("decide-verdict"),
        "Choose what the bank's paper says."
    );
    assert_eq!(mute.error("decide-reason"), "Say what proves it.");
    let done = [("verdict", "done"), ("reason", "statement of the day")];
    let nameless = ops.send(&mute, "decide", &done).await.expect(422);
    assert!(!nameless.error("decide-bank_reference").is_empty());
    assert_eq!(nameless.value("decide-reason"), "statement of the day");
    let whole = [("verdict", "done"), ("bank_reference", "B-1")];
    ops.send(&nameless, "decide", &whole)
        .await
        .expect(200)
        .says("The transfer has ended");
    let path = format!("/v1/bank-transfers/{}", text(&made["id"]));
    let now = world.person.get(&path).await.expect(200).body;
    assert_eq!(now["state"], "done");
}

#[tokio::test]
async fn a_transfer_says_what_arrives_what_leaves_and_what_the_bank_takes() {
    let world = World::charging(qiao_tests::sqlite().await, 50).await;
    world.link().await;
    let mut li = world.host.logged_in("li.wei").await;
    let fields = [("amount", "100.00")];
    let done = li.fill("/wallet", "bank-top-up", &fields).await.expect(200);
    done.says("To your balance 100.00 CNY")
        .says("Bank fee 0.50 CNY")
        .says("From your bank account 100.50 CNY");
    let fields = [("amount", "10.00"), ("pin", PIN)];
    let done = li.fill("/wallet", "withdraw", &fields).await.expect(200);
    done.says("To your bank account 10.00 CNY")
        .says("From your balance 10.50 CNY");
    li.open("/banks")
        .await
        .expect(200)
        .says("Withdrawal to River Bank")
        .says("Top-up from River Bank");
}

#[tokio::test]
async fn a_transfer_under_way_is_found_in_the_wallet() {
    let world = World::new(qiao_tests::sqlite().await).await;
    world.link().await;
    world.bank.plan(Fault::once(FaultKind::LoseResponse));
    let made = world.transfer("k1", &into(10_000)).await;
    let path = format!("/banks/transfers/{}", text(&made["id"]));
    let mut li = world.host.logged_in("li.wei").await;
    let wallet = li.open("/wallet").await.expect(200);
    wallet.says("On its way").says("Being checked");
    li.open(&wallet.link(&path))
        .await
        .expect(200)
        .says("the money is neither lost nor moved twice");
    world.host.clock.advance_millis(5_000);
    assert_eq!(world.host.app.banks.repair().await.unwrap(), 1);
    let wallet = li.open("/wallet").await.expect(200);
    assert!(!wallet.html.contains(&path), "what has ended is a movement");
}
