use qiao_model::{LedgerAccountId, TransferId};

use crate::transfer::GROUP_TRANSFERS_MAX;

/// What became of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the books from this batch on.
    Accepted,
    /// It was there before, with the same content; nothing changed.
    Existing,
}

/// Why a group was refused: nothing of it is in the books.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The debit account would fall below its floor.
    #[error("account {account} has {available}, needs {requested}")]
    InsufficientFunds {
        /// The account.
        account: LedgerAccountId,
        /// What it has free, in minor units.
        available: i64,
        /// What was asked for.
        requested: i64,
    },
    /// The id is taken by a transfer of other content.
    #[error("transfer {0} exists with other content")]
    IdConflict(TransferId),
    /// The pending transfer is not in the books.
    #[error("there is no pending transfer {0}")]
    UnknownPending(TransferId),
    /// The transfer to be posted or voided never held anything.
    #[error("transfer {0} is not pending")]
    NotPending(TransferId),
    /// The pending transfer was posted or voided before.
    #[error("transfer {pending} was resolved by {by}")]
    AlreadyResolved {
        /// The pending transfer.
        pending: TransferId,
        /// What resolved it.
        by: TransferId,
    },
    /// A post or void names other accounts or more than is held, or a void another amount.
    #[error("transfer {transfer} does not fit the pending transfer {pending}")]
    PendingMismatch {
        /// The post or void.
        transfer: TransferId,
        /// The pending transfer.
        pending: TransferId,
    },
    /// An amount below 1.
    #[error("transfer {0} moves nothing")]
    NotPositive(TransferId),
    /// Both sides are one account.
    #[error("transfer {0} has the same account on both sides")]
    SameAccount(TransferId),
    /// The two accounts count different things.
    #[error("transfer {0} is between two assets")]
    MixedAssets(TransferId),
    /// A balance would not fit in 64 bits.
    #[error("account {0} cannot count so much")]
    Overflow(LedgerAccountId),
    /// No transfer, or more than [`GROUP_TRANSFERS_MAX`].
    #[error("a group of {0} transfers is not within 1 to {GROUP_TRANSFERS_MAX}")]
    GroupSize(usize),
}
