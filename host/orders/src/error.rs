use qiao_auth::Denied;
use qiao_catalog::OrderKind;
use qiao_db::Retryable;
use qiao_model::{Money, OfferId};
use qiao_payments::Method;
use qiao_runtime::FieldProblem;

use crate::crash::CrashPoint;
use crate::fulfiller::LookupError;
use crate::mandate::MANDATE_PROPOSALS_MAX;
use crate::plan::PlanError;
use crate::quote::QuoteId;
use crate::rules::Refusal;
use crate::token::TokenError;

/// Why this room refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No public account of that handle has a plugin that serves.
    #[error("no plugin serves the public account `{0}`")]
    NotServing(String),
    /// The plugin has no such service or form.
    #[error("there is no service or form `{0}`")]
    PageNotFound(String),
    /// A field of the form is not acceptable: shown beside it.
    #[error("the field `{}` is not acceptable: {}", .0.name, .0.cause)]
    InvalidField(FieldProblem),
    /// Something that the plugin depends on does not answer, in a sentence for the user.
    #[error("the service is not available: {0}")]
    ServiceUnavailable(String),
    /// The plugin failed or broke its contract; its author sees why.
    #[error("the plugin failed: {0}")]
    PluginFailed(String),
    /// The host has no room for the call; try again.
    #[error("the host is too busy to run the plugin")]
    Busy,
    /// Who proposed the mandate may not be given one any more.
    #[error("`{0}`, which proposed it, was suspended or stopped")]
    ProposerGone(String),
    /// No offer of this user has that id.
    #[error("offer {0} does not exist")]
    OfferNotFound(OfferId),
    /// The offer is too old.
    #[error("offer {0} has expired")]
    OfferExpired(OfferId),
    /// The plugin does not sell it any more, in a sentence for the user.
    #[error("the offer is not available: {0}")]
    OfferNotAvailable(String),
    /// The amount is outside what the product takes, in a sentence for the user.
    #[error("the amount is out of range: {0}")]
    AmountOutOfRange(String),
    /// The plugin's price and the fees do not make an order.
    #[error("the offer cannot be priced")]
    Unpriceable(#[source] PlanError),
    /// The token is no quote of this host.
    #[error(transparent)]
    QuoteInvalid(#[from] TokenError),
    /// The quote is of another user.
    #[error("quote {0} was made for somebody else")]
    QuoteForeign(QuoteId),
    /// The quote is too old.
    #[error("quote {0} has expired")]
    QuoteExpired(QuoteId),
    /// The plugin was changed or stopped since it was made, or the user's lots of
    /// the product are others: quote again.
    #[error("quote {0} is outdated: the plugin or the holding has changed since")]
    QuoteOutdated(QuoteId),
    /// The amount that the user confirmed is not the one that was quoted.
    #[error("{confirmed} was confirmed, {quoted} was quoted")]
    AmountDiffers {
        /// What the quote says.
        quoted: Money,
        /// What the user agreed to.
        confirmed: Money,
    },
    /// Another way to pay was confirmed than the one that was quoted: its fees are
    /// others, so quote again for it.
    #[error("`{confirmed}` was confirmed as the way to pay, `{quoted}` was quoted")]
    MethodDiffers {
        /// What the quote says.
        quoted: Method,
        /// What the user agreed to.
        confirmed: Method,
    },
    /// What a redemption pays goes to the balance, and no mandate is confirmed.
    #[error("an order that is to {} is not paid by `{method}`", .kind.name())]
    NotPayableBy {
        /// What the order does.
        kind: OrderKind,
        /// How the user wants to pay.
        method: Method,
    },
    /// No mandate pays for an order of this kind.
    #[error("a mandate pays for purchases and payments, not to {}", .0.name())]
    NotChargeable(OrderKind),
    /// The person has not looked at those that are before them.
    #[error(
        "{MANDATE_PROPOSALS_MAX} mandates were proposed to this person in the last days: \
         propose another when the first of them has expired"
    )]
    TooManyProposals,
    /// The key of a charge was used for another one.
    #[error("the key was used for another charge")]
    ChargeKeyReused,
    /// The PIN was proven by somebody else.
    #[error("the PIN was proven by another person")]
    PinForeign,
    /// The payment was refused: not enough money or units, or an idempotency key
    /// that is in flight or was used for another request.
    #[error(transparent)]
    Payment(#[from] qiao_payments::Refusal),
    /// The state machine refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The payment API failed.
    #[error("payments failed")]
    Payments(#[source] qiao_payments::Error),
    /// The catalog failed.
    #[error("the catalog failed")]
    Catalog(#[from] qiao_catalog::Error),
    /// The plugins could not be looked up.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// Auth failed.
    #[error("auth failed")]
    Auth(#[from] qiao_auth::Error),
    /// The database did not do it.
    #[error("order storage failed")]
    Storage(#[from] qiao_db::Error),
    /// An accrued fee of a day is more than 64 bits of minor units.
    #[error("the accrued fee `{0}` is too large")]
    AccrualTooLarge(String),
    /// A test made the host stop here.
    #[error("stopped at {} on purpose", qiao_db::CrashPoint::name(*.0))]
    Crashed(CrashPoint),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<qiao_payments::Error> for Error {
    fn from(error: qiao_payments::Error) -> Self {
        match error {
            qiao_payments::Error::Refused(refusal) => Self::Payment(refusal),
            qiao_payments::Error::Denied(denied) => Self::Denied(denied),
            qiao_payments::Error::Storage(error) => Self::Storage(error),
            qiao_payments::Error::PinForeign => Self::PinForeign,
            other @ qiao_payments::Error::NotOwner { .. } => Self::Payments(other),
        }
    }
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_retryable())
    }
}
