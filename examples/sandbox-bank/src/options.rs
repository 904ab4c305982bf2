use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::account::Customer;
use crate::clock::Clock;

/// The client id of the platform, unless the options say otherwise.
pub const CLIENT_ID_DEFAULT: &str = "qiao";
/// The client's secret, unless the options say otherwise. It guards play money.
pub const CLIENT_SECRET_DEFAULT: &str = "sandbox-client-secret";
/// What callbacks are signed with, unless the options say otherwise.
pub const WEBHOOK_SECRET_DEFAULT: &str = "whsec_c2FuZGJveC1iYW5rLWNhbGxiYWNrLXNlY3JldA==";

/// How long an access token lives, unless the options say otherwise.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(600);

/// How a bank is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The bank's name on its pages.
    pub name: String,
    /// The platform's client id.
    pub client_id: String,
    /// The platform's client secret.
    pub client_secret: String,
    /// Where codes may be sent. Empty: any path of any port of this machine.
    pub redirect_uris: Vec<String>,
    /// Where callbacks go; without it none are sent.
    pub callback_url: Option<String>,
    /// What callbacks are signed with, `whsec_` and base64.
    pub webhook_secret: String,
    /// Who banks here from the start, people and institutions.
    pub customers: Vec<Customer>,
    /// What the custody account holds at first, in fen.
    pub custody_opening_minor: i64,
    /// How long an access token lives.
    pub token_lifetime: Duration,
    /// Whether `/control` answers.
    pub control: bool,
    /// Where the bank reads the time.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            name: "Sandbox Bank".to_owned(),
            client_id: CLIENT_ID_DEFAULT.to_owned(),
            client_secret: CLIENT_SECRET_DEFAULT.to_owned(),
            redirect_uris: Vec::new(),
            callback_url: None,
            webhook_secret: WEBHOOK_SECRET_DEFAULT.to_owned(),
            customers: Vec::new(),
            custody_opening_minor: 0,
            token_lifetime: TOKEN_LIFETIME,
            control: false,
            clock: Clock::default(),
        }
    }
}
