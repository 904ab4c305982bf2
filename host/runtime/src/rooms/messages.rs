use qiao_auth::{Auth, Permit};
use qiao_model::{Scope, UserId};
use qiao_payments::Payments;
use qiao_registry::{Error, MESSAGE_WINDOW_SECS, NewMessage, Registry};

use crate::ports::{Answering, MessagesPort, MessagesPortError};

/// The registry, with what it asks of payments: who paid lately may be written to.
pub(crate) struct RoomMessages {
    pub(crate) auth: Auth,
    pub(crate) payments: Payments,
    pub(crate) registry: Registry,
}

impl MessagesPort for RoomMessages {
    fn send<'a>(
        &'a self,
        permit: &'a Permit,
        user: UserId,
        text: &'a str,
    ) -> Answering<'a, Result<(), MessagesPortError>> {
        Box::pin(async move {
            let institution = permit.demand_institution();
            let institution = institution.map_err(|denied| refusal(denied.into()))?;
            let system = self
                .auth
                .permit_system("last payment before a message", Scope::PaymentsRead);
            let last = self
                .payments
                .last_paid(&system, (user, institution), MESSAGE_WINDOW_SECS);
            let message = NewMessage {
                user,
                text: text.to_owned(),
                last_paid_at: last.await.map_err(|error| unavailable(&error))?,
            };
            let sent = self.registry.send_message(permit, message).await;
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
        error => unavailable(&error),
    }
}

fn unavailable(error: &dyn std::error::Error) -> MessagesPortError {
    tracing::error!(%error, "a plugin's message was not sent");
    MessagesPortError::Unavailable
}
