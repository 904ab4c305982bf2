use serde_json::json;

use crate::host::{Host, text};

#[tokio::test]
async fn an_institution_is_founded_approved_and_seen() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let institution = host.institution(&operator, "harvest").await;
        let listed = operator.get("/v1/institutions").await.expect(200).body;
        insta::assert_json_snapshot!("institutions_of_the_operator", listed, {
            ".items[].id" => "[id]",
        });
        let account = host
            .guest()
            .get("/v1/public-accounts/harvest")
            .await
            .expect(200)
            .body;
        insta::assert_json_snapshot!("a_public_account", account, {
            ".id" => "[id]", ".institution" => "[id]",
        });
        let person = host.person("li.wei").await;
        person
            .put("/v1/public-accounts/harvest/follow")
            .await
            .expect(204);
        let account = host
            .guest()
            .get("/v1/public-accounts/harvest")
            .await
            .expect(200)
            .body;
        assert_eq!(account["followers"], 1);
        person
            .delete("/v1/public-accounts/harvest/follow")
            .await
            .expect(204);
        let missing = person.put("/v1/public-accounts/nobody/follow").await;
        missing.expect_problem(404, "not-found");
        let server = host.server(&institution).await;
        let own = server.get("/v1/institution").await.expect(200).body;
        assert_eq!(own["state"], "active");
    })
    .await;
}

#[tokio::test]
async fn what_registering_refuses_names_the_cause() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let institution = host.institution(&operator, "harvest").await;
    let (_, jwk) = qiao_auth::keys::generate_key(qiao_auth::keys::KeyKind::P256).unwrap();
    let good = json!({ "name": "B", "kind": "fund", "handle": "other", "jwks": { "keys": [jwk] } });
    let with = |member: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[member] = value;
        let staff = institution.staff.clone();
        async move { staff.post("/v1/institutions", &body).await }
    };
    with("handle", json!("harvest"))
        .await
        .expect_problem(409, "conflict");
    with("handle", json!("qiao"))
        .await
        .expect_problem(422, "invalid-value");
    with("kind", json!("shop"))
        .await
        .expect_problem(422, "invalid-value");
    with("name", json!(""))
        .await
        .expect_problem(422, "invalid-value");
    with("jwks", json!({ "keys": [] }))
        .await
        .expect_problem(422, "invalid-value");
    with("name", json!("B")).await.expect(201);
}

#[tokio::test]
async fn a_token_is_issued_introspected_and_revoked() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let institution = host.institution(&operator, "harvest").await;
        let client = &institution.client;
        let token = host
            .token(&institution, client, Some("releases:write"))
            .await;
        let server = host.guest().bearing(&token);
        server.get("/v1/plugins").await.expect(200);
        let scope = server.get("/v1/payments").await;
        scope.expect_problem(403, "insufficient-scope");

        let with_token = || {
            let mut form = host.assertion(&institution, client);
            form.push(("token", token.clone()));
            form
        };
        let known = host
            .guest()
            .form("/oauth/introspect", &with_token())
            .await
            .expect(200);
        insta::assert_json_snapshot!("an_introspected_token", known.body, {
            ".client_id" => "[id]", ".sub" => "[id]", ".jti" => "[id]", ".institution" => "[id]",
        });
        host.guest()
            .form("/oauth/revoke", &with_token())
            .await
            .expect(200);
        let refused = server
            .get("/v1/plugins")
            .await
            .expect_problem(401, "invalid-token");
        assert_eq!(
            refused.headers["www-authenticate"],
            r#"Bearer error="invalid_token""#
        );
        let known = host
            .guest()
            .form("/oauth/introspect", &with_token())
            .await
            .expect(200);
        assert_eq!(known.body, json!({ "active": false }));
    })
    .await;
}

#[tokio::test]
async fn the_token_endpoint_refuses_as_rfc_6749_says() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let institution = host.institution(&operator, "harvest").await;
    let form = |grant: &str, scope: &str| {
        let mut form = host.assertion(&institution, &institution.client);
        form.push(("grant_type", grant.to_owned()));
        form.push(("scope", scope.to_owned()));
        form
    };
    let refused = async |form: Vec<(&'static str, String)>, status, error: &str| {
        let answer = host
            .guest()
            .form("/oauth/token", &form)
            .await
            .expect(status);
        assert_eq!(answer.body["error"], error, "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["content-type"], "application/json");
    };
    refused(form("password", ""), 400, "unsupported_grant_type").await;
    refused(form("client_credentials", "operate"), 400, "invalid_scope").await;
    refused(Vec::new(), 400, "invalid_request").await;
    let nobody = vec![("grant_type", "client_credentials".to_owned())];
    refused(nobody, 401, "invalid_client").await;
    let mut twice = form("client_credentials", "");
    twice.push(("scope", "orders:read".to_owned()));
    refused(twice, 400, "invalid_request").await;
    let used = form("client_credentials", "orders:read");
    host.guest().form("/oauth/token", &used).await.expect(200);
    refused(used, 401, "invalid_client").await;
}

