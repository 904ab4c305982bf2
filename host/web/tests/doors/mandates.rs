//! Mandates through both faces of the host: people give and revoke them, institutions
//! charge them.

use serde_json::{Value, json};

use crate::caller::Caller;
use crate::host::{Host, Institution, PIN, text};

const PROPOSALS: &str = "/v1/institution/mandate-offers";
const SERVICE: &str = "/v1/public-accounts/harvest/services/auto-invest";

fn cny(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "CNY" })
}

fn charge(mandate: &Value, minor: i64) -> Value {
    json!({ "mandate": mandate["id"], "amount": cny(minor), "description": "November" })
}

struct Stage {
    host: Host,
    operator: Caller,
    fund: Institution,
    person: Caller,
}

impl Stage {
    async fn open(database: qiao_tests::TestDatabase) -> Self {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        host.serving(&operator, &fund, "money-fund").await;
        let person = host.person("li.wei").await;
        host.top_up(&person, 100_000).await;
        Self {
            host,
            operator,
            fund,
            person,
        }
    }

    /// The offer of a mandate to buy for 200.00 every day.
    async fn offer(&self) -> Value {
        self.offer_to(&self.person).await
    }

    async fn offer_to(&self, person: &Caller) -> Value {
        let form = json!({
            "form": "auto-daily", "locale": "en",
            "fields": [{ "name": "amount", "value": "200.00" }],
        });
        let answer = person.post(SERVICE, &form).await.expect(200).body;
        assert_eq!(answer["type"], "mandate");
        answer["offer"].clone()
    }

    async fn mandate(&self) -> Value {
        self.mandate_of(&self.person).await
    }

    async fn mandate_of(&self, person: &Caller) -> Value {
        let body = json!({ "offer": self.offer_to(person).await["id"], "pin": PIN });
        person.post("/v1/mandates", &body).await.expect(201).body
    }

    /// How the fund company knows the person of this login.
    async fn subject(&self, login: &str) -> String {
        let session = self.host.session(login).await;
        let institution = self.fund.id.parse().unwrap();
        self.host.app.auth.subject(institution, session.user())
    }

    /// What the fund company's servers propose to somebody: plain money, 200.00 a day.
    async fn proposal(&self, login: &str) -> Value {
        json!({
            "subject": self.subject(login).await, "title": "Membership",
            "purpose": "Pays the monthly fee.", "reference": "m-1",
            "per_payment": cny(20_000), "per_day": cny(20_000), "until": "2027-01-31",
        })
    }

    /// A mandate for plain money, which the institution's servers may charge.
    async fn servers_mandate(&self, person: &Caller, login: &str) -> Value {
        let server = self.host.able_server(&self.fund).await;
        let proposal = self.proposal(login).await;
        let proposed = server.post(PROPOSALS, &proposal).await.expect(201).body;
        let yes = json!({ "offer": proposed["offer"]["id"], "pin": PIN });
        let given = person.post("/v1/mandates", &yes).await.expect(201).body;
        assert_eq!(given["id"], proposed["mandate"]);
        given
    }

    async fn servers_own(&self) -> Value {
        self.servers_mandate(&self.person, "li.wei").await
    }

    async fn available(&self) -> i64 {
        let balances = self.person.get("/v1/balances").await.expect(200).body;
        balances["items"][0]["available_minor"].as_i64().unwrap()
    }
}

