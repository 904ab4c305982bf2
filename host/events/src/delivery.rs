use qiao_model::{DeliveryId, EndpointId, EventId, InstitutionId, PluginId, Secret, Timestamp};
use url::Url;

use crate::event::Event;

/// A claimed delivery: whoever has it makes one attempt and finishes it with
/// [`crate::Events::finish`] before the lease ends. Matched by the worker, so
/// that this room never calls a plugin.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// To an institution's endpoint: see [`crate::Events::send_webhook`].
    Webhook(WebhookDelivery),
    /// To a plugin.
    Plugin(PluginDelivery),
}

/// An event for a webhook endpoint.
#[derive(Clone, Debug)]
pub struct WebhookDelivery {
    /// Which attempt of which delivery.
    pub ticket: Ticket,
    /// What happened.
    pub event: Event,
    /// Which endpoint.
    pub endpoint: EndpointId,
    /// Its address.
    pub url: Url,
    /// Its signing key.
    pub key: Secret<Vec<u8>>,
}

/// An event for a plugin.
#[derive(Clone, Debug)]
pub struct PluginDelivery {
    /// Which attempt of which delivery.
    pub ticket: Ticket,
    /// What happened.
    pub event: Event,
    /// Which plugin.
    pub plugin: PluginId,
}

/// One attempt of one delivery. The number is the fence: an attempt that
/// outlived its lease cannot finish what somebody else has claimed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The delivery.
    pub delivery: DeliveryId,
    /// 1 for the first attempt ever.
    pub attempt: u32,
}

impl Delivery {
    /// Which attempt of which delivery.
    #[must_use]
    pub const fn ticket(&self) -> Ticket {
        match self {
            Self::Webhook(webhook) => webhook.ticket,
            Self::Plugin(plugin) => plugin.ticket,
        }
    }

    /// What happened.
    #[must_use]
    pub const fn event(&self) -> &Event {
        match self {
            Self::Webhook(webhook) => &webhook.event,
            Self::Plugin(plugin) => &plugin.event,
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver took it.
    Delivered,
    /// It did not, or nobody knows; it is tried again.
    Failed,
    /// The endpoint answered 410: it wants no more (Standard Webhooks).
    Gone,
}

/// One finished attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: i64,
    /// A sentence for the institution, at most [`DETAIL_CHARS_MAX`].
    pub detail: String,
}

/// Characters of an attempt's detail that are kept.
pub const DETAIL_CHARS_MAX: usize = 256;

impl AttemptOutcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Gone => "gone",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Delivered, Self::Failed, Self::Gone]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is due, or will be.
    Waiting,
    /// The receiver took it. Final.
    Delivered,
    /// Given up; [`crate::Events::redeliver`] begins again.
    Failed,
}

impl DeliveryState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::Failed]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A delivery as its institution sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// The event.
    pub event: EventId,
    /// The event's kind.
    pub kind: String,
    /// What the event happened to.
    pub subject: String,
    /// Whose.
    pub institution: InstitutionId,
    /// The endpoint, unless it goes to a plugin.
    pub endpoint: Option<EndpointId>,
    /// The plugin, unless it goes to an endpoint.
    pub plugin: Option<PluginId>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts begun so far.
    pub attempts: u32,
    /// When the next attempt is due, while it waits.
    pub due_at: Timestamp,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A finished attempt as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// 1 for the first.
    pub number: u32,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How.
    pub attempt: Attempt,
}
