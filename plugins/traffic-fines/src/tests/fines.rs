use super::*;

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
