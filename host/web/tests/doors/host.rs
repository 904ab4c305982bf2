use std::sync::Arc;

use axum::Router;
use qiao_auth::keys::{KeyKind, generate_key, sign_jws};
use qiao_auth::{Auth, AuthConfig, CLIENT_ASSERTION_TYPE, NewUser};
use qiao_banks::{Banks, BanksConfig, NewChannel};
use qiao_catalog::Catalog;
use qiao_events::{Egress, Events, Policy, Sealer};
use qiao_ledger::Ledger;
use qiao_model::{Calendar, Env, ManualClock, Money, Scope, Secret, Timestamp};
use qiao_orders::{Crash, Orders, OrdersConfig, PluginFulfiller};
use qiao_payments::Payments;
use qiao_registry::{Registry, SIGNATURE_TYPE};
use qiao_runtime::{
    Activation, CompileMode, Invocations, Ports, RoomPorts, Runtime, RuntimeConfig,
};
use qiao_settlement::Settlement;
use qiao_tests::TestDatabase;
use qiao_web::{App, Metrics, Rooms, WebConfig};
use serde_json::{Value, json};

use crate::caller::Caller;

/// How the hosts of these tests are reached.
pub(crate) const PUBLIC_URL: &str = "http://127.0.0.1:8080";
/// 2026-11-22 16:00 in Asia/Shanghai.
const BEGINNING: Timestamp = Timestamp::from_millis(1_795_334_400_000);
const PASSWORD: &str = "correct horse";
/// Everybody's payment PIN.
pub(crate) const PIN: &str = "135790";

/// A host with every room.
pub(crate) struct Host {
    pub(crate) router: Router,
    pub(crate) app: App,
    pub(crate) clock: Arc<ManualClock>,
    _database: TestDatabase,
}

/// A founded and approved institution with its servers' key.
pub(crate) struct Institution {
    pub(crate) id: String,
    pub(crate) client: String,
    pub(crate) pem: Secret<String>,
    pub(crate) staff: Caller,
}

impl Host {
    /// A sandbox host over a fresh database.
    pub(crate) async fn open(database: TestDatabase) -> Self {
        let config = WebConfig {
            public_url: PUBLIC_URL.to_owned(),
            sandbox: true,
        };
        Self::open_with(database, config).await
    }

    pub(crate) async fn open_with(database: TestDatabase, config: WebConfig) -> Self {
        Self::open_at(database, config, Vec::new()).await
    }

    /// A sandbox host with these bank channels.
    pub(crate) async fn open_with_banks(database: TestDatabase, channels: Vec<NewChannel>) -> Self {
        let config = WebConfig {
            public_url: PUBLIC_URL.to_owned(),
            sandbox: true,
        };
        Self::open_at(database, config, channels).await
    }

