//! OAuth clients: registration, assertions, the token endpoint.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

mod room;

use qiao_auth::keys::{KeyKind, generate_key, sign_jws};
use qiao_auth::{
    ACCESS_TOKEN_LIFETIME_SECS, ASSERTION_JTI_CHARS_MAX, ASSERTION_LIFETIME_SECS_MAX,
    CLIENT_KEYS_MAX, CLOCK_LEEWAY_SECS, ClientAssertion, Error, NewClient, OAuthError, Permit,
    ScopeVerdict, TOKEN_PATH, TokenRequest, TokenResponse,
};
use qiao_model::{Scope, ScopeSet, Secret};
use qiao_tests::each_database;
use room::{ISSUER, Room, Server, signed};
use serde_json::{Value, json};

const BOTH: [KeyKind; 2] = [KeyKind::P256, KeyKind::Ed25519];

async fn ask(
    room: &Room,
    client: ClientAssertion,
    scope: Option<&str>,
) -> Result<TokenResponse, OAuthError> {
    let request = TokenRequest {
        grant_type: Some("client_credentials".to_owned()),
        client,
        scope: scope.map(str::to_owned),
    };
    room.auth.token(request).await
}

async fn cause(room: &Room, client: ClientAssertion) -> String {
    match ask(room, client, None).await {
        Err(OAuthError::InvalidClient(cause)) => cause.to_owned(),
        other => panic!("not invalid_client: {other:?}"),
    }
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[tokio::test]
async fn a_client_of_each_kind_of_key_gets_a_token_for_what_it_asks() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        for kind in BOTH {
            let server = room.server(&operator, kind).await;
            let all = ask(&room, room.assertion(&server), None).await.unwrap();
            assert_eq!(all.scope.to_string(), "orders:read releases:write");
            assert_eq!(all.expires_in, ACCESS_TOKEN_LIFETIME_SECS);
            let one = ask(&room, room.assertion(&server), Some("orders:read")).await;
            assert_eq!(one.unwrap().scope.to_string(), "orders:read");
            let token_endpoint = format!("{ISSUER}{TOKEN_PATH}");
            let claims = with(room.claims(&server), "aud", token_endpoint.into());
            let mut shown = signed(&server, "client-authentication+jwt", &claims);
            shown.client_id = Some(server.client.id.to_string());
            ask(&room, shown, Some("")).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_scope_that_is_unknown_or_not_registered_is_refused() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::Ed25519).await;
        for scope in ["orders:read payments:refund", "operate", "orders:reed"] {
            let refused = ask(&room, room.assertion(&server), Some(scope)).await;
            let error = refused.unwrap_err();
            assert!(matches!(error, OAuthError::InvalidScope(_)), "{scope}");
            assert_eq!(error.code(), "invalid_scope");
        }
    })
    .await;
}

#[tokio::test]
async fn another_grant_is_refused() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::Ed25519).await;
        let mut request = TokenRequest {
            grant_type: None,
            client: room.assertion(&server),
            scope: None,
        };
        let missing = room.auth.token(request.clone()).await.unwrap_err();
        assert_eq!(missing.code(), "invalid_request");
        for grant in ["password", "authorization_code", ""] {
            request.grant_type = Some(grant.to_owned());
            let error = room.auth.token(request.clone()).await.unwrap_err();
            assert_eq!(error.code(), "unsupported_grant_type", "{grant}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_assertion_counts_once_on_every_node() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::P256).await;
        let shown = room.assertion(&server);
        let request = TokenRequest {
            grant_type: Some("client_credentials".to_owned()),
            client: shown.clone(),
            scope: None,
        };
        let (a, b) = tokio::join!(
            room.auth.token(request.clone()),
            room.other_node.token(request)
        );
        assert!(a.is_ok() != b.is_ok(), "exactly one of two gets a token");
        let again = cause(&room, shown.clone()).await;
        assert_eq!(again, "this assertion was used before");
        // Another client may use the same jti.
        let neighbour = room.server(&operator, KeyKind::P256).await;
        let claims = with(room.claims(&server), "jti", "one".into());
        ask(&room, signed(&server, "JWT", &claims), None)
            .await
            .unwrap();
        let claims = with(room.claims(&neighbour), "jti", "one".into());
        ask(&room, signed(&neighbour, "JWT", &claims), None)
            .await
            .unwrap();
        // Swept when it has expired, and then it is refused for that.
        room.clock.advance_millis((60 + CLOCK_LEEWAY_SECS) * 1000);
        assert!(room.auth.sweep().await.unwrap() >= 3);
        assert_eq!(cause(&room, shown).await, "the assertion has expired");
    })
    .await;
}

