use std::sync::{Arc, OnceLock};

use qiao_auth::keys::{KeyKind, generate_key};
use qiao_auth::{Auth, AuthConfig};
use qiao_manifest::{EgressRule, Manifest};
use qiao_model::{
    Day, Env, InstitutionId, ManualClock, Money, PluginId, ReleaseId, Scope, ScopeSet, Secret,
    Timestamp, UserId,
};
use qiao_tests::TestDatabase;

use crate::guest::{Deadline, Guest, Meter, Purity, Shared};
use crate::limiter::Limiter;
use crate::sandbox::Sandbox;
use crate::{
    CompileMode, EgressPort, Entry, Field, Function, Loaded, Offer, PlacedOrder, Ports,
    QuoteRequest, ReleaseRef, Runtime, RuntimeConfig, Submission, Visit,
};
use qiao_catalog::OrderKind;

/// A person of every test.
pub(crate) const USER: UserId = UserId::from_u128(7);
const INSTITUTION: InstitutionId = InstitutionId::from_u128(3);

/// A runtime over a sandbox, with a real gate.
pub(crate) struct Host {
    pub(crate) runtime: Runtime,
    pub(crate) sandbox: Sandbox,
    pub(crate) auth: Auth,
    /// The clock of the records.
    pub(crate) clock: Arc<ManualClock>,
    _database: TestDatabase,
}

/// One folder of machine code for the whole process, so that a guest is compiled once.
fn cache_folder() -> std::path::PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
    folder.path().to_path_buf()
}

fn clocked_env() -> (Env, Arc<ManualClock>) {
    let day: Day = "2026-11-22".parse().unwrap();
    Env::fixed(day.start(), 7)
}

pub(crate) fn env() -> Env {
    clocked_env().0
}

pub(crate) fn today() -> Day {
    env().today()
}

impl Host {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    pub(crate) async fn start_with(egress: Option<Arc<dyn EgressPort>>) -> Self {
        let database = qiao_tests::sqlite().await;
        database.db.migrate(&[qiao_auth::MIGRATIONS]).await.unwrap();
        let (signing_key_pem, _) = generate_key(KeyKind::Ed25519).unwrap();
        let config = AuthConfig {
            issuer: "http://localhost".to_owned(),
            audience: "http://localhost/v1".to_owned(),
            signing_key_pem,
            pepper: Secret::new([5; 32]),
        };
        let auth = Auth::open(database.db.clone(), env(), config).unwrap();
        let sandbox = Sandbox::default();
        sandbox.add_user(USER, "Wang Fang");
        let ports = sandbox.ports(Arc::new(auth.clone()), egress);
        let (env, clock) = clocked_env();
        Self {
            runtime: runtime_of(env, ports),
            clock,
            sandbox,
            auth,
            _database: database,
        }
    }

    /// A plugin of this repository, with the scopes of its manifest.
    pub(crate) async fn load(&self, package: &str) -> Arc<Loaded> {
        let bytes = qiao_tests::guests::component(package);
        let (manifest, _) = qiao_manifest::extract(&bytes).unwrap();
        let release = release(&bytes, &manifest);
        self.runtime.load(&release, &bytes).await.unwrap()
    }

    pub(crate) fn subject(&self) -> String {
        self.auth.subject(INSTITUTION, USER)
    }
}

pub(crate) fn runtime(ports: Ports) -> Runtime {
    runtime_of(env(), ports)
}

fn runtime_of(env: Env, ports: Ports) -> Runtime {
    let config = RuntimeConfig {
        env,
        cache_folder: cache_folder(),
        host_key: Secret::new([9; 32]),
        compile: CompileMode::InProcess,
        cores: None,
    };
    Runtime::new(config, ports).unwrap()
}

pub(crate) fn release(bytes: &[u8], manifest: &Manifest) -> ReleaseRef {
    let scopes = manifest.scopes.keys();
    let digest = qiao_manifest::digest(bytes).unwrap();
    // An id of its own for each component, as the registry gives.
    let id = u128::from_str_radix(&digest[..16], 16).unwrap();
    ReleaseRef {
        id: ReleaseId::from_u128(id),
        plugin: PluginId::from_u128(id),
        institution: INSTITUTION,
        digest,
        scopes: scopes
            .map(|scope| scope.as_str().parse::<Scope>().unwrap())
            .collect(),
        egress: manifest.egress.clone(),
    }
}

/// The host's side of an instance, for calling host functions by hand.
pub(crate) fn guest_of(
    host: &Host,
    scopes: ScopeSet,
    purity: Purity,
    egress: Vec<EgressRule>,
) -> Guest {
    let inner = &host.runtime.0;
    let release = ReleaseRef {
        id: ReleaseId::from_u128(1),
        plugin: PluginId::from_u128(1),
        institution: INSTITUTION,
        digest: String::new(),
        scopes,
        egress,
    };
    let shared = Shared {
        host: Arc::clone(&inner.host),
        ports: Arc::clone(&inner.ports),
        release: Arc::new(release),
    };
    Guest {
        shared: Arc::new(shared),
        user: Some(USER),
        purity,
        limiter: Limiter::default(),
        meter: Meter::default(),
        deadline: Deadline::after(&inner.host.watchdog, Function::Open.run_max()),
        seat: None,
    }
}

pub(crate) fn visit(service: &str) -> Visit {
    Visit {
        service: service.to_owned(),
        user: USER,
        locale: "en".to_owned(),
        today: today(),
        params: Vec::new(),
    }
}

pub(crate) fn submission(service: &str, form: &str, fields: &[(&str, &str)]) -> Submission {
    let field = |(name, value): &(&str, &str)| Field {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    Submission {
        visit: visit(service),
        form: form.to_owned(),
        fields: fields.iter().map(field).collect(),
    }
}

pub(crate) fn fund_offer() -> Offer {
    Offer {
        product: "steady-money".to_owned(),
        kind: OrderKind::Purchase,
        title: "Steady Money Fund".to_owned(),
        amount: Some(Money::cny(100_000)),
        units_minor: None,
        reference: String::new(),
        facts: vec![Entry {
            label: "Yield".to_owned(),
            value: "1.83 %".to_owned(),
        }],
    }
}

pub(crate) fn thing_offer(reference: &str) -> Offer {
    Offer {
        product: "thing".to_owned(),
        kind: OrderKind::Pay,
        title: "Thing".to_owned(),
        amount: Some(Money::cny(100)),
        units_minor: None,
        reference: reference.to_owned(),
        facts: Vec::new(),
    }
}

pub(crate) fn quote_request(offer: Offer) -> QuoteRequest {
    QuoteRequest {
        offer,
        price: None,
        today: today(),
    }
}

pub(crate) fn placed_order(offer: Offer) -> PlacedOrder {
    let at = Timestamp::from_millis(1_790_000_000_000);
    let (env, _) = Env::fixed(at, 1);
    PlacedOrder {
        id: env.id(),
        principal: offer.amount.unwrap_or(Money::cny(0)),
        units_minor: Some(100_000),
        user: USER,
        attempt: 1,
        offer,
    }
}
