use qiao_auth::Permit;
use qiao_ledger::LedgerAccount;
use qiao_model::{Asset, Currency, InstitutionId, LedgerAccountId, Money};

use crate::access;
use crate::command::{Command, Keyed, Purse, Recovery};
use crate::error::Error;
use crate::payments::Payments;
use crate::refusal::Refusal;

/// Debts that are looked at in one batch at most.
pub const RECOVERIES_PAGE_MAX: usize = 200;

/// What an institution owes in one currency since refunds found receivers short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receivable {
    /// Who owes.
    pub institution: InstitutionId,
    /// What it owes now.
    pub owed: Money,
    /// What it ever came to owe.
    pub opened: Money,
    /// What it paid off.
    pub recovered: Money,
    account: LedgerAccountId,
}

impl Payments {
    /// Every debt that is not paid off: a page of at most
    /// [`RECOVERIES_PAGE_MAX`], from the first or after one of the page before.
    ///
    /// # Errors
    /// The permit is not an operator's, or the database failed.
    pub async fn receivables(
        &self,
        permit: &Permit,
        after: Option<&Receivable>,
    ) -> Result<Vec<Receivable>, Error> {
        access::may_see_books(permit)?;
        self.debts_after(after.map(|debt| debt.account)).await
    }

    /// Takes off an institution's debt what it has by now, its fees first; gives
    /// what was recovered. Called before a payout, so that no debtor is paid.
    ///
    /// # Errors
    /// The permit is not the host's own, or the database failed.
    pub async fn recover(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        currency: Currency,
    ) -> Result<Money, Error> {
        access::may_credit(permit)?;
        self.recover_from(&[(institution, currency)])
            .await
            .map(|minor| Money::new(minor, currency))
    }

    /// Takes off every debt what its institution has by now; gives how many
    /// debts there are. A worker calls it now and then.
    ///
    /// # Errors
    /// The database failed.
    pub async fn recover_receivables(&self) -> Result<usize, Error> {
        let mut seen: usize = 0;
        let mut after = None;
        loop {
            let debts = self.debts_after(after).await?;
            let owing: Vec<_> = (debts.iter())
                .map(|debt| (debt.institution, debt.owed.currency))
                .collect();
            self.recover_from(&owing).await?;
            seen = seen.saturating_add(debts.len());
            after = debts.last().map(|debt| debt.account);
            if debts.len() < RECOVERIES_PAGE_MAX {
                return Ok(seen);
            }
        }
    }

    async fn debts_after(&self, after: Option<LedgerAccountId>) -> Result<Vec<Receivable>, Error> {
        let accounts = self.ledger.debtors(after, RECOVERIES_PAGE_MAX).await?;
        accounts.iter().map(Receivable::of).collect()
    }

    async fn recover_from(&self, owing: &[(InstitutionId, Currency)]) -> Result<i64, Error> {
        let commands = owing.iter().flat_map(|(institution, currency)| {
            Purse::ALL.map(|purse| Recovery {
                payment: self.env.id(),
                institution: *institution,
                purse,
                currency: *currency,
            })
        });
        let commands = commands.map(|recovery| Keyed::from(Command::Recover(recovery)));
        let mut recovered: i64 = 0;
        for outcome in self.batcher.submit_all(commands.collect()).await {
            match outcome? {
                Ok(outcome) => {
                    let minor = outcome.payment().map_or(0, |payment| payment.amount.minor);
                    recovered = recovered.saturating_add(minor);
                }
                Err(Refusal::NothingToRecover(_)) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(recovered)
    }
}

impl Receivable {
    fn of(account: &LedgerAccount) -> Result<Self, Error> {
        let corrupt = || qiao_db::Error::corrupt("receivable", &account.owner);
        let Asset::Currency(currency) = account.asset else {
            return Err(corrupt().into());
        };
        Ok(Self {
            institution: account.owner.parse().map_err(|_| corrupt())?,
            owed: Money::new(account.balance.posted.saturating_neg(), currency),
            opened: Money::new(account.debits, currency),
            recovered: Money::new(account.credits, currency),
            account: account.id,
        })
    }
}
