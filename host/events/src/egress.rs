//! HTTP to the world outside, for plugins and for webhooks.
//!
//! A guest or an institution names the address, so every address is suspect:
//! names are resolved by our own resolver at the moment of the connection, and
//! an address outside the public internet is refused unless the operator
//! allows that host and port by name. Redirects are answers, proxies of the
//! environment are ignored, nothing is retried, and time, headers and bodies
//! are bounded.

mod network;
mod policy;
mod request;
mod resolver;
mod response;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use tokio::sync::Semaphore;
use url::Url;

pub use network::is_public;
pub use policy::{Policy, PolicyError};
pub use request::{EgressRequest, Method};
pub use response::EgressResponse;

use resolver::{PrivateAddress, Resolver};

/// Time for name, connection and TLS.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the whole exchange, unless the request asks for less.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(15);
/// Bytes of a request's address at most.
pub const REQUEST_URL_BYTES_MAX: usize = 4 * 1024;
/// Headers of a request at most.
pub const REQUEST_HEADERS_MAX: usize = 32;
/// Bytes of names and values of a request's headers at most.
pub const REQUEST_HEADER_BYTES_MAX: usize = 8 * 1024;
/// Bytes of a request's body at most.
pub const REQUEST_BODY_BYTES_MAX: usize = 64 * 1024;
/// Headers of a response at most.
pub const RESPONSE_HEADERS_MAX: usize = 64;
/// Bytes of names and values of a response's headers at most.
pub const RESPONSE_HEADER_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a response's body at most.
pub const RESPONSE_BODY_BYTES_MAX: usize = 256 * 1024;
/// Exchanges of one host at once; one more waits for a place while it may still connect.
pub const EXCHANGES_MAX: usize = 256;
/// Idle connections that are kept for one host and port.
const IDLE_CONNECTIONS_MAX: usize = 4;
/// Headers that the client parses at most: more than a response may have, so
/// that one that has a few too many is refused by name.
const PARSED_HEADERS_MAX: usize = 2 * RESPONSE_HEADERS_MAX;
const USER_AGENT: &str = concat!("qiao/", env!("CARGO_PKG_VERSION"));

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The address is, or resolves to, a network that is not the public internet.
    #[error("`{host}` is of a private network")]
    PrivateNetwork {
        /// The host of the address.
        host: String,
    },
    /// The address, a header or the body is malformed or too large. Nothing was sent.
    #[error("the request cannot be sent: {0}")]
    InvalidRequest(&'static str),
    /// No connection: nothing was sent.
    #[error("`{host}` cannot be reached")]
    Unreachable {
        /// The host of the address.
        host: String,
        /// Why.
        #[source]
        source: NotSent,
    },
    /// No whole answer in time: the effect is unknown.
    #[error("`{host}` did not answer in time")]
    TimedOut {
        /// The host of the address.
        host: String,
    },
    /// The connection broke, or what came is not HTTP: the effect is unknown.
    #[error("`{host}` broke the exchange off")]
    Interrupted {
        /// The host of the address.
        host: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The response exceeds a limit: the receiver did answer.
    #[error("the response has more than {limit} {of}")]
    ResponseTooLarge {
        /// The limit.
        limit: usize,
        /// Of what: bytes or headers.
        of: &'static str,
    },
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// No address, no connection or no TLS.
    #[error("no connection")]
    Connection(#[source] reqwest::Error),
    /// [`EXCHANGES_MAX`] others are under way.
    #[error("too many exchanges are under way")]
    NoPlace,
}

impl EgressError {
    /// Whether the receiver may have acted: then nobody may call it a failure.
    #[must_use]
    pub const fn effect_is_unknown(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Interrupted { .. } | Self::ResponseTooLarge { .. } => {
                true
            }
            Self::PrivateNetwork { .. } | Self::InvalidRequest(_) | Self::Unreachable { .. } => {
                false
            }
        }
    }
}

/// What one exchange comes to.
pub type Exchange<'a> =
    Pin<Box<dyn Future<Output = Result<EgressResponse, EgressError>> + Send + 'a>>;

/// What stands where the network is: a simulator's world. It gets what would have
/// been sent, and answers, or says what a network would have done to it.
pub trait Wire: fmt::Debug + Send + Sync {
    /// Carries one request that may be sent.
    fn exchange(&self, request: EgressRequest) -> Exchange<'_>;
}

/// The way out. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Egress {
    way: Way,
    /// One for each exchange that may be under way.
    places: Arc<Semaphore>,
}

#[derive(Clone, Debug)]
enum Way {
    Network {
        /// Refuses what resolves to a private network.
        guarded: reqwest::Client,
        /// For addresses that the operator allows by host and port.
        allowed: reqwest::Client,
    },
    Wire(Arc<dyn Wire>),
}

