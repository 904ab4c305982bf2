//! Telling the platform what became of a payment, signed as Standard Webhooks.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::payment::Payment;

/// When a callback that was not taken is sent again.
const RETRY_AFTER: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
];

const TIMEOUT: Duration = Duration::from_secs(15);
const SECRET_PREFIX: &str = "whsec_";

/// The key that callbacks are signed with.
#[derive(Clone)]
pub(crate) struct CallbackKey(Vec<u8>);

impl CallbackKey {
    /// The key of a secret such as `whsec_MfKQ9r8G…`; `None` when it is not base64.
    pub(crate) fn parse(secret: &str) -> Option<Self> {
        let text = secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret);
        STANDARD.decode(text).ok().map(Self)
    }

    /// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
    fn sign(&self, id: &str, timestamp_s: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .expect("HMAC takes a key of any length (RFC 2104 section 2)");
        mac.update(format!("{id}.{timestamp_s}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// One message to the platform.
pub(crate) struct Callback {
    pub(crate) url: String,
    pub(crate) key: CallbackKey,
    pub(crate) payment: Payment,
}

impl Callback {
    /// Sends it until it is taken, or the attempts end.
    pub(crate) async fn deliver(self, http: reqwest::Client, now_ms: impl Fn() -> i64) {
        for pause in RETRY_AFTER {
            if self.attempt(&http, now_ms()).await {
                return;
            }
            tokio::time::sleep(pause).await;
        }
        self.attempt(&http, now_ms()).await;
    }

    async fn attempt(&self, http: &reqwest::Client, now_ms: i64) -> bool {
        let payment = &self.payment;
        let id = format!("msg_{}", payment.bank_reference);
        let timestamp_s = now_ms.div_euclid(1000);
        let body = json!({
            "id": payment.id,
            "bank_reference": payment.bank_reference,
            "state": payment.state,
            "reason": payment.reason,
            "booked_at": payment.booked_at,
        })
        .to_string();
        let signature = self.key.sign(&id, timestamp_s, &body);
        let request = http
            .post(&self.url)
            .timeout(TIMEOUT)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp_s.to_string())
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            Ok(response) => response.status().is_success(),
            Err(_) => false,
        }
    }
}
