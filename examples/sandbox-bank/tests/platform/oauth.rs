use super::*;

#[tokio::test]
async fn the_metadata_says_what_the_platform_relies_on() {
    let platform = Platform::open().await;
    let request = platform.get("/.well-known/oauth-authorization-server", "");
    let (_, body) = read(request.send().await.expect("an answer")).await;
    assert_eq!(body["issuer"], platform.bank.url);
    assert_eq!(body["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(body["authorization_response_iss_parameter_supported"], true);
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
    ] {
        assert!(text(&body[endpoint]).starts_with(&platform.bank.url));
    }
}

#[tokio::test]
async fn a_customer_who_allows_sends_code_state_and_issuer_back() {
    let platform = Platform::open().await;
    let answers = [
        ("customer", "wang"),
        ("password", "wang's"),
        ("decision", "allow"),
    ];
    let sent = platform.consent(&answers).await;
    assert_eq!(value_of(&sent, "state"), "a state & more");
    assert_eq!(value_of(&sent, "iss"), platform.bank.url);
    let (status, body) = platform.exchange(&value_of(&sent, "code"), VERIFIER).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["scope"], "accounts payments");
    let access = text(&body["access_token"]);
    let (_, accounts) = read(
        platform
            .get("/accounts", &access)
            .send()
            .await
            .expect("one"),
    )
    .await;
    assert_eq!(accounts[0]["number_masked"], "**** 8801");
    assert_eq!(accounts[0]["balance_minor"], 100_000);
}

#[tokio::test]
async fn a_customer_who_denies_sends_the_refusal_back() {
    let platform = Platform::open().await;
    let sent = platform.consent(&[("decision", "deny")]).await;
    assert_eq!(value_of(&sent, "error"), "access_denied");
    assert_eq!(value_of(&sent, "state"), "a state & more");
    assert_eq!(value_of(&sent, "iss"), platform.bank.url);
}

#[tokio::test]
async fn a_wrong_password_shows_the_page_again_and_escapes_what_it_repeats() {
    let platform = Platform::open().await;
    let mut form = Platform::request();
    form[4].1 = "\"><script>".to_owned();
    form.push(("customer", "wang".to_owned()));
    form.push(("password", "guessed".to_owned()));
    let answer = platform.post("/authorize").form(&form).send().await;
    let page = answer.expect("an answer").text().await.expect("a page");
    assert!(page.contains("Name or password is wrong") && !page.contains("<script>"));
}

#[tokio::test]
async fn who_has_several_accounts_chooses_one() {
    let platform = Platform::open().await;
    let second = Customer::new("wang", "wang's", "6222020200018899", 7);
    platform.bank.add_customer(&second);
    let mut form = Platform::request();
    form.push(("customer", "wang".to_owned()));
    form.push(("password", "wang's".to_owned()));
    let answer = platform.post("/authorize").form(&form).send().await;
    let page = answer.expect("an answer").text().await.expect("a page");
    assert!(page.contains("**** 8801") && page.contains("**** 8899"));
    form.push(("account", "6222020200018899".to_owned()));
    let answer = platform.post("/authorize").form(&form).send().await;
    let code = value_of(&redirect_of(&answer.expect("an answer")), "code");
    let (_, body) = platform.exchange(&code, VERIFIER).await;
    let access = text(&body["access_token"]);
    let (_, accounts) = read(
        platform
            .get("/accounts", &access)
            .send()
            .await
            .expect("one"),
    )
    .await;
    assert_eq!(accounts[0]["balance_minor"], 7);
}