impl Egress {
    /// A way out with no connection yet.
    ///
    /// # Errors
    /// TLS cannot be set up on this machine (no certificates).
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self::by(Way::Network {
            guarded: client(Resolver::Guarded)?,
            allowed: client(Resolver::Open)?,
        }))
    }

    /// A way out that no network is behind. What may not be sent is refused all the same.
    #[must_use]
    pub fn over(wire: Arc<dyn Wire>) -> Self {
        Self::by(Way::Wire(wire))
    }

    fn by(way: Way) -> Self {
        Self {
            way,
            places: Arc::new(Semaphore::new(EXCHANGES_MAX)),
        }
    }

    /// Sends one request and waits for the whole response, of any status.
    ///
    /// # Errors
    /// See [`EgressError`]: it tells whether the receiver may have acted.
    pub async fn send(
        &self,
        request: EgressRequest,
        policy: &Policy,
    ) -> Result<EgressResponse, EgressError> {
        request.check()?;
        policy.check_url(&request.url)?;
        let client = match &self.way {
            Way::Wire(wire) => return wire.exchange(request).await,
            Way::Network { allowed, .. } if policy.allows_private(&request.url) => allowed,
            Way::Network { guarded, .. } => guarded,
        };
        let host = host_of(&request.url);
        let time = request.time();
        let waiting = tokio::time::timeout(time.min(CONNECT_TIMEOUT), self.places.acquire());
        let Ok(Ok(_place)) = waiting.await else {
            let source = NotSent::NoPlace;
            return Err(EgressError::Unreachable { host, source });
        };
        let sent = client
            .request(request.method.into(), request.url)
            .headers(request::header_map(&request.headers)?)
            .timeout(time)
            .body(request.body)
            .send()
            .await
            .map_err(|error| explain(error, &host))?;
        response::read(sent, &host).await
    }
}

fn client(resolver: Resolver) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .dns_resolver(Arc::new(resolver))
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .http1_max_headers(PARSED_HEADERS_MAX)
        .user_agent(USER_AGENT)
        .build()
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Which refusal a failure of the client is. A failure to connect is known to
/// have sent nothing; of any other failure the effect is unknown.
fn explain(error: reqwest::Error, host: &str) -> EgressError {
    let host = host.to_owned();
    if is_private_address(&error) {
        EgressError::PrivateNetwork { host }
    } else if error.is_builder() {
        EgressError::InvalidRequest("the address is not one")
    } else if error.is_connect() {
        EgressError::Unreachable {
            host,
            source: NotSent::Connection(error.without_url()),
        }
    } else if error.is_timeout() {
        EgressError::TimedOut { host }
    } else {
        EgressError::Interrupted {
            host,
            source: error.without_url(),
        }
    }
}

fn is_private_address(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<PrivateAddress>() {
            return true;
        }
        source = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says where it was asked to go.
    #[derive(Debug)]
    struct Echo;

    impl Wire for Echo {
        fn exchange(&self, request: EgressRequest) -> Exchange<'_> {
            Box::pin(async move {
                Ok(EgressResponse {
                    status: 200,
                    headers: Vec::new(),
                    body: request.url.to_string().into_bytes(),
                })
            })
        }
    }

    #[tokio::test]
    async fn a_wire_carries_what_may_be_sent_and_nothing_else() {
        let egress = Egress::over(Arc::new(Echo));
        let send = async |url: &str| {
            let request = EgressRequest {
                method: Method::Get,
                url: url.parse().unwrap(),
                headers: Vec::new(),
                body: Vec::new(),
                timeout: TIMEOUT_MAX,
            };
            egress.send(request, &Policy::public_only()).await
        };
        let answer = send("https://bank.example/custody").await.unwrap();
        assert_eq!(answer.body, b"https://bank.example/custody");
        let refused = send("http://127.0.0.1:9/custody").await.unwrap_err();
        assert!(matches!(refused, EgressError::PrivateNetwork { .. }));
    }

    #[tokio::test]
    async fn the_last_place_is_taken_and_one_exchange_more_is_not_sent() {
        // It takes connections and never answers.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let policy = Policy::allowing([&address]).unwrap();
        let egress = Egress::new().unwrap();
        let exchange = || {
            let request = EgressRequest {
                method: Method::Get,
                url: format!("http://{address}/").parse().unwrap(),
                headers: Vec::new(),
                body: Vec::new(),
                timeout: Duration::from_millis(50),
            };
            egress.send(request, &policy)
        };
        let others = u32::try_from(EXCHANGES_MAX - 1).unwrap();
        let _others = egress.places.acquire_many(others).await.unwrap();
        let sent = exchange().await.unwrap_err();
        assert!(matches!(sent, EgressError::TimedOut { .. }), "{sent:?}");
        let _last = egress.places.acquire().await.unwrap();
        let not_sent = exchange().await.unwrap_err();
        let no_place = matches!(
            not_sent,
            EgressError::Unreachable {
                source: NotSent::NoPlace,
                ..
            }
        );
        assert!(no_place && !not_sent.effect_is_unknown(), "{not_sent:?}");
    }
}
