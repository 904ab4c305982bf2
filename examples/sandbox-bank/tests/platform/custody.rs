use super::*;

#[tokio::test]
async fn statements_open_with_what_the_day_before_closed_with() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    platform
        .pay("btr_1", &link.access, &link.debit(5_000))
        .await;
    let mut next_day = link.credit(2_000);
    next_day["requested_at"] = json!(MORNING_MS + DAY_MS);
    platform.pay("btr_2", &link.access, &next_day).await;

    let first = platform.statement("2026-11-27").await;
    assert_eq!(
        (&first["opening_minor"], &first["closing_minor"]),
        (&json!(0), &json!(5_000))
    );
    assert_eq!(
        first["lines"],
        json!([{
            "bank_reference": "SB0000000001", "id": "btr_1", "direction": "debit",
            "amount_minor": 5_000, "currency": "CNY", "booked_at": MORNING_MS,
            "reference": "top-up",
        }])
    );
    let second = platform.statement("2026-11-28").await;
    assert_eq!(
        (&second["opening_minor"], &second["closing_minor"]),
        (&json!(5_000), &json!(3_000))
    );
    assert_eq!(second["lines"][0]["direction"], "credit");
    let token = platform.own_token().await;
    let (_, custody) = read(platform.get("/custody", &token).send().await.expect("one")).await;
    assert_eq!(custody["balance_minor"], 3_000);
    assert_eq!(custody["as_of"], MORNING_MS);
}

#[tokio::test]
async fn a_day_ends_at_midnight_in_shanghai() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    let midnight = MORNING_MS + 14 * 3600 * 1000;
    for (id, at) in [("btr_1", midnight - 1), ("btr_2", midnight)] {
        let mut body = link.debit(1);
        body["requested_at"] = json!(at);
        platform.pay(id, &link.access, &body).await;
    }
    for (day, id) in [("2026-11-27", "btr_1"), ("2026-11-28", "btr_2")] {
        let lines = platform.statement(day).await["lines"].clone();
        assert_eq!(
            (lines.as_array().expect("lines").len(), &lines[0]["id"]),
            (1, &json!(id))
        );
    }
}

#[tokio::test]
async fn a_misprint_changes_the_lines_and_not_the_balance() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    platform.pay("btr_1", &link.access, &link.debit(100)).await;
    platform.pay("btr_2", &link.access, &link.debit(200)).await;
    let day = "2026-11-27";
    let added = json!({
        "bank_reference": "SB9", "id": "btr_9", "direction": "debit", "amount_minor": 9,
        "currency": "CNY", "booked_at": MORNING_MS,
    });
    let misprint = json!({
        "day": day, "drop": "SB0000000001", "add": added,
        "alter": { "bank_reference": "SB0000000002", "amount_minor": 201 },
    });
    platform.control("/control/statement", misprint).await;
    let printed = platform.statement(day).await;
    let amounts: Vec<&Value> = printed["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| &line["amount_minor"])
        .collect();
    assert_eq!(amounts, [&json!(201), &json!(9)]);
    assert_eq!(printed["closing_minor"], 300);
    platform
        .control("/control/statement", json!({ "day": day }))
        .await;
    assert_eq!(
        platform.statement(day).await["lines"][0]["amount_minor"],
        100
    );
}

#[tokio::test]
async fn custody_is_shown_to_the_platform_alone() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    for path in ["/custody", "/custody/statement?day=2026-11-27"] {
        let answer = platform.get(path, &link.access).send().await.expect("one");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        let answer = platform.get(path, "guessed").send().await.expect("one");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let own = platform.own_token().await;
    let answer = platform.get("/accounts", &own).send().await.expect("one");
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let request = platform.get("/custody/statement?day=2026-02-30", &own);
    assert_eq!(
        request.send().await.expect("one").status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_bank_without_control_has_no_such_doors() {
    let bank = Bank::start(Options::default()).await.expect("a bank");
    let url = format!("{}/control/payments", bank.url);
    let answer = Client::new().get(url).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}
