use qiao_db::{Error, Tx};
use qiao_model::{LedgerAccountId, Timestamp, TransferId};

use crate::account::{Balance, NewAccount};
use crate::refusal::{Refusal, Verdict};
use crate::rules::Books;
use crate::store;
use crate::transfer::NewTransfer;

/// The part of the books that one batch touches, locked until its transaction ends.
#[derive(Debug)]
pub struct State {
    books: Books,
}

impl State {
    /// Loads and locks the accounts, opening those that are new, and then loads
    /// the transfers: those that the batch may find already made, and the
    /// pending ones that it resolves. Repetitions are allowed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn load(
        tx: &mut Tx,
        accounts: &[NewAccount],
        transfers: &[TransferId],
    ) -> Result<Self, Error> {
        let mut wanted: Vec<&NewAccount> = accounts.iter().collect();
        wanted.sort_unstable_by_key(|account| account.id());
        wanted.dedup_by_key(|account| account.id());
        let mut books = Books::default();
        store::load_accounts(tx, &wanted, &mut books).await?;
        // After the locks, so that a pending transfer cannot be resolved in between.
        let mut transfers = transfers.to_vec();
        transfers.sort_unstable();
        transfers.dedup();
        store::load_transfers(tx, &transfers, &mut books).await?;
        Ok(Self { books })
    }

    /// Accepts or refuses a group as one, on top of what was decided before in
    /// this batch. Does no IO.
    ///
    /// # Errors
    /// The rule that the group breaks; then nothing of it is in the state.
    ///
    /// # Panics
    /// An account of the group was not named to [`State::load`].
    pub fn decide(&mut self, group: &[NewTransfer]) -> Result<Verdict, Refusal> {
        self.books.decide(group)
    }

    /// Whether the books, as loaded and decided so far, have the transfer.
    #[must_use]
    pub fn has(&self, transfer: TransferId) -> bool {
        self.books.transfers.contains_key(&transfer)
    }

    /// What a loaded account holds after what was decided so far.
    #[must_use]
    pub fn balance(&self, account: LedgerAccountId) -> Option<Balance> {
        self.books
            .accounts
            .get(&account)
            .map(|account| account.totals.balance())
    }

    /// Writes what was decided: the transfers and the accounts they touch.
    ///
    /// # Errors
    /// The database failed.
    ///
    /// # Panics
    /// The batch does not balance, which no group can cause.
    pub async fn store(self, tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
        if self.books.made.is_empty() {
            return Ok(());
        }
        self.books.assert_balanced();
        store::store_accounts(tx, &self.books).await?;
        store::store_transfers(tx, &self.books, now).await
    }
}
