use serde_json::json;

use crate::host::{Host, PIN};

#[tokio::test]
async fn a_person_signs_up_logs_in_and_logs_out() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let person = host.person("li.wei").await;
        let session = person.get("/v1/sessions/current").await.expect(200).body;
        assert_eq!(session["name"], "Li Wei");
        assert_eq!(session["is_operator"], false);
        let out = person.delete("/v1/sessions/current").await.expect(204);
        assert!(
            out.headers["set-cookie"]
                .to_str()
                .unwrap()
                .contains("Max-Age=0")
        );
        let after = person.get("/v1/sessions/current").await;
        after.expect_problem(401, "sign-in-required");
    })
    .await;
}

#[tokio::test]
async fn what_signing_up_refuses_names_the_cause() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    host.person("li.wei").await;
    let with = |login: &str, password: &str| {
        let body = json!({ "login": login, "name": "Li", "password": password });
        let guest = host.guest();
        async move { guest.post("/v1/users", &body).await }
    };
    with("li.wei", "correct horse")
        .await
        .expect_problem(409, "conflict");
    with("l", "correct horse")
        .await
        .expect_problem(422, "invalid-value");
    with("li.na", "short")
        .await
        .expect_problem(422, "invalid-value");
    let missing = host
        .guest()
        .post("/v1/users", &json!({ "login": "li.na" }))
        .await;
    missing.expect_problem(400, "malformed-request");
    let unknown =
        json!({ "login": "li.na", "name": "Li", "password": "correct horse", "admin": true });
    let unknown = host.guest().post("/v1/users", &unknown).await;
    unknown.expect_problem(400, "malformed-request");
}

#[tokio::test]
async fn a_log_in_by_what_is_no_name_is_401_on_both_engines() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        for login in ["x".repeat(4_000), "a\0b".to_owned(), String::new()] {
            let body = json!({ "login": login, "password": "correct horse" });
            let refused = host.guest().post("/v1/sessions", &body).await;
            refused.expect_problem(401, "wrong-credentials");
        }
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_many_are_locked_out() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    host.person("li.wei").await;
    let wrong = json!({ "login": "li.wei", "password": "wrong horse" });
    let first = host.guest().post("/v1/sessions", &wrong).await;
    first.expect_problem(401, "wrong-credentials");
    let mut last = host.guest().post("/v1/sessions", &wrong).await;
    for _ in 0..20 {
        if last.status == 429 {
            break;
        }
        last = host.guest().post("/v1/sessions", &wrong).await;
    }
    let locked = last.expect_problem(429, "too-many-tries");
    assert!(locked.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_pin_is_set_once_and_is_not_weak() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let person = host.person("li.wei").await;
    let again = person.post("/v1/pin", &json!({ "pin": PIN })).await;
    again.expect_problem(409, "conflict");
    let weak = person.post("/v1/pin", &json!({ "pin": "123456" })).await;
    weak.expect_problem(422, "invalid-value");
}

#[tokio::test]
async fn play_money_arrives_once_for_a_key() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let person = host.person("li.wei").await;
        let amount = |minor: i64| json!({ "amount": { "minor": minor, "currency": "CNY" } });
        let path = "/v1/sandbox/top-ups";
        let first = person.keyed(path, "k", &amount(150_000)).await.expect(201);
        let again = person.keyed(path, "k", &amount(150_000)).await.expect(201);
        assert_eq!(first.body, again.body);
        let other = person.keyed(path, "k", &amount(1)).await;
        other.expect_problem(422, "idempotency-key-reused");
        let nothing = person.keyed(path, "n", &amount(0)).await;
        nothing.expect_problem(422, "invalid-value");
        let balances = person.get("/v1/balances").await.expect(200).body;
        insta::assert_json_snapshot!("balances_after_a_top_up", balances);
        let statement = person.get("/v1/statement?asset=CNY").await.expect(200).body;
        assert_eq!(statement["lines"].as_array().unwrap().len(), 1);
        assert_eq!(statement["lines"][0]["balance_minor"], 150_000);
        // Another person's key of the same text is another key.
        let other = host.person("li.na").await;
        other.keyed(path, "k", &amount(7)).await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn many_sends_of_one_key_at_once_have_one_effect() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let person = host.person("li.wei").await;
        let body = json!({ "amount": { "minor": 100, "currency": "CNY" } });
        let mut sends = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (person, body) = (person.clone(), body.clone());
            sends.spawn(async move { person.keyed("/v1/sandbox/top-ups", "k", &body).await });
        }
        let answers = sends.join_all().await;
        assert!(answers.iter().any(|answer| answer.status == 201));
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            let found = (answer.status, answer.slug());
            assert_eq!(found, (409, "idempotency-key-in-flight"));
        }
        let balances = person.get("/v1/balances").await.expect(200).body;
        assert_eq!(balances["items"][0]["available_minor"], 100);
    })
    .await;
}

#[tokio::test]
async fn the_sandbox_clock_moves_forward_for_an_operator() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let day = 24 * 3600 * 1000_i64;
    let path = "/v1/sandbox/clock";
    let moved = operator
        .post(path, &json!({ "advance_ms": day }))
        .await
        .expect(200);
    assert_eq!(moved.body["now"], host.app.env.now().rfc3339());
    for refused in [-1, 401 * day] {
        let answer = operator.post(path, &json!({ "advance_ms": refused })).await;
        answer.expect_problem(422, "invalid-value");
    }
}
