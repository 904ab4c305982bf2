//! The pages as a browser without scripts uses them.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, header};
use qiao_auth::keys::{KeyKind, generate_key};
use qiao_model::Secret;
use tower::ServiceExt;

use crate::browser::{Browser, Page};
use crate::host::{Host, Institution, PIN};

const PASSWORD: &str = "correct horse";

impl Host {
    fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// Somebody who signed up through the pages.
    pub(crate) async fn visitor(&self, login: &str) -> Browser {
        let mut browser = self.browser();
        let fields = [("name", "Li Wei"), ("login", login), ("password", PASSWORD)];
        let home = browser
            .fill("/signup", "sign-up", &fields)
            .await
            .expect(200);
        home.says("Hello, Li Wei").says("Set your payment PIN");
        browser
    }

    async fn with_pin(&self, login: &str) -> Browser {
        let mut browser = self.visitor(login).await;
        browser
            .fill("/pin", "pin", &[("pin", PIN), ("repeat", PIN)])
            .await
            .expect(200);
        browser
    }

    pub(crate) async fn logged_in(&self, login: &str) -> Browser {
        let mut browser = self.browser();
        let fields = [("login", login), ("password", PASSWORD)];
        browser.fill("/login", "log-in", &fields).await.expect(200);
        browser
    }

    pub(crate) async fn serving_fund(&self) -> Institution {
        let operator = self.operator().await;
        let fund = self.institution(&operator, "harvest").await;
        self.serving(&operator, &fund, "money-fund").await;
        fund
    }
}

async fn checkout(browser: &mut Browser, yuan: &str) -> Page {
    let service = browser.open("/a/harvest/invest").await.expect(200);
    let form = service.form_with("form", "buy");
    browser.send(&service, &form, &[("f_amount", yuan)]).await
}

#[tokio::test]
async fn a_person_buys_through_the_pages_and_sends_the_form_twice() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        host.serving_fund().await;
        let mut li = host.with_pin("li.wei").await;
        let wallet = li
            .fill("/wallet", "top-up", &[("amount", "1,500.00")])
            .await
            .expect(200);
        wallet
            .says("1,500.00 CNY")
            .says("play money of the sandbox");
        let account = li.fill("/a/harvest", "follow", &[]).await.expect(200);
        account.says("Following").says("1 follower");

        let desk = checkout(&mut li, "1000.00").await.expect(200);
        assert!(desk.path.starts_with("/checkout/ofr_"), "{}", desk.path);
        desk.says("You pay 1,000.00 CNY")
            .says("Available 1,500.00 CNY")
            .says("This price holds until");
        let (action, mut values) = desk.form("confirm");
        values.insert("pin".to_owned(), PIN.to_owned());
        let order = li.post(&action, &values).await.expect(200);
        let again = li.post(&action, &values).await.expect(200);
        assert!(order.path.starts_with("/orders/ord_"), "{}", order.path);
        assert_eq!(again.path, order.path);
        order.says("Completed").says("Receipt").says("Money held");
        li.open("/orders").await.expect(200).says("Completed");
        li.open("/wallet")
            .await
            .expect(200)
            .says("\u{2212}1,000.00 CNY");
        li.open("/holdings").await.expect(200).says("units");

        let mut stranger = host.visitor("li.na").await;
        stranger
            .open(&order.path)
            .await
            .expect(404)
            .says("There is no such page");
    })
    .await;
}

#[tokio::test]
async fn the_checkout_says_what_stands_against_an_order() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    host.serving_fund().await;
    let mut li = host.visitor("li.wei").await;
    let desk = checkout(&mut li, "1000.00").await.expect(200);
    desk.says("Set your payment PIN");
    let pin = li.open(&desk.link("/pin?next=")).await.expect(200);
    let desk = li
        .send(&pin, "pin", &[("pin", PIN), ("repeat", PIN)])
        .await
        .expect(200);
    desk.says("The balance is too small")
        .says("You have 0.00 CNY and need 1,000.00 CNY");
    let wallet = li.open(&desk.link("/wallet?next=")).await.expect(200);
    let desk = li
        .send(&wallet, "top-up", &[("amount", "1000")])
        .await
        .expect(200);

    let wrong = li
        .send(&desk, "confirm", &[("pin", "000001")])
        .await
        .expect(422);
    assert_eq!(wrong.error("confirm-pin"), "Wrong PIN. Tries left: 4.");
    host.clock.advance_millis(5 * 60 * 1000);
    let late = li
        .send(&wrong, "confirm", &[("pin", PIN)])
        .await
        .expect(422);
    late.says("The price has expired");
    let mut desk = li.open(&late.link("/checkout/")).await.expect(200);
    for _ in 0..4 {
        desk = li
            .send(&desk, "confirm", &[("pin", "000001")])
            .await
            .expect(422);
    }
    let locked = if desk.html.contains("form id=\"confirm\"") {
        li.send(&desk, "confirm", &[("pin", "000001")])
            .await
            .expect(422)
    } else {
        desk
    };
    locked.says("The PIN is locked until");
    li.open("/orders").await.expect(200).says("No orders yet");
    li.open("/wallet").await.expect(200).says("1,000.00 CNY");
    host.clock.advance_millis(30 * 60 * 1000);
    li.open(&late.link("/checkout/"))
        .await
        .expect(422)
        .says("This offer is gone");
}

