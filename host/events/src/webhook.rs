//! Standard Webhooks: the secret of an endpoint, the signature of a body, and
//! one attempt at sending it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use qiao_model::{Env, Secret, Timestamp};
use sha2::Sha256;

use crate::delivery::{Attempt, AttemptOutcome, WebhookDelivery};
use crate::egress::{Egress, EgressRequest, Method};
use crate::events::Events;

/// The header with the event's id, the same for every attempt.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the attempt's time in seconds since the epoch.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// Time for one attempt (Standard Webhooks: 15 to 30 s).
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(15);

const SECRET_PREFIX: &str = "whsec_";
/// The specification asks for 24 to 64 bytes.
const SECRET_BYTES: usize = 32;

/// The key of a new endpoint.
pub(crate) fn new_key(env: &Env) -> Secret<Vec<u8>> {
    let key: Secret<[u8; SECRET_BYTES]> = env.secret();
    Secret::new(key.expose().to_vec())
}

/// The key as its receiver keeps it: `whsec_` and base64.
pub(crate) fn secret_text(key: &Secret<Vec<u8>>) -> Secret<String> {
    Secret::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(key.expose())))
}

/// The `webhook-signature` of a body: `v1,` and the base64 of
/// HMAC-SHA256 over `id.timestamp.body`.
#[must_use]
pub fn sign_webhook(key: &Secret<Vec<u8>>, id: &str, at: Timestamp, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose())
        .expect("HMAC takes a key of any length (RFC 2104 section 2)");
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(at.as_secs().to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

impl Events {
    /// Makes one attempt at a webhook: signed, through the guard of [`Egress`].
    /// Every end is an [`Attempt`] for [`Events::finish`].
    pub async fn send_webhook(&self, egress: &Egress, webhook: &WebhookDelivery) -> Attempt {
        let begun_at = self.env.now();
        let body = webhook.event.webhook_body();
        let id = webhook.event.id.to_string();
        let header = |name: &str, value: String| (name.to_owned(), value);
        let request = EgressRequest {
            method: Method::Post,
            url: webhook.url.clone(),
            headers: vec![
                header("content-type", "application/json".to_owned()),
                header(TIMESTAMP_HEADER, begun_at.as_secs().to_string()),
                header(
                    SIGNATURE_HEADER,
                    sign_webhook(&webhook.key, &id, begun_at, body.as_bytes()),
                ),
                header(ID_HEADER, id),
            ],
            body: body.into_bytes(),
            timeout: WEBHOOK_TIMEOUT,
        };
        let (outcome, status, detail) = match egress.send(request, &self.policy).await {
            Ok(response) => {
                let outcome = match response.status {
                    200..=299 => AttemptOutcome::Delivered,
                    410 => AttemptOutcome::Gone,
                    _ => AttemptOutcome::Failed,
                };
                let detail = format!("the endpoint answered {}", response.status);
                (outcome, Some(response.status), detail)
            }
            Err(error) => (AttemptOutcome::Failed, None, error.to_string()),
        };
        let duration_ms = self.env.now().as_millis() - begun_at.as_millis();
        Attempt {
            outcome,
            status,
            duration_ms,
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_has_its_signature() {
        // The worked example of the Standard Webhooks libraries.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign_webhook(
            &Secret::new(key),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            Timestamp::from_millis(1_614_265_330_000),
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_24_to_64_bytes_behind_its_prefix() {
        let (env, _) = Env::fixed(Timestamp::from_millis(0), 1);
        let key = new_key(&env);
        let text = secret_text(&key);
        let encoded = text.expose().strip_prefix(SECRET_PREFIX).unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap(), *key.expose());
        assert!((24..=64).contains(&key.expose().len()));
    }
}
