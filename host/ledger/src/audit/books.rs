//! The books against themselves: what the accounts say against the sum of the
//! transfers, each account's chain of transfers, and the holds.

use std::collections::BTreeMap;

use qiao_db::Tx;
use qiao_model::{Id, LedgerAccountId, TransferId};

use super::chain::{EDGE, LINK, NODE, PART, Part, ROW, check_accounts};
use super::finding::{AuditError, Report};
use super::holds::{HOLD, check_holds, hold_record};
use super::sorter::Sorter;
use super::stored::{Account, PENDING, POST, POSTED, Transfer, VOID};
use crate::account::account_id;
use crate::store::audit::{self as store, ACCOUNT_COLUMNS, TRANSFER_COLUMNS};

pub(super) const ACCOUNT: &str = "ledger_account";
pub(super) const TRANSFER: &str = "ledger_transfer";

/// Checks that every account is the sum of its transfers, that its transfers
/// are one chain with the right balances, that each hold is resolved at most
/// once and fits, that no floor is broken, and that every asset sums to zero.
///
/// # Errors
/// The database or the temporary files failed.
pub async fn check_books(tx: &mut Tx, report: &mut Report) -> Result<(), AuditError> {
    let mut parts = Sorter::<PART>::default();
    let mut holds = Sorter::<HOLD>::default();
    store::rows(tx, TRANSFER, &TRANSFER_COLUMNS, |row| {
        report.row();
        match Transfer::of(&row) {
            Ok(transfer) => take_apart(&transfer, &mut parts, &mut holds),
            Err(column) => {
                let id = row[0].clone().unwrap_or_default();
                report.add(TRANSFER, id, format!("its {column} is not readable"));
                Ok(())
            }
        }
    })
    .await?;
    check_holds(holds, &mut parts, report)?;
    let mut sums = BTreeMap::new();
    store::rows(tx, ACCOUNT, &ACCOUNT_COLUMNS, |row| {
        report.row();
        take_account(&row, &mut parts, &mut sums, report)
    })
    .await?;
    for (asset, (debits, credits)) in sums {
        if debits != credits {
            let problem = format!("debits of {debits} against credits of {credits}");
            report.add(ACCOUNT, asset, problem);
        }
    }
    check_accounts(parts, report)
}

/// A transfer as another room's audit sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTransfer {
    /// Its id.
    pub id: TransferId,
    /// The account that gave.
    pub debit: LedgerAccountId,
    /// The account that got.
    pub credit: LedgerAccountId,
    /// What the account that gave had after it.
    pub debit_balance: i64,
    /// What the account that got had after it.
    pub credit_balance: i64,
    /// What it belongs to.
    pub reference: String,
    /// What it moved.
    pub moved: i64,
    /// What it held.
    pub held: i64,
    /// What it says of a hold that it posts or voids: with it, nothing of the
    /// hold is left, also where a part was posted.
    pub resolved: i64,
}

/// Hands on every readable transfer; those that are not are findings of [`check_books`].
///
/// # Errors
/// The database failed, or `each` did.
pub async fn each_transfer(
    tx: &mut Tx,
    mut each: impl FnMut(&StoredTransfer) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    store::rows(tx, TRANSFER, &TRANSFER_COLUMNS, |row| {
        let Ok(transfer) = Transfer::of(&row) else {
            return Ok(());
        };
        let only = |kinds: &[u8]| match kinds.contains(&transfer.kind) {
            true => transfer.minor,
            false => 0,
        };
        each(&StoredTransfer {
            id: transfer.id,
            debit: transfer.debit,
            credit: transfer.credit,
            debit_balance: transfer.debit_balance,
            credit_balance: transfer.credit_balance,
            reference: row[10].clone().unwrap_or_default(),
            moved: only(&[POSTED, POST]),
            held: only(&[PENDING]),
            resolved: only(&[POST, VOID]),
        })
    })
    .await
}

/// What it is to each of its accounts, and to a hold.
fn take_apart(
    transfer: &Transfer,
    parts: &mut Sorter<PART>,
    holds: &mut Sorter<HOLD>,
) -> Result<(), AuditError> {
    let moved = match transfer.kind {
        POSTED | POST => transfer.minor,
        _ => 0,
    };
    let sides = [
        (
            transfer.debit,
            transfer.debit_previous,
            moved.saturating_neg(),
            transfer.debit_balance,
        ),
        (
            transfer.credit,
            transfer.credit_previous,
            moved,
            transfer.credit_balance,
        ),
    ];
    for (account, previous, change, balance) in sides {
        let previous = previous.map_or(0, Id::as_u128);
        let at = transfer.id.as_u128();
        parts.push(Part::new(account, LINK, at, NODE, [balance, 0, 0, 0, 0], 0).record())?;
        let numbers = [change, balance, 0, 0, 0];
        parts.push(Part::new(account, LINK, previous, EDGE, numbers, at).record())?;
    }
    let of = match transfer.kind {
        PENDING => Some(transfer.id),
        _ => transfer.pending,
    };
    if let Some(of) = of {
        holds.push(hold_record(of, transfer))?;
    }
    Ok(())
}

/// Checks what an account's row says by itself, and takes its sums.
fn take_account(
    row: &[Option<String>; 10],
    parts: &mut Sorter<PART>,
    sums: &mut BTreeMap<String, (i128, i128)>,
    report: &mut Report,
) -> Result<(), AuditError> {
    let id = row[0].clone().unwrap_or_default();
    let account = match Account::of(row) {
        Ok(account) => account,
        Err(column) => {
            report.add(ACCOUNT, id, format!("its {column} is not readable"));
            return Ok(());
        }
    };
    if account_id(&account.owner, account.kind, account.asset) != account.id {
        report.add(
            ACCOUNT,
            &id,
            "its id does not follow from owner, kind and asset",
        );
    }
    let [debits, credits, pending_out, ..] = account.numbers;
    let free = i128::from(credits)
        .saturating_sub(i128::from(debits))
        .saturating_sub(i128::from(pending_out));
    if account
        .kind
        .floor()
        .is_some_and(|floor| free < i128::from(floor))
    {
        report.add(ACCOUNT, &id, format!("is below its floor with {free}"));
    }
    let sum = sums.entry(account.asset.to_string()).or_default();
    sum.0 = sum.0.saturating_add(i128::from(debits));
    sum.1 = sum.1.saturating_add(i128::from(credits));
    let last = account.last.map_or(0, Id::as_u128);
    parts.push(Part::new(account.id, ROW, 0, NODE, account.numbers, last).record())?;
    Ok(())
}