#[tokio::test]
async fn a_refused_field_keeps_what_was_typed() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    host.serving_fund().await;
    let mut li = host.with_pin("li.wei").await;
    let page = checkout(&mut li, "0.99").await.expect(422);
    let form = page.form_with("form", "buy");
    assert_eq!(page.value(&format!("{form}-f_amount")), "0.99");
    assert!(!page.error(&format!("{form}-f_amount")).is_empty());

    let fields = [
        ("name", "Li Wei"),
        ("login", "li.wei"),
        ("password", PASSWORD),
    ];
    let taken = host
        .browser()
        .fill("/signup", "sign-up", &fields)
        .await
        .expect(422);
    assert_eq!(
        taken.error("sign-up-login"),
        "This login is taken. Choose another."
    );
    assert_eq!(taken.value("sign-up-name"), "Li Wei");
    assert_eq!(
        taken.value("sign-up-password"),
        "",
        "a password never comes back"
    );
    let amount = li
        .fill("/wallet", "top-up", &[("amount", "ten")])
        .await
        .expect(422);
    assert_eq!(
        amount.error("top-up-amount"),
        "Write an amount such as 1000.00."
    );
    let differs = [("current", PIN), ("pin", "246813"), ("repeat", "246814")];
    let pin = li.fill("/pin", "pin", &differs).await.expect(422);
    assert_eq!(pin.error("pin-repeat"), "The two PINs differ.");
    let wrong = [
        ("current", "975310"),
        ("pin", "246813"),
        ("repeat", "246813"),
    ];
    let pin = li.fill("/pin", "pin", &wrong).await.expect(422);
    assert_eq!(pin.error("pin-current"), "Wrong PIN. Tries left: 4.");
    let changed = [("current", PIN), ("pin", "246813"), ("repeat", "246813")];
    li.fill("/pin", "pin", &changed)
        .await
        .expect(200)
        .says("Your payment PIN is set.");
}

#[tokio::test]
async fn a_rule_is_told_in_the_visitors_language() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let mut guest = host.browser();
    guest.open("/?lang=zh-CN").await;
    let fields = [("name", ""), ("login", "x"), ("password", "short")];
    let refused = guest.fill("/signup", "sign-up", &fields).await.expect(422);
    let told = ["sign-up-name", "sign-up-login", "sign-up-password"].map(|id| refused.error(id));
    assert!(told.iter().any(|told| !told.is_empty()));
    for told in told {
        assert!(!told.contains("characters"), "{told}");
    }
    let mut li = host.visitor("li.wei").await;
    li.open("/?lang=zh-CN").await;
    let weak = [("pin", "123456"), ("repeat", "123456")];
    let refused = li.fill("/pin", "pin", &weak).await.expect(422);
    assert!(refused.error("pin-pin").contains("六位数字"));
}

#[tokio::test]
async fn whatever_a_form_posts_to_can_be_opened_too() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let fund = host.serving_fund().await;
    let console = format!("/console/{}", fund.id);
    let delivery = format!("{console}/deliveries/dlv_00000000000000000000000000/redeliver");
    let order = "/operator/orders/ord_00000000000000000000000000/ask-again";
    let mut li = host.visitor("li.wei").await;
    for path in [
        "/logout",
        "/banks/top-up",
        "/banks/withdraw",
        "/wallet/top-up",
    ] {
        li.open(path).await.expect(200);
    }
    let mut staff = host.logged_in("founder-of-harvest").await;
    staff.open(&delivery).await.expect(200).says("Endpoints");
    let mut ops = host.logged_in("ops").await;
    for path in [order, "/operator/banks/river/resume"] {
        ops.open(path).await.expect(200);
    }
}