#[tokio::test]
async fn each_wrong_claim_is_refused_with_its_cause() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::P256).await;
        let other = room.server(&operator, KeyKind::P256).await;
        let refused = async |claims: Value| cause(&room, signed(&server, "JWT", &claims)).await;
        let claims = || room.claims(&server);
        for missing in ["iss", "aud", "exp", "jti"] {
            let cause = refused(without(claims(), missing)).await;
            assert_eq!(
                cause, "iss, sub, aud, exp and jti are all required",
                "{missing}"
            );
        }
        let no_sub = refused(without(claims(), "sub")).await;
        assert_eq!(no_sub, "client_assertion is not a JWT with sub");
        let other_iss = with(claims(), "iss", other.client.id.to_string().into());
        assert_eq!(
            refused(other_iss).await,
            "iss and sub are not both the client_id"
        );
        let wrong_aud = "aud is not this issuer or its token endpoint";
        for aud in [
            json!("https://elsewhere.example"),
            json!(format!("{ISSUER}/")),
            json!([ISSUER]),
            json!([ISSUER, "https://elsewhere.example"]),
            json!(null),
        ] {
            assert_eq!(refused(with(claims(), "aud", aud)).await, wrong_aud);
        }
        let jti = "jti is empty, too long or not plain text";
        assert_eq!(refused(with(claims(), "jti", "".into())).await, jti);
        assert_eq!(refused(with(claims(), "jti", "a\0b".into())).await, jti);
        let longest = with(claims(), "jti", "字".repeat(ASSERTION_JTI_CHARS_MAX).into());
        let taken = ask(&room, signed(&server, "JWT", &longest), None).await;
        taken.unwrap();
        assert_eq!(
            refused(with(
                claims(),
                "jti",
                "j".repeat(ASSERTION_JTI_CHARS_MAX + 1).into()
            ))
            .await,
            jti
        );
        let mut named = room.assertion(&server);
        named.client_id = Some(other.client.id.to_string());
        assert_eq!(
            cause(&room, named).await,
            "client_id is not the assertion's"
        );
    })
    .await;
}

#[tokio::test]
async fn the_clocks_may_differ_by_the_leeway_and_not_by_a_second_more() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::P256).await;
        let now = room.env.now().as_secs();
        let attempt = async |name: &str, value: i64| {
            let claims = with(room.claims(&server), name, value.into());
            ask(&room, signed(&server, "JWT", &claims), None)
                .await
                .is_ok()
        };
        for (name, last_good, step) in [
            ("exp", now - CLOCK_LEEWAY_SECS + 1, -1),
            (
                "exp",
                now + ASSERTION_LIFETIME_SECS_MAX + CLOCK_LEEWAY_SECS,
                1,
            ),
            ("iat", now + CLOCK_LEEWAY_SECS, 1),
            ("nbf", now + CLOCK_LEEWAY_SECS, 1),
        ] {
            assert!(attempt(name, last_good).await, "{name} at its edge");
            assert!(
                !attempt(name, last_good + step).await,
                "{name} past its edge"
            );
        }
        assert!(!attempt("exp", i64::MAX).await && !attempt("exp", i64::MIN).await);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_this_clients_signature_is_refused() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::P256).await;
        let stranger = Server {
            client: server.client.clone(),
            pem: generate_key(KeyKind::P256).unwrap().0,
            kind: KeyKind::P256,
        };
        let claims = room.claims(&server);
        let forged = cause(&room, signed(&stranger, "JWT", &claims)).await;
        assert_eq!(forged, "no registered key has the assertion's kid and alg");
        let release = cause(&room, signed(&server, "qiao-release+jws", &claims)).await;
        assert_eq!(release, "the signature is of another type");
        let good = room.assertion(&server).client_assertion.unwrap();
        let (message, signature) = good.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        let mut shown = room.assertion(&server);
        shown.client_assertion = Some(format!("{message}.{flipped}{}", &signature[1..]));
        let flipped = cause(&room, shown.clone()).await;
        assert_eq!(flipped, "the assertion's signature does not verify");
        for assertion in [None, Some(""), Some("a.b.c"), Some(message)] {
            shown.client_assertion = assertion.map(str::to_owned);
            ask(&room, shown.clone(), None).await.unwrap_err();
        }
        shown = room.assertion(&server);
        for kind in [None, Some("jwt-bearer")] {
            shown.client_assertion_type = kind.map(str::to_owned);
            let cause = cause(&room, shown.clone()).await;
            assert_eq!(cause, "client_assertion_type is not jwt-bearer");
        }
        let refused = room
            .auth
            .audit_of(&operator, &server.client.id.to_string())
            .await;
        let refused = refused.unwrap();
        assert!(refused.iter().any(|row| row.action == "client.authenticate"
            && row.detail == "the signature is of another type"));
    })
    .await;
}

