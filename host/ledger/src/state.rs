use qiao_db::attest::Fact;
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
    facts: Vec<Fact>,
}

/// Makes an entry of the journal of rows that a transaction beside the money path
/// changed. It is the last that such a transaction writes.
///
/// # Errors
/// The database failed.
pub async fn attest(
    tx: &mut Tx,
    facts: impl IntoIterator<Item = Fact>,
    now: Timestamp,
) -> Result<(), Error> {
    let facts: Vec<Fact> = facts.into_iter().collect();
    store::journal::append(tx, &facts, now).await
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
        Ok(Self {
            books,
            facts: Vec::new(),
        })
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

    /// Takes the facts of rows that other rooms write in this batch into its
    /// entry of the journal.
    pub fn attest(&mut self, facts: impl IntoIterator<Item = Fact>) {
        self.facts.extend(facts);
    }

    /// Writes what was decided: the transfers, the accounts they touch, and the
    /// entry of the journal. It is the last that a batch writes of what it attests.
    ///
    /// # Errors
    /// The database failed.
    ///
    /// # Panics
    /// The batch does not balance, which no group can cause.
    pub async fn store(mut self, tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
        if !self.books.made.is_empty() {
            self.books.assert_balanced();
            store::store_accounts(tx, &self.books).await?;
            store::store_transfers(tx, &self.books, &mut self.facts, now).await?;
        }
        store::journal::append(tx, &self.facts, now).await
    }
}
