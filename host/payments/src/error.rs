use qiao_auth::Denied;
use qiao_db::Retryable;

use crate::refusal::Refusal;

/// Why the payment API did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The caller may do such things, but not with somebody else's money.
    #[error("{actor} may not do it with what belongs to others")]
    NotOwner {
        /// Who asked.
        actor: String,
    },
    /// The PIN was proven by somebody else, or too long ago.
    #[error("the PIN was not proven by this person just now")]
    PinForeign,
    /// The rules refused; nothing is in the books.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed. Whether it took effect is known by asking again
    /// with the same id or key.
    #[error("payment storage failed")]
    Storage(#[from] qiao_db::Error),
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Storage(error) => error.is_retryable(),
            Self::Denied(_) | Self::NotOwner { .. } | Self::PinForeign | Self::Refused(_) => false,
        }
    }
}
