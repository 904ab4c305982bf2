use qiao_db::{Db, Error, Tx};
use qiao_model::{LedgerAccountId, ProductId, Timestamp, TransferId};

use crate::account::{AssetTotal, Balance, KindTotal, LedgerAccount, Owner};
use crate::journal::Head;
use crate::store;
use crate::transfer::{StatementPage, Transfer};

/// Transfers of one page of a statement at most.
pub const STATEMENT_TRANSFERS_MAX: usize = 200;

/// Holders of one page at most.
pub const HOLDERS_PAGE_MAX: usize = 5_000;

/// A page of a product's holders with something posted, in the order of their
/// accounts: from the first, or after `after`. What the transaction read before
/// and what it reads after are of the same moment, if it is a snapshot.
///
/// # Errors
/// The database failed.
pub async fn holders(
    tx: &mut Tx,
    product: ProductId,
    after: Option<LedgerAccountId>,
    limit: usize,
) -> Result<Vec<LedgerAccount>, Error> {
    let limit = i64::try_from(limit.clamp(1, HOLDERS_PAGE_MAX)).unwrap_or(1);
    store::holders(tx, product, after, limit).await
}

/// Every account of an owner, by asset and kind, as the transaction sees them.
///
/// # Errors
/// The database failed.
pub async fn accounts_in(tx: &mut Tx, owner: &Owner) -> Result<Vec<LedgerAccount>, Error> {
    store::accounts_of(tx.conn(), &owner.to_string()).await
}

/// What an account had posted before a time, by its chain of transfers: nothing
/// when its first one is later. The way back is as long as what happened since.
///
/// # Errors
/// The database failed.
pub async fn balance_before(
    tx: &mut Tx,
    account: LedgerAccountId,
    at: Timestamp,
) -> Result<i64, Error> {
    store::balance_before(tx, account, at).await
}

/// Reads the books as they are committed.
#[derive(Clone, Debug)]
pub struct Ledger {
    db: Db,
}

impl Ledger {
    /// The books in this database.
    #[must_use]
    pub const fn new(db: Db) -> Self {
        Self { db }
    }

    /// What an account holds; none when it was never opened.
    ///
    /// # Errors
    /// The database failed.
    pub async fn balance(&self, account: LedgerAccountId) -> Result<Option<Balance>, Error> {
        Ok(self.account(account).await?.map(|found| found.balance))
    }

    /// One account; none when it was never opened.
    ///
    /// # Errors
    /// The database failed.
    pub async fn account(&self, account: LedgerAccountId) -> Result<Option<LedgerAccount>, Error> {
        store::account(&self.db, account).await
    }

    /// Every account of an owner, by asset and kind.
    ///
    /// # Errors
    /// The database failed.
    pub async fn accounts_of(&self, owner: &Owner) -> Result<Vec<LedgerAccount>, Error> {
        store::accounts_of(self.db.reads(), &owner.to_string()).await
    }

    /// As [`holders`], of this moment.
    ///
    /// # Errors
    /// The database failed.
    pub async fn holders(
        &self,
        product: ProductId,
        after: Option<LedgerAccountId>,
        limit: usize,
    ) -> Result<Vec<LedgerAccount>, Error> {
        let mut tx = self.db.begin_snapshot().await?;
        let page = holders(&mut tx, product, after, limit).await?;
        tx.commit().await?;
        Ok(page)
    }

    /// A page of the accounts of debts that are not paid off, in the order of
    /// their ids: from the first, or after `after`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn debtors(
        &self,
        after: Option<LedgerAccountId>,
        limit: usize,
    ) -> Result<Vec<LedgerAccount>, Error> {
        let limit = i64::try_from(limit.clamp(1, HOLDERS_PAGE_MAX)).unwrap_or(1);
        store::debtors(&self.db, after, limit).await
    }

    /// The transfers that belong to a payment, the oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn transfers_of(&self, reference: &str) -> Result<Vec<Transfer>, Error> {
        store::transfers_of(&self.db, reference).await
    }

    /// The books of every asset, as of one moment.
    ///
    /// # Errors
    /// The database failed.
    pub async fn totals(&self) -> Result<Vec<AssetTotal>, Error> {
        store::asset_totals(&self.db).await
    }

    /// What the accounts of each kind hold, and of each channel outside, as of
    /// one moment.
    ///
    /// # Errors
    /// The database failed.
    pub async fn kind_totals(&self) -> Result<Vec<KindTotal>, Error> {
        store::kind_totals(&self.db).await
    }

    /// A page of the accounts that are no person's and no product's, but those of
    /// clearing: institutions', the platform's and channels', by id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn business_accounts(
        &self,
        after: Option<LedgerAccountId>,
        limit: usize,
    ) -> Result<Vec<LedgerAccount>, Error> {
        let limit = i64::try_from(limit.clamp(1, HOLDERS_PAGE_MAX)).unwrap_or(1);
        store::business_accounts(&self.db, after, limit).await
    }

    /// The last entry of every chain of the journal. Noted elsewhere, they show
    /// later that nothing up to them was changed or taken away.
    ///
    /// # Errors
    /// The database failed.
    pub async fn heads(&self) -> Result<Vec<Head>, Error> {
        store::journal::heads(&self.db).await
    }

    /// A page of an account's transfers, the newest first: from its newest one,
    /// or from where the page before said that the next begins.
    ///
    /// # Errors
    /// The database failed.
    pub async fn statement(
        &self,
        account: LedgerAccountId,
        from: Option<TransferId>,
        limit: usize,
    ) -> Result<StatementPage, Error> {
        let limit = limit.clamp(1, STATEMENT_TRANSFERS_MAX);
        let limit = i64::try_from(limit).unwrap_or(1);
        let transfers = store::statement(&self.db, account, from, limit).await?;
        let next = transfers
            .last()
            .and_then(|oldest| oldest.previous_of(account));
        Ok(StatementPage { transfers, next })
    }
}