#[tokio::test]
async fn a_disabled_client_and_a_suspended_institution_get_no_token() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let institution = room.env.id();
        let server = room.server_of(&operator, institution, KeyKind::P256).await;
        let sister = room.server_of(&operator, institution, KeyKind::P256).await;
        let keys = room.auth.institution_keys(institution).await.unwrap();
        assert_eq!(keys.len(), 2);
        let theirs = room.env.id();
        let id = server.client.id;
        let strangers = room.auth.disable_client(&operator, theirs, id).await;
        assert!(matches!(strangers, Err(Error::UnknownClient(_))));
        room.auth
            .disable_client(&operator, institution, id)
            .await
            .unwrap();
        let gone = "no such client, or it is disabled, or its institution is suspended \
            or not approved yet";
        assert_eq!(cause(&room, room.assertion(&server)).await, gone);
        assert_eq!(
            room.auth.institution_keys(institution).await.unwrap().len(),
            1
        );
        room.token_of(&sister).await;
        let mut tx = room.database.db.begin().await.unwrap();
        room.auth
            .suspend_institution(&mut tx, &operator, institution)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(cause(&room, room.assertion(&sister)).await, gone);
        let mut tx = room.database.db.begin().await.unwrap();
        room.auth
            .admit_institution(&mut tx, &operator, institution)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        room.token_of(&sister).await;
    })
    .await;
}

#[tokio::test]
async fn replaced_keys_sign_no_more() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let mut server = room.server(&operator, KeyKind::P256).await;
        let (pem, jwk) = generate_key(KeyKind::Ed25519).unwrap();
        let jwks = json!({ "keys": [jwk] }).to_string();
        let (institution, id) = (server.client.institution, server.client.id);
        let auth = &room.auth;
        let stranger = auth
            .replace_client_keys(&operator, room.env.id(), id, &jwks)
            .await;
        assert!(matches!(stranger, Err(Error::UnknownClient(_))));
        let bad = auth
            .replace_client_keys(&operator, institution, id, "{}")
            .await;
        assert!(matches!(bad, Err(Error::Keys(_))));
        auth.replace_client_keys(&operator, institution, id, &jwks)
            .await
            .unwrap();
        cause(&room, room.assertion(&server)).await;
        server.pem = pem;
        room.token_of(&server).await;
    })
    .await;
}

