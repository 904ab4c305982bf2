use std::borrow::Cow;

use qiao_model::{LedgerAccountId, Timestamp, TransferId};

use crate::account::NewAccount;

/// Transfers of one linked group at most.
pub const GROUP_TRANSFERS_MAX: usize = 2_048;

/// What a transfer does to the two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransferKind {
    /// Moves at once.
    Posted,
    /// Holds the amount on the debit account until it is posted or voided.
    Pending,
    /// Moves what a pending transfer holds, or a part of it; the rest is released.
    PostPending {
        /// The pending transfer.
        pending: TransferId,
    },
    /// Releases what a pending transfer holds.
    VoidPending {
        /// The pending transfer.
        pending: TransferId,
    },
}

impl TransferKind {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Pending => "pending",
            Self::PostPending { .. } => "post",
            Self::VoidPending { .. } => "void",
        }
    }

    /// The kind of this stored name and pending transfer.
    #[must_use]
    pub fn of_name(name: &str, pending: Option<TransferId>) -> Option<Self> {
        match (name, pending) {
            ("posted", None) => Some(Self::Posted),
            ("pending", None) => Some(Self::Pending),
            ("post", Some(pending)) => Some(Self::PostPending { pending }),
            ("void", Some(pending)) => Some(Self::VoidPending { pending }),
            _ => None,
        }
    }

    /// The pending transfer that this one resolves.
    #[must_use]
    pub const fn resolves(self) -> Option<TransferId> {
        match self {
            Self::PostPending { pending } | Self::VoidPending { pending } => Some(pending),
            Self::Posted | Self::Pending => None,
        }
    }
}

/// A transfer to be made: the same id and content again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTransfer {
    /// Its id, derived from what it is a part of.
    pub id: TransferId,
    /// The account that gives.
    pub debit: NewAccount,
    /// The account that gets.
    pub credit: NewAccount,
    /// How much, in minor units; at least 1. A void names the whole held amount.
    pub minor: i64,
    /// What it does.
    pub kind: TransferKind,
    /// What it is for: `principal`, `purchase-fee`, `refund`.
    pub purpose: Cow<'static, str>,
    /// What it belongs to: a payment's id as text.
    pub reference: String,
}

/// A transfer as it is in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Its id.
    pub id: TransferId,
    /// What it did.
    pub kind: TransferKind,
    /// The account that gave.
    pub debit: LedgerAccountId,
    /// The account that got.
    pub credit: LedgerAccountId,
    /// How much, in minor units.
    pub minor: i64,
    /// What it was for.
    pub purpose: String,
    /// What it belongs to.
    pub reference: String,
    /// The debit account's transfer before this one.
    pub debit_previous: Option<TransferId>,
    /// The credit account's transfer before this one.
    pub credit_previous: Option<TransferId>,
    /// The debit account's posted balance after it.
    pub debit_balance: i64,
    /// The credit account's posted balance after it.
    pub credit_balance: i64,
    /// When.
    pub at: Timestamp,
}

impl Transfer {
    /// What it did to an account's posted balance: nothing for a hold or its
    /// release, and nothing for an account that it does not touch.
    #[must_use]
    pub fn change_of(&self, account: LedgerAccountId) -> i64 {
        let moved = match self.kind {
            TransferKind::Posted | TransferKind::PostPending { .. } => self.minor,
            TransferKind::Pending | TransferKind::VoidPending { .. } => 0,
        };
        if self.debit == account {
            moved.saturating_neg()
        } else if self.credit == account {
            moved
        } else {
            0
        }
    }

    /// One of its two accounts' posted balance after it.
    #[must_use]
    pub fn balance_of(&self, account: LedgerAccountId) -> i64 {
        if self.debit == account {
            self.debit_balance
        } else {
            self.credit_balance
        }
    }

    /// The transfer before it on one of its two accounts.
    #[must_use]
    pub fn previous_of(&self, account: LedgerAccountId) -> Option<TransferId> {
        if self.debit == account {
            self.debit_previous
        } else {
            self.credit_previous
        }
    }
}

/// A page of an account's transfers, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementPage {
    /// The transfers.
    pub transfers: Vec<Transfer>,
    /// Where the next page begins; none when the account's first transfer is on this page.
    pub next: Option<TransferId>,
}
