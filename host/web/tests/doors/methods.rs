//! Quotes for a way to pay: what a channel adds, who gets it, and what is refused.

use qiao_auth::PluginCaller;
use qiao_catalog::fee::{ChannelCharge, Charge, FeeForm, FeeLine, Payer, Receiver, Share};
use qiao_catalog::{NewProduct, OrderKind, Redemption};
use qiao_model::{Channel, Currency, Rate, ReleaseId, Rounding, Scope, ScopeSet};
use qiao_payments::Party;
use sandbox_bank::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::banks::World;
use crate::checkout::{confirmation, offer};
use crate::host::{Institution, PIN, text};

/// What the river's channel adds to every purchase: 3.00, for the channel.
const SURCHARGE: i64 = 300;

fn river() -> Channel {
    "river".parse().unwrap()
}

fn surcharge() -> FeeLine {
    FeeLine {
        code: "river-surcharge".to_owned(),
        name: "River surcharge".to_owned(),
        applies_to: OrderKind::Purchase,
        payer: Payer::User,
        form: FeeForm::ByChannel(vec![ChannelCharge {
            channel: river(),
            charge: Charge::Flat(SURCHARGE),
        }]),
        minimum: None,
        maximum: None,
        band: None,
        monotone: false,
        rounding: Rounding::HalfUp,
        shares: vec![Share {
            receiver: Receiver::Channel,
            rate: Rate::ONE,
        }],
    }
}

/// The money fund serves, and charges for payments through the river's channel.
async fn serve(world: &World) -> Institution {
    let host = &world.host;
    let fund = host.institution(&world.operator, "harvest").await;
    host.serving(&world.operator, &fund, "money-fund").await;
    let catalog = &host.app.catalog;
    let institution = fund.id.parse().unwrap();
    let products = catalog.products_of_institution(institution).await.unwrap();
    let product = products.first().unwrap();
    let caller = PluginCaller {
        plugin: product.plugin,
        release: ReleaseId::from_u128(1),
        institution,
        granted: ScopeSet::EMPTY.with(Scope::CatalogWrite),
        on_behalf_of: None,
    };
    let permit = host.app.auth.permit_plugin(&caller, Scope::CatalogWrite);
    let permit = permit.unwrap();
    let new = NewProduct {
        code: product.code.clone(),
        name: product.name.clone(),
        summary: product.summary.clone(),
        currency: Currency::CNY,
        in_units: true,
        capture: product.capture,
        redemption: Redemption::Instant,
        fees: vec![surcharge()],
        accrued: Vec::new(),
        effective_from: None,
    };
    let registered = catalog.register_product(&permit, new);
    registered.await.unwrap();
    fund
}

impl World {
    async fn quoted(&self, offer: &Value, method: Value) -> crate::caller::Answer {
        let body = json!({ "offer": offer["id"], "method": method });
        self.person.post("/v1/quotes", &body).await
    }

    async fn of_channel(&self) -> i64 {
        let account = Party::Channel(river()).account(Currency::CNY).id();
        let balance = self.host.app.ledger.balance(account).await.unwrap();
        balance.map_or(0, |balance| balance.posted)
    }

    async fn has_nothing_ordered(&self) {
        let orders = self.person.get("/v1/orders").await.expect(200).body;
        assert_eq!(orders["items"], json!([]));
    }
}

fn bank(link: &str) -> Value {
    json!({ "type": "bank", "link": link })
}

