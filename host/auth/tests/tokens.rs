//! Access tokens: what they permit, and that a revocation counts at once.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

mod room;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use qiao_auth::keys::{KeyKind, parse_jwks, sign_jws, verify_jws};
use qiao_auth::{
    ACCESS_TOKEN_BYTES_MAX, ACCESS_TOKEN_LIFETIME_SECS, Actor, Auth, AuthConfig, BearerError,
    Introspection,
};
use qiao_model::{Scope, Secret};
use qiao_tests::each_database;
use room::{ISSUER, signed};
use serde_json::{Value, json};

const ORDERS: Scope = Scope::OrdersRead;

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_is_a_jwt_of_rfc_9068_that_the_published_key_verifies() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::Ed25519).await;
        let token = room.token_of(&server).await;
        let keys = parse_jwks(&room.auth.jwks().to_string()).unwrap();
        let verified = verify_jws(&keys, "at+jwt", &token).unwrap();
        let header = part(&token, 0);
        assert_eq!(header["alg"], "ES256");
        assert_eq!(header["kid"], verified.kid.as_str());
        let now = room.env.now().as_secs();
        let mut claims = part(&token, 1);
        assert!(claims["jti"].take().as_str().unwrap().starts_with("tok_"));
        assert_eq!(
            claims,
            json!({
                "iss": ISSUER,
                "sub": server.client.id.to_string(),
                "client_id": server.client.id.to_string(),
                "aud": format!("{ISSUER}/v1"),
                "iat": now,
                "exp": now + ACCESS_TOKEN_LIFETIME_SECS,
                "jti": null,
                "scope": "orders:read releases:write",
                "institution": server.client.institution.to_string(),
            })
        );
    })
    .await;
}

#[tokio::test]
async fn a_token_permits_what_it_carries_until_it_expires() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::P256).await;
        let token = room.token_of(&server).await;
        let permit = room.auth.permit_bearer(&token, ORDERS).await.unwrap();
        let actor = Actor::Client {
            client: server.client.id,
            institution: server.client.institution,
        };
        assert_eq!((permit.actor(), permit.scope()), (&actor, ORDERS));
        assert!(permit.covers(Scope::ReleasesWrite).is_err());
        for scope in Scope::ALL {
            let permit = room.auth.permit_bearer(&token, scope).await;
            match (server.client.scopes.contains(scope), permit) {
                (true, Ok(_)) => {}
                (false, Err(error @ BearerError::InsufficientScope(_))) => {
                    assert_eq!(error.code(), Some("insufficient_scope"));
                }
                (_, permit) => panic!("{scope}: {permit:?}"),
            }
        }
        room.clock
            .advance_millis(ACCESS_TOKEN_LIFETIME_SECS * 1000 - 1);
        room.auth.permit_bearer(&token, ORDERS).await.unwrap();
        room.clock.advance_millis(1);
        for node in [&room.auth, &room.other_node] {
            let expired = node.permit_bearer(&token, ORDERS).await.unwrap_err();
            assert!(matches!(expired, BearerError::Expired));
            assert_eq!(expired.code(), Some("invalid_token"));
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_our_access_token_permits_nothing() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::P256).await;
        let token = room.token_of(&server).await;
        let claims = part(&token, 1);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = message.split_once('.').unwrap();
        let mut more = claims.clone();
        more["scope"] = "orders:read payments:refund".into();
        let more = URL_SAFE_NO_PAD.encode(more.to_string());
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
        let assertion = room.assertion(&server).client_assertion.unwrap();
        let forged = signed(&server, "at+jwt", &claims).client_assertion.unwrap();
        for token in [
            String::new(),
            "a.b.c".to_owned(),
            format!("{header}.{more}.{signature}"),
            format!("{none}.{more}."),
            format!("{message}."),
            assertion,
            forged,
            "a".repeat(ACCESS_TOKEN_BYTES_MAX + 1),
        ] {
            let refused = room.auth.permit_bearer(&token, ORDERS).await;
            assert!(matches!(refused, Err(BearerError::Invalid)), "{token}");
        }
    })
    .await;
}

