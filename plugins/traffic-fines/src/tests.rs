use qiao_sdk::egress::{EgressError, Method};
use qiao_sdk::testing::{FakeHost, order, quote_request, submission, visit, with_host};
use qiao_sdk::{
    Answer, Block, Capture, Entry, FeeForm, FulfilError, Fulfilment, Item, Money, Offer, Order,
    Page, PageError, Payer, Plugin, QuoteError, Tone, Units,
};
use serde_json::{Value, json};

use crate::{FINE, TrafficFines};

const PLATE_PATH: &str = "/fines?plate=%E4%BA%ACA12345";

fn fine(number: &str, status: &str) -> Value {
    json!({
        "number": number, "plate": "京A12345", "violation": "Speeding",
        "place": "Chang'an Avenue", "time": "2026-10-01 08:15", "points": 3,
        "amount_minor": 20_000, "currency": "CNY", "status": status,
    })
}

fn submit(form: &str, fields: &[(&str, &str)]) -> Result<Answer, PageError> {
    TrafficFines::submit(submission(visit("fines"), form, fields))
}

fn page_of(answer: Result<Answer, PageError>) -> Page {
    match answer {
        Ok(Answer::Page(page)) => page,
        other => panic!("no page: {other:?}"),
    }
}

fn items(page: &Page) -> Vec<Item> {
    let items = page.blocks.iter().filter_map(|block| match block {
        Block::Items(items) => Some(items.clone()),
        _ => None,
    });
    items.flatten().collect()
}

fn has_notice(page: &Page, tone: Tone) -> bool {
    page.blocks
        .iter()
        .any(|block| matches!(block, Block::Notice(notice) if notice.tone == tone))
}

#[test]
fn activation_registers_fines_with_a_convenience_fee() {
    with_host(|host| {
        TrafficFines::activate().unwrap();
        TrafficFines::activate().unwrap();
        let products = host.products();
        assert_eq!(products.len(), 1);
        assert_eq!(products[0].capture, Capture::BeforeFulfilment);
        assert!(!products[0].in_units);
        let fee = &products[0].fees.lines[0];
        assert_eq!((&fee.form, fee.payer), (&FeeForm::Flat(100), Payer::User));
        host.deny("catalog");
        assert!(TrafficFines::activate().is_err());
    });
}

#[test]
fn the_service_asks_for_a_plate() {
    let page = TrafficFines::open(visit("fines")).unwrap();
    assert!(
        page.blocks
            .iter()
            .any(|block| matches!(block, Block::Form(form) if form.name == "look-up"))
    );
    let mut chinese = visit("fines");
    chinese.locale = "zh-CN".to_owned();
    assert_eq!(TrafficFines::open(chinese).unwrap().title, "缴纳罚款");
    assert!(matches!(
        TrafficFines::open(visit("tolls")),
        Err(PageError::NotFound(_))
    ));
    assert!(matches!(submit("tolls", &[]), Err(PageError::NotFound(_))));
}

#[test]
fn a_plate_shows_its_open_fines_with_a_way_to_pay() {
    with_host(|host| {
        let fines = [
            fine("BJA12345-1", "open"),
            fine("BJA12345-2", "pending"),
            fine("BJA12345-3", "paid"),
        ];
        host.reply(
            Method::Get,
            "biller",
            PLATE_PATH,
            200,
            &json!({ "fines": fines }).to_string(),
        );
        let items = items(&page_of(submit("look-up", &[("plate", " 京a·12345 ")])));
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].value, "200.00 CNY");
        let action = items[0].action.as_ref().unwrap();
        assert_eq!((action.form.as_str(), action.fields.len()), ("pay", 1));
        assert_eq!(action.fields[0].value, "BJA12345-1");
        assert_eq!(items[1].action, None);
    });
}

