//! The rows of the books as the audit reads them: whatever a column holds.

use qiao_model::{Asset, Channel, Id, LedgerAccountId, TransferId, id::Noun};

use crate::account::{AccountKind, Owner};
use crate::store::audit::{ACCOUNT_COLUMNS, TRANSFER_COLUMNS};

/// A transfer as it is stored.
pub(super) struct Transfer {
    pub(super) id: TransferId,
    pub(super) kind: u8,
    pub(super) debit: LedgerAccountId,
    pub(super) credit: LedgerAccountId,
    pub(super) minor: i64,
    pub(super) pending: Option<TransferId>,
    pub(super) debit_previous: Option<TransferId>,
    pub(super) credit_previous: Option<TransferId>,
    pub(super) debit_balance: i64,
    pub(super) credit_balance: i64,
}

pub(super) const POSTED: u8 = 0;
pub(super) const PENDING: u8 = 1;
pub(super) const POST: u8 = 2;
pub(super) const VOID: u8 = 3;

impl Transfer {
    /// The transfer, or the column that is not readable.
    pub(super) fn of(values: &[Option<String>; 11]) -> Result<Self, &'static str> {
        let row = Values {
            values,
            columns: &TRANSFER_COLUMNS,
        };
        let kind = match row.text(1) {
            "posted" => POSTED,
            "pending" => PENDING,
            "post" => POST,
            "void" => VOID,
            _ => return Err("kind"),
        };
        let parsed = Self {
            id: row.id(0)?,
            kind,
            debit: row.id(2)?,
            credit: row.id(3)?,
            minor: row.number(4)?,
            pending: row.optional_id(5)?,
            debit_previous: row.optional_id(6)?,
            credit_previous: row.optional_id(7)?,
            debit_balance: row.number(8)?,
            credit_balance: row.number(9)?,
        };
        let resolves = matches!(kind, POST | VOID);
        if parsed.pending.is_some() == resolves {
            Ok(parsed)
        } else {
            Err("pending_id")
        }
    }
}

/// An account as it is stored.
pub(super) struct Account {
    pub(super) id: LedgerAccountId,
    pub(super) owner: Owner,
    pub(super) kind: AccountKind,
    pub(super) asset: Asset,
    /// Debits, credits, held going out and coming in, and how many transfers.
    pub(super) numbers: [i64; 5],
    pub(super) last: Option<TransferId>,
}

impl Account {
    /// The account, or the column that is not readable.
    pub(super) fn of(values: &[Option<String>; 10]) -> Result<Self, &'static str> {
        let row = Values {
            values,
            columns: &ACCOUNT_COLUMNS,
        };
        let mut numbers = [0; 5];
        for (column, value) in numbers.iter_mut().enumerate() {
            *value = row.number(column.saturating_add(4))?;
        }
        Ok(Self {
            id: row.id(0)?,
            owner: owner_of(row.text(1)).ok_or("owner")?,
            kind: AccountKind::of_name(row.text(2)).ok_or("kind")?,
            asset: row.text(3).parse().map_err(|_| "asset")?,
            numbers,
            last: row.optional_id(9)?,
        })
    }
}

fn owner_of(text: &str) -> Option<Owner> {
    if let Some(channel) = text.strip_prefix("external:") {
        return channel.parse::<Channel>().ok().map(Owner::External);
    }
    match text.split_once('_').map_or(text, |(noun, _)| noun) {
        "usr" => text.parse().ok().map(Owner::User),
        "ins" => text.parse().ok().map(Owner::Institution),
        "prd" => text.parse().ok().map(Owner::Product),
        "platform" => Some(Owner::Platform),
        _ => None,
    }
}

/// The values of a row, with the names of their columns.
struct Values<'a> {
    values: &'a [Option<String>],
    columns: &'static [&'static str],
}

impl Values<'_> {
    fn text(&self, at: usize) -> &str {
        self.values[at].as_deref().unwrap_or_default()
    }

    fn id<N: Noun>(&self, at: usize) -> Result<Id<N>, &'static str> {
        self.optional_id(at)?.ok_or(self.columns[at])
    }

    fn optional_id<N: Noun>(&self, at: usize) -> Result<Option<Id<N>>, &'static str> {
        let id = self.values[at].as_deref().map(str::parse).transpose();
        id.map_err(|_| self.columns[at])
    }

    fn number(&self, at: usize) -> Result<i64, &'static str> {
        self.text(at).parse().map_err(|_| self.columns[at])
    }
}
