use std::collections::BTreeSet;
use std::net::IpAddr;

use url::{Host, Url};

use super::EgressError;
use super::network::is_public;

/// Which private addresses may be reached: none, but for the hosts and ports
/// that the operator's configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    private: BTreeSet<(String, u16)>,
}

/// The text is not a host and a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host and a port such as 127.0.0.1:9100")]
pub struct PolicyError(String);

impl Policy {
    /// The public internet alone.
    #[must_use]
    pub fn public_only() -> Self {
        Self::default()
    }

    /// The public internet and these: `127.0.0.1:9100`, `[::1]:9100`, `biller.local:80`.
    /// The port is never left out.
    ///
    /// # Errors
    /// One of them is not a host and a port.
    pub fn allowing<I>(addresses: I) -> Result<Self, PolicyError>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let private = addresses
            .into_iter()
            .map(|address| host_and_port(address.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self { private })
    }

    /// Whether the operator allows this host and port by name, private or not.
    #[must_use]
    pub fn allows_private(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return false;
        };
        self.private.contains(&(host.to_owned(), port))
    }

    /// Refuses what no request may be sent to; a name is resolved later.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), EgressError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EgressError::InvalidRequest(
                "the address is not http or https",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressError::InvalidRequest("the address has a password"));
        }
        let address: Option<IpAddr> = match url.host() {
            None => return Err(EgressError::InvalidRequest("the address has no host")),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
        };
        match address {
            Some(address) if !is_public(address) && !self.allows_private(url) => {
                Err(EgressError::PrivateNetwork {
                    host: super::host_of(url),
                })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Reads the host as an address of the web would, so that both compare equal.
fn host_and_port(text: &str) -> Result<(String, u16), PolicyError> {
    let refuse = || PolicyError(text.chars().take(80).collect());
    let (host, port) = text.rsplit_once(':').ok_or_else(refuse)?;
    let port = port.parse().map_err(|_| refuse())?;
    let host = Host::parse(host).map_err(|_| refuse())?;
    Ok((host.to_string(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &Policy, url: &str) -> Result<(), EgressError> {
        policy.check_url(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_private_literal_is_refused_however_it_is_written() {
        let policy = Policy::public_only();
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://017700000001/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://169.254.169.254/latest/meta-data",
            "http://100.64.0.1/",
            "http://0.0.0.0/",
            "http://\u{ff11}27.0.0.1/",
        ] {
            let refused = check(&policy, url);
            assert!(
                matches!(refused, Err(EgressError::PrivateNetwork { .. })),
                "{url}: {refused:?}"
            );
        }
        assert!(check(&policy, "https://1.1.1.1/").is_ok());
    }

    #[test]
    fn the_operator_allows_a_host_on_one_port() {
        let policy = Policy::allowing(["127.0.0.1:9100", "[::1]:80", "Biller.Local:443"]).unwrap();
        for url in [
            "http://127.0.0.1:9100/fines",
            "http://127.1:9100/",
            "http://[::1]/",
            "https://biller.local/",
        ] {
            assert!(policy.allows_private(&Url::parse(url).unwrap()), "{url}");
            assert!(check(&policy, url).is_ok(), "{url}");
        }
        for url in [
            "http://127.0.0.1:9101/",
            "http://127.0.0.2:9100/",
            "http://[::1]:81/",
        ] {
            assert!(check(&policy, url).is_err(), "{url}");
        }
        assert!(!policy.allows_private(&Url::parse("http://biller.local/").unwrap()));
    }

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_no_password() {
        let policy = Policy::allowing(["127.0.0.1:80"]).unwrap();
        for url in [
            "ftp://shop.example/",
            "file:///etc/passwd",
            "http://a:b@127.0.0.1/",
            "http://a@127.0.0.1/",
        ] {
            let refused = check(&policy, url);
            assert!(
                matches!(refused, Err(EgressError::InvalidRequest(_))),
                "{url}"
            );
        }
    }

    #[test]
    fn an_allowed_address_names_its_port() {
        for text in [
            "127.0.0.1",
            "",
            ":80",
            "host:",
            "host:70000",
            "::1:80",
            "a b:80",
        ] {
            assert!(Policy::allowing([text]).is_err(), "{text}");
        }
    }
}