#[tokio::test]
async fn our_own_signature_over_other_things_permits_nothing() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::P256).await;
        let claims = part(&room.token_of(&server).await, 1);
        let (pem, _) = qiao_auth::keys::generate_key(KeyKind::P256).unwrap();
        let config = AuthConfig {
            issuer: ISSUER.to_owned(),
            audience: format!("{ISSUER}/v1"),
            signing_key_pem: pem.clone(),
            pepper: Secret::new([7; 32]),
        };
        let db = room.database.db.clone();
        let auth = Auth::open(db, room.env.clone(), config).unwrap();
        let attempt = async |typ: &str, name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            let token = sign_jws(&pem, typ, claims.to_string().as_bytes()).unwrap();
            auth.permit_bearer(&token, ORDERS).await
        };
        attempt("at+jwt", "iss", ISSUER.into()).await.unwrap();
        for (typ, name, value) in [
            ("JWT", "iss", json!(ISSUER)),
            ("at+jwt", "iss", json!("https://elsewhere.example")),
            ("at+jwt", "aud", json!("https://elsewhere.example")),
            ("at+jwt", "aud", json!(null)),
            ("at+jwt", "client_id", json!("cli_nonsense")),
            ("at+jwt", "scope", json!("everything")),
        ] {
            let refused = attempt(typ, name, value).await;
            assert!(matches!(refused, Err(BearerError::Invalid)), "{typ} {name}");
        }
        let stranger: qiao_model::OAuthClientId = room.env.id();
        let unknown = attempt("at+jwt", "client_id", stranger.to_string().into()).await;
        assert!(matches!(unknown, Err(BearerError::Revoked)));
    })
    .await;
}

#[tokio::test]
async fn a_revocation_counts_on_the_very_next_call_of_every_node() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::P256).await;
        let (token, kept) = (room.token_of(&server).await, room.token_of(&server).await);
        let nodes = [&room.auth, &room.other_node];
        for node in nodes {
            for token in [&token, &kept] {
                node.permit_bearer(token, ORDERS).await.unwrap();
            }
        }
        let auth = &room.auth;
        auth.revoke(&room.assertion(&server), &token).await.unwrap();
        for node in [&room.other_node, &room.auth, &room.other_node] {
            let revoked = node.permit_bearer(&token, ORDERS).await;
            assert!(matches!(revoked, Err(BearerError::Revoked)));
            node.permit_bearer(&kept, ORDERS).await.unwrap();
        }
        // Again, or of nonsense: answered the same way (RFC 7009 section 2.2).
        auth.revoke(&room.assertion(&server), &token).await.unwrap();
        auth.revoke(&room.assertion(&server), "nonsense")
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn calls_in_parallel_share_reads_and_all_see_the_revocation() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::P256).await;
        let token = room.token_of(&server).await;
        let burst = async || {
            let mut calls = tokio::task::JoinSet::new();
            for call in 0..200 {
                let node = [&room.auth, &room.other_node][call % 2].clone();
                let token = token.clone();
                calls.spawn(async move { node.permit_bearer(&token, ORDERS).await.is_ok() });
            }
            calls.join_all().await.into_iter().filter(|ok| *ok).count()
        };
        assert_eq!(burst().await, 200);
        room.auth
            .revoke(&room.assertion(&server), &token)
            .await
            .unwrap();
        assert_eq!(burst().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_client_revokes_and_learns_of_no_tokens_but_its_own() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let institution = room.env.id();
        let server = room.server_of(&operator, institution, KeyKind::P256).await;
        let sister = room.server_of(&operator, institution, KeyKind::P256).await;
        let stranger = room.server(&operator, KeyKind::P256).await;
        let token = room.token_of(&server).await;
        let auth = &room.auth;
        for other in [&sister, &stranger] {
            auth.revoke(&room.assertion(other), &token).await.unwrap();
        }
        auth.permit_bearer(&token, ORDERS).await.unwrap();
        let learn = async |server, token: &str| {
            auth.introspect(&room.assertion(server), token)
                .await
                .unwrap()
        };
        let Introspection::Active(active) = learn(&sister, &token).await else {
            panic!("a token of the same institution is told of");
        };
        assert_eq!(active.client_id, server.client.id);
        assert_eq!(active.scope, server.client.scopes);
        assert_eq!(
            active.expires_at,
            room.env.now().plus_secs(ACCESS_TOKEN_LIFETIME_SECS)
        );
        assert_eq!(learn(&stranger, &token).await, Introspection::Inactive);
        assert_eq!(learn(&server, "nonsense").await, Introspection::Inactive);
        auth.revoke(&room.assertion(&server), &token).await.unwrap();
        assert_eq!(learn(&server, &token).await, Introspection::Inactive);
        let nobody = qiao_auth::ClientAssertion::default();
        assert_eq!(
            auth.revoke(&nobody, &token).await.unwrap_err().code(),
            "invalid_client"
        );
        let refused = auth.introspect(&nobody, &token).await.unwrap_err();
        assert_eq!(refused.code(), "invalid_client");
    })
    .await;
}