#[tokio::test]
async fn metadata_and_keys_are_where_rfc_8414_looks() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let path = "/.well-known/oauth-authorization-server";
    let metadata = host.guest().get(path).await.expect(200).body;
    for (endpoint, path) in [
        ("token_endpoint", "/oauth/token"),
        ("revocation_endpoint", "/oauth/revoke"),
        ("introspection_endpoint", "/oauth/introspect"),
        ("jwks_uri", "/oauth/jwks"),
    ] {
        let url = text(&metadata[endpoint]);
        assert_eq!(url, format!("{}{path}", crate::host::PUBLIC_URL));
    }
    let jwks = host.guest().get("/oauth/jwks").await.expect(200).body;
    assert_eq!(jwks["keys"][0]["kty"], "EC");
    assert!(jwks["keys"][0].get("d").is_none());
}

#[tokio::test]
async fn staff_govern_the_clients_of_their_own_institution_alone() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let other = host.institution(&operator, "police").await;
    let path = format!("/v1/institutions/{}/clients", fund.id);
    let stranger = other.staff.get(&path).await;
    stranger.expect_problem(403, "forbidden");
    let client = host.able_client(&fund).await;
    let token = host.token(&fund, &client, None).await;
    let server = host.guest().bearing(&token);
    server.get("/v1/payments").await.expect(200);
    fund.staff
        .delete(&format!("{path}/{client}"))
        .await
        .expect(204);
    server
        .get("/v1/payments")
        .await
        .expect_problem(401, "invalid-token");
    let clients = fund.staff.get(&path).await.expect(200).body;
    let active: Vec<_> = clients["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["is_active"])
        .collect();
    assert_eq!(active, [true, false]);
}

#[tokio::test]
async fn an_operator_grants_what_staff_may_not_and_approves_before_any_token() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let jwk = qiao_auth::keys::SigningKey::from_pem(&fund.pem).unwrap();
    let body = json!({
        "name": "till",
        "scope": "payments:read payments:write payments:charge",
        "jwks": { "keys": [jwk.public().jwk()] },
    });
    let path = format!("/v1/institutions/{}/clients", fund.id);
    let client = fund.staff.post(&path, &body).await.expect(201).body;
    assert_eq!(client["scope"], "payments:read");
    assert_eq!(client["asked_scope"], "payments:write payments:charge");
    let id = text(&client["id"]);
    let token = host.token(&fund, &id, None).await;
    let early = host.guest().bearing(&token);
    let keyed = early.keyed("/v1/payments", "k", &json!({})).await;
    keyed.expect_problem(403, "insufficient-scope");

    let asking = operator.get("/v1/asking-clients").await.expect(200).body;
    assert_eq!(asking["items"][0]["id"], client["id"]);
    let decide = format!("/v1/clients/{id}/scopes");
    let grant = json!({ "scope": "payments:write", "verdict": "grant" });
    let own = fund.staff.post(&decide, &grant).await;
    own.expect_problem(403, "forbidden");
    let granted = operator.post(&decide, &grant).await.expect(200).body;
    assert_eq!(granted["scope"], "payments:read payments:write");
    let unasked = json!({ "scope": "webhooks:write", "verdict": "grant" });
    let unasked = operator.post(&decide, &unasked).await;
    unasked.expect_problem(422, "invalid-value");
    let token = host.token(&fund, &id, None).await;
    let able = host.guest().bearing(&token);
    let keyed = able.keyed("/v1/payments", "k", &json!({})).await;
    keyed.expect_problem(400, "malformed-request");

    // The rest by the operator's page.
    let mut ops = host.logged_in("ops").await;
    let page = ops.open("/operator/clients").await.expect(200);
    page.says("payments:charge").says("Harvest Fund");
    let form = page.form_with("verdict", "refuse");
    let refused = ops.send(&page, &form, &[]).await.expect(200);
    refused
        .says("The client does not get the scope.")
        .says("Nobody asks");
}

#[tokio::test]
async fn a_suspended_institution_is_refused_from_the_next_call_on() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let institution = host.institution(&operator, "harvest").await;
        let server = host.server(&institution).await;
        server.get("/v1/institution").await.expect(200);
        let path = format!("/v1/institutions/{}/suspend", institution.id);
        let empty = operator.post(&path, &json!({ "reason": "" })).await;
        empty.expect_problem(422, "invalid-value");
        let reason = json!({ "reason": "the licence has expired" });
        operator.post(&path, &reason).await.expect(204);
        server
            .get("/v1/institution")
            .await
            .expect_problem(401, "invalid-token");
        let gone = host.guest().get("/v1/public-accounts/harvest").await;
        gone.expect_problem(404, "not-found");
        operator
            .post(&path, &reason)
            .await
            .expect_problem(409, "wrong-state");
        let audit = operator.get("/v1/audit").await.expect(200).body;
        let rows = audit["items"].as_array().unwrap();
        let suspended = rows
            .iter()
            .filter(|row| row["action"] == "institution.suspend");
        let outcomes: Vec<_> = suspended.map(|row| &row["outcome"]).collect();
        assert_eq!(outcomes, ["refused", "allowed", "refused"]);
    })
    .await;
}
