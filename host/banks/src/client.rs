//! What a custody bank speaks: OAuth, accounts, payments by our id, custody.
//!
//! Every exchange goes through the host's one way out, so a bank in a private
//! network is reached only where the operator allows it by host and port. An
//! exchange ends in an answer or in a [`Failure`] that says whether the bank may
//! have acted.

mod metadata;
pub(crate) mod oauth;
pub(crate) mod payment;
pub(crate) mod statement;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use qiao_events::{Egress, EgressRequest, EgressResponse, Method, Policy};
use qiao_model::{Channel, Env, Secret, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use url::Url;

use crate::channel::NewChannel;
use metadata::Metadata;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Nothing was sent.
    #[error("{0}")]
    NotSent(String),
    /// The bank may have acted.
    #[error("{0}")]
    NoAnswer(String),
    /// The bank does not take the token.
    #[error("the bank does not take the token")]
    Unauthorized,
    /// There is nothing of that id.
    #[error("the bank knows of no such thing")]
    NotFound,
    /// The id was used for something else.
    #[error("the bank has something else under that id")]
    Conflict,
    /// The bank refused the request itself.
    #[error("the bank refused: {0}")]
    Refused(String),
    /// The configuration knows no such channel any more.
    #[error("the channel is not configured")]
    NotConfigured,
}

/// The banks of the configuration. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    egress: Egress,
    policy: Policy,
    env: Env,
    timeout: Duration,
    banks: Arc<HashMap<Channel, Bank>>,
}

/// One bank, with what was learned of it. Nothing here is lost with the node.
#[derive(Debug)]
struct Bank {
    config: NewChannel,
    metadata: Mutex<Option<(Timestamp, Arc<Metadata>)>>,
    /// The platform's own token.
    token: Mutex<Option<(Timestamp, Secret<String>)>>,
}

/// A problem of RFC 9457, as far as it is shown.
#[derive(Deserialize)]
struct ProblemBody {
    #[serde(default)]
    title: String,
}

impl Client {
    pub(crate) fn new(
        (egress, policy): (Egress, Policy),
        env: Env,
        timeout: Duration,
        channels: Vec<NewChannel>,
    ) -> Self {
        let banks = channels.into_iter().map(|config| {
            let bank = Bank {
                metadata: Mutex::default(),
                token: Mutex::default(),
                config,
            };
            (bank.config.code, bank)
        });
        Self {
            egress,
            policy,
            env,
            timeout,
            banks: Arc::new(banks.collect()),
        }
    }

    /// The channels of the configuration.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &NewChannel> {
        self.banks.values().map(|bank| &bank.config)
    }

    /// A channel of the configuration.
    pub(crate) fn channel(&self, code: Channel) -> Option<&NewChannel> {
        self.banks.get(&code).map(|bank| &bank.config)
    }

    fn bank(&self, code: Channel) -> Result<&Bank, Failure> {
        self.banks.get(&code).ok_or(Failure::NotConfigured)
    }

    /// A path below the bank's issuer.
    fn url(&self, code: Channel, path: &str) -> Result<Url, Failure> {
        let issuer = self.bank(code)?.config.issuer.as_str();
        let text = format!("{}{path}", issuer.trim_end_matches('/'));
        Url::parse(&text).map_err(|_| Failure::NotSent("the address is not one".to_owned()))
    }

    async fn send(&self, request: EgressRequest) -> Result<EgressResponse, Failure> {
        match self.egress.send(request, &self.policy).await {
            Ok(response) => Ok(response),
            Err(error) if error.effect_is_unknown() => Err(Failure::NoAnswer(error.to_string())),
            Err(error) => Err(Failure::NotSent(error.to_string())),
        }
    }

    /// A request with a bearer token and a JSON body.
    async fn call<T: DeserializeOwned>(
        &self,
        (method, url): (Method, Url),
        token: &Secret<String>,
        body: Option<String>,
    ) -> Result<T, Failure> {
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            (
                "authorization".to_owned(),
                format!("Bearer {}", token.expose()),
            ),
        ];
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let request = EgressRequest {
            method,
            url,
            headers,
            body: body.unwrap_or_default().into_bytes(),
            timeout: self.timeout,
        };
        read(&self.send(request).await?)
    }
}

/// The body of an answer, or what its status says.
fn read<T: DeserializeOwned>(response: &EgressResponse) -> Result<T, Failure> {
    let problem = || {
        let title = serde_json::from_slice::<ProblemBody>(&response.body);
        let title = title.map(|problem| problem.title).unwrap_or_default();
        format!("{} {title}", response.status).trim().to_owned()
    };
    match response.status {
        200..=299 => serde_json::from_slice(&response.body)
            .map_err(|_| Failure::NoAnswer("the bank's answer cannot be read".to_owned())),
        401 => Err(Failure::Unauthorized),
        404 => Err(Failure::NotFound),
        409 => Err(Failure::Conflict),
        400..=499 => Err(Failure::Refused(problem())),
        _ => Err(Failure::NoAnswer(format!(
            "the bank answered {}",
            problem()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<serde_json::Value, Failure> {
        read(&EgressResponse {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn a_status_says_whether_the_bank_may_have_acted() {
        assert!(answer(200, "{}").is_ok());
        assert!(matches!(answer(200, "oops"), Err(Failure::NoAnswer(_))));
        assert_eq!(answer(401, ""), Err(Failure::Unauthorized));
        assert_eq!(answer(404, ""), Err(Failure::NotFound));
        assert_eq!(answer(409, ""), Err(Failure::Conflict));
        let refused = Failure::Refused("422 no such account".to_owned());
        assert_eq!(answer(422, r#"{"title":"no such account"}"#), Err(refused));
        for status in [302, 500, 503] {
            assert!(
                matches!(answer(status, ""), Err(Failure::NoAnswer(_))),
                "{status}"
            );
        }
    }
}
