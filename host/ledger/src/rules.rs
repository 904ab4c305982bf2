//! The rules of double entry, without IO: what a group does to the accounts and
//! transfers that a batch has loaded.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use qiao_model::{Asset, LedgerAccountId, TransferId};

use crate::account::{Balance, NewAccount};
use crate::refusal::{Refusal, Verdict};
use crate::transfer::{GROUP_TRANSFERS_MAX, NewTransfer, TransferKind};

/// An account with what a batch did to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) account: NewAccount,
    pub(crate) totals: Totals,
    pub(crate) last_transfer: Option<TransferId>,
    pub(crate) transfers: i64,
    /// As loaded, to tell what changed.
    pub(crate) loaded: Totals,
    pub(crate) touched: bool,
}

/// The sums of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) debits: i64,
    pub(crate) credits: i64,
    pub(crate) pending_out: i64,
    pub(crate) pending_in: i64,
}

impl Totals {
    pub(crate) fn balance(&self) -> Balance {
        Balance {
            posted: self.credits.saturating_sub(self.debits),
            pending_out: self.pending_out,
            pending_in: self.pending_in,
        }
    }
}

impl Account {
    pub(crate) fn new(account: NewAccount) -> Self {
        Self {
            account,
            totals: Totals::default(),
            last_transfer: None,
            transfers: 0,
            loaded: Totals::default(),
            touched: false,
        }
    }

    /// Available above the floor; none when there is no floor.
    fn free(&self) -> Option<i64> {
        let floor = self.account.kind().floor()?;
        Some(self.totals.balance().available().saturating_sub(floor))
    }
}

/// A transfer's content and its place in both accounts' chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: TransferKind,
    pub(crate) debit: LedgerAccountId,
    pub(crate) credit: LedgerAccountId,
    pub(crate) minor: i64,
    pub(crate) purpose: Cow<'static, str>,
    pub(crate) reference: String,
    pub(crate) debit_previous: Option<TransferId>,
    pub(crate) credit_previous: Option<TransferId>,
    pub(crate) debit_balance: i64,
    pub(crate) credit_balance: i64,
}

impl Record {
    fn is(&self, transfer: &NewTransfer) -> bool {
        self.kind == transfer.kind
            && self.debit == transfer.debit.id()
            && self.credit == transfer.credit.id()
            && self.minor == transfer.minor
            && self.purpose == transfer.purpose
            && self.reference == transfer.reference
    }
}

/// The part of the books that a batch touches.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) accounts: HashMap<LedgerAccountId, Account>,
    pub(crate) transfers: HashMap<TransferId, Record>,
    /// Pending transfer -> what resolved it.
    pub(crate) resolutions: HashMap<TransferId, TransferId>,
    /// What this batch adds, in order.
    pub(crate) made: Vec<TransferId>,
}

/// How to undo a group that failed in the middle.
struct Undo {
    made_before: usize,
    accounts: Vec<(LedgerAccountId, Account)>,
}

impl Books {
    /// Accepts or refuses a group as one.
    ///
    /// # Panics
    /// An account or a pending transfer of the group was not loaded.
    pub(crate) fn decide(&mut self, group: &[NewTransfer]) -> Result<Verdict, Refusal> {
        if group.is_empty() || group.len() > GROUP_TRANSFERS_MAX {
            return Err(Refusal::GroupSize(group.len()));
        }
        if let Some(verdict) = self.existing(group)? {
            return Ok(verdict);
        }
        let mut undo = Undo {
            made_before: self.made.len(),
            accounts: Vec::with_capacity(group.len().saturating_mul(2)),
        };
        for transfer in group {
            if let Err(refusal) = self.apply(transfer, &mut undo) {
                self.roll_back(undo);
                return Err(refusal);
            }
        }
        Ok(Verdict::Accepted)
    }

    /// The sum of what this batch did to the balances of each asset: zero, or
    /// the rules are broken.
    ///
    /// # Panics
    /// It is not zero, or an account with a floor is below it.
    pub(crate) fn assert_balanced(&self) {
        let mut sums: HashMap<Asset, i128> = HashMap::new();
        for (id, account) in self.accounts.iter().filter(|(_, a)| a.touched) {
            let change = |of: fn(&Totals) -> i64| {
                i128::from(of(&account.totals)).saturating_sub(i128::from(of(&account.loaded)))
            };
            let posted = change(|t| t.credits).saturating_sub(change(|t| t.debits));
            let sum = sums.entry(account.account.asset()).or_default();
            *sum = sum.saturating_add(posted);
            assert!(
                account.free().is_none_or(|free| free >= 0),
                "account {id} would fall below its floor"
            );
        }
        for (asset, sum) in sums {
            assert_eq!(sum, 0, "the batch does not balance in {asset}");
        }
    }

    fn existing(&self, group: &[NewTransfer]) -> Result<Option<Verdict>, Refusal> {
        let mut existing: usize = 0;
        for transfer in group {
            match self.transfers.get(&transfer.id) {
                Some(record) if record.is(transfer) => existing = existing.saturating_add(1),
                Some(_) => return Err(Refusal::IdConflict(transfer.id)),
                None => {}
            }
        }
        if existing == 0 {
            return Ok(None);
        }
        // A group is stored whole, so a part of it belongs to another group.
        if existing < group.len() {
            return Err(Refusal::IdConflict(group[0].id));
        }
        Ok(Some(Verdict::Existing))
    }