#[tokio::test]
async fn tokens_of_a_disabled_client_and_of_a_suspended_institution_count_no_more() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let institution = room.env.id();
        let server = room.server_of(&operator, institution, KeyKind::P256).await;
        let sister = room.server_of(&operator, institution, KeyKind::P256).await;
        let (token, kept) = (room.token_of(&server).await, room.token_of(&sister).await);
        let may = async |token: &str| room.other_node.permit_bearer(token, ORDERS).await.is_ok();
        assert!(may(&token).await && may(&kept).await);
        let id = server.client.id;
        room.auth
            .disable_client(&operator, institution, id)
            .await
            .unwrap();
        assert!(!may(&token).await && may(&kept).await);
        let db = &room.database.db;
        let mut tx = db.begin().await.unwrap();
        room.auth
            .suspend_institution(&mut tx, &operator, institution)
            .await
            .unwrap();
        assert!(may(&kept).await, "what is not committed does not count");
        tx.commit().await.unwrap();
        assert!(!may(&kept).await);
        let mut tx = db.begin().await.unwrap();
        room.auth
            .admit_institution(&mut tx, &operator, institution)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert!(may(&kept).await && !may(&token).await);
    })
    .await;
}

#[tokio::test]
async fn a_revocation_is_swept_only_when_its_token_has_expired() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let server = room.server(&operator, KeyKind::P256).await;
        let token = room.token_of(&server).await;
        room.auth
            .revoke(&room.assertion(&server), &token)
            .await
            .unwrap();
        room.clock
            .advance_millis(ACCESS_TOKEN_LIFETIME_SECS * 1000 - 1);
        room.auth.sweep().await.unwrap();
        let revoked = room.other_node.permit_bearer(&token, ORDERS).await;
        assert!(matches!(revoked, Err(BearerError::Revoked)));
        room.clock.advance_millis(1);
        room.auth.sweep().await.unwrap();
        let expired = room.other_node.permit_bearer(&token, ORDERS).await;
        assert!(matches!(expired, Err(BearerError::Expired)));
    })
    .await;
}

#[tokio::test]
async fn the_metadata_names_every_endpoint_and_no_weak_algorithm() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let metadata = room.auth.metadata();
        assert_eq!(metadata["issuer"], ISSUER);
        for endpoint in ["token", "revocation", "introspection"] {
            let address = metadata[format!("{endpoint}_endpoint")].as_str().unwrap();
            assert!(
                address.starts_with(&format!("{ISSUER}/oauth/")),
                "{address}"
            );
            let methods = match endpoint {
                "token" => "token_endpoint_auth_methods_supported".to_owned(),
                _ => format!("{endpoint}_endpoint_auth_methods_supported"),
            };
            assert_eq!(metadata[methods], json!(["private_key_jwt"]));
        }
        assert_eq!(
            metadata["token_endpoint_auth_signing_alg_values_supported"],
            json!(["ES256", "EdDSA"])
        );
        assert_eq!(
            metadata["grant_types_supported"],
            json!(["client_credentials"])
        );
        let scopes = metadata["scopes_supported"].to_string();
        assert!(scopes.contains("releases:write") && !scopes.contains("operate"));
        let keys = room.auth.jwks();
        assert!(keys["keys"][0].get("d").is_none());
    })
    .await;
}
