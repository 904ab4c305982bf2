use qiao_auth::Denied;
use qiao_db::Retryable;
use qiao_model::{BankLinkId, BankTransferId, Channel};

use crate::client::Failure;
use crate::crash::CrashPoint;
use crate::request::ACCOUNT_NUMBER_CHARS_MAX;
use crate::rules::Refusal;
use crate::transfer::TransferState;

/// Why this room refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The caller may do such things, but not with what belongs to others.
    #[error("{actor} may not do it with what belongs to others")]
    NotOwner {
        /// Who asked.
        actor: String,
    },
    /// No channel has that code.
    #[error("there is no bank channel `{0}`")]
    UnknownChannel(Channel),
    /// The caller has no link of that id.
    #[error("there is no bank link {0}")]
    UnknownLink(BankLinkId),
    /// The link has expired or was unlinked: link the account again.
    #[error("bank link {0} cannot be used any more")]
    LinkOver(BankLinkId),
    /// No transfer of the caller has that id.
    #[error("there is no bank transfer {0}")]
    UnknownTransfer(BankTransferId),
    /// The person has as many links as one may have.
    #[error("a person links at most {0} bank accounts")]
    TooManyLinks(i64),
    /// No channel that works can carry it: none is linked, all are paused, or the
    /// amount is beyond their limits.
    #[error("no bank channel can carry that amount now")]
    NoRoute,
    /// The state that came back is not of this session, came back before, or is too old.
    #[error("this authorization was not begun here, or it is over")]
    LoginOver,
    /// Another bank answered than the one that was asked (RFC 9207 section 2.4).
    #[error("the answer is not of the bank that was asked")]
    WrongIssuer,
    /// The person, or the bank, said no.
    #[error("the bank did not authorize it: {0}")]
    NotAuthorized(String),
    /// The bank does not answer, or not as it should.
    #[error("the bank `{channel}` failed: {cause}")]
    BankFailed {
        /// Which.
        channel: Channel,
        /// Why.
        cause: String,
    },
    /// The callback is not signed by the bank.
    #[error("the callback is not signed by the bank `{0}`")]
    BadSignature(Channel),
    /// The callback is not about a payment.
    #[error("the callback cannot be read")]
    BadCallback,
    /// An operator decides only what nobody asks any more.
    #[error("bank transfer {id} is {state} and not stuck")]
    NotStuck {
        /// The transfer.
        id: BankTransferId,
        /// Where it stands.
        state: TransferState,
    },
    /// A channel is paused when it is active, and resumed when it is paused.
    #[error("bank channel `{0}` is so already")]
    ChannelSoAlready(Channel),
    /// The number of a bank account is none.
    #[error("an account number is 1 to {ACCOUNT_NUMBER_CHARS_MAX} letters and digits")]
    AccountNumber,
    /// A decision and a pause say why.
    #[error("a reason has 1 to {0} characters")]
    Reason(usize),
    /// The id is taken by a transfer of other content.
    #[error("bank transfer {0} exists with other content")]
    Conflict(BankTransferId),
    /// The PIN was proven by somebody else, or too long ago.
    #[error("the PIN was proven by another person or too long ago")]
    PinForeign,
    /// The payment was refused: not enough money, or an idempotency key that is in
    /// flight or was used for another request.
    #[error(transparent)]
    Payment(#[from] qiao_payments::Refusal),
    /// The state machine refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A token cannot be sealed or opened.
    #[error("a bank token cannot be sealed or opened")]
    Seal(#[from] qiao_events::seal::SealError),
    /// Auth failed.
    #[error("auth failed")]
    Auth(#[from] qiao_auth::Error),
    /// The database did not do it.
    #[error("bank storage failed")]
    Storage(#[from] qiao_db::Error),
    /// A test made the host stop here.
    #[error("stopped at {} on purpose", qiao_db::CrashPoint::name(*.0))]
    Crashed(CrashPoint),
}

impl Error {
    pub(crate) fn of_bank(channel: Channel, failure: Failure) -> Self {
        match failure {
            Failure::NotConfigured => Self::UnknownChannel(channel),
            failure => Self::BankFailed {
                channel,
                cause: failure.to_string(),
            },
        }
    }
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