#[tokio::test]
async fn a_person_gives_a_mandate_and_the_institutions_server_charges_it() {
    qiao_tests::each_database(|database| async move {
        let stage = Stage::open(database).await;
        let Stage { host, operator, fund, person } = &stage;
        let offer = stage.offer().await;
        insta::assert_json_snapshot!("the_offer_of_a_mandate", offer, {
            ".id" => "[id]", ".plugin" => "[id]", ".institution" => "[id]",
            ".limits.payees[]" => "[id]", ".limits.products[]" => "[id]",
        });
        let path = format!("/v1/mandate-offers/{}", text(&offer["id"]));
        assert_eq!(person.get(&path).await.expect(200).body, offer);
        let stranger = host.person("li.na").await;
        stranger.get(&path).await.expect_problem(404, "not-found");

        let wrong = json!({ "offer": offer["id"], "pin": "000001" });
        person.post("/v1/mandates", &wrong).await.expect_problem(403, "wrong-pin");
        let mandate = stage.mandate().await;
        insta::assert_json_snapshot!("a_mandate", mandate, {
            ".id" => "[id]", ".plugin" => "[id]", ".institution" => "[id]", ".subject" => "[subject]",
            ".limits.payees[]" => "[id]", ".limits.products[]" => "[id]",
        });

        // It is the plugin's, and pays for orders of its product alone.
        let server = host.able_server(fund).await;
        let body = charge(&mandate, 15_000);
        let of_plugin = server.keyed("/v1/charges", "plugin", &body).await;
        of_plugin.expect_problem(404, "not-found");
        let mut claimed = body;
        claimed["product"] = mandate["limits"]["products"][0].clone();
        let claimed = server.keyed("/v1/charges", "claimed", &claimed).await;
        claimed.expect_problem(400, "malformed-request");

        let mandate = stage.servers_own().await;
        let body = charge(&mandate, 15_000);
        let charged = server.keyed("/v1/charges", "nov", &body).await.expect(201).body;
        assert_eq!((&charged["state"], &charged["method"]["id"]), (&json!("posted"), &mandate["id"]));
        let again = server.keyed("/v1/charges", "nov", &body).await.expect(201).body;
        assert_eq!(again, charged);
        assert_eq!(stage.available().await, 85_000);
        let over = server.keyed("/v1/charges", "more", &charge(&mandate, 5_001)).await;
        let problem = over.expect_problem(422, "mandate-refused");
        assert_eq!(problem.body["cause"], "per-day");
        let mut held = charge(&mandate, 5_000);
        held["capture"] = json!("later");
        let held = server.keyed("/v1/charges", "later", &held).await.expect(201).body;
        assert_eq!(held["state"], "held");

        let path = format!("/v1/institution/mandates/{}", text(&mandate["id"]));
        let seen = server.get(&path).await.expect(200).body;
        assert_eq!((&seen["usage"]["count"], &seen["usage"]["today"]), (&json!(2), &cny(20_000)));
        let listed = server.get("/v1/institution/mandates").await.expect(200).body;
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
        let police = host.institution(operator, "police").await;
        let other = host.able_server(&police).await;
        other.get(&path).await.expect_problem(404, "not-found");
        let foreign = other.keyed("/v1/charges", "x", &charge(&mandate, 1)).await;
        foreign.expect_problem(404, "not-found");
    })
    .await;
}

#[tokio::test]
async fn a_server_proposes_a_mandate_that_only_its_person_gives() {
    qiao_tests::each_database(|database| async move {
        let stage = Stage::open(database).await;
        let Stage {
            host,
            operator,
            fund,
            person,
        } = &stage;
        let server = host.able_server(fund).await;
        let proposal = stage.proposal("li.wei").await;
        let proposed = server.post(PROPOSALS, &proposal).await.expect(201).body;
        let offer = &proposed["offer"];
        assert_eq!(
            (&offer["plugin"], &offer["limits"]["products"]),
            (&Value::Null, &json!([]))
        );
        assert_eq!(offer["limits"]["payees"], json!([fund.id]));
        let path = format!("/v1/mandate-offers/{}", text(&offer["id"]));
        assert_eq!(&person.get(&path).await.expect(200).body, offer);
        assert!(text(&proposed["url"]).ends_with(&format!("/consent/{}", text(&offer["id"]))));
        let stranger = host.person("li.na").await;
        let yes = json!({ "offer": offer["id"], "pin": PIN });
        stranger
            .post("/v1/mandates", &yes)
            .await
            .expect_problem(404, "not-found");
        let proposed_to = async |person: &Caller| {
            let listed = person.get("/v1/mandate-offers").await.expect(200).body;
            listed["items"].as_array().unwrap().clone()
        };
        assert_eq!(proposed_to(person).await, std::slice::from_ref(offer));
        assert!(proposed_to(&stranger).await.is_empty());
        // Proposed is not given.
        let mandate = json!({ "id": proposed["mandate"] });
        let early = server
            .keyed("/v1/charges", "early", &charge(&mandate, 1))
            .await;
        early.expect_problem(404, "not-found");

        let police = host.institution(operator, "police").await;
        let other = host.able_server(&police).await;
        other
            .post(PROPOSALS, &proposal)
            .await
            .expect_problem(422, "invalid-value");
        let spoilt = [
            ("subject", json!("sub_nobody")),
            ("title", json!("")),
            ("purpose", json!("a\u{0}b")),
            ("per_payment", cny(0)),
            ("per_day", json!({ "minor": 1, "currency": "USD" })),
            ("count", json!(0)),
            ("until", json!("2020-01-01")),
            ("until", json!("soon")),
        ];
        for (name, value) in spoilt {
            let mut body = proposal.clone();
            body[name] = value;
            let refused = server.post(PROPOSALS, &body).await;
            refused.expect_problem(422, "invalid-value");
        }
        for _ in 1..qiao_orders::MANDATE_PROPOSALS_MAX {
            server.post(PROPOSALS, &proposal).await.expect(201);
        }
        server
            .post(PROPOSALS, &proposal)
            .await
            .expect_problem(409, "conflict");
        person.post("/v1/mandates", &yes).await.expect(201);
        let left = proposed_to(person).await;
        assert_eq!(left.len() as i64, qiao_orders::MANDATE_PROPOSALS_MAX - 1);
        assert!(!left.contains(offer), "it was given");
        let charged = server
            .keyed("/v1/charges", "own", &charge(&mandate, 1))
            .await;
        charged.expect(201);
    })
    .await;
}

