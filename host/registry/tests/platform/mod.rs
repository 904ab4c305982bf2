//! A platform with an operator, and institutions that sign components.
#![expect(dead_code, reason = "each test file uses its part")]

pub(crate) mod component;

use std::sync::Arc;

use parking_lot::Mutex;
use qiao_auth::keys::{KeyKind, generate_key, sign_jws};
use qiao_auth::{Auth, AuthConfig, NewUser, OAuthClient, Permit};
use qiao_manifest::Manifest;
use qiao_model::{Env, InstitutionId, ManualClock, Scope, Secret, Timestamp, UserId};
use qiao_registry::{
    Activator, CheckError, CheckReport, ComponentCheck, FuelSample, InstitutionKind,
    NewInstitution, PortFuture, PublicAccount, Registry, Release, SIGNATURE_TYPE,
};
use qiao_tests::TestDatabase;
use serde_json::json;

pub(crate) const PASSWORD: &str = "a long enough secret";

pub(crate) struct Platform {
    pub(crate) registry: Registry,
    /// Another node over the same database, with caches of its own.
    pub(crate) other_node: Registry,
    pub(crate) auth: Auth,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) env: Env,
    pub(crate) database: TestDatabase,
    pub(crate) operator: Permit,
}

/// An institution with somebody on its staff and a key that signs.
pub(crate) struct Tenant {
    pub(crate) id: InstitutionId,
    pub(crate) account: PublicAccount,
    pub(crate) client: OAuthClient,
    pub(crate) staff: Permit,
    pub(crate) pem: Secret<String>,
}

pub(crate) async fn open(database: TestDatabase) -> Platform {
    let rooms = [
        qiao_auth::MIGRATIONS,
        qiao_events::MIGRATIONS,
        qiao_registry::MIGRATIONS,
    ];
    database.db.migrate(&rooms).await.unwrap();
    let (env, clock) = Env::fixed(Timestamp::from_millis(1_790_000_000_000), 42);
    let (signing_key_pem, _) = generate_key(KeyKind::P256).unwrap();
    let config = AuthConfig {
        issuer: "https://qiao.example".to_owned(),
        audience: "https://qiao.example/v1".to_owned(),
        signing_key_pem,
        pepper: Secret::new([7; 32]),
    };
    let db = &database.db;
    let auth = Auth::open(db.clone(), env.clone(), config.clone()).unwrap();
    let other_auth = Auth::open(db.clone(), env.clone(), config).unwrap();
    auth.bootstrap_operator(person("operator")).await.unwrap();
    let operator = permit(&auth, "operator", Scope::Operate).await;
    Platform {
        registry: Registry::new(db.clone(), env.clone(), auth.clone()),
        other_node: Registry::new(db.clone(), env.clone(), other_auth),
        auth,
        clock,
        env,
        database,
        operator,
    }
}

pub(crate) fn person(login: &str) -> NewUser {
    NewUser {
        login: login.to_owned(),
        name: "Li Wei".to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
    }
}

async fn permit(auth: &Auth, login: &str, scope: Scope) -> Permit {
    let password = Secret::new(PASSWORD.to_owned());
    let token = auth.log_in(login, &password).await.unwrap();
    let session = auth.session(token.expose()).await.unwrap().unwrap();
    auth.permit_session(&session, scope).unwrap()
}

pub(crate) fn application(handle: &str, jwk: &serde_json::Value) -> NewInstitution {
    NewInstitution {
        name: format!("Institution {handle}"),
        kind: InstitutionKind::Fund,
        handle: handle.to_owned(),
        summary: "Sells things.".to_owned(),
        jwks_json: json!({ "keys": [jwk] }).to_string(),
    }
}

impl Platform {
    /// Signs a person up and in.
    pub(crate) async fn user(&self, login: &str) -> (UserId, Permit) {
        let user = self.auth.sign_up(person(login)).await.unwrap();
        (user, permit(&self.auth, login, Scope::Account).await)
    }

    /// Registers an institution that nobody approved yet.
    pub(crate) async fn pending(&self, handle: &str) -> Tenant {
        let founder = format!("{handle}-staff");
        let (_, account) = self.user(&founder).await;
        let (pem, jwk) = generate_key(KeyKind::Ed25519).unwrap();
        let new = application(handle, &jwk);
        let founded = self.registry.register_institution(&account, new).await;
        let founded = founded.unwrap();
        let password = Secret::new(PASSWORD.to_owned());
        let token = self.auth.log_in(&founder, &password).await.unwrap();
        let session = self.auth.session(token.expose()).await.unwrap().unwrap();
        let id = founded.institution.id;
        Tenant {
            id,
            account: founded.account,
            client: founded.client,
            staff: self.auth.permit_staff(&session, id).unwrap(),
            pem,
        }
    }