    async fn open_at(database: TestDatabase, config: WebConfig, channels: Vec<NewChannel>) -> Self {
        sort_snapshots();
        let db = database.db.clone();
        db.migrate(&[
            qiao_ledger::MIGRATIONS,
            qiao_auth::MIGRATIONS,
            qiao_catalog::MIGRATIONS,
            qiao_events::MIGRATIONS,
            qiao_payments::MIGRATIONS,
            qiao_registry::MIGRATIONS,
            qiao_runtime::MIGRATIONS,
            qiao_orders::MIGRATIONS,
            qiao_banks::MIGRATIONS,
            qiao_settlement::MIGRATIONS,
        ])
        .await
        .unwrap();
        let (env, clock) = Env::fixed(BEGINNING, 7);
        let auth = open_auth(&database, &env, &config);
        let banks = channels.iter().map(|channel| {
            let port = channel.issuer.port_or_known_default().unwrap();
            format!("127.0.0.1:{port}")
        });
        let allowed: Vec<String> = banks.chain(["127.0.0.1:9100".to_owned()]).collect();
        let policy = Policy::allowing(allowed).unwrap();
        let sealer = Sealer::new(&env.secret(), env.clone()).unwrap();
        let events = Events::new(db.clone(), env.clone(), sealer.clone(), policy.clone());
        let catalog = Catalog::new(db.clone(), env.clone());
        let payments = Payments::start(db.clone(), env.clone());
        let registry = Registry::new(db.clone(), env.clone(), auth.clone());
        let banks = Banks::open(
            qiao_banks::Rooms {
                db: db.clone(),
                env: env.clone(),
                auth: auth.clone(),
                payments: payments.clone(),
                sealer,
                egress: Egress::new().unwrap(),
                policy: policy.clone(),
            },
            BanksConfig {
                node: "node_test".to_owned(),
                public_url: config.public_url.clone(),
                channels,
                timeout: BanksConfig::TIMEOUT_DEFAULT,
                repair_at_once: BanksConfig::REPAIR_AT_ONCE_DEFAULT,
                crash: qiao_banks::Crash::Never,
            },
        )
        .await
        .unwrap();
        let settlement = Settlement::open(
            qiao_settlement::Rooms {
                db: db.clone(),
                env: env.clone(),
                auth: auth.clone(),
                payments: payments.clone(),
                banks: banks.clone(),
                calendar: Calendar::mainland(),
            },
            "node_test",
        )
        .await
        .unwrap();
        let host_key = env.secret::<32>();
        let ports = Ports::from(RoomPorts {
            db: db.clone(),
            auth: auth.clone(),
            catalog: catalog.clone(),
            payments: payments.clone(),
            registry: registry.clone(),
            egress: Egress::new().unwrap(),
            egress_policy: policy,
        });
        let runtime_config = RuntimeConfig {
            env: env.clone(),
            cache_folder: database.folder.path().join("compiled"),
            host_key: host_key.clone(),
            compile: CompileMode::InProcess,
            cores: Some(2),
        };
        let runtime = Runtime::new(runtime_config, ports).unwrap();
        let plugins = PluginFulfiller::new(registry.clone(), runtime.clone());
        let rooms = qiao_orders::Rooms {
            db: db.clone(),
            env: env.clone(),
            auth: auth.clone(),
            catalog: catalog.clone(),
            payments: payments.clone(),
            plugins: Arc::new(plugins),
        };
        let orders_config = OrdersConfig {
            node: "node_test".to_owned(),
            host_key,
            crash: Crash::Never,
            calendar: qiao_model::Calendar::mainland(),
        };
        let orders = Orders::open(rooms, orders_config).await.unwrap();
        runtime.connect_orders(orders.port());
        let app = App::new(Rooms {
            ledger: Ledger::new(db.clone()),
            db,
            env,
            auth,
            catalog,
            events,
            payments,
            component_check: Arc::new(runtime.clone()),
            activator: Arc::new(Activation {
                runtime: runtime.clone(),
                registry: registry.clone(),
            }),
            invocations: Invocations::new(database.db.clone()),
            registry,
            runtime,
            orders,
            banks,
            settlement,
            config,
            sandbox_clock: Some(clock.clone()),
            metrics: Metrics::start(),
        });
        Self {
            router: qiao_web::router(app.clone()),
            app,
            clock,
            _database: database,
        }
    }

    /// Nobody yet.
    pub(crate) fn guest(&self) -> Caller {
        Caller::new(self.router.clone())
    }

    /// A person who signed up, with a payment PIN.
    pub(crate) async fn person(&self, login: &str) -> Caller {
        let body = json!({ "login": login, "name": "Li Wei", "password": PASSWORD });
        self.guest().post("/v1/users", &body).await.expect(201);
        let person = self.log_in(login).await;
        person
            .post("/v1/pin", &json!({ "pin": PIN }))
            .await
            .expect(204);
        person
    }

    /// The platform's first operator.
    pub(crate) async fn operator(&self) -> Caller {
        let new = NewUser {
            login: "ops".to_owned(),
            name: "Operator".to_owned(),
            password: Secret::new(PASSWORD.to_owned()),
        };
        self.app.auth.bootstrap_operator(new).await.unwrap();
        self.log_in("ops").await
    }

    pub(crate) async fn log_in(&self, login: &str) -> Caller {
        let mut caller = self.guest();
        let body = json!({ "login": login, "password": PASSWORD });
        let answer = caller.post("/v1/sessions", &body).await.expect(201);
        caller.take_session(&answer);
        caller
    }

    /// The session of a person, for what no door of the host does.
    pub(crate) async fn session(&self, login: &str) -> qiao_auth::Session {
        let password = Secret::new(PASSWORD.to_owned());
        let token = self.app.auth.log_in(login, &password).await.unwrap();
        self.app
            .auth
            .session(token.expose())
            .await
            .unwrap()
            .unwrap()
    }

    /// An institution, registered by its founder and approved by the operator.
    pub(crate) async fn institution(&self, operator: &Caller, handle: &str) -> Institution {
        let (pem, jwk) = generate_key(KeyKind::Ed25519).unwrap();
        let founder = self.person(&format!("founder-of-{handle}")).await;
        let body = json!({
            "name": "Harvest Fund",
            "kind": "fund",
            "handle": handle,
            "summary": "Funds for everybody",
            "jwks": { "keys": [jwk] },
        });
        let founded = founder
            .post("/v1/institutions", &body)
            .await
            .expect(201)
            .body;
        let id = text(&founded["institution"]["id"]);
        let approve = format!("/v1/institutions/{id}/approve");
        operator.post(&approve, &json!({})).await.expect(204);
        Institution {
            client: text(&founded["client"]["id"]),
            staff: self.log_in(&format!("founder-of-{handle}")).await,
            id,
            pem,
        }
    }

