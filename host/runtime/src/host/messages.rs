use std::sync::Arc;

use qiao_model::Scope;

use crate::bindings::v0_1_0::qiao::host::messages::{Host, MessagesError};
use crate::guest::Guest;
use crate::host::{Answer, Refusal};
use crate::limits::MESSAGE_CHARS_MAX;
use crate::ports::MessagesPortError;

impl Refusal for MessagesError {
    fn denied(reason: String) -> Self {
        Self::Denied(reason)
    }

    fn unavailable() -> Self {
        Self::Unavailable
    }
}

impl From<MessagesPortError> for MessagesError {
    fn from(error: MessagesPortError) -> Self {
        match error {
            MessagesPortError::NotFollower => Self::NotFollower,
            MessagesPortError::QuotaExceeded => Self::QuotaExceeded,
            MessagesPortError::InvalidText => Self::InvalidText,
            MessagesPortError::Denied(reason) => Self::Denied(reason),
            MessagesPortError::Unavailable => Self::Unavailable,
        }
    }
}

impl Host for Guest {
    fn send(&mut self, subject: String, text: String) -> Answer<(), MessagesError> {
        self.call(Scope::MessagesSend, |guest, permit| {
            let chars = text.chars().count();
            if text.trim().is_empty() || chars > MESSAGE_CHARS_MAX {
                return Ok(Err(MessagesError::InvalidText));
            }
            let ports = Arc::clone(&guest.shared.ports);
            let institution = guest.shared.release.institution;
            let user = guest.wait(ports.gate.user_of_subject(institution, &subject));
            let user = match user {
                Some(Ok(Some(user))) => user,
                // Nobody learns from this whether a pseudonym exists.
                Some(Ok(None)) => return Ok(Err(MessagesError::NotFollower)),
                Some(Err(_)) | None => return Ok(Err(MessagesError::Unavailable)),
            };
            let sent = guest.wait(ports.messages.send(permit, user, &text));
            Ok(match sent {
                Some(sent) => sent.map_err(MessagesError::from),
                None => Err(MessagesError::Unavailable),
            })
        })
    }
}