#[tokio::test]
async fn a_client_is_registered_by_those_who_may_and_with_what_it_may_have() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let institution = room.env.id();
        let (user, account) = room.user("li.wei").await;
        room.auth
            .add_staff(&operator, institution, user)
            .await
            .unwrap();
        let staff = room.sign_in("li.wei").await;
        let staff = room.auth.permit_staff(&staff, institution).unwrap();
        let (_, jwk) = generate_key(KeyKind::P256).unwrap();
        let good = NewClient {
            institution,
            name: "server".to_owned(),
            jwks_json: json!({ "keys": [jwk] }).to_string(),
            scopes: ScopeSet::from_iter([Scope::OrdersRead]),
        };
        let register = async |permit, new: NewClient| room.auth.register_client(permit, new).await;
        let registered = register(&staff, good.clone()).await.unwrap();
        let listed = room.auth.clients_of(institution).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].id, registered.id);
        assert!(matches!(
            register(&account, good.clone()).await,
            Err(Error::Denied(_))
        ));
        let mut new = good.clone();
        new.institution = room.env.id();
        assert!(matches!(register(&staff, new).await, Err(Error::Denied(_))));
        for scope in [Scope::Account, Scope::Institution, Scope::Operate] {
            let mut new = good.clone();
            new.scopes = new.scopes.with(scope);
            let refused = register(&staff, new).await;
            assert!(matches!(refused, Err(Error::ScopeNotGrantable(s)) if s == scope));
        }
        let keys = |count: usize| {
            let keys: Vec<Value> = (0..count)
                .map(|_| generate_key(KeyKind::Ed25519).unwrap().1)
                .collect();
            json!({ "keys": keys }).to_string()
        };
        let mut new = good.clone();
        new.jwks_json = keys(CLIENT_KEYS_MAX);
        let many = register(&staff, new.clone()).await.unwrap();
        assert_eq!(many.keys.len(), CLIENT_KEYS_MAX);
        new.jwks_json = keys(CLIENT_KEYS_MAX + 1);
        assert!(matches!(register(&staff, new).await, Err(Error::Keys(_))));
        let mut new = good.clone();
        new.jwks_json = json!({ "keys": [] }).to_string();
        assert!(matches!(register(&staff, new).await, Err(Error::Keys(_))));
        let mut new = good;
        new.name = " ".to_owned();
        assert!(matches!(
            register(&staff, new).await,
            Err(Error::InvalidName)
        ));
    })
    .await;
}

#[tokio::test]
async fn an_institution_is_founded_once() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let (_, founder) = room.user("li.wei").await;
        let (_, intruder) = room.user("intruder").await;
        let (_, jwk) = generate_key(KeyKind::P256).unwrap();
        let client = NewClient {
            institution: room.env.id(),
            name: "server".to_owned(),
            jwks_json: json!({ "keys": [jwk] }).to_string(),
            scopes: ScopeSet::EMPTY,
        };
        let found = async |permit| {
            let mut tx = room.database.db.begin().await.unwrap();
            let founded = room.auth.found_institution(&mut tx, permit, &client).await;
            tx.commit().await.unwrap();
            founded
        };
        assert!(matches!(found(&operator).await, Err(Error::Denied(_))));
        found(&founder).await.unwrap();
        assert!(matches!(found(&intruder).await, Err(Error::Denied(_))));
        let session = room.sign_in("li.wei").await;
        assert!(room.auth.permit_staff(&session, client.institution).is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_new_institutions_client_gets_no_token_before_an_operator_admits_it() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let (_, founder) = room.user("li.wei").await;
        let (pem, jwk) = generate_key(KeyKind::P256).unwrap();
        let new = NewClient {
            institution: room.env.id(),
            name: "server".to_owned(),
            jwks_json: json!({ "keys": [jwk] }).to_string(),
            scopes: ScopeSet::from_iter([Scope::OrdersRead]),
        };
        let mut tx = room.database.db.begin().await.unwrap();
        let founded = room.auth.found_institution(&mut tx, &founder, &new).await;
        tx.commit().await.unwrap();
        let server = Server {
            client: founded.unwrap(),
            pem,
            kind: KeyKind::P256,
        };
        // Its staff prepare what it will do.
        let session = room.sign_in("li.wei").await;
        room.auth.permit_staff(&session, new.institution).unwrap();
        let early = ask(&room, room.assertion(&server), None).await;
        assert_eq!(early.unwrap_err().code(), "invalid_client");
        let mut tx = room.database.db.begin().await.unwrap();
        let admitted = room
            .auth
            .admit_institution(&mut tx, &operator, new.institution)
            .await;
        admitted.unwrap();
        tx.commit().await.unwrap();
        room.token_of(&server).await;
    })
    .await;
}