    fn apply(&mut self, transfer: &NewTransfer, undo: &mut Undo) -> Result<(), Refusal> {
        check_form(transfer)?;
        if self.transfers.contains_key(&transfer.id) {
            return Err(Refusal::IdConflict(transfer.id));
        }
        let held = self.held(transfer)?;
        let (debit, credit) = (transfer.debit.id(), transfer.credit.id());
        let mut giver = *self.account(&transfer.debit);
        let mut getter = *self.account(&transfer.credit);
        undo.accounts.extend([(debit, giver), (credit, getter)]);

        let moved = match transfer.kind {
            TransferKind::Posted | TransferKind::Pending => {
                check_free(&giver, transfer)?;
                transfer.minor
            }
            TransferKind::PostPending { .. } => transfer.minor,
            TransferKind::VoidPending { .. } => 0,
        };
        release(&mut giver.totals, &mut getter.totals, held);
        let (out, into) = match transfer.kind {
            TransferKind::Pending => (&mut giver.totals.pending_out, &mut getter.totals.pending_in),
            TransferKind::Posted
            | TransferKind::PostPending { .. }
            | TransferKind::VoidPending { .. } => {
                (&mut giver.totals.debits, &mut getter.totals.credits)
            }
        };
        *out = out.checked_add(moved).ok_or(Refusal::Overflow(debit))?;
        *into = into.checked_add(moved).ok_or(Refusal::Overflow(credit))?;
        for (id, account) in [(debit, &giver), (credit, &getter)] {
            check_countable(&account.totals).ok_or(Refusal::Overflow(id))?;
        }

        let record = Record {
            kind: transfer.kind,
            debit,
            credit,
            minor: transfer.minor,
            purpose: transfer.purpose.clone(),
            reference: transfer.reference.clone(),
            debit_previous: giver.last_transfer,
            credit_previous: getter.last_transfer,
            debit_balance: giver.totals.balance().posted,
            credit_balance: getter.totals.balance().posted,
        };
        for (id, mut account) in [(debit, giver), (credit, getter)] {
            account.last_transfer = Some(transfer.id);
            account.transfers = account.transfers.saturating_add(1);
            account.touched = true;
            self.accounts.insert(id, account);
        }
        if let Some(pending) = transfer.kind.resolves() {
            self.resolutions.insert(pending, transfer.id);
        }
        self.transfers.insert(transfer.id, record);
        self.made.push(transfer.id);
        Ok(())
    }

    /// What the pending transfer that this one resolves holds; zero when it resolves none.
    fn held(&self, transfer: &NewTransfer) -> Result<i64, Refusal> {
        let Some(pending) = transfer.kind.resolves() else {
            return Ok(0);
        };
        let Some(record) = self.transfers.get(&pending) else {
            return Err(Refusal::UnknownPending(pending));
        };
        if record.kind != TransferKind::Pending {
            return Err(Refusal::NotPending(pending));
        }
        if let Some(by) = self.resolutions.get(&pending) {
            return Err(Refusal::AlreadyResolved { pending, by: *by });
        }
        let is_void = matches!(transfer.kind, TransferKind::VoidPending { .. });
        let fits = record.debit == transfer.debit.id()
            && record.credit == transfer.credit.id()
            && transfer.minor <= record.minor
            && (!is_void || transfer.minor == record.minor);
        if !fits {
            return Err(Refusal::PendingMismatch {
                transfer: transfer.id,
                pending,
            });
        }
        Ok(record.minor)
    }

    fn account(&self, account: &NewAccount) -> &Account {
        let Some(found) = self.accounts.get(&account.id()) else {
            panic!("account {} was not loaded", account.id());
        };
        found
    }

    fn roll_back(&mut self, undo: Undo) {
        for id in self.made.drain(undo.made_before..) {
            if let Entry::Occupied(record) = self.transfers.entry(id) {
                if let Some(pending) = record.get().kind.resolves() {
                    self.resolutions.remove(&pending);
                }
                record.remove();
            }
        }
        // The earliest copy of an account is what it was before the group.
        for (id, account) in undo.accounts.into_iter().rev() {
            self.accounts.insert(id, account);
        }
    }
}

fn check_form(transfer: &NewTransfer) -> Result<(), Refusal> {
    if transfer.minor < 1 {
        return Err(Refusal::NotPositive(transfer.id));
    }
    if transfer.debit.id() == transfer.credit.id() {
        return Err(Refusal::SameAccount(transfer.id));
    }
    if transfer.debit.asset() != transfer.credit.asset() {
        return Err(Refusal::MixedAssets(transfer.id));
    }
    Ok(())
}

fn check_free(giver: &Account, transfer: &NewTransfer) -> Result<(), Refusal> {
    match giver.free() {
        Some(free) if free < transfer.minor => Err(Refusal::InsufficientFunds {
            account: transfer.debit.id(),
            available: free,
            requested: transfer.minor,
        }),
        Some(_) | None => Ok(()),
    }
}

/// Takes a resolved hold off both accounts. What is held was added before, so
/// it is there.
fn release(giver: &mut Totals, getter: &mut Totals, held: i64) {
    giver.pending_out = giver.pending_out.saturating_sub(held);
    getter.pending_in = getter.pending_in.saturating_sub(held);
    assert!(
        giver.pending_out >= 0 && getter.pending_in >= 0,
        "more was released than was held"
    );
}

/// Balance and available amount fit in 64 bits.
fn check_countable(totals: &Totals) -> Option<i64> {
    let posted = totals.credits.checked_sub(totals.debits)?;
    posted.checked_add(totals.pending_in)?;
    posted.checked_sub(totals.pending_out)
}

#[cfg(test)]
mod tests;
