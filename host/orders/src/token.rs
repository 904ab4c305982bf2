//! The signed text of a quote: `v2.<claims>.<mac>`, both base64url, and the MAC as
//! HMAC-SHA-256 over all before it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use qiao_model::Secret;
use sha2::Sha256;

use crate::claims::{self, ClaimsError};
use crate::quote::Quote;

/// Bytes of a token at most.
pub const TOKEN_BYTES_MAX: usize = 64 << 10;
const VERSION: &str = "v2";
/// Keeps this key apart from other uses of the host key.
const PURPOSE: &[u8] = b"qiao orders quote v1";

type HmacSha256 = Hmac<Sha256>;

/// Signs quotes and verifies them. Every node of a host has the same key.
#[derive(Clone, Debug)]
pub struct QuoteSigner {
    key: Secret<[u8; 32]>,
}

/// Why a token is not a quote of this host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not of the form.
    #[error("the quote is malformed")]
    Malformed,
    /// Altered, or signed by another host.
    #[error("the quote's signature is not this host's")]
    Signature,
    /// Signed by this host and yet unreadable.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
}

impl QuoteSigner {
    /// Derives the signing key from the host's key.
    #[must_use]
    pub fn new(host_key: &Secret<[u8; 32]>) -> Self {
        let mut mac = keyed(host_key.expose());
        mac.update(PURPOSE);
        Self {
            key: Secret::new(mac.finalize().into_bytes().into()),
        }
    }

    /// Signs a quote: fills its token.
    #[must_use]
    pub fn sign(&self, mut quote: Quote) -> Quote {
        let claims = claims::write(&quote);
        // Four characters for three bytes, and as much again is enough for the rest.
        let mut token = String::with_capacity(2 * claims.len());
        token.push_str(VERSION);
        token.push('.');
        BASE64.encode_string(claims, &mut token);
        let mac = self.mac(&token).finalize().into_bytes();
        token.push('.');
        BASE64.encode_string(mac, &mut token);
        quote.token = token;
        quote
    }

    /// The quote of a token, if this host signed it. Says nothing about its expiry.
    ///
    /// # Errors
    /// Malformed, altered, or signed by another host.
    pub fn verify(&self, token: &str) -> Result<Quote, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let (body, mac) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let mac = BASE64.decode(mac).map_err(|_| TokenError::Malformed)?;
        self.mac(body)
            .verify_slice(&mac)
            .map_err(|_| TokenError::Signature)?;
        read(token)
    }

    fn mac(&self, body: &str) -> HmacSha256 {
        let mut mac = keyed(self.key.expose());
        mac.update(body.as_bytes());
        mac
    }
}

/// The quote of a token that was verified when it was stored.
///
/// # Errors
/// It is not of the form.
pub(crate) fn read(token: &str) -> Result<Quote, TokenError> {
    let mut parts = token.split('.');
    let (Some(VERSION), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    let claims = BASE64.decode(claims).map_err(|_| TokenError::Malformed)?;
    let mut quote = claims::read(&claims)?;
    quote.token = token.to_owned();
    Ok(quote)
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn keyed(key: &[u8; 32]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::tests::quote;

    fn signer(byte: u8) -> QuoteSigner {
        QuoteSigner::new(&Secret::new([byte; 32]))
    }

    #[test]
    fn a_signed_quote_survives_its_token() {
        let signed = signer(1).sign(quote());
        assert_eq!(signer(1).verify(&signed.token), Ok(signed.clone()));
        assert_eq!(read(&signed.token), Ok(signed));
    }

    #[test]
    fn a_quote_of_another_host_is_refused() {
        let signed = signer(1).sign(quote());
        assert_eq!(signer(2).verify(&signed.token), Err(TokenError::Signature));
    }

    #[test]
    fn a_token_with_any_byte_altered_is_refused() {
        let token = signer(1).sign(quote()).token;
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(signer(1).verify(&altered).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_text_that_is_no_token_is_refused() {
        let long = "A".repeat(TOKEN_BYTES_MAX + 1);
        for text in ["", "v2", "v2.", "v2..", "v2.e30.", "v1.e30.AAAA", &long] {
            assert!(signer(1).verify(text).is_err(), "{text:.10}");
        }
    }
}