#[test]
fn a_plate_without_open_fines_says_so() {
    with_host(|host| {
        host.reply(Method::Get, "biller", PLATE_PATH, 200, r#"{"fines":[]}"#);
        let page = page_of(submit("look-up", &[("plate", "京A12345")]));
        assert!(items(&page).is_empty() && has_notice(&page, Tone::Success));
    });
}

#[test]
fn a_page_shows_a_limited_number_of_fines() {
    with_host(|host| {
        let fines: Vec<_> = (0..21)
            .map(|n| fine(&format!("BJA12345-{n}"), "open"))
            .collect();
        host.reply(
            Method::Get,
            "biller",
            PLATE_PATH,
            200,
            &json!({ "fines": fines }).to_string(),
        );
        let page = page_of(submit("look-up", &[("plate", "京A12345")]));
        assert_eq!(items(&page).len(), 20);
        assert!(has_notice(&page, Tone::Info));
    });
}

#[test]
fn what_is_no_plate_is_refused_without_asking_anybody() {
    with_host(|host| {
        for plate in [
            "",
            "A12345",
            "京12345",
            "京A1234",
            "京A1234567",
            "京A12$45",
            "甲A12345",
            "京A1２345",
        ] {
            let refusal = submit("look-up", &[("plate", plate)]);
            assert!(
                matches!(&refusal, Err(PageError::InvalidField(problem)) if problem.name == "plate"),
                "{plate}: {refusal:?}"
            );
        }
        assert_eq!(host.requests(), []);
    });
}

#[test]
fn a_new_energy_plate_has_one_character_more() {
    with_host(|host| {
        host.reply(
            Method::Get,
            "biller",
            "/fines?plate=%E6%B2%AABD12345",
            200,
            r#"{"fines":[]}"#,
        );
        page_of(submit("look-up", &[("plate", "沪BD12345")]));
    });
}

#[test]
fn a_biller_that_does_not_answer_makes_the_page_unavailable() {
    for failure in [
        Err(EgressError::TimedOut),
        Ok((500, "")),
        Ok((200, "<html>")),
        Ok((403, "{}")),
    ] {
        with_host(|host| {
            for path in [PLATE_PATH, "/fines/BJA12345-1"] {
                match failure.clone() {
                    Ok((status, body)) => host.reply(Method::Get, "biller", path, status, body),
                    Err(error) => host.fail(Method::Get, "biller", path, error),
                }
            }
            for (form, field) in [
                ("look-up", ("plate", "京A12345")),
                ("pay", ("fine", "BJA12345-1")),
            ] {
                let refusal = submit(form, &[field]);
                assert!(
                    matches!(refusal, Err(PageError::Unavailable(_))),
                    "{refusal:?}"
                );
            }
            assert_eq!(host.log().len(), 2);
        });
    }
}

#[test]
fn the_offer_is_made_of_what_the_biller_says_and_not_of_the_form() {
    with_host(|host| {
        host.reply(
            Method::Get,
            "biller",
            "/fines/BJA12345-1",
            200,
            &fine("BJA12345-1", "open").to_string(),
        );
        let fields = [
            ("fine", "BJA12345-1"),
            ("amount_minor", "1"),
            ("amount", "0.01"),
            ("product", "gold"),
        ];
        let Ok(Answer::Offer(offer)) = submit("pay", &fields) else {
            panic!("no offer");
        };
        assert_eq!(offer.amount, Some(Money::cny(20_000)));
        assert_eq!(offer.product, "fine");
        assert_eq!(offer.reference, "BJA12345-1");
        for (label, value) in [
            ("Place", "Chang'an Avenue"),
            ("Points", "3"),
            ("Time", "2026-10-01 08:15"),
        ] {
            assert!(offer.facts.contains(&Entry::new(label, value)), "{label}");
        }
    });
}

#[test]
fn a_fine_that_is_paid_or_being_paid_leads_to_a_page_that_says_so() {
    for status in ["paid", "pending"] {
        with_host(|host| {
            host.reply(
                Method::Get,
                "biller",
                "/fines/BJA12345-1",
                200,
                &fine("BJA12345-1", status).to_string(),
            );
            assert!(has_notice(
                &page_of(submit("pay", &[("fine", "BJA12345-1")])),
                Tone::Info
            ));
        });
    }
}

#[test]
fn a_fine_that_is_unknown_is_refused() {
    with_host(|host| {
        host.reply(Method::Get, "biller", "/fines/BJA12345-9", 404, "{}");
        assert!(matches!(
            submit("pay", &[("fine", "BJA12345-9")]),
            Err(PageError::InvalidField(_))
        ));
    });
}

#[test]
fn a_number_that_could_change_the_path_is_refused_without_asking_anybody() {
    with_host(|host| {
        for number in [
            "",
            "../payments",
            "a",
            "A/B",
            "A?b",
            "A%2e",
            &"A".repeat(33),
        ] {
            assert!(matches!(
                submit("pay", &[("fine", number)]),
                Err(PageError::InvalidField(_))
            ));
        }
        assert_eq!(host.requests(), []);
    });
}

#[test]
fn an_answer_about_another_fine_is_not_offered() {
    with_host(|host| {
        host.reply(
            Method::Get,
            "biller",
            "/fines/BJA12345-1",
            200,
            &fine("BJA12345-2", "open").to_string(),
        );
        assert!(matches!(
            submit("pay", &[("fine", "BJA12345-1")]),
            Err(PageError::Unavailable(_))
        ));
    });
}

#[test]
fn an_amount_that_is_no_fine_is_not_offered() {
    for (key, value) in [
        ("amount_minor", json!(0)),
        ("amount_minor", json!(-20_000)),
        ("amount_minor", json!(5_000_001)),
        ("currency", json!("USD")),
    ] {
        with_host(|host| {
            let mut fine = fine("BJA12345-1", "open");
            fine[key] = value;
            host.reply(
                Method::Get,
                "biller",
                "/fines/BJA12345-1",
                200,
                &fine.to_string(),
            );
            assert!(matches!(
                submit("pay", &[("fine", "BJA12345-1")]),
                Err(PageError::InvalidField(_))
            ));
        });
    }
}

fn fine_offer() -> Offer {
    Offer::pay(FINE, "Traffic fine", Money::cny(20_000)).reference("BJA12345-1")
}

#[test]
fn a_quote_is_the_amount_of_the_offer() {
    with_host(|host| {
        let quote = host
            .quoting(|| TrafficFines::quote(quote_request(fine_offer(), None)))
            .unwrap();
        assert_eq!(quote.principal, Money::cny(20_000));
        assert_eq!(quote.unit_price_e4, None);
    });
}

#[test]
fn what_is_no_fine_is_not_quoted() {
    let quote = |offer| TrafficFines::quote(quote_request(offer, None));
    for offer in [
        Offer {
            product: "gold".to_owned(),
            ..fine_offer()
        },
        Offer {
            amount: Some(Money::new(20_000, "USD")),
            ..fine_offer()
        },
        Offer {
            amount: None,
            ..fine_offer()
        },
        Offer {
            reference: String::new(),
            ..fine_offer()
        },
        Offer::redeem(FINE, "Redeem", Units(1)).reference("BJA12345-1"),
    ] {
        assert!(matches!(quote(offer), Err(QuoteError::NotAvailable(_))));
    }
    for minor in [i64::MIN, 0, 5_000_001, i64::MAX] {
        let offer = Offer {
            amount: Some(Money::cny(minor)),
            ..fine_offer()
        };
        assert!(matches!(quote(offer), Err(QuoteError::AmountOutOfRange(_))));
    }
}

fn attempt(attempt: u32) -> Order {
    Order {
        attempt,
        ..order(fine_offer(), Money::cny(20_000))
    }
}

fn fulfil(
    host: &FakeHost,
    number: u32,
    status: u16,
    body: &str,
) -> Result<Fulfilment, FulfilError> {
    host.reply(Method::Post, "biller", "/payments", status, body);
    TrafficFines::fulfil(attempt(number))
}

#[test]
fn a_paid_fine_has_the_receipt_that_the_authority_issued() {
    with_host(|host| {
        for status in [200, 201] {
            let done = fulfil(
                host,
                1,
                status,
                r#"{"status":"paid","receipt":"TA-2026-000001"}"#,
            );
            let Ok(Fulfilment::Done(receipt)) = done else {
                panic!("{done:?}");
            };
            assert_eq!(receipt.number, "TA-2026-000001");
        }
        let request = &host.requests()[0];
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            body,
            json!({"fine": "BJA12345-1", "amount_minor": 20_000, "currency": "CNY", "order": "ord_1"})
        );
        assert!(
            request
                .headers
                .iter()
                .any(|h| h.name == "idempotency-key" && h.value == "ord_1")
        );
    });
}

