use qiao_db::Retryable;
use qiao_model::{OAuthClientId, Scope, Timestamp, UserId};

use crate::keys::KeyError;
use crate::permit::Actor;

/// The caller may not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{actor} may not use `{scope}`: {reason}")]
pub struct Denied {
    actor: String,
    scope: Scope,
    reason: &'static str,
}

impl Denied {
    pub(crate) fn new(actor: &Actor, scope: Scope, reason: &'static str) -> Self {
        Self {
            actor: actor.to_string(),
            scope,
            reason,
        }
    }

    /// What was asked for.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// Why not, in a sentence without the names.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }
}

/// Why this room refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log-in name is not 3 to 64 of `a-z 0-9 . _ - @ +`.
    #[error("a log-in name is 3 to 64 characters of a-z 0-9 . _ - @ +")]
    InvalidLogin,
    /// The name is empty, too long or has control characters.
    #[error("a name is 1 to 64 characters")]
    InvalidName,
    /// Somebody has this log-in name.
    #[error("the log-in name `{0}` is taken")]
    LoginTaken(String),
    /// Too short, too long, or as good as none.
    #[error("a password is 8 to 128 characters, not all the same and not the log-in name")]
    WeakPassword,
    /// No such person, or another password: which of the two is not told.
    #[error("the log-in name or the password is wrong")]
    WrongCredentials,
    /// Too many wrong guesses at this log-in name.
    #[error("too many failed log-ins; try again in {retry_after_secs} s")]
    TooManyAttempts {
        /// When it is worth trying again.
        retry_after_secs: i64,
    },
    /// There is an operator already; an operator adds others.
    #[error("this platform has an operator already")]
    OperatorExists,
    /// No such person.
    #[error("there is no user {0}")]
    UnknownUser(UserId),
    /// No such client, or not this institution's.
    #[error("there is no client {0}")]
    UnknownClient(OAuthClientId),
    /// The person has no payment PIN yet.
    #[error("no payment PIN is set")]
    NoPin,
    /// A PIN is changed with the old one, not set again.
    #[error("a payment PIN is set already")]
    PinAlreadySet,
    /// Not 6 digits, all the same, or counting up or down.
    #[error("a payment PIN is 6 digits, not all the same and not in sequence")]
    WeakPin,
    /// Another PIN.
    #[error("the payment PIN is wrong; {tries_left} tries left")]
    WrongPin {
        /// Before it locks.
        tries_left: u32,
    },
    /// Too many wrong PINs.
    #[error("the payment PIN is locked until {}", .until.rfc3339())]
    PinLocked {
        /// Until when.
        until: Timestamp,
    },
    /// The proof is another person's, or too old.
    #[error("the proof of the payment PIN is not this person's or has expired")]
    InvalidPinProof,
    /// A key set or a PEM file that this platform does not take.
    #[error("the keys are not acceptable")]
    Keys(#[from] KeyError),
    /// A scope that belongs to people.
    #[error("the scope `{0}` cannot be granted to a client")]
    ScopeNotGrantable(Scope),
    /// The client asks for no such scope.
    #[error("client {client} does not ask for `{scope}`")]
    ScopeNotAsked {
        /// Which client.
        client: OAuthClientId,
        /// What was decided of it.
        scope: Scope,
    },
    /// The caller may not do it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database did not do it.
    #[error("auth storage failed")]
    Storage(#[from] qiao_db::Error),
    /// A cryptographic operation failed, which it never should.
    #[error("{0} failed")]
    Crypto(&'static str),
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

/// Why an OAuth endpoint refused (RFC 6749 section 5.2).
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// A parameter is missing or malformed.
    #[error("invalid request: {0}")]
    InvalidRequest(&'static str),
    /// The client did not prove who it is.
    #[error("invalid client: {0}")]
    InvalidClient(&'static str),
    /// This endpoint does not do that grant.
    #[error("unsupported grant type")]
    UnsupportedGrantType,
    /// The client may not have that scope, or there is none of that name.
    #[error("invalid scope: {0}")]
    InvalidScope(String),
    /// The host failed.
    #[error("the authorization server failed")]
    Internal(#[from] Error),
}

impl OAuthError {
    /// The `error` parameter of the response.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient(_) => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope(_) => "invalid_scope",
            Self::Internal(_) => "server_error",
        }
    }
}

impl From<qiao_db::Error> for OAuthError {
    fn from(error: qiao_db::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl Retryable for OAuthError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Internal(error) if error.is_retryable())
    }
}
