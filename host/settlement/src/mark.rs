use qiao_ledger::{STATEMENT_TRANSFERS_MAX, Transfer};
use qiao_model::{Day, LedgerAccountId, Timestamp, TransferId};

use crate::error::Error;
use crate::settlement::Settlement;
use crate::store;

/// A day is closed so long after its end: transfers that were decided before
/// midnight are in the books by then. One that is later yet counts for the next day.
pub const CLOSE_AFTER_SECS: i64 = 60;

/// A place in an account's chain of transfers, with the sums up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The newest transfer before the place; none at the beginning.
    pub transfer: Option<TransferId>,
    /// Everything posted into the account up to it.
    pub credits: i64,
    /// Everything posted out of the account up to it.
    pub debits: i64,
}

impl Mark {
    /// The posted balance at this place.
    #[must_use]
    pub const fn balance(&self) -> i64 {
        self.credits.saturating_sub(self.debits)
    }

    /// The place before a transfer of the account.
    fn before(self, transfer: &Transfer, account: LedgerAccountId) -> Self {
        let change = transfer.change_of(account);
        Self {
            transfer: transfer.previous_of(account),
            credits: self.credits.saturating_sub(change.max(0)),
            debits: self.debits.saturating_sub(change.min(0).saturating_neg()),
        }
    }
}

impl Settlement {
    /// Where an account stands now.
    pub(crate) async fn mark_now(&self, account: LedgerAccountId) -> Result<Mark, Error> {
        let found = self.inner().ledger.account(account).await?;
        Ok(found.map_or_else(Mark::default, |found| Mark {
            transfer: found.place.last_transfer,
            credits: found.credits,
            debits: found.debits,
        }))
    }

    /// Where an account stood when a day ended, or stands now while it lasts. The
    /// first who asks after the day is closed fixes the place for good.
    pub(crate) async fn mark_at_end_of(
        &self,
        account: LedgerAccountId,
        day: Day,
    ) -> Result<Mark, Error> {
        let inner = self.inner();
        if let Some(mark) = store::close::find(&inner.db, account, day).await? {
            return Ok(mark);
        }
        let end = day.plus_days(1).start();
        let is_closed = inner.env.now() >= end.plus_secs(CLOSE_AFTER_SECS);
        let later = store::close::first_after(&inner.db, account, day).await?;
        let start = match later {
            Some(mark) => mark,
            None => self.mark_now(account).await?,
        };
        let mark = self.walk_back(account, start, end).await?;
        if is_closed {
            return Ok(store::close::keep(&inner.db, account, day, (mark, inner.env.now())).await?);
        }
        Ok(mark)
    }

    /// The place before everything that happened at a time or later.
    async fn walk_back(
        &self,
        account: LedgerAccountId,
        start: Mark,
        end: Timestamp,
    ) -> Result<Mark, Error> {
        let mut mark = start;
        while let Some(newest) = mark.transfer {
            let ledger = &self.inner().ledger;
            let page = ledger
                .statement(account, Some(newest), STATEMENT_TRANSFERS_MAX)
                .await?;
            assert!(!page.transfers.is_empty(), "{newest} is not of {account}");
            for transfer in &page.transfers {
                if transfer.at < end {
                    let balance = transfer.balance_of(account);
                    assert_eq!(
                        mark.balance(),
                        balance,
                        "the sums of {account} at {}",
                        transfer.id
                    );
                    return Ok(mark);
                }
                mark = mark.before(transfer, account);
            }
        }
        assert_eq!(
            mark,
            Mark::default(),
            "the chain of {account} begins at nothing"
        );
        Ok(mark)
    }
}
