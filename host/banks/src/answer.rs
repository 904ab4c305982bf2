use qiao_model::{Channel, Timestamp, to_plain_text};

use crate::transfer::TransferState;

/// Answers kept for one transfer at most; a bank that repeats itself beyond
/// that is heard, not written down.
pub const ANSWERS_KEPT_MAX: u32 = 200;
/// A detail is cut here.
pub(crate) const DETAIL_CHARS_MAX: usize = 300;

/// What a bank says of a transfer: `accepted`, `done` or `rejected`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// One of the three.
    pub state: TransferState,
    /// The bank's own id of it.
    pub bank_reference: Option<String>,
    /// Why it was rejected, in the bank's word.
    pub reason: Option<String>,
    /// When it was booked.
    pub booked_at: Option<Timestamp>,
}

/// How something was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// It was sent.
    Send,
    /// The bank was asked for it.
    Query,
    /// The bank called.
    Callback,
    /// An operator decided.
    Operator,
}

impl Via {
    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Query => "query",
            Self::Callback => "callback",
            Self::Operator => "operator",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Send, Self::Query, Self::Callback, Self::Operator]
            .into_iter()
            .find(|via| via.name() == name)
    }
}

/// One answer, or its absence, as it is kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// When.
    pub at: Timestamp,
    /// Of which channel.
    pub channel: Channel,
    /// How it was learned.
    pub via: Via,
    /// What: a state, `not-found`, `no-answer`, `unreachable` or `refused`.
    pub outcome: String,
    /// A sentence. No secrets.
    pub detail: String,
}

/// The outcome of an exchange that could not even begin.
pub(crate) const UNREACHABLE: &str = "unreachable";
/// The outcome of an exchange without an answer.
pub(crate) const NO_ANSWER: &str = "no-answer";
/// The bank knows of no such transfer.
pub(crate) const NOT_FOUND: &str = "not-found";
/// The bank refused the request itself.
pub(crate) const REFUSED: &str = "refused";

impl Evidence {
    /// What was learned now, with its detail cut.
    pub(crate) fn new(
        at: Timestamp,
        channel: Channel,
        via: Via,
        (outcome, detail): (&str, &str),
    ) -> Self {
        Self {
            at,
            channel,
            via,
            outcome: outcome.to_owned(),
            detail: to_plain_text(detail, DETAIL_CHARS_MAX),
        }
    }
}
