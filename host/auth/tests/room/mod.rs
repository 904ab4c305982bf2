//! A room with people in it, and what a client sends.
#![expect(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;

use qiao_auth::keys::{KeyKind, generate_key, sign_jws};
use qiao_auth::{
    Auth, AuthConfig, CLIENT_ASSERTION_TYPE, ClientAssertion, MIGRATIONS, NewClient, NewUser,
    OAuthClient, Permit, Session, TokenRequest,
};
use qiao_model::{Env, InstitutionId, ManualClock, Scope, ScopeSet, Secret, Timestamp, UserId};
use qiao_tests::TestDatabase;
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://qiao.example";
pub(crate) const PASSWORD: &str = "a long enough secret";
pub(crate) const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

pub(crate) struct Room {
    pub(crate) auth: Auth,
    /// Another node over the same database, with caches of its own.
    pub(crate) other_node: Auth,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) env: Env,
    pub(crate) database: TestDatabase,
}

pub(crate) async fn open(database: TestDatabase) -> Room {
    database.db.migrate(&[MIGRATIONS]).await.unwrap();
    let (env, clock) = Env::fixed(START, 42);
    let (signing_key_pem, _) = generate_key(KeyKind::P256).unwrap();
    let config = AuthConfig {
        issuer: ISSUER.to_owned(),
        audience: format!("{ISSUER}/v1"),
        signing_key_pem,
        pepper: Secret::new([7; 32]),
    };
    let auth = Auth::open(database.db.clone(), env.clone(), config.clone()).unwrap();
    let other_node = Auth::open(database.db.clone(), env.clone(), config).unwrap();
    Room {
        auth,
        other_node,
        clock,
        env,
        database,
    }
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub(crate) fn person(login: &str) -> NewUser {
    NewUser {
        login: login.to_owned(),
        name: "Li Wei".to_owned(),
        password: secret(PASSWORD),
    }
}

/// An institution's server, on the client's side.
pub(crate) struct Server {
    pub(crate) client: OAuthClient,
    pub(crate) pem: Secret<String>,
    pub(crate) kind: KeyKind,
}

impl Room {
    pub(crate) async fn sign_in(&self, login: &str) -> Session {
        let token = self.auth.log_in(login, &secret(PASSWORD)).await.unwrap();
        let session = self.auth.session(token.expose()).await.unwrap();
        session.unwrap()
    }

    /// Signs a new person up and in.
    pub(crate) async fn user(&self, login: &str) -> (UserId, Permit) {
        let user = self.auth.sign_up(person(login)).await.unwrap();
        let session = self.sign_in(login).await;
        let permit = self.auth.permit_session(&session, Scope::Account);
        (user, permit.unwrap())
    }

    pub(crate) async fn operator(&self) -> Permit {
        self.auth
            .bootstrap_operator(person("operator"))
            .await
            .unwrap();
        let session = self.sign_in("operator").await;
        self.auth.permit_session(&session, Scope::Operate).unwrap()
    }

    pub(crate) async fn server(&self, operator: &Permit, kind: KeyKind) -> Server {
        self.server_of(operator, self.env.id(), kind).await
    }

    pub(crate) async fn server_of(
        &self,
        operator: &Permit,
        institution: InstitutionId,
        kind: KeyKind,
    ) -> Server {
        let (pem, jwk) = generate_key(kind).unwrap();
        let new = NewClient {
            institution,
            name: "server".to_owned(),
            jwks_json: json!({ "keys": [jwk] }).to_string(),
            scopes: ScopeSet::from_iter([Scope::OrdersRead, Scope::ReleasesWrite]),
        };
        let client = self.auth.register_client(operator, new).await.unwrap();
        Server { client, pem, kind }
    }

    /// The claims of a good assertion with a fresh `jti`.
    pub(crate) fn claims(&self, server: &Server) -> Value {
        let now = self.env.now().as_secs();
        let id = server.client.id.to_string();
        let jti = format!("{:?}", self.env.secret::<8>().expose());
        json!({ "iss": id, "sub": id, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": jti })
    }

    pub(crate) fn assertion(&self, server: &Server) -> ClientAssertion {
        signed(server, "JWT", &self.claims(server))
    }

    pub(crate) async fn token_of(&self, server: &Server) -> String {
        let request = TokenRequest {
            grant_type: Some("client_credentials".to_owned()),
            client: self.assertion(server),
            scope: None,
        };
        self.auth.token(request).await.unwrap().access_token
    }
}

pub(crate) fn signed(server: &Server, typ: &str, claims: &Value) -> ClientAssertion {
    let jws = sign_jws(&server.pem, typ, claims.to_string().as_bytes()).unwrap();
    ClientAssertion {
        client_assertion_type: Some(CLIENT_ASSERTION_TYPE.to_owned()),
        client_assertion: Some(jws),
        client_id: None,
    }
}