#[tokio::test]
async fn a_form_without_its_token_changes_nothing() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let mut li = host.with_pin("li.wei").await;
    let mut guest = host.browser();
    let (_, mut values) = guest.open("/login").await.form("log-in");
    values.insert("login".to_owned(), "li.wei".to_owned());
    values.insert("password".to_owned(), PASSWORD.to_owned());
    guest.forget_cookies();
    guest
        .post("/login", &values)
        .await
        .expect(403)
        .says("Nothing happened");

    for token in ["", "c5RfT0kEn"] {
        let fields = [
            ("csrf", token),
            ("amount", "10"),
            ("key", "k"),
            ("next", ""),
        ];
        let fields: BTreeMap<String, String> = fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        li.post("/wallet/top-up", &fields)
            .await
            .expect(403)
            .says("Nothing happened");
    }
    let wallet = li.open("/wallet").await.expect(200);
    wallet.says("Nothing has moved yet");
    let foreign = Request::post("/logout")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(Body::empty())
        .unwrap();
    let answer = host.router.clone().oneshot(foreign).await.unwrap();
    assert_eq!(answer.status().as_u16(), 403);
}

#[tokio::test]
async fn leaving_an_account_asks_first() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    host.serving_fund().await;
    let mut li = host.visitor("li.wei").await;
    let account = li.fill("/a/harvest", "follow", &[]).await.expect(200);
    let question = li
        .open(&account.link("/a/harvest/unfollow"))
        .await
        .expect(200);
    question.says("Unfollow");
    li.open("/a/harvest").await.says("Following");
    let account = li.send(&question, "confirm", &[]).await.expect(200);
    account.says("0 followers");
    let out = li.fill("/me", "log-out", &[]).await.expect(200);
    out.says("You are logged out.");
    let log_in = li.open("/orders").await;
    assert!(log_in.path.starts_with("/login"));
    li.open(&log_in.link("/signup?next=%2Forders"))
        .await
        .expect(200);
}

#[tokio::test]
async fn each_face_is_open_to_its_own_people_alone() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let fund = host.serving_fund().await;
    let institution = [
        "",
        "/plugins",
        "/products",
        "/orders",
        "/revenue",
        "/settlement",
        "/settlement/terms",
        "/invocations",
        "/webhooks",
        "/releases/upload",
    ];
    let console = institution.map(|path| format!("/console/{}{path}", fund.id));
    let operator = [
        "",
        "/institutions",
        "/clients",
        "/releases",
        "/orders",
        "/books",
        "/custody",
        "/reconciliation",
        "/payouts",
        "/audit",
        "/clock",
    ];
    let operator = operator.map(|path| format!("/operator{path}"));
    let own = [
        "/orders",
        "/holdings",
        "/wallet",
        "/me",
        "/pin",
        "/console",
        "/console/register",
    ];
    let mut guest = host.browser();
    let mut li = host.visitor("li.wei").await;
    let mut staff = host.logged_in("founder-of-harvest").await;
    let mut ops = host.logged_in("ops").await;
    for path in ["/", "/login", "/signup", "/a/harvest"] {
        guest.open(path).await.expect(200);
    }
    for path in own
        .iter()
        .map(ToString::to_string)
        .chain(console.clone())
        .chain(operator.clone())
    {
        let sent_to = guest.open(&path).await.expect(200).path;
        let next: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
        assert_eq!(sent_to, format!("/login?next={next}"));
    }
    for path in own {
        li.open(path).await.expect(200);
    }
    for path in &console {
        li.open(path)
            .await
            .expect(403)
            .says("belongs to somebody else");
        ops.open(path).await.expect(403);
        staff.open(path).await.expect(200);
    }
    for path in &operator {
        li.open(path).await.expect(403).says("to another role");
        staff.open(path).await.expect(403);
        ops.open(path).await.expect(200);
    }
}

