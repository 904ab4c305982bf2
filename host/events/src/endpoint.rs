use qiao_model::{EndpointId, InstitutionId, Timestamp, is_plain_text};
use url::Url;

use crate::egress::Policy;
use crate::error::Error;

/// Endpoints of one institution at most.
pub const ENDPOINTS_MAX: usize = 16;
/// Kinds that one endpoint names at most.
pub const KINDS_MAX: usize = 32;
/// Characters of an endpoint's address at most.
pub const URL_CHARS_MAX: usize = 512;
/// Characters of a kind of event at most.
pub const KIND_CHARS_MAX: usize = 64;

/// Where an institution wants its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEndpoint {
    /// An `https` address.
    pub url: String,
    /// Which kinds of events; none means all.
    pub kinds: Vec<String>,
}

/// Whether an endpoint gets events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// It does.
    Enabled,
    /// It failed for too long or answered 410; see [`crate::Events::enable_endpoint`].
    Disabled,
}

/// A registered webhook endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Whose.
    pub institution: InstitutionId,
    /// Its address.
    pub url: String,
    /// Which kinds of events; none means all.
    pub kinds: Vec<String>,
    /// Whether it gets events.
    pub state: EndpointState,
    /// Since when every attempt failed, if the last one did.
    pub failing_since: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl EndpointState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

impl NewEndpoint {
    /// The address, if it can be an endpoint under this policy. Only addresses
    /// that the operator allows by name may be private or without TLS; names
    /// are resolved, and checked again, at every attempt.
    pub(crate) fn check(&self, policy: &Policy) -> Result<Url, Error> {
        if self.kinds.len() > KINDS_MAX {
            return Err(Error::InvalidKind(format!("{} kinds", self.kinds.len())));
        }
        if let Some(kind) = self.kinds.iter().find(|kind| !is_kind(kind)) {
            return Err(Error::InvalidKind(kind.chars().take(40).collect()));
        }
        let refuse = |cause| Error::InvalidUrl {
            url: self.url.chars().take(80).collect(),
            cause,
        };
        if self.url.chars().count() > URL_CHARS_MAX {
            return Err(refuse("it is longer than 512 characters"));
        }
        if !is_plain_text(&self.url) {
            return Err(refuse("it has control characters"));
        }
        let url = Url::parse(&self.url).map_err(|_| refuse("it is not an address"))?;
        if url.fragment().is_some() {
            return Err(refuse("it has a fragment"));
        }
        policy
            .check_url(&url)
            .map_err(|_| refuse("it has no host, has a password, or is of a private network"))?;
        if url.scheme() != "https" && !policy.allows_private(&url) {
            return Err(refuse("it is not https"));
        }
        Ok(url)
    }
}

/// Dotted lower-case words: `order.completed`.
fn is_kind(text: &str) -> bool {
    (1..=KIND_CHARS_MAX).contains(&text.len())
        && text.split('.').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, kinds: &[&str]) -> Result<Url, Error> {
        let policy = Policy::allowing(["127.0.0.1:9100"]).unwrap();
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let url = url.to_owned();
        NewEndpoint { url, kinds }.check(&policy)
    }

    #[test]
    fn an_endpoint_is_https_or_allowed_by_the_operator() {
        assert!(check("https://shop.example/hook?a=b", &["order.completed"]).is_ok());
        assert!(check("http://127.0.0.1:9100/hook", &[]).is_ok());
        for refused in [
            "http://shop.example/hook",
            "ftp://shop.example/hook",
            "shop.example",
            "https://shop.example/hook#part",
            "https://user:password@shop.example/",
            "https://127.0.0.1/",
            "http://127.0.0.1:9101/",
            "https://[::1]/",
            "https://10.0.0.1/",
            "https://2130706433/",
        ] {
            assert!(check(refused, &[]).is_err(), "{refused}");
        }
    }

    #[test]
    fn the_longest_address_is_taken_and_one_character_more_is_refused() {
        let base = "https://shop.example/";
        let url = |chars: usize| format!("{base}{}", "x".repeat(chars - base.len()));
        assert!(check(&url(URL_CHARS_MAX), &[]).is_ok());
        assert!(check(&url(URL_CHARS_MAX + 1), &[]).is_err());
    }

    #[test]
    fn kinds_are_dotted_words_and_not_too_many() {
        let url = "https://shop.example/";
        for refused in [
            "",
            "Order",
            "order..x",
            "order.",
            "order x",
            &"k".repeat(65),
        ] {
            assert!(check(url, &[refused]).is_err(), "{refused}");
        }
        assert!(check(url, &[&"k".repeat(KIND_CHARS_MAX)]).is_ok());
        assert!(check(url, &["a"; KINDS_MAX]).is_ok());
        assert!(check(url, &["a"; KINDS_MAX + 1]).is_err());
    }
}
