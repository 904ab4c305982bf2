//! The bank over HTTP, as the platform sees it.

mod custody;
mod faults;
mod oauth;
mod payments;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::LOCATION;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use sandbox_bank::{Bank, CLIENT_ID_DEFAULT, CLIENT_SECRET_DEFAULT, Clock, Customer, Options};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const REDIRECT: &str = "http://127.0.0.1:9/banks/sbk/callback";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";
/// 2026-11-27 10:00:00 in Asia/Shanghai.
const MORNING_MS: i64 = 1_795_744_800_000;
const DAY_MS: i64 = 24 * 3600 * 1000;
const NUMBER: &str = "6222020200018801";
const FUND_NUMBER: &str = "1001880200000001";
const LENDER_NUMBER: &str = "1001880200000002";

/// A bank, and the platform that uses it.
struct Platform {
    bank: Bank,
    client: Client,
    now_ms: Arc<AtomicI64>,
}

impl Platform {
    async fn open() -> Self {
        let now_ms = Arc::new(AtomicI64::new(MORNING_MS));
        let clock = Arc::clone(&now_ms);
        let bank = Bank::start(Options {
            customers: vec![
                Customer::new("wang", "wang's", NUMBER, 100_000),
                Customer::new("li", "li's", "6222020200018802", 5_000),
                Customer::new("fund", "fund's", FUND_NUMBER, 0),
                Customer::new("lender", "lender's", LENDER_NUMBER, 500).debitable(),
            ],
            control: true,
            clock: Clock::new(move || clock.load(Ordering::SeqCst)),
            ..Options::default()
        })
        .await
        .expect("a bank");
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self {
            bank,
            client,
            now_ms,
        }
    }

    fn pass(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    fn get(&self, path: &str, token: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.bank.url);
        self.client.get(url).bearer_auth(token)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.bank.url))
    }

    async fn control(&self, path: &str, body: Value) {
        let answer = self.post(path).json(&body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// The parameters of a good authorization request.
    fn request() -> Vec<(&'static str, String)> {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        [
            ("response_type", "code"),
            ("client_id", CLIENT_ID_DEFAULT),
            ("redirect_uri", REDIRECT),
            ("scope", "accounts payments"),
            ("state", "a state & more"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
    }

    /// Answers the consent page, and returns what the redirect carries.
    async fn consent(&self, answers: &[(&'static str, &str)]) -> Vec<(String, String)> {
        let mut form = Self::request();
        form.extend(
            answers
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let answer = self.post("/authorize").form(&form).send().await;
        redirect_of(&answer.expect("an answer"))
    }

    async fn code_of(&self, customer: &str) -> String {
        let password = format!("{customer}'s");
        let answers = [
            ("customer", customer),
            ("password", password.as_str()),
            ("decision", "allow"),
        ];
        value_of(&self.consent(&answers).await, "code")
    }

    async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let request = self.post("/token").form(form);
        let request = request.basic_auth(CLIENT_ID_DEFAULT, Some(CLIENT_SECRET_DEFAULT));
        read(request.send().await.expect("an answer")).await
    }

    async fn exchange(&self, code: &str, verifier: &str) -> (StatusCode, Value) {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", verifier),
        ])
        .await
    }

    /// Tokens of a customer who allowed everything.
    async fn linked(&self, customer: &str) -> Link {
        let code = self.code_of(customer).await;
        let (status, body) = self.exchange(&code, VERIFIER).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let access = text(&body["access_token"]);
        let (_, accounts) = read(self.get("/accounts", &access).send().await.expect("one")).await;
        Link {
            account: text(&accounts[0]["id"]),
            refresh: text(&body["refresh_token"]),
            access,
        }
    }

    async fn own_token(&self) -> String {
        let (_, body) = self.token(&[("grant_type", "client_credentials")]).await;
        text(&body["access_token"])
    }

    async fn put(&self, id: &str, token: &str, body: &Value) -> reqwest::Result<Response> {
        let url = format!("{}/payments/{id}", self.bank.url);
        let request = self.client.put(url).bearer_auth(token).json(body);
        request.send().await
    }

    async fn pay(&self, id: &str, token: &str, body: &Value) -> (StatusCode, Value) {
        read(self.put(id, token, body).await.expect("an answer")).await
    }

    async fn query(&self, id: &str, token: &str) -> (StatusCode, Value) {
        let request = self.get(&format!("/payments/{id}"), token);
        read(request.send().await.expect("an answer")).await
    }

    async fn statement(&self, day: &str) -> Value {
        let token = self.own_token().await;
        let request = self.get(&format!("/custody/statement?day={day}"), &token);
        read(request.send().await.expect("an answer")).await.1
    }
}

struct Link {
    account: String,
    access: String,
    refresh: String,
}

impl Link {
    fn debit(&self, minor: i64) -> Value {
        json!({
            "direction": "debit", "account": self.account, "amount_minor": minor,
            "currency": "CNY", "reference": "top-up", "requested_at": MORNING_MS,
        })
    }

    fn credit(&self, minor: i64) -> Value {
        let mut body = self.debit(minor);
        body["direction"] = json!("credit");
        body
    }
}

fn payout(number: &str, minor: i64) -> Value {
    json!({
        "direction": "credit", "account_number": number, "amount_minor": minor,
        "currency": "CNY", "reference": "payout", "requested_at": MORNING_MS,
    })
}

async fn read(answer: Response) -> (StatusCode, Value) {
    let status = answer.status();
    (status, answer.json().await.unwrap_or(Value::Null))
}

fn redirect_of(answer: &Response) -> Vec<(String, String)> {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let location = answer.headers()[LOCATION].to_str().expect("text");
    let url = url::Url::parse(location).expect("an address");
    url.query_pairs().into_owned().collect()
}

fn value_of(pairs: &[(String, String)], name: &str) -> String {
    let found = pairs.iter().find(|(key, _)| key == name);
    found.expect(name).1.clone()
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}