#[tokio::test]
async fn what_staff_may_not_do_their_client_gets_from_an_operator_alone() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let institution = room.env.id();
        let (user, account) = room.user("li.wei").await;
        let added = room.auth.add_staff(&operator, institution, user).await;
        added.unwrap();
        let staff = room.sign_in("li.wei").await;
        let staff = room.auth.permit_staff(&staff, institution).unwrap();
        let (pem, jwk) = generate_key(KeyKind::P256).unwrap();
        let set = |scopes: &str| scopes.parse::<ScopeSet>().unwrap();
        let new = NewClient {
            institution,
            name: "till".to_owned(),
            jwks_json: json!({ "keys": [jwk] }).to_string(),
            scopes: set("orders:read payments:write payments:charge"),
        };
        let client = room.auth.register_client(&staff, new).await.unwrap();
        assert_eq!(client.scopes, set("orders:read"));
        assert_eq!(client.asked_scopes, set("payments:write payments:charge"));
        let server = Server {
            client: client.clone(),
            pem,
            kind: KeyKind::P256,
        };
        let early = ask(&room, room.assertion(&server), Some("payments:write")).await;
        assert_eq!(early.unwrap_err().code(), "invalid_scope");
        let all = ask(&room, room.assertion(&server), None).await.unwrap();
        assert_eq!(all.scope, set("orders:read"));

        let asking = room.auth.asking_clients(&operator).await.unwrap();
        assert_eq!(asking.iter().map(|c| c.id).collect::<Vec<_>>(), [client.id]);
        let decide = async |permit: &Permit, scopes: &str, verdict| {
            let scopes = set(scopes);
            let auth = &room.auth;
            auth.decide_scopes(permit, client.id, scopes, verdict).await
        };
        for permit in [&staff, &account] {
            let own = decide(permit, "payments:write", ScopeVerdict::Grant).await;
            assert!(matches!(own, Err(Error::Denied(_))), "{own:?}");
            let list = room.auth.asking_clients(permit).await;
            assert!(matches!(list, Err(Error::Denied(_))), "{list:?}");
        }
        let unasked = decide(&operator, "webhooks:write", ScopeVerdict::Grant).await;
        assert!(
            matches!(
                unasked,
                Err(Error::ScopeNotAsked {
                    scope: Scope::WebhooksWrite,
                    ..
                })
            ),
            "{unasked:?}"
        );
        for _ in 0..2 {
            let granted = decide(&operator, "payments:write", ScopeVerdict::Grant).await;
            assert_eq!(granted.unwrap().asked_scopes, set("payments:charge"));
        }
        let refused = decide(&operator, "payments:charge", ScopeVerdict::Refuse).await;
        let refused = refused.unwrap();
        assert_eq!(refused.scopes, set("orders:read payments:write"));
        assert!(refused.asked_scopes.is_empty());
        let again = decide(&operator, "payments:charge", ScopeVerdict::Refuse).await;
        assert!(
            matches!(again, Err(Error::ScopeNotAsked { .. })),
            "{again:?}"
        );
        assert!(
            room.auth
                .asking_clients(&operator)
                .await
                .unwrap()
                .is_empty()
        );
        let later = ask(&room, room.assertion(&server), None).await.unwrap();
        assert_eq!(later.scope, refused.scopes);

        let audit = room.auth.audit_page(&operator, None).await.unwrap();
        let mut decided: Vec<_> = audit
            .iter()
            .filter(|row| row.subject == client.id.to_string())
            .map(|row| row.action.as_str())
            .collect();
        decided.sort_unstable();
        let expected = [
            "client.grant_scopes",
            "client.refuse_scopes",
            "client.register",
        ];
        assert_eq!(decided, expected);
    })
    .await;
}

#[test]
fn a_pem_of_no_key_opens_no_room() {
    let pem = Secret::new("nonsense".to_owned());
    assert!(sign_jws(&pem, "JWT", b"{}").is_err());
}
