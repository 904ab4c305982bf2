use anyhow::Context;
use http::header::SET_COOKIE;
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::load::Connection;

/// The passwords and PINs of a bench are no secret.
pub(crate) const PASSWORD: &str = "bridge-over-the-river";
pub(crate) const PIN: &str = "135790";
/// More than a bench can spend: 10,000,000.00 CNY.
const PLAY_MONEY_MINOR: i64 = 1_000_000_000;

/// Somebody who is signed in, with one kept-alive connection.
pub(crate) struct Person {
    connection: Connection,
    session: Session,
}

/// What a signed-in person sends with every request.
#[derive(Clone)]
struct Session {
    cookie: String,
    csrf: String,
}

impl Person {
    /// Signs somebody up, and in.
    pub(crate) async fn sign_up(address: &str, login: &str) -> anyhow::Result<Self> {
        let user = json!({ "login": login, "name": login, "password": PASSWORD });
        let body = Bytes::from(user.to_string());
        Connection::open(address)
            .await?
            .post("/v1/users", &[], body)
            .await?;
        Self::log_in(address, login).await
    }

    /// Signs somebody in.
    pub(crate) async fn log_in(address: &str, login: &str) -> anyhow::Result<Self> {
        let mut connection = Connection::open(address).await?;
        let body = Bytes::from(json!({ "login": login, "password": PASSWORD }).to_string());
        let answer = connection.post("/v1/sessions", &[], body).await?;
        let cookie = answer
            .headers()
            .get(SET_COOKIE)
            .context("logging in set no cookie")?;
        let cookie = cookie
            .to_str()?
            .split(';')
            .next()
            .unwrap_or_default()
            .to_owned();
        let session: Value = serde_json::from_slice(answer.body())?;
        let csrf = session["csrf"]
            .as_str()
            .context("the session has no csrf value")?;
        Ok(Self {
            session: Session {
                cookie,
                csrf: csrf.to_owned(),
            },
            connection,
        })
    }

    /// Sets a PIN and gets play money.
    pub(crate) async fn get_ready_to_pay(&mut self) -> anyhow::Result<()> {
        self.post("/v1/pin", &json!({ "pin": PIN })).await?;
        let amount = json!({ "amount": { "minor": PLAY_MONEY_MINOR, "currency": "CNY" } });
        let body = Bytes::from(amount.to_string());
        self.send("/v1/sandbox/top-ups", Some("play-money"), body)
            .await?;
        Ok(())
    }

    /// The same session on another connection, which may lead elsewhere.
    pub(crate) async fn connect(&self, address: &str) -> anyhow::Result<Self> {
        Ok(Self {
            connection: Connection::open(address).await?,
            session: self.session.clone(),
        })
    }

    /// Posts JSON and gives JSON; nothing at all becomes null.
    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.send(path, None, Bytes::from(body.to_string())).await?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Posts JSON, under an idempotency key where money moves.
    pub(crate) async fn send(
        &mut self,
        path: &str,
        key: Option<&str>,
        body: Bytes,
    ) -> anyhow::Result<Bytes> {
        let session = &self.session;
        let headers = [
            ("cookie", session.cookie.as_str()),
            ("x-csrf-token", session.csrf.as_str()),
            ("idempotency-key", key.unwrap_or_default()),
        ];
        let sent = if key.is_some() {
            &headers[..]
        } else {
            &headers[..2]
        };
        Ok(self.connection.post(path, sent, body).await?.into_body())
    }
}
