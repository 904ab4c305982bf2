//! RFC 8414: where a bank's endpoints are.

use std::sync::Arc;

use qiao_events::{EgressRequest, Method};
use qiao_model::Channel;
use serde::Deserialize;
use url::Url;

use super::{Client, Failure, read};

/// How long metadata is trusted before it is read again.
const METADATA_KEPT_SECS: i64 = 600;

/// What is needed of it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) revocation_endpoint: Url,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Client {
    /// The bank's metadata. It must name the issuer that was configured
    /// (RFC 8414 section 3.3), PKCE with S256, and `iss` in its answers (RFC 9207).
    pub(crate) async fn metadata(&self, code: Channel) -> Result<Arc<Metadata>, Failure> {
        let bank = self.bank(code)?;
        let now = self.env.now();
        let mut kept = bank.metadata.lock().await;
        if let Some((read_at, metadata)) = kept.as_ref()
            && now < read_at.plus_secs(METADATA_KEPT_SECS)
        {
            return Ok(Arc::clone(metadata));
        }
        let request = EgressRequest {
            method: Method::Get,
            url: self.url(code, "/.well-known/oauth-authorization-server")?,
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: Vec::new(),
            timeout: self.timeout,
        };
        let metadata: Metadata = read(&self.send(request).await?)?;
        check(&metadata, bank.config.issuer.as_str())?;
        let metadata = Arc::new(metadata);
        *kept = Some((now, Arc::clone(&metadata)));
        Ok(metadata)
    }
}

fn check(metadata: &Metadata, issuer: &str) -> Result<(), Failure> {
    let refuse = |cause: &str| Err(Failure::Refused(cause.to_owned()));
    // A URL of an origin alone is printed with a slash that the issuer may lack.
    if metadata.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
        return refuse("its metadata is of another issuer");
    }
    let methods = &metadata.code_challenge_methods_supported;
    if !methods.iter().any(|method| method == "S256") {
        return refuse("it does not support PKCE with S256");
    }
    if !metadata.authorization_response_iss_parameter_supported {
        return refuse("it does not name itself in its answers (RFC 9207)");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        Metadata {
            issuer: "https://bank.example".to_owned(),
            authorization_endpoint: Url::parse("https://bank.example/authorize").unwrap(),
            token_endpoint: Url::parse("https://bank.example/token").unwrap(),
            revocation_endpoint: Url::parse("https://bank.example/revoke").unwrap(),
            code_challenge_methods_supported: vec!["S256".to_owned()],
            authorization_response_iss_parameter_supported: true,
        }
    }

    #[test]
    fn metadata_of_another_issuer_or_without_pkce_or_iss_is_refused() {
        let issuer = "https://bank.example/";
        assert_eq!(check(&metadata(), issuer), Ok(()));
        assert!(check(&metadata(), "https://other.example/").is_err());
        let plain = Metadata {
            code_challenge_methods_supported: vec!["plain".to_owned()],
            ..metadata()
        };
        assert!(check(&plain, issuer).is_err());
        let silent = Metadata {
            authorization_response_iss_parameter_supported: false,
            ..metadata()
        };
        assert!(check(&silent, issuer).is_err());
    }
}
