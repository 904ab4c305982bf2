use qiao_auth::Denied;
use qiao_db::Retryable;
use qiao_model::{DeliveryId, EndpointId};

use crate::seal::SealError;

/// Why this room refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address of an endpoint cannot be one.
    #[error("`{url}` cannot be a webhook endpoint: {cause}")]
    InvalidUrl {
        /// What was sent.
        url: String,
        /// Why not.
        cause: &'static str,
    },
    /// A kind of event is not of its form, or there are too many.
    #[error("`{0}` is not a kind of event such as order.completed, or there are too many")]
    InvalidKind(String),
    /// The institution has as many endpoints as it may.
    #[error("an institution has at most {0} webhook endpoints")]
    TooManyEndpoints(usize),
    /// No such endpoint of this institution.
    #[error("there is no webhook endpoint {0}")]
    UnknownEndpoint(EndpointId),
    /// No such delivery of this institution.
    #[error("there is no delivery {0}")]
    UnknownDelivery(DeliveryId),
    /// The delivery waits already, or its endpoint is disabled or deleted.
    #[error("delivery {0} cannot be sent again: it waits already or its endpoint is not enabled")]
    NotRedeliverable(DeliveryId),
    /// The attempt outlived its lease and somebody else has the delivery now.
    #[error("the lease of delivery {0} ran out before its attempt was finished")]
    LeaseLost(DeliveryId),
    /// The caller may not do it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A stored secret does not open: another key, or the row was changed.
    #[error("the signing secret of endpoint {0} does not open")]
    SealedSecret(EndpointId, #[source] SealError),
    /// The cipher failed, which it never should.
    #[error("sealing failed")]
    Seal(#[from] SealError),
    /// The database did not do it.
    #[error("event storage failed")]
    Storage(#[from] qiao_db::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_retryable())
    }
}
