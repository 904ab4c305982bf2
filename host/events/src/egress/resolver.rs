use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::network::is_public;

/// Resolves names at the moment of the connection, so that the address that was
/// checked is the address that is connected to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Resolver {
    /// Refuses a name if any of its addresses is not public.
    Guarded,
    /// Takes every address.
    Open,
}

/// A name resolved to an address outside the public internet.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to a private network")]
pub(super) struct PrivateAddress;

/// Addresses of a name that are tried at most.
const ADDRESSES_MAX: usize = 8;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = *self;
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut addresses = resolver.admit(found)?;
            addresses.truncate(ADDRESSES_MAX);
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl Resolver {
    fn admit(self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, PrivateAddress> {
        match self {
            Self::Open => Ok(found),
            Self::Guarded if found.iter().all(|address| is_public(address.ip())) => Ok(found),
            Self::Guarded => Err(PrivateAddress),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_private_address_among_public_ones_refuses_the_name() {
        let public: SocketAddr = "1.1.1.1:0".parse().unwrap();
        let private: SocketAddr = "10.0.0.1:0".parse().unwrap();
        assert!(Resolver::Guarded.admit(vec![public]).is_ok());
        assert!(Resolver::Guarded.admit(vec![public, private]).is_err());
        assert!(Resolver::Open.admit(vec![public, private]).is_ok());
    }
}
