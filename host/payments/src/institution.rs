use qiao_auth::Permit;
use qiao_ledger::{AccountKind, Balance, LedgerAccount, Owner};
use qiao_model::{Asset, Currency, InstitutionId, PaymentId};

use crate::access;
use crate::error::Error;
use crate::payment::Payment;
use crate::payments::Payments;
use crate::store;

/// Payments of one page at most.
pub const PAYMENTS_PAGE_MAX: usize = 100;

/// A page of payments, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentsPage {
    /// The payments.
    pub payments: Vec<Payment>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<PaymentId>,
}

/// What an institution has in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstitutionSummary {
    /// The currency.
    pub currency: Currency,
    /// Money of its customers' orders, to be paid out.
    pub settlement: Balance,
    /// Everything that its orders ever brought.
    pub settlement_received: i64,
    /// Its own fees.
    pub revenue: Balance,
    /// All fees that it ever earned.
    pub revenue_received: i64,
    /// What it owes since refunds found receivers short.
    pub owed: i64,
    /// What its bank advanced for instant redemptions and is not lent out.
    pub advance: Balance,
}

impl Payments {
    /// What an institution has, by currency.
    ///
    /// # Errors
    /// The permit is not the institution's, or the database failed.
    pub async fn institution_summary(
        &self,
        permit: &Permit,
        institution: InstitutionId,
    ) -> Result<Vec<InstitutionSummary>, Error> {
        access::may_see_institution(permit, institution)?;
        let owner = Owner::Institution(institution);
        let accounts = self.ledger.accounts_of(&owner).await?;
        let mut summaries: Vec<InstitutionSummary> = Vec::new();
        for account in &accounts {
            let Asset::Currency(currency) = account.asset else {
                continue;
            };
            let known = summaries.iter().position(|s| s.currency == currency);
            let at = known.unwrap_or_else(|| {
                summaries.push(InstitutionSummary::empty(currency));
                summaries.len().saturating_sub(1)
            });
            summaries[at].add(account);
        }
        Ok(summaries)
    }

    /// A page of the payments of an institution's orders, with their splits.
    ///
    /// # Errors
    /// The permit is not the institution's, or the database failed.
    pub async fn of_institution(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        before: Option<PaymentId>,
        limit: usize,
    ) -> Result<PaymentsPage, Error> {
        access::may_see_institution(permit, institution)?;
        let limit = limit.clamp(1, PAYMENTS_PAGE_MAX);
        let rows = i64::try_from(limit).unwrap_or(1);
        let payments =
            store::read::payments_of_institution(&self.db, institution, before, rows).await?;
        let is_full = payments.len() == limit;
        let next = payments.last().filter(|_| is_full).map(|last| last.id);
        Ok(PaymentsPage { payments, next })
    }
}

impl InstitutionSummary {
    /// Nothing yet.
    #[must_use]
    pub fn empty(currency: Currency) -> Self {
        Self {
            currency,
            settlement: Balance::default(),
            settlement_received: 0,
            revenue: Balance::default(),
            revenue_received: 0,
            owed: 0,
            advance: Balance::default(),
        }
    }

    fn add(&mut self, account: &LedgerAccount) {
        match account.kind {
            AccountKind::Settlement => {
                self.settlement = account.balance;
                self.settlement_received = account.credits;
            }
            AccountKind::Revenue => {
                self.revenue = account.balance;
                self.revenue_received = account.credits;
            }
            AccountKind::Receivable => self.owed = account.balance.posted.saturating_neg(),
            AccountKind::Advance => self.advance = account.balance,
            AccountKind::Available
            | AccountKind::Clearing
            | AccountKind::External
            | AccountKind::Holding
            | AccountKind::Issuance
            | AccountKind::Income => {}
        }
    }
}