    /// The form by which a client proves who it is.
    pub(crate) fn assertion(&self, of: &Institution, client: &str) -> Vec<(&'static str, String)> {
        let now = self.app.env.now().as_secs();
        let jti = self.app.env.id::<qiao_model::id::noun::Event>().to_string();
        let claims = json!({
            "iss": client, "sub": client, "aud": PUBLIC_URL,
            "iat": now, "exp": now + 60, "jti": jti,
        });
        let signed = sign_jws(&of.pem, "JWT", claims.to_string().as_bytes()).unwrap();
        vec![
            ("client_assertion_type", CLIENT_ASSERTION_TYPE.to_owned()),
            ("client_assertion", signed),
        ]
    }

    /// A server of the institution with an access token of its first client.
    pub(crate) async fn server(&self, of: &Institution) -> Caller {
        let token = self.token(of, &of.client, None).await;
        self.guest().bearing(&token)
    }

    /// A server with a second client that may do everything that a client can be granted;
    /// the operator granted what the staff may not.
    pub(crate) async fn able_server(&self, of: &Institution) -> Caller {
        let client = self.able_client(of).await;
        let token = self.token(of, &client, None).await;
        self.guest().bearing(&token)
    }

    pub(crate) async fn able_client(&self, of: &Institution) -> String {
        // Clients are listed by the time they were registered.
        self.clock.advance_millis(1);
        let jwk = qiao_auth::keys::SigningKey::from_pem(&of.pem).unwrap();
        let scopes = qiao_model::Scope::ALL.into_iter();
        let scopes: qiao_model::ScopeSet = scopes.filter(|s| s.grantable_to_client()).collect();
        let body = json!({
            "name": "till",
            "scope": scopes.to_string(),
            "jwks": { "keys": [jwk.public().jwk()] },
        });
        let path = format!("/v1/institutions/{}/clients", of.id);
        let client = of.staff.post(&path, &body).await.expect(201).body;
        let grant = json!({ "scope": client["asked_scope"], "verdict": "grant" });
        let path = format!("/v1/clients/{}/scopes", text(&client["id"]));
        let operator = self.log_in("ops").await;
        operator.post(&path, &grant).await.expect(200);
        text(&client["id"])
    }

    pub(crate) async fn token(
        &self,
        of: &Institution,
        client: &str,
        scope: Option<&str>,
    ) -> String {
        let mut form = self.assertion(of, client);
        form.push(("grant_type", "client_credentials".to_owned()));
        form.extend(scope.map(|scope| ("scope", scope.to_owned())));
        let answer = self.guest().form("/oauth/token", &form).await.expect(200);
        text(&answer.body["access_token"])
    }

    /// A component of this repository, signed by the institution.
    pub(crate) fn signed(&self, by: &Institution, package: &str) -> Vec<u8> {
        let component = qiao_tests::guests::component(package);
        sign(by, &component)
    }

    /// A plugin of this repository, uploaded, approved and started.
    pub(crate) async fn serving(
        &self,
        operator: &Caller,
        by: &Institution,
        package: &str,
    ) -> Value {
        let server = self.server(by).await;
        let upload = self.signed(by, package);
        let release = server.upload("/v1/releases", upload).await.expect(201).body;
        let path = format!("/v1/releases/{}", text(&release["id"]));
        operator
            .post(&format!("{path}/approve"), &json!({}))
            .await
            .expect(204);
        server
            .post(&format!("{path}/activate"), &json!({}))
            .await
            .expect(204);
        release
    }

    /// Money for a person, past the doors: a host with banks gives no play money.
    pub(crate) async fn top_up(&self, person: &Caller, minor: i64) {
        let me = person.get("/v1/sessions/current").await.expect(200).body;
        let user = text(&me["user"]).parse().unwrap();
        let permit = self.app.auth.permit_system("test", Scope::PaymentsWrite);
        let given = self
            .app
            .payments
            .top_up(&permit, user, Money::cny(minor), None);
        given.await.unwrap();
    }
}

/// The component with the institution's signature in it.
pub(crate) fn sign(by: &Institution, component: &[u8]) -> Vec<u8> {
    let digest = qiao_manifest::digest(component).unwrap();
    let signature = sign_jws(&by.pem, SIGNATURE_TYPE, digest.as_bytes()).unwrap();
    qiao_manifest::attach_signature(component, &signature).unwrap()
}

/// The string of a JSON value.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn open_auth(database: &TestDatabase, env: &Env, config: &WebConfig) -> Auth {
    let (signing_key_pem, _) = generate_key(KeyKind::P256).unwrap();
    let auth_config = AuthConfig {
        issuer: config.public_url.clone(),
        audience: config.public_url.clone(),
        signing_key_pem,
        pepper: env.secret(),
    };
    Auth::open(database.db.clone(), env.clone(), auth_config).unwrap()
}

/// The members of a body in a snapshot stand in the order of their names,
/// whether or not a dependency makes `serde_json` keep them as they came.
fn sort_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_sort_maps(true);
    // For as long as the test's thread lives.
    std::mem::forget(settings.bind_to_scope());
}