#[tokio::test]
async fn a_suspended_institutions_proposal_cannot_be_given() {
    qiao_tests::each_database(|database| async move {
        let stage = Stage::open(database).await;
        let server = stage.host.able_server(&stage.fund).await;
        let proposal = stage.proposal("li.wei").await;
        let proposed = server.post(PROPOSALS, &proposal).await.expect(201).body;
        let suspend = format!("/v1/institutions/{}/suspend", stage.fund.id);
        let reason = json!({ "reason": "the regulator asks" });
        stage.operator.post(&suspend, &reason).await.expect(204);
        let yes = json!({ "offer": proposed["offer"]["id"], "pin": PIN });
        let refused = stage.person.post("/v1/mandates", &yes).await;
        refused.expect_problem(409, "conflict");
        let given = stage.person.get("/v1/mandates").await.expect(200).body;
        assert_eq!(given["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn the_consent_page_of_a_servers_mandate_names_the_institution_alone() {
    let stage = Stage::open(qiao_tests::sqlite().await).await;
    let mut li = stage.host.visitor("li.na").await;
    let server = stage.host.able_server(&stage.fund).await;
    let proposal = stage.proposal("li.na").await;
    let proposed = server.post(PROPOSALS, &proposal).await.expect(201).body;
    let url = text(&proposed["url"]);
    let path = &url[url.find("/consent/").unwrap()..];
    let listed = li.open("/mandates").await.expect(200);
    listed.says("Proposed to you").link(path);
    let page = li.open(path).await.expect(200);
    page.says("Membership").says("Pays the monthly fee.");
    let pin = li.open(&page.link("/pin?next=")).await.expect(200);
    let both = [("pin", PIN), ("repeat", PIN)];
    let page = li.send(&pin, "pin", &both).await.expect(200);
    let given = li.send(&page, "consent", &[("pin", PIN)]).await.expect(200);
    given.says("Active").says("Nothing has been charged");

    // A charge that its server says nothing of bears the names that the host knows.
    let much = [("amount", "100.00")];
    li.fill("/wallet", "top-up", &much).await.expect(200);
    let mandate = json!({ "id": proposed["mandate"] });
    let mut silent = charge(&mandate, 1_500);
    silent["description"] = json!("");
    let charged = server.keyed("/v1/charges", "first", &silent).await;
    charged.expect(201);
    li.open(&given.path).await.expect(200).says("15.00");
    li.open("/wallet").await.expect(200).says("Harvest");
    let once = li.open(path).await.expect(200);
    assert!(once.path.starts_with("/mandates/"), "an offer asks once");
}

#[tokio::test]
async fn a_charge_is_split_as_a_payment_is() {
    qiao_tests::each_database(|database| async move {
        let stage = Stage::open(database).await;
        let mandate = stage.servers_own().await;
        let server = stage.host.able_server(&stage.fund).await;
        let split = |receiver: Value, minor| {
            json!({ "receiver": receiver, "amount": cny(minor), "purpose": "principal" })
        };
        let own = json!({ "type": "institution", "id": stage.fund.id });
        let platform = json!({ "type": "platform" });
        let mut body = charge(&mandate, 10_000);
        body["splits"] = json!([split(own.clone(), 9_900), split(platform.clone(), 99)]);
        let off = server.keyed("/v1/charges", "off", &body).await;
        off.expect_problem(422, "invalid-value");
        body["splits"] = json!([]);
        let none = server.keyed("/v1/charges", "none", &body).await;
        none.expect_problem(422, "invalid-value");
        assert_eq!(stage.available().await, 100_000);
        body["splits"] = json!([split(own, 9_900), split(platform, 100)]);
        let charged = server.keyed("/v1/charges", "split", &body).await.expect(201).body;
        assert_eq!(charged["splits"].as_array().unwrap().len(), 2);
        assert_eq!(charged["splits"][1]["amount"], cny(100));
        assert_eq!(stage.available().await, 90_000);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_mandate_refuses_the_next_charge() {
    qiao_tests::each_database(|database| async move {
        let stage = Stage::open(database).await;
        let mandate = stage.servers_own().await;
        let path = format!("/v1/mandates/{}", text(&mandate["id"]));
        let stranger = stage.host.person("li.na").await;
        stranger
            .delete(&path)
            .await
            .expect_problem(404, "not-found");
        let revoked = stage.person.delete(&path).await.expect(200).body;
        assert_eq!(revoked["state"], "revoked");
        let server = stage.host.able_server(&stage.fund).await;
        let refused = server.keyed("/v1/charges", "k", &charge(&mandate, 1)).await;
        let problem = refused.expect_problem(422, "mandate-refused");
        assert_eq!(problem.body["cause"], "revoked");
        assert_eq!(
            stage.person.get(&path).await.expect(200).body["state"],
            "revoked"
        );
        let listed = stage.person.get("/v1/mandates").await.expect(200).body;
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        assert_eq!(stage.available().await, 100_000);
    })
    .await;
}

#[tokio::test]
async fn a_charge_beyond_the_balance_is_402_and_a_malformed_one_422() {
    let stage = Stage::open(qiao_tests::sqlite().await).await;
    let poor = stage.host.person("li.na").await;
    let mandate = stage.servers_mandate(&poor, "li.na").await;
    let server = stage.host.able_server(&stage.fund).await;
    let poor = server.keyed("/v1/charges", "f", &charge(&mandate, 1)).await;
    poor.expect_problem(402, "insufficient-funds");
    let nothing = server.keyed("/v1/charges", "g", &charge(&mandate, 0)).await;
    nothing.expect_problem(422, "invalid-value");
    let mut nobody = charge(&mandate, 1);
    nobody["mandate"] = json!("mdt_x");
    server
        .keyed("/v1/charges", "h", &nobody)
        .await
        .expect_problem(422, "invalid-value");
}

#[tokio::test]
async fn the_consent_page_says_what_is_allowed_and_takes_the_pin() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    host.serving_fund().await;
    let mut li = host.visitor("li.wei").await;
    let page = li.open("/a/harvest/auto-invest").await.expect(200);
    let form = page.form_with("form", "auto-weekly");
    let beyond = [("f_amount", "200.00"), ("f_day", "8")];
    let refused = li.send(&page, &form, &beyond).await.expect(422);
    assert_eq!(
        refused.error(&format!("{form}-f_day")),
        "Write a day from 1 to 7."
    );
    let monday = [("f_amount", "200.00"), ("f_day", "1")];
    let consent = li.send(&page, &form, &monday).await.expect(200);
    consent.says("Set your payment PIN");
    let pin = li.open(&consent.link("/pin?next=")).await.expect(200);
    let both = [("pin", PIN), ("repeat", PIN)];
    let consent = li.send(&pin, "pin", &both).await.expect(200);
    consent
        .says("Buys units for 200.00 CNY on day 1 of each week.")
        .says("at most 200.00 CNY")
        .says("2027-11-22")
        .says("You can revoke it at any time");
    let wrong = li
        .send(&consent, "consent", &[("pin", "000001")])
        .await
        .expect(422);
    assert_eq!(wrong.error("consent-pin"), "Wrong PIN. Tries left: 4.");
    let mandate = li
        .send(&wrong, "consent", &[("pin", PIN)])
        .await
        .expect(200);
    mandate.says("Active").says("Nothing has been charged");
    let again = li
        .send(&consent, "consent", &[("pin", PIN)])
        .await
        .expect(200);
    let own = mandate.path.split('?').next().unwrap().to_owned();
    assert_eq!(again.path, own, "an offer asks once");
    li.open("/mandates")
        .await
        .expect(200)
        .says("Auto-invest in Steady Money Fund");
    li.open("/me").await.expect(200).says("Mandates");

    let revoke = format!("{own}/revoke");
    let mut stranger = host.visitor("li.na").await;
    for path in [&own, &consent.path, &revoke] {
        stranger.open(path).await.expect(404);
    }
    stranger
        .open("/mandates")
        .await
        .expect(200)
        .says("You have given no mandate");

    let asked = li.open(&revoke).await.expect(200);
    asked.says("Revoke Auto-invest in Steady Money Fund?");
    let revoked = li.send(&asked, "confirm", &[]).await.expect(200);
    revoked.says("Revoked");
    host.clock.advance_millis(30 * 60 * 1000);
    li.open(&consent.path)
        .await
        .expect(422)
        .says("This offer is gone");
}