#[tokio::test]
async fn a_request_that_does_not_fit_is_refused_where_it_can_be() {
    let platform = Platform::open().await;
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "accounts custody", "invalid_scope"),
        ("scope", "", "invalid_scope"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
    ] {
        let mut query = Platform::request();
        let field = query.iter_mut().find(|(key, _)| *key == name);
        field.expect(name).1 = value.to_owned();
        let request = platform.get("/authorize", "").query(&query);
        let sent = redirect_of(&request.send().await.expect("an answer"));
        assert_eq!(value_of(&sent, "error"), error, "{name}={value}");
    }
    for (name, value) in [
        ("client_id", "somebody"),
        ("redirect_uri", "https://elsewhere.example/callback"),
        ("redirect_uri", "http://127.0.0.1:9/callback#fragment"),
    ] {
        let mut query = Platform::request();
        let field = query.iter_mut().find(|(key, _)| *key == name);
        field.expect(name).1 = value.to_owned();
        let request = platform.get("/authorize", "").query(&query);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{name}={value}");
    }
}

#[tokio::test]
async fn a_code_lives_a_minute_and_is_exchanged_by_its_verifier_alone() {
    let platform = Platform::open().await;
    let code = platform.code_of("wang").await;
    let (status, body) = platform.exchange(&code, "another-verifier").await;
    assert_eq!(
        (status, &body["error"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_grant"))
    );
    platform.pass(sandbox_bank::CODE_LIFETIME_MS);
    assert_eq!(
        platform.exchange(&code, VERIFIER).await.1["error"],
        "invalid_grant"
    );
    let code = platform.code_of("wang").await;
    platform.pass(sandbox_bank::CODE_LIFETIME_MS - 1);
    assert_eq!(platform.exchange(&code, VERIFIER).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_code_that_comes_twice_takes_back_what_it_gave() {
    let platform = Platform::open().await;
    let code = platform.code_of("wang").await;
    let (_, body) = platform.exchange(&code, VERIFIER).await;
    let access = text(&body["access_token"]);
    assert_eq!(
        platform.exchange(&code, VERIFIER).await.1["error"],
        "invalid_grant"
    );
    let answer = platform
        .get("/accounts", &access)
        .send()
        .await
        .expect("one");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_expired_token_is_refreshed_until_the_grant_is_revoked() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    platform.pass(600_000);
    let (status, _) = platform.pay("btr_1", &link.access, &link.debit(1)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", link.refresh.as_str()),
    ];
    let (status, body) = platform.token(&refresh).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["refresh_token"], link.refresh);
    let access = text(&body["access_token"]);
    let (status, _) = platform.pay("btr_1", &access, &link.debit(1)).await;
    assert_eq!(status, StatusCode::CREATED);

    let form = [("token", link.refresh.as_str())];
    let revoke = platform.post("/revoke").form(&form);
    let revoke = revoke.basic_auth(CLIENT_ID_DEFAULT, Some(CLIENT_SECRET_DEFAULT));
    assert_eq!(revoke.send().await.expect("one").status(), StatusCode::OK);
    assert_eq!(platform.token(&refresh).await.1["error"], "invalid_grant");
    let (status, _) = platform.query("btr_1", &access).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_control_ends_tokens_before_their_time() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    platform
        .control("/control/tokens", json!({ "end": "expire" }))
        .await;
    assert_eq!(
        platform.query("btr_1", &link.access).await.0,
        StatusCode::UNAUTHORIZED
    );
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", link.refresh.as_str()),
    ];
    assert_eq!(platform.token(&refresh).await.0, StatusCode::OK);
    platform
        .control("/control/tokens", json!({ "end": "revoke" }))
        .await;
    assert_eq!(platform.token(&refresh).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_stranger_gets_no_token() {
    let platform = Platform::open().await;
    for (id, secret) in [("qiao", "guessed"), ("somebody", CLIENT_SECRET_DEFAULT)] {
        let request = platform.post("/token").basic_auth(id, Some(secret));
        let request = request.form(&[("grant_type", "client_credentials")]);
        let (status, body) = read(request.send().await.expect("one")).await;
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::UNAUTHORIZED, &json!("invalid_client"))
        );
    }
    let (_, body) = platform.token(&[("grant_type", "password")]).await;
    assert_eq!(body["error"], "unsupported_grant_type");
    let payments = [("grant_type", "client_credentials"), ("scope", "payments")];
    assert_eq!(platform.token(&payments).await.1["error"], "invalid_scope");
    assert_eq!(platform.token(&[]).await.1["error"], "invalid_request");
}