#[tokio::test]
async fn an_institution_is_founded_reviewed_and_serves_by_hand() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        host.operator().await;
        let mut ops = host.logged_in("ops").await;
        let mut staff = host.with_pin("founder").await;
        let (pem, jwk) = generate_key(KeyKind::P256).unwrap();
        let jwk = jwk.to_string();
        let wrong = [
            ("name", "Harvest Fund"),
            ("kind", "fund"),
            ("handle", "A b"),
            ("summary", ""),
            ("key", jwk.as_str()),
        ];
        let refused = staff
            .fill("/console/register", "register", &wrong)
            .await
            .expect(422);
        assert!(!refused.error("register-handle").is_empty());
        assert_eq!(refused.value("register-name"), "Harvest Fund");
        let fields = [
            ("handle", "harvest"),
            ("key", jwk.as_str()),
            ("kind", "fund"),
        ];
        let console = staff.send(&refused, "register", &fields).await.expect(200);
        console.says("pending").says("An operator has not approved");
        let institution = console.path.split(['/', '?']).nth(2).unwrap().to_owned();
        let by = Institution {
            id: institution.clone(),
            client: String::new(),
            pem: Secret::new(pem.expose().clone()),
            staff: host.guest(),
        };

        let approve = ops
            .open("/operator")
            .await
            .link("/operator/institutions/ins_");
        ops.fill(&approve, "confirm", &[])
            .await
            .expect(200)
            .says("active");
        let upload = staff
            .open(&format!("/console/{institution}/releases/upload"))
            .await;
        let empty = staff.upload(&upload, "upload", b"").await.expect(422);
        assert_eq!(empty.error("upload-component"), "The upload is empty.");
        let unsigned = qiao_tests::guests::component("money-fund");
        let unsigned = staff.upload(&upload, "upload", &unsigned).await.expect(422);
        assert!(unsigned.error("upload-component").contains("is not signed"));
        let component = host.signed(&by, "money-fund");
        let release = staff
            .upload(&upload, "upload", &component)
            .await
            .expect(200);
        release
            .says("in review")
            .says("catalog:write")
            .says("Machine code");

        let review = ops
            .open("/operator/releases")
            .await
            .link("/operator/releases/rel_");
        let mute = ops
            .fill(&review, "reject", &[("reason", " ")])
            .await
            .expect(422);
        assert!(!mute.error("reject-reason").is_empty());
        ops.fill(&format!("{review}/approve"), "confirm", &[])
            .await
            .expect(200)
            .says("approved");
        let path = release.path.split('?').next().unwrap();
        let question = staff.open(&format!("{path}/activate")).await.expect(200);
        question.says("Serves now none");
        staff
            .send(&question, "confirm", &[])
            .await
            .expect(200)
            .says("active");
        let products = staff
            .open(&format!("/console/{institution}/products"))
            .await
            .expect(200);
        let product = products.link(&format!("/console/{institution}/products/prd_"));
        staff
            .open(&product)
            .await
            .expect(200)
            .says("Fee schedule, version 1")
            .says("in force");

        let mut li = host.with_pin("li.wei").await;
        li.fill("/wallet", "top-up", &[("amount", "1000")])
            .await
            .expect(200);
        let desk = checkout(&mut li, "1000.00").await.expect(200);
        let order = li.send(&desk, "confirm", &[("pin", PIN)]).await.expect(200);
        let id = order.path.rsplit('/').next().unwrap();
        let seen = staff
            .open(&format!("/console/{institution}/orders/{id}"))
            .await
            .expect(200);
        seen.says("Completed")
            .says("sub_")
            .says("your settlement account")
            .says("issuance to the user");
        assert!(!seen.html.contains("usr_"), "a pseudonym is all they get");
        staff
            .open(&format!("/console/{institution}/revenue"))
            .await
            .expect(200)
            .says("subscription");
        ops.open("/operator/books")
            .await
            .expect(200)
            .says("every sum is zero");
        ops.open("/operator/audit")
            .await
            .expect(200)
            .says("release.approve");

        let hooks = format!("/console/{institution}/webhooks");
        let bad = staff
            .fill(&hooks, "endpoint", &[("url", "ftp://x")])
            .await
            .expect(422);
        assert!(!bad.error("endpoint-url").is_empty());
        let secret = staff
            .fill(&hooks, "endpoint", &[("url", "https://shop.example/h")])
            .await;
        secret.expect(200).says("whsec_");
        let question = staff.open(&hooks).await.link(&format!("{hooks}/whk_"));
        staff
            .fill(&question, "confirm", &[])
            .await
            .expect(200)
            .says("No endpoint yet");

        let clock = ops
            .fill("/operator/clock", "clock", &[("hours", "0")])
            .await
            .expect(422);
        assert!(!clock.error("clock-hours").is_empty());
        ops.fill("/operator/clock", "clock", &[("hours", "24")])
            .await
            .expect(200)
            .says("2026-11-23");
    })
    .await;
}

#[tokio::test]
async fn a_page_speaks_the_language_that_was_chosen() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let mut guest = host.browser();
    guest
        .open("/")
        .await
        .says("One bridge to every institution you trust.");
    guest.open("/?lang=zh-CN").await.says("一座桥");
    let sticky = guest.open("/login").await;
    assert!(sticky.html.contains(r#"<html lang="zh-CN">"#));
    guest.open("/a/nobody").await.expect(404).says("页面不存在");
    guest.open("/nowhere").await.expect(404).says("页面不存在");
}

#[tokio::test]
async fn the_style_sheet_is_kept_by_its_hash() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let home = host.guest().get("/").await.expect(200);
    let policy = home.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("style-src 'self'"));
    let style = home
        .text
        .split('"')
        .find(|part| part.starts_with("/assets/qiao-"))
        .unwrap();
    let sheet = host.guest().get(style).await.expect(200);
    assert_eq!(
        sheet.headers[header::CONTENT_TYPE],
        "text/css; charset=utf-8"
    );
    assert!(
        sheet.headers[header::CACHE_CONTROL]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    host.guest().get("/assets/qiao-0.css").await.expect(404);
}
