use qiao_auth::Permit;
use qiao_model::UserId;
use qiao_registry::{Error, NewMessage, Registry};

use crate::ports::{Answering, MessagesPort, MessagesPortError};

impl MessagesPort for Registry {
    fn send<'a>(
        &'a self,
        permit: &'a Permit,
        user: UserId,
        text: &'a str,
    ) -> Answering<'a, Result<(), MessagesPortError>> {
        Box::pin(async move {
            let message = NewMessage {
                user,
                text: text.to_owned(),
                last_paid_at: None,
            };
            let sent = self.send_message(permit, message).await;
            sent.map(drop).map_err(refusal)
        })
    }
}

fn refusal(error: Error) -> MessagesPortError {
    match error {
        Error::NotFollower { .. } => MessagesPortError::NotFollower,
        Error::QuotaExceeded { .. } => MessagesPortError::QuotaExceeded,
        Error::InvalidText => MessagesPortError::InvalidText,
        Error::Denied(denied) => MessagesPortError::Denied(denied.reason().to_owned()),
        error => {
            tracing::error!(%error, "a plugin's message was not sent");
            MessagesPortError::Unavailable
        }
    }
}
