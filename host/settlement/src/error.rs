use qiao_auth::Denied;
use qiao_db::Retryable;
use qiao_model::{CaseId, InstitutionId, PayoutId};

use crate::case::CaseState;

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
    /// The terms cannot be.
    #[error(
        "terms say T+0 to T+5, an account number of 1 to 34 letters and digits, and a minimum of nothing or more"
    )]
    Terms,
    /// The institution proposed no terms.
    #[error("institution {0} has no terms that wait for approval")]
    NothingToApprove(InstitutionId),
    /// A period ends before it begins, or is too long.
    #[error("a period has 1 to {0} days and does not end before it begins")]
    Period(i64),
    /// The period has too many lines for one answer.
    #[error("the statement has more than {0} lines; ask for fewer days")]
    TooLong(usize),
    /// No case has that id.
    #[error("there is no case {0}")]
    UnknownCase(CaseId),
    /// No payout has that id.
    #[error("there is no payout {0}")]
    UnknownPayout(PayoutId),
    /// A bank was asked for it, a node is asking one now, or it has ended.
    #[error("payout {0} does not wait: a bank was or is being asked for it, or it has ended")]
    PayoutUnderWay(PayoutId),
    /// A case ends once.
    #[error("case {id} is {state} and not open")]
    CaseOver {
        /// The case.
        id: CaseId,
        /// Where it stands.
        state: CaseState,
    },
    /// A case does not end without a word.
    #[error("a note has 1 to {0} characters")]
    Note(usize),
    /// The books could not be read.
    #[error(transparent)]
    Payments(#[from] qiao_payments::Error),
    /// The banks room refused or a bank failed.
    #[error(transparent)]
    Banks(#[from] qiao_banks::Error),
    /// Auth failed.
    #[error("auth failed")]
    Auth(#[from] qiao_auth::Error),
    /// The CSV could not be written.
    #[error("the statement could not be written as CSV")]
    Csv(#[source] ::csv::Error),
    /// The database did not do it.
    #[error("settlement storage failed")]
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
