use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use qiao_model::{BankTransferId, Channel, Secret};
use sha2::Sha256;

use crate::answer::{Evidence, Via};
use crate::banks::Banks;
use crate::client::payment::AnswerBody;
use crate::error::Error;
use crate::machine::Refused;
use crate::rules::Change;
use crate::store;

const SECRET_PREFIX: &str = "whsec_";

/// The key of a bank's callbacks, from how the bank writes it: `whsec_` and base64.
#[must_use]
pub fn callback_key(secret: &str) -> Option<Secret<Vec<u8>>> {
    let encoded = secret.strip_prefix(SECRET_PREFIX)?;
    STANDARD.decode(encoded).ok().map(Secret::new)
}

/// What a bank sends with a callback (Standard Webhooks).
#[derive(Clone, Copy, Debug, Default)]
pub struct CallbackHeaders<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`, in seconds.
    pub timestamp: &'a str,
    /// `webhook-signature`: one or more of `v1,` and base64.
    pub signature: &'a str,
}

impl Banks {
    /// Takes a bank's word on a transfer. Its signature is the permit. How old it
    /// is does not matter: the same word again tells nothing new, and a state
    /// never goes back.
    ///
    /// # Errors
    /// There is no such channel, the signature is not the bank's, the body cannot
    /// be read, it is about no transfer of this channel, or the database failed:
    /// then the bank calls again.
    pub async fn callback(
        &self,
        code: Channel,
        headers: CallbackHeaders<'_>,
        body: &[u8],
    ) -> Result<(), Error> {
        let inner = self.inner();
        let channel = inner.client.channel(code);
        let key = &channel.ok_or(Error::UnknownChannel(code))?.callback_key;
        if !is_signed(key.expose(), headers, body) {
            return Err(Error::BadSignature(code));
        }
        let body: AnswerBody = serde_json::from_slice(body).map_err(|_| Error::BadCallback)?;
        let id: BankTransferId = body.id.parse().map_err(|_| Error::BadCallback)?;
        let answer = body.read().ok_or(Error::BadCallback)?;
        let transfer = store::transfer::find(&inner.db, id).await?;
        let transfer = transfer.ok_or(Error::UnknownTransfer(id))?;
        if transfer.route.channel != code {
            // It goes another way now; what this channel says was known when it was left.
            tracing::error!(transfer.id = %id, channel = %code, state = %answer.state, "a bank calls about a transfer that it does not carry");
            return Err(Error::UnknownTransfer(id));
        }
        let detail = answer.reason.clone().unwrap_or_default();
        let learned = (answer.state.name(), detail.as_str());
        let evidence = Evidence::new(inner.env.now(), code, Via::Callback, learned);
        let change = Change::Answered {
            attempt: None,
            answer,
        };
        match self.change(id, change, vec![evidence]).await? {
            Ok(_) => Ok(()),
            Err(Refused::Transfer(refusal)) => Err(refusal.into()),
            Err(Refused::Payment(refusal)) => Err(refusal.into()),
            Err(Refused::Conflict(id)) => Err(Error::Conflict(id)),
        }
    }
}

/// Whether one of the signatures is HMAC-SHA256 over `id.timestamp.body`.
fn is_signed(key: &[u8], headers: CallbackHeaders<'_>, body: &[u8]) -> bool {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return false;
    };
    headers.signature.split(' ').any(|signature| {
        let Some(signature) = signature.strip_prefix("v1,") else {
            return false;
        };
        let Ok(signature) = STANDARD.decode(signature) else {
            return false;
        };
        let mut mac = mac.clone();
        mac.update(headers.id.as_bytes());
        mac.update(b".");
        mac.update(headers.timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.verify_slice(&signature).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use qiao_events::sign_webhook;
    use qiao_model::{Secret, Timestamp};

    use super::*;

    #[test]
    fn a_signature_of_standard_webhooks_counts_and_no_other() {
        let key = Secret::new(b"0123456789abcdef01234567".to_vec());
        let at = Timestamp::from_millis(1_790_000_000_000);
        let signature = sign_webhook(&key, "msg_1", at, b"{}");
        let headers = |signature| CallbackHeaders {
            id: "msg_1",
            timestamp: "1790000000",
            signature,
        };
        let several = format!("v1,AAAA {signature}");
        assert!(is_signed(key.expose(), headers(&signature), b"{}"));
        assert!(is_signed(key.expose(), headers(&several), b"{}"));
        assert!(!is_signed(key.expose(), headers(&signature), b"{ }"));
        assert!(!is_signed(b"another key", headers(&signature), b"{}"));
        assert!(!is_signed(key.expose(), headers(""), b"{}"));
        let later = CallbackHeaders {
            timestamp: "1790000001",
            ..headers(&signature)
        };
        assert!(!is_signed(key.expose(), later, b"{}"));
    }
}
