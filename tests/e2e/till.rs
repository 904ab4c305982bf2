//! An institution's server that pays all day: authenticated, idempotent, in three
//! splits. It notes what was acknowledged, and asks again for what was not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qiao::{Client, Config, Host, HostOptions, PASSWORD, PublishArgs};
use qiao_auth::NewUser;
use qiao_auth::keys::{KeyKind, generate_key};
use qiao_model::{InstitutionId, Money, Scope, ScopeSet, Secret};
use qiao_payments::{Method, NewPayment, Party, Split};
use qiao_registry::{InstitutionKind, NewInstitution};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::process::{ProcessOptions, admin};

/// Fen of one payment.
const PAYMENT_MINOR: i64 = 100;
/// What the institution has before its first.
const FUNDS_MINOR: i64 = 100_000_000_000;
const PAUSE: Duration = Duration::from_millis(50);
/// Payments that are asked for again at once.
const ASKING_MAX: usize = 16;
/// How often one payment is asked for again.
const TRIES_MAX: u32 = 1_200;

/// The institution's server.
#[derive(Clone)]
pub(crate) struct Till {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    client: Client,
    url: String,
    institution: String,
    token: Mutex<String>,
    /// Idempotency key to the payment that was acknowledged.
    payments: Mutex<BTreeMap<String, Option<String>>>,
    keys: AtomicU64,
    put_off: AtomicU64,
    is_closing: AtomicBool,
}

/// What became of a request.
enum Answer {
    Acknowledged(String),
    /// The host said: later.
    PutOff,
    /// No answer, so nobody knows.
    Unknown,
}