    /// Registers an institution and approves it.
    pub(crate) async fn tenant(&self, handle: &str) -> Tenant {
        let tenant = self.pending(handle).await;
        let approved = self
            .registry
            .approve_institution(&self.operator, tenant.id)
            .await;
        approved.unwrap();
        tenant
    }

    /// Uploads and approves a version of a plugin that registers products. The
    /// clock moves with each step, so that ids and rows sort as they were made.
    pub(crate) async fn approved(&self, tenant: &Tenant, name: &str, version: &str) -> Release {
        let upload = tenant.sign(&component::good(name, version));
        let compiler = Compiler::willing();
        self.clock.advance_millis(1);
        let release = self
            .registry
            .upload(&tenant.staff, &upload, &compiler)
            .await;
        let release = release.unwrap();
        self.clock.advance_millis(1);
        self.registry
            .approve(&self.operator, release.id)
            .await
            .unwrap();
        self.clock.advance_millis(1);
        release
    }

    /// Uploads, approves and activates a version.
    pub(crate) async fn active(&self, tenant: &Tenant, name: &str, version: &str) -> Release {
        let release = self.approved(tenant, name, version).await;
        let guest = Guest::willing();
        let activated = self
            .registry
            .activate(&tenant.staff, release.id, &guest)
            .await;
        activated.unwrap();
        self.clock.advance_millis(1);
        release
    }

    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let statement = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        let (count,) = sqlx::query_as(statement)
            .fetch_one(self.database.db.reads())
            .await
            .unwrap();
        count
    }

    /// The kinds of the events in the outbox, oldest first.
    pub(crate) async fn events(&self) -> Vec<String> {
        let rows: Vec<(String,)> = sqlx::query_as("select kind from event order by created_at, id")
            .fetch_all(self.database.db.reads())
            .await
            .unwrap();
        rows.into_iter().map(|(kind,)| kind).collect()
    }

    /// The audit of a subject: action, outcome and detail, newest first.
    pub(crate) async fn audit_of(&self, subject: impl ToString) -> Vec<String> {
        let rows = self
            .auth
            .audit_of(&self.operator, &subject.to_string())
            .await;
        rows.unwrap()
            .into_iter()
            .map(|row| format!("{} {} {}", row.action, row.outcome.name(), row.detail))
            .collect()
    }
}

impl Tenant {
    /// Signs a packed component as `qiao plugin publish` does.
    pub(crate) fn sign(&self, component: &[u8]) -> Vec<u8> {
        let digest = qiao_manifest::digest(component).unwrap();
        let jws = sign_jws(&self.pem, SIGNATURE_TYPE, digest.as_bytes()).unwrap();
        qiao_manifest::attach_signature(component, &jws).unwrap()
    }
}

/// Stands for the runtime's compiler.
pub(crate) struct Compiler(Result<CheckReport, CheckError>);

impl Compiler {
    pub(crate) fn willing() -> Self {
        Self(Ok(CheckReport {
            compiled_bytes: 1000,
            memory_bytes: 65_536,
            fuel: vec![FuelSample {
                case: "quote".to_owned(),
                fuel: 7,
                outcome: "answered".to_owned(),
            }],
        }))
    }

    pub(crate) fn failing(error: CheckError) -> Self {
        Self(Err(error))
    }
}

impl ComponentCheck for Compiler {
    fn check<'a>(
        &'a self,
        _component: &'a [u8],
        _manifest: &'a Manifest,
    ) -> PortFuture<'a, Result<CheckReport, CheckError>> {
        Box::pin(async { self.0.clone() })
    }
}

/// Stands for a plugin whose `activate` the runtime calls.
pub(crate) struct Guest {
    answer: Result<(), String>,
    pub(crate) activated: Mutex<Vec<String>>,
}

impl Guest {
    pub(crate) fn willing() -> Self {
        Self::answering(Ok(()))
    }

    pub(crate) fn failing(cause: &str) -> Self {
        Self::answering(Err(cause.to_owned()))
    }

    fn answering(answer: Result<(), String>) -> Self {
        let activated = Mutex::new(Vec::new());
        Self { answer, activated }
    }
}

impl Activator for Guest {
    fn activate<'a>(&'a self, release: &'a Release) -> PortFuture<'a, Result<(), String>> {
        Box::pin(async {
            self.activated.lock().push(release.version.clone());
            self.answer.clone()
        })
    }
}
