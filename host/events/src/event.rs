use qiao_model::{EventId, InstitutionId, PluginId, Timestamp};

/// Something that happened, to be written beside the fact with [`crate::append`].
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Its id: derived from what changed, so that one change is one event.
    pub id: EventId,
    /// What happened, as webhooks name it: `order.completed`.
    pub kind: &'static str,
    /// Whose webhook endpoints are told, if anybody's.
    pub institution: Option<InstitutionId>,
    /// Which plugin is told, if any.
    pub plugin: Option<PluginId>,
    /// The id of what it happened to.
    pub subject: String,
    /// The data of the webhook, at most [`PAYLOAD_BYTES_MAX`] as text.
    pub payload: serde_json::Value,
}

/// An event as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id: the `webhook-id`, the same for every attempt.
    pub id: EventId,
    /// What happened.
    pub kind: String,
    /// Whose endpoints are told.
    pub institution: Option<InstitutionId>,
    /// Which plugin is told.
    pub plugin: Option<PluginId>,
    /// The id of what it happened to.
    pub subject: String,
    /// The data, as JSON text.
    pub payload: String,
    /// When it was written.
    pub created_at: Timestamp,
}

/// The body of a webhook stays below 20 kB (Standard Webhooks).
pub const WEBHOOK_BODY_BYTES_MAX: usize = 20_000;
/// So much of it is left for the payload beside type and time.
pub const PAYLOAD_BYTES_MAX: usize = WEBHOOK_BODY_BYTES_MAX - ENVELOPE_BYTES_MAX;
const ENVELOPE_BYTES_MAX: usize = 256;

impl NewEvent {
    /// The payload as it is stored. One that is too large gives way to a note
    /// that names the subject: the receiver can read the rest from the API, and
    /// the fact is never refused because of its announcement.
    pub(crate) fn stored_payload(&self) -> String {
        let text = self.payload.to_string();
        if text.len() <= PAYLOAD_BYTES_MAX {
            return text;
        }
        tracing::error!(
            event.id = %self.id,
            event.kind = self.kind,
            bytes = text.len(),
            "the payload of an event is too large for a webhook and was left out"
        );
        let subject: String = self.subject.chars().take(64).collect();
        serde_json::json!({ "subject": subject, "omitted": "the payload exceeded its size limit" })
            .to_string()
    }
}

impl Event {
    /// The body of the webhook: `type`, `timestamp` and `data` (Standard Webhooks).
    #[must_use]
    pub fn webhook_body(&self) -> String {
        format!(
            r#"{{"type":{},"timestamp":"{}","data":{}}}"#,
            serde_json::Value::from(self.kind.as_str()),
            self.created_at.rfc3339(),
            self.payload
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(payload: Value) -> NewEvent {
        NewEvent {
            id: EventId::from_u128(1),
            kind: "order.completed",
            institution: None,
            plugin: None,
            subject: "ord_1".to_owned(),
            payload,
        }
    }

    #[test]
    fn the_largest_payload_is_kept_and_one_byte_more_is_left_out() {
        let quotes = 2;
        let largest = event(Value::from("x".repeat(PAYLOAD_BYTES_MAX - quotes)));
        assert_eq!(largest.stored_payload().len(), PAYLOAD_BYTES_MAX);
        let larger = event(Value::from("x".repeat(PAYLOAD_BYTES_MAX - quotes + 1)));
        let stored: Value = serde_json::from_str(&larger.stored_payload()).unwrap();
        assert_eq!(stored["subject"], "ord_1");
        assert!(stored["omitted"].is_string());
    }

    #[test]
    fn a_webhook_with_the_largest_payload_stays_below_the_limit() {
        let event = Event {
            id: EventId::from_u128(1),
            kind: "k".repeat(64),
            institution: None,
            plugin: None,
            subject: "ord_1".to_owned(),
            payload: "x".repeat(PAYLOAD_BYTES_MAX),
            created_at: Timestamp::from_millis(1_790_000_000_000),
        };
        assert!(event.webhook_body().len() < WEBHOOK_BODY_BYTES_MAX);
    }

    #[test]
    fn the_body_of_a_webhook_is_json_with_type_timestamp_and_data() {
        let event = Event {
            id: EventId::from_u128(1),
            kind: "order.completed".to_owned(),
            institution: None,
            plugin: None,
            subject: "ord_1".to_owned(),
            payload: r#"{"order":"ord_1"}"#.to_owned(),
            created_at: Timestamp::from_millis(0),
        };
        let body: Value = serde_json::from_str(&event.webhook_body()).unwrap();
        assert_eq!(
            body,
            json!({
                "type": "order.completed",
                "timestamp": "1970-01-01T00:00:00.000Z",
                "data": { "order": "ord_1" },
            })
        );
    }
}