impl Till {
    /// Sets a host up in this process and closes it again: an approved institution
    /// with money and a client that may pay.
    pub(crate) async fn open(options: &ProcessOptions) -> Self {
        let config = Config::sandbox(
            options.data.clone(),
            options.database_url.clone(),
            options.address.parse().unwrap(),
            Vec::new(),
        )
        .unwrap();
        let url = config.public_url();
        let compiler = env!("CARGO_BIN_EXE_qiao").into();
        let host = Host::open(HostOptions { config, compiler }).await.unwrap();
        let (pem, jwk) = generate_key(KeyKind::Ed25519).unwrap();
        let (institution, client_id) = found(&host, &json!({ "keys": [jwk] })).await;
        fill(&host, institution).await;
        host.close().await;
        let key = options.data.join("till.pem");
        std::fs::write(&key, pem.expose()).unwrap();
        let client = Client::open(&PublishArgs {
            plugin: ".".into(),
            host: url.clone(),
            client_id,
            key,
            activate: false,
            review_timeout: 0,
        });
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20));
        Self {
            inner: Arc::new(Inner {
                http: http.build().unwrap(),
                client: client.unwrap(),
                url,
                institution: institution.to_string(),
                token: Mutex::new(String::new()),
                payments: Mutex::default(),
                keys: AtomicU64::new(0),
                put_off: AtomicU64::new(0),
                is_closing: AtomicBool::new(false),
            }),
        }
    }

    /// Starts so many clerks that pay until [`Till::pause`].
    pub(crate) fn work(&self, clerks: usize) -> JoinSet<()> {
        self.inner.is_closing.store(false, Ordering::SeqCst);
        let mut working = JoinSet::new();
        for _ in 0..clerks {
            let till = self.clone();
            working.spawn(async move {
                while !till.inner.is_closing.load(Ordering::SeqCst) {
                    let number = till.inner.keys.fetch_add(1, Ordering::SeqCst);
                    let key = format!("till-{number}");
                    till.note(&key, None);
                    let endpoint = till.endpoint();
                    match till.pay(&endpoint, &key).await {
                        Answer::Acknowledged(id) => till.note(&key, Some(id)),
                        Answer::PutOff | Answer::Unknown => tokio::time::sleep(PAUSE).await,
                    }
                }
            });
        }
        working
    }

    /// Tells the clerks to stop and waits until they have.
    pub(crate) async fn pause(&self, mut working: JoinSet<()>) {
        self.inner.is_closing.store(true, Ordering::SeqCst);
        while let Some(clerk) = working.join_next().await {
            clerk.unwrap();
        }
    }

    /// Asks again for everything that was not acknowledged until it is; gives how
    /// many that were.
    pub(crate) async fn settle(&self) -> usize {
        let payments = self.payments();
        let open = payments.iter().filter(|(_, id)| id.is_none());
        let open: Vec<String> = open.map(|(key, _)| key.clone()).collect();
        let count = open.len();
        for (key, id) in self.ask_again(open).await {
            self.note(&key, Some(id));
        }
        count
    }

    /// Pays under keys that were used, several at once; gives each its payment.
    async fn ask_again(&self, keys: Vec<String>) -> Vec<(String, String)> {
        let mut asking = JoinSet::new();
        for part in keys.chunks(keys.len().div_ceil(ASKING_MAX).max(1)) {
            let (till, part) = (self.clone(), part.to_vec());
            asking.spawn(async move {
                let mut answers = Vec::with_capacity(part.len());
                for key in part {
                    let id = till.acknowledged(&key).await;
                    answers.push((key, id));
                }
                answers
            });
        }
        asking.join_all().await.into_iter().flatten().collect()
    }

    /// Pays under a key, as often as it takes; gives the payment.
    async fn acknowledged(&self, key: &str) -> String {
        let endpoint = self.endpoint();
        for _ in 0..TRIES_MAX {
            if let Answer::Acknowledged(id) = self.pay(&endpoint, key).await {
                return id;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{key} is never acknowledged");
    }

    async fn pay(&self, endpoint: &str, key: &str) -> Answer {
        let token = self.inner.token.lock().unwrap().clone();
        let request = self.inner.http.post(endpoint).bearer_auth(token);
        let body = self.body();
        let Ok(answer) = request
            .header("idempotency-key", key)
            .json(&body)
            .send()
            .await
        else {
            return Answer::Unknown;
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        let Ok(body) = answer.json::<Value>().await else {
            return Answer::Unknown;
        };
        match status {
            StatusCode::CREATED => Answer::Acknowledged(body["id"].as_str().unwrap().to_owned()),
            StatusCode::UNAUTHORIZED => {
                self.log_in().await;
                Answer::PutOff
            }
            StatusCode::CONFLICT => {
                assert_eq!(body["type"], "urn:qiao:problem:idempotency-key-in-flight");
                Answer::PutOff
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                assert!(headers.contains_key("retry-after"), "{body}");
                assert!(
                    headers["content-type"]
                        .to_str()
                        .unwrap()
                        .contains("problem+json")
                );
                self.inner.put_off.fetch_add(1, Ordering::SeqCst);
                Answer::PutOff
            }
            _ => panic!("a payment was answered {status}: {body}"),
        }
    }

    fn body(&self) -> Value {
        let cny = |minor: i64| json!({ "minor": minor, "currency": "CNY" });
        let own = &self.inner.institution;
        json!({
            "amount": cny(PAYMENT_MINOR),
            "description": "a till's payment",
            "splits": [
                { "receiver": { "type": "revenue", "id": own }, "amount": cny(90), "purpose": "principal" },
                { "receiver": { "type": "revenue", "id": own }, "amount": cny(7), "purpose": "commission" },
                { "receiver": { "type": "platform" }, "amount": cny(3), "purpose": "service-fee" },
            ],
        })
    }

    fn endpoint(&self) -> String {
        format!("{}/v1/payments", self.inner.url)
    }

    /// Sends so many payments so often each, all at once and to each of the hosts
    /// in turn; whoever is answered hears of one payment for a key.
    pub(crate) async fn stampede(&self, hosts: &[&str], keys: usize, sends: usize) {
        self.log_in().await;
        let mut sending = JoinSet::new();
        for send in 0..sends {
            for number in 0..keys {
                let till = self.clone();
                let endpoint = format!("{}/v1/payments", hosts[send % hosts.len()]);
                let key = format!("stampede-{number}");
                sending.spawn(async move {
                    let answer = till.pay(&endpoint, &key).await;
                    (key, answer)
                });
            }
        }
        while let Some(sent) = sending.join_next().await {
            let (key, answer) = sent.unwrap();
            let id = match answer {
                Answer::Acknowledged(id) => Some(id),
                Answer::PutOff | Answer::Unknown => None,
            };
            let known = self.payments().remove(&key).flatten();
            if known.is_some() && id.is_some() {
                assert_eq!(known, id, "{key} has one payment");
            }
            self.note(&key, known.or(id));
        }
    }

    async fn log_in(&self) {
        // The host may end while it is asked; the next payment asks again.
        if let Ok(token) = self
            .inner
            .client
            .token("payments:write payments:read")
            .await
        {
            *self.inner.token.lock().unwrap() = token;
        }
    }

    /// Everything is acknowledged, each key gives its payment again, the host has
    /// these payments and no other, and the books hold exactly their money.
    pub(crate) async fn assert_one_effect_each(&self) {
        self.settle().await;
        let acknowledged = self.payments();
        for (key, id) in self.ask_again(acknowledged.keys().cloned().collect()).await {
            assert_eq!(acknowledged[&key], Some(id), "{key}");
        }
        let ids: BTreeSet<String> = acknowledged.into_values().flatten().collect();
        assert_eq!(ids, self.stored().await, "the payments of the books");
        let balance = self.get("/v1/institution/balances").await;
        let count = i64::try_from(ids.len()).unwrap();
        let settlement = &balance["items"][0]["settlement"]["posted_minor"];
        assert_eq!(
            *settlement,
            FUNDS_MINOR - count * PAYMENT_MINOR,
            "{balance}"
        );
        let revenue = &balance["items"][0]["revenue"]["posted_minor"];
        assert_eq!(*revenue, count * 97, "{balance}");
    }

    /// Every payment of the institution but the one that filled it.
    async fn stored(&self) -> BTreeSet<String> {
        let (mut ids, mut before) = (BTreeSet::new(), String::new());
        loop {
            let page = self.get(&format!("/v1/payments?limit=100{before}")).await;
            for payment in page["items"].as_array().unwrap() {
                if payment["payer"]["type"] == "institution" {
                    let id = payment["id"].as_str().unwrap().to_owned();
                    assert!(ids.insert(id), "a page repeats a payment");
                }
            }
            match page["next"].as_str() {
                Some(next) => before = format!("&before={next}"),
                None => return ids,
            }
        }
    }

    async fn get(&self, path: &str) -> Value {
        for _ in 0..TRIES_MAX {
            let token = self.inner.token.lock().unwrap().clone();
            let request = self.inner.http.get(format!("{}{path}", self.inner.url));
            let answer = request.bearer_auth(token).send().await.unwrap();
            match answer.status() {
                StatusCode::OK => return answer.json().await.unwrap(),
                StatusCode::UNAUTHORIZED => self.log_in().await,
                StatusCode::SERVICE_UNAVAILABLE => tokio::time::sleep(PAUSE).await,
                status => panic!("{path} was answered {status}"),
            }
        }
        panic!("{path} is never answered");
    }

    fn note(&self, key: &str, id: Option<String>) {
        self.inner
            .payments
            .lock()
            .unwrap()
            .insert(key.to_owned(), id);
    }

    fn payments(&self) -> BTreeMap<String, Option<String>> {
        self.inner.payments.lock().unwrap().clone()
    }

    /// Waits until the counts are as wanted; false when they never are.
    pub(crate) async fn comes_to(&self, is_wanted: impl Fn(usize, u64) -> bool) -> bool {
        for _ in 0..TRIES_MAX {
            let (acknowledged, put_off) = self.counts();
            if is_wanted(acknowledged, put_off) {
                return true;
            }
            tokio::time::sleep(PAUSE).await;
        }
        false
    }

    /// How many payments were acknowledged so far, and how many requests put off.
    pub(crate) fn counts(&self) -> (usize, u64) {
        let acknowledged = self.payments().into_values().flatten().count();
        (acknowledged, self.inner.put_off.load(Ordering::SeqCst))
    }
}

/// An approved institution; gives it and its client.
async fn found(host: &Host, jwks: &Value) -> (InstitutionId, String) {
    let auth = &host.app.auth;
    let user = |login: &str| NewUser {
        login: login.to_owned(),
        name: login.to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
    };
    auth.bootstrap_operator(user("operator")).await.unwrap();
    auth.sign_up(user("founder")).await.unwrap();
    let password = Secret::new(PASSWORD.to_owned());
    let mut permits = Vec::new();
    for (login, scope) in [("operator", Scope::Operate), ("founder", Scope::Account)] {
        let token = auth.log_in(login, &password).await.unwrap();
        let session = auth.session(token.expose()).await.unwrap().unwrap();
        permits.push(auth.permit_session(&session, scope).unwrap());
    }
    let new = NewInstitution {
        name: "Corner Shop".to_owned(),
        kind: InstitutionKind::Biller,
        handle: "shop".to_owned(),
        summary: String::new(),
        jwks_json: jwks.to_string(),
    };
    let registry = &host.app.registry;
    let founded = registry
        .register_institution(&permits[1], new)
        .await
        .unwrap();
    let id = founded.institution.id;
    registry.approve_institution(&permits[0], id).await.unwrap();
    let client = qiao_auth::NewClient {
        institution: id,
        name: "till".to_owned(),
        jwks_json: jwks.to_string(),
        scopes: ScopeSet::from_iter([Scope::PaymentsWrite, Scope::PaymentsRead]),
    };
    let client = auth.register_client(&permits[0], client).await.unwrap();
    (id, client.id.to_string())
}

/// Money on the institution's settlement account.
async fn fill(host: &Host, institution: InstitutionId) {
    let permit = host.app.auth.permit_system("test", Scope::PaymentsWrite);
    let amount = Money::cny(FUNDS_MINOR);
    let payment = NewPayment {
        id: host.app.env.id(),
        order: None,
        institution: Some(institution),
        payer: Party::Sandbox,
        method: Method::Balance,
        amount,
        splits: vec![Split {
            receiver: Party::Institution(institution),
            amount,
            purpose: "principal".into(),
        }],
        deliveries: Vec::new(),
        description: "filled by a test".to_owned(),
        expires_at: None,
    };
    host.app.payments.pay(&permit, payment, None).await.unwrap();
}

/// The journal, the books and every rule hold, says the host's own operator's shell.
pub(crate) fn assert_audit_passes(options: &ProcessOptions) {
    let (is_content, said) = admin(options, "audit");
    assert!(is_content, "{said}");
}
