use qiao_auth::Denied;
use qiao_db::Retryable;
use qiao_model::{InstitutionId, PluginId, PublicAccountId, ReleaseId, UserId};

use crate::institution::InstitutionState;
use crate::release::ReleaseState;

/// Why this room refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name is empty, too long or has control characters.
    #[error("a name is 1 to 64 characters, a summary at most 200, without line breaks")]
    InvalidName,
    /// A handle is not of its form, or reserved.
    #[error(
        "`{0}` cannot be a handle; use 3 to 32 of a-z 0-9 -, beginning with a letter, \
         without -- and without - at the end, and not one of the platform's own words"
    )]
    InvalidHandle(String),
    /// Another public account has it.
    #[error("the handle `{0}` is taken")]
    HandleTaken(String),
    /// No such institution.
    #[error("there is no institution {0}")]
    UnknownInstitution(InstitutionId),
    /// Its state does not allow it.
    #[error("institution {institution} is {}", .state.name())]
    InstitutionState {
        /// Which.
        institution: InstitutionId,
        /// The state that it is in.
        state: InstitutionState,
    },
    /// No such public account, or its institution is not active.
    #[error("there is no public account {0}")]
    UnknownAccount(PublicAccountId),
    /// No such plugin, or not this institution's.
    #[error("there is no plugin {0}")]
    UnknownPlugin(PluginId),
    /// No such release, or not this institution's.
    #[error("there is no release {0}")]
    UnknownRelease(ReleaseId),
    /// Its state does not allow it.
    #[error("release {release} is {}", .state.name())]
    ReleaseState {
        /// Which.
        release: ReleaseId,
        /// The state that it is in.
        state: ReleaseState,
    },
    /// A rejection, a suspension or a stop without a reason, or a long one.
    #[error("a reason is 1 to 500 characters")]
    InvalidReason,
    /// The plugin's `activate` failed; the release that was active still is.
    #[error("release {release} did not activate: {cause}")]
    ActivationFailed {
        /// Which.
        release: ReleaseId,
        /// What the plugin or the runtime says.
        cause: String,
    },
    /// The user does not follow the public account.
    #[error("user {user} does not follow public account {account}")]
    NotFollower {
        /// The account.
        account: PublicAccountId,
        /// Who.
        user: UserId,
    },
    /// The account wrote as much as it may until the user writes or pays again.
    #[error("public account {account} may not write to this user until they write or pay again")]
    QuotaExceeded {
        /// The account.
        account: PublicAccountId,
    },
    /// A message is empty, too long or has control characters.
    #[error("a message is 1 to 600 characters of plain text")]
    InvalidText,
    /// Signing in, staff and clients.
    #[error(transparent)]
    Auth(#[from] qiao_auth::Error),
    /// The caller may not do it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database did not do it.
    #[error("registry storage failed")]
    Storage(#[from] qiao_db::Error),
}

impl Error {
    /// Whether the caller was refused, rather than failed by the host.
    pub(crate) const fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::Storage(_)
                | Self::Auth(qiao_auth::Error::Storage(_) | qiao_auth::Error::Crypto(_))
        )
    }
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Storage(error) => error.is_retryable(),
            Self::Auth(error) => error.is_retryable(),
            _ => false,
        }
    }
}