#[test]
fn a_payment_that_the_authority_refuses_is_rejected_with_its_reason() {
    with_host(|host| {
        for (number, status) in [(1, 422), (7, 422), (1, 409), (7, 200)] {
            let refusal = fulfil(
                host,
                number,
                status,
                r#"{"status":"failed","reason":"paid at the counter"}"#,
            );
            assert_eq!(
                refusal,
                Err(FulfilError::Rejected("paid at the counter".to_owned()))
            );
        }
    });
}

#[test]
fn a_refusal_without_the_authoritys_word_counts_on_the_first_try_alone() {
    with_host(|host| {
        for status in [400, 401, 403, 404] {
            assert!(matches!(
                fulfil(host, 1, status, ""),
                Err(FulfilError::Rejected(_))
            ));
            assert!(matches!(
                fulfil(host, 2, status, ""),
                Err(FulfilError::Unknown(_))
            ));
        }
    });
}

#[test]
fn an_answer_that_leaves_the_outcome_open_is_unknown() {
    with_host(|host| {
        for (status, body) in [
            (500, ""),
            (502, r#"{"status":"failed"}"#),
            (503, "{}"),
            (408, ""),
            (425, ""),
            (429, ""),
            (200, ""),
            (200, "<html>"),
            (200, r#"{"status":"maybe"}"#),
            (201, r#"{"status":"paid"}"#),
            (201, r#"{"status":"paid","receipt":""}"#),
            (204, ""),
            (302, ""),
        ] {
            let outcome = fulfil(host, 1, status, body);
            assert!(
                matches!(outcome, Err(FulfilError::Unknown(_))),
                "{status} {body}: {outcome:?}"
            );
        }
        let long = json!({"status": "paid", "receipt": "9".repeat(65)}).to_string();
        assert!(matches!(
            fulfil(host, 1, 200, &long),
            Err(FulfilError::Unknown(_))
        ));
    });
}

#[test]
fn an_accepted_payment_is_asked_for_again() {
    with_host(|host| {
        for (body, seconds) in [
            (r#"{"status":"pending","retry_after_s":30}"#, 30),
            (r#"{"status":"pending"}"#, 5),
            (r#"{"status":"pending","retry_after_s":0}"#, 1),
            (r#"{"status":"pending","retry_after_s":999999}"#, 3_600),
            ("", 5),
        ] {
            assert_eq!(fulfil(host, 1, 202, body), Ok(Fulfilment::Pending(seconds)));
        }
    });
}

fn fulfil_failing(
    host: &FakeHost,
    number: u32,
    error: EgressError,
) -> Result<Fulfilment, FulfilError> {
    host.fail(Method::Post, "biller", "/payments", error);
    TrafficFines::fulfil(attempt(number))
}

#[test]
fn a_request_that_may_have_arrived_is_unknown() {
    with_host(|host| {
        for error in [
            EgressError::TimedOut,
            EgressError::Unreachable,
            EgressError::ResponseTooLarge(9),
        ] {
            for number in [1, 2] {
                let outcome = fulfil_failing(host, number, error.clone());
                assert!(matches!(outcome, Err(FulfilError::Unknown(_))), "{error}");
            }
        }
    });
}

#[test]
fn a_request_that_the_host_refuses_is_rejected_on_the_first_try_alone() {
    with_host(|host| {
        for error in [
            EgressError::NotAllowed("biller".to_owned()),
            EgressError::PrivateNetwork,
            EgressError::InvalidRequest("path".to_owned()),
            EgressError::Denied("egress".to_owned()),
        ] {
            assert!(matches!(
                fulfil_failing(host, 1, error.clone()),
                Err(FulfilError::Rejected(_))
            ));
            assert!(matches!(
                fulfil_failing(host, 2, error),
                Err(FulfilError::Unknown(_))
            ));
        }
    });
}

#[test]
fn an_order_of_something_else_is_rejected_without_telling_anybody() {
    with_host(|host| {
        let mut gold = attempt(1);
        gold.offer.product = "gold".to_owned();
        assert!(matches!(
            TrafficFines::fulfil(gold),
            Err(FulfilError::Rejected(_))
        ));
        assert_eq!(host.requests(), []);
    });
}

#[test]
fn a_cancellation_is_told_to_the_authority() {
    with_host(|host| {
        for (status, body) in [(200, "{}"), (404, "{}")] {
            host.reply(Method::Post, "biller", "/cancellations", status, body);
            assert_eq!(TrafficFines::cancel(attempt(1)), Ok(()));
        }
        let body: Value = serde_json::from_slice(&host.requests()[0].body).unwrap();
        assert_eq!(body, json!({"order": "ord_1"}));
    });
}

#[test]
fn a_cancellation_that_fails_is_rejected_or_unknown() {
    with_host(|host| {
        host.reply(
            Method::Post,
            "biller",
            "/cancellations",
            409,
            r#"{"reason":"too late"}"#,
        );
        let refusal = TrafficFines::cancel(attempt(1));
        assert_eq!(refusal, Err(FulfilError::Rejected("too late".to_owned())));
        for status in [500, 503, 429] {
            host.reply(Method::Post, "biller", "/cancellations", status, "");
            assert!(matches!(
                TrafficFines::cancel(attempt(1)),
                Err(FulfilError::Unknown(_))
            ));
        }
        host.fail(
            Method::Post,
            "biller",
            "/cancellations",
            EgressError::TimedOut,
        );
        assert!(matches!(
            TrafficFines::cancel(attempt(1)),
            Err(FulfilError::Unknown(_))
        ));
    });
}