#[tokio::test]
async fn an_order_pays_by_the_quoted_account_with_its_surcharge() {
    qiao_tests::each_database(|database| async move {
        let world = World::new(database).await;
        serve(&world).await;
        let link = world.link().await;
        let offer = offer(&world.person, "1000.00").await;
        let of_balance = world.quoted(&offer, json!({ "type": "balance" })).await;
        let of_balance = of_balance.expect(200).body;
        assert_eq!(of_balance["amount"]["minor"], 100_000);
        assert_eq!(
            (&of_balance["fees"], &of_balance["debit"]),
            (&json!([]), &Value::Null)
        );
        let quote = world.quoted(&offer, bank(&link)).await.expect(200).body;
        assert_eq!(quote["amount"]["minor"], 100_000 + SURCHARGE);
        assert_eq!(quote["fees"][0]["code"], "river-surcharge");
        assert_eq!(quote["fees"][0]["shares"][0]["receiver"], "channel");
        assert_eq!(
            quote["method"],
            json!({ "type": "bank", "channel": "river" })
        );
        assert_eq!(quote["debit"]["amount"]["minor"], 100_000 + SURCHARGE);

        let body = confirmation(&quote, PIN);
        let placed = world
            .person
            .keyed("/v1/orders", "buy", &body)
            .await
            .expect(201)
            .body;
        assert_eq!(placed["state"], "completed");
        assert_eq!(world.of_channel().await, SURCHARGE);
        assert_eq!(world.bank.custody_minor(), 100_000 + SURCHARGE);
        // Neither the same key again nor another one debits the bank twice.
        for key in ["buy", "again"] {
            let again = world
                .person
                .keyed("/v1/orders", key, &body)
                .await
                .expect(201);
            assert_eq!(again.body["id"], placed["id"]);
        }
        assert_eq!(world.bank.payments().len(), 1);
        let balances = world.person.get("/v1/balances").await.expect(200).body;
        assert_eq!(balances["items"][0]["available_minor"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_method_that_was_not_quoted_is_refused_before_the_bank_is_asked() {
    let world = World::new(qiao_tests::sqlite().await).await;
    serve(&world).await;
    let link = world.link().await;
    world.host.top_up(&world.person, 200_000).await;
    let offer = offer(&world.person, "1000.00").await;
    let balance = json!({ "type": "balance" });
    let of_balance = world.quoted(&offer, balance.clone()).await.expect(200).body;
    let of_bank = world.quoted(&offer, bank(&link)).await.expect(200).body;
    for (quote, method) in [(&of_balance, bank(&link)), (&of_bank, balance)] {
        let mut body = confirmation(quote, PIN);
        body["method"] = method;
        let refused = world.person.keyed("/v1/orders", "k", &body).await;
        refused.expect_problem(422, "method-differs");
    }
    let mut dear = confirmation(&of_bank, PIN);
    dear["amount"] = of_balance["amount"].clone();
    let refused = world.person.keyed("/v1/orders", "k", &dear).await;
    refused.expect_problem(422, "quote-invalid");
    let nobodys = "bnk_00000000000000000000000000";
    let refused = world.quoted(&offer, bank(nobodys)).await;
    refused.expect_problem(404, "not-found");
    let refused = world.quoted(&offer, json!({ "type": "cash" })).await;
    refused.expect_problem(400, "malformed-request");
    world.has_nothing_ordered().await;
    assert_eq!(world.bank.payments().len(), 0);
    assert_eq!(world.of_channel().await, 0);
}

#[tokio::test]
async fn what_the_bank_has_not_moved_is_not_ordered_until_it_has() {
    let world = World::new(qiao_tests::sqlite().await).await;
    serve(&world).await;
    let link = world.link().await;
    let offer = offer(&world.person, "1000.00").await;
    let quote = world.quoted(&offer, bank(&link)).await.expect(200).body;
    let body = confirmation(&quote, PIN);
    world.bank.plan(Fault::once(FaultKind::LoseResponse));
    let waits = world.person.keyed("/v1/orders", "k", &body).await;
    let waits = waits.expect_problem(409, "bank-under-way").body;
    assert_eq!(waits["state"], "unknown");
    world.has_nothing_ordered().await;
    world.host.clock.advance_millis(5_000);
    assert_eq!(world.host.app.banks.repair().await.unwrap(), 1);
    let placed = world
        .person
        .keyed("/v1/orders", "k", &body)
        .await
        .expect(201);
    assert_eq!(placed.body["state"], "completed");
    assert_eq!(world.bank.payments().len(), 1);

    let quote = world.quoted(&offer, bank(&link)).await.expect(200).body;
    world.bank.plan(Fault::once(FaultKind::Reject));
    let body = confirmation(&quote, PIN);
    let rejected = world.person.keyed("/v1/orders", "k2", &body).await;
    rejected.expect_problem(402, "bank-rejected");
    let pause = "/v1/bank-channels/river/pause";
    let why = json!({ "reason": "upkeep" });
    world.operator.post(pause, &why).await.expect(204);
    let refused = world.quoted(&offer, bank(&link)).await;
    refused.expect_problem(409, "no-bank-route");
    let path = format!("/v1/bank-links/{link}");
    world.person.delete(&path).await.expect(204);
    let refused = world.quoted(&offer, bank(&link)).await;
    refused.expect_problem(404, "not-found");
}

#[tokio::test]
async fn the_checkout_quotes_again_for_another_account_and_refuses_a_mix() {
    let world = World::new(qiao_tests::sqlite().await).await;
    serve(&world).await;
    let link = world.link().await;
    world.host.top_up(&world.person, 200_000).await;
    let offer = text(&offer(&world.person, "1000.00").await["id"]);
    let mut li = world.host.logged_in("li.wei").await;
    let of_balance = li.open(&format!("/checkout/{offer}")).await.expect(200);
    of_balance
        .says("You pay 1,000.00 CNY")
        .says("Available 2,000.00 CNY");
    assert!(!of_balance.text().contains("River surcharge"));
    let chosen = of_balance.link("/checkout/");
    let of_bank = li.open(&chosen).await.expect(200);
    of_bank
        .says("River surcharge")
        .says("the bank channel 3.00 CNY")
        .says("You pay 1,003.00 CNY")
        .says("Taken from River Bank **** 8801 1,003.00 CNY");

    // The page of one method with the choice of another: nothing is charged.
    for (page, method) in [(&of_balance, link.as_str()), (&of_bank, "balance")] {
        let fields = [("pin", PIN), ("method", method)];
        let refused = li.send(page, "confirm", &fields).await.expect(422);
        refused.says("Another way to pay was quoted");
        let fresh = refused.link("/checkout/");
        assert!(fresh.ends_with(&format!("?method={method}")), "{fresh}");
    }
    world.has_nothing_ordered().await;
    assert_eq!(world.bank.payments().len(), 0);
    let order = li
        .send(&of_bank, "confirm", &[("pin", PIN)])
        .await
        .expect(200);
    assert!(order.path.starts_with("/orders/"), "{}", order.path);
    order.says("Completed");
    assert_eq!(world.of_channel().await, SURCHARGE);
    assert_eq!(world.bank.custody_minor(), 100_000 + SURCHARGE);
}

#[tokio::test]
async fn without_a_choice_the_balance_pays_when_it_is_enough_and_else_the_account() {
    let world = World::new(qiao_tests::sqlite().await).await;
    serve(&world).await;
    let link = world.link().await;
    let offer = text(&offer(&world.person, "1000.00").await["id"]);
    let path = format!("/checkout/{offer}");
    let mut li = world.host.logged_in("li.wei").await;
    let of_bank = li.open(&path).await.expect(200);
    assert_eq!(of_bank.form("confirm").1["method"], link);
    let of_balance = li.open(&of_bank.link("/checkout/")).await.expect(200);
    of_balance.says("The balance is too small");
    world.host.top_up(&world.person, 99_999).await;
    let short = li.open(&path).await.expect(200);
    assert_eq!(short.form("confirm").1["method"], link);
    world.host.top_up(&world.person, 1).await;
    let enough = li.open(&path).await.expect(200);
    assert_eq!(enough.form("confirm").1["method"], "balance");
    let strange = li.open(&format!("{path}?method=cash")).await;
    strange.expect(404);
}
