use std::collections::HashMap;

use qiao_auth::Permit;
use qiao_ledger::{
    AccountKind, AssetTotal, Balance, LedgerAccount, NewAccount, Owner, Transfer, account_id,
};
use qiao_model::{
    Asset, Currency, InstitutionId, LedgerAccountId, OrderId, PaymentId, ProductId, TransferId,
    UserId,
};

use crate::access;
use crate::error::Error;
use crate::party::{Account, Party};
use crate::payment::{Payment, Refund};
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

/// What a person holds of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The product.
    pub product: ProductId,
    /// Units in hundredths.
    pub balance: Balance,
    /// Of these, what was credited as income so far.
    pub income_minor: i64,
}

/// One holder of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The account, which is where the next page begins.
    pub account: LedgerAccountId,
    /// Who.
    pub user: UserId,
    /// How much.
    pub balance: Balance,
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
}

/// Whose statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementOf {
    /// A person's money.
    User(UserId, Currency),
    /// A person's units of a product.
    Holding(UserId, ProductId),
    /// What an institution's orders brought.
    Settlement(InstitutionId, Currency),
    /// An institution's fees.
    Revenue(InstitutionId, Currency),
}

/// A transfer as its account sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// The transfer.
    pub transfer: Transfer,
    /// What it did to the posted balance: nothing for a hold or its release.
    pub change: i64,
    /// The posted balance after it.
    pub balance: i64,
    /// The payment that it is a part of.
    pub payment: Option<Payment>,
}

/// A page of a statement, the newest line first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementPage {
    /// The lines.
    pub lines: Vec<StatementLine>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<TransferId>,
}

impl Payments {
    /// One payment; none when there is none that the caller may see.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn get(&self, permit: &Permit, payment: PaymentId) -> Result<Option<Payment>, Error> {
        let found = store::read::payment(&self.db, payment).await?;
        visible(permit, found)
    }

    /// The payment of an order; none when there is none that the caller may see.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn of_order(
        &self,
        permit: &Permit,
        order: OrderId,
    ) -> Result<Option<Payment>, Error> {
        let found = store::read::payment_of_order(&self.db, order).await?;
        visible(permit, found)
    }

    /// The refunds of a payment, the oldest first.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn refunds_of(
        &self,
        permit: &Permit,
        payment: PaymentId,
    ) -> Result<Vec<Refund>, Error> {
        if self.get(permit, payment).await?.is_none() {
            return Ok(Vec::new());
        }
        Ok(store::read::refunds_of(&self.db, payment).await?)
    }

    /// The transfers that a payment and its refunds are made of.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn transfers_of(
        &self,
        permit: &Permit,
        payment: PaymentId,
    ) -> Result<Vec<Transfer>, Error> {
        if self.get(permit, payment).await?.is_none() {
            return Ok(Vec::new());
        }
        Ok(self.ledger.transfers_of(&payment.to_string()).await?)
    }

    /// A person's accounts: money and units.
    ///
    /// # Errors
    /// The permit is not that person's, or the database failed.
    pub async fn balances(
        &self,
        permit: &Permit,
        user: UserId,
    ) -> Result<Vec<LedgerAccount>, Error> {
        access::may_see_user(permit, user)?;
        Ok(self.ledger.accounts_of(&Owner::User(user)).await?)
    }

    /// A person's money in one currency; nothing when they never had any.
    ///
    /// # Errors
    /// The permit is not that person's, or the database failed.
    pub async fn balance(
        &self,
        permit: &Permit,
        user: UserId,
        currency: Currency,
    ) -> Result<Balance, Error> {
        access::may_see_user(permit, user)?;
        let account = Party::User(user).account(currency);
        Ok(self.ledger.balance(account.id()).await?.unwrap_or_default())
    }

    /// What a person holds, product by product.
    ///
    /// # Errors
    /// The permit is not that person's, or the database failed.
    pub async fn holdings(&self, permit: &Permit, user: UserId) -> Result<Vec<Holding>, Error> {
        access::may_see_user(permit, user)?;
        let accounts = self.ledger.accounts_of(&Owner::User(user)).await?;
        let held: Vec<_> = accounts
            .iter()
            .filter(|account| account.kind == AccountKind::Holding)
            .collect();
        let ids: Vec<_> = held.iter().map(|account| account.id).collect();
        let income = store::read::income(&self.db, &ids).await?;
        let holdings = held.iter().filter_map(|account| match account.asset {
            Asset::Units(product) => Some(Holding {
                product,
                balance: account.balance,
                income_minor: income.get(&account.id).copied().unwrap_or(0),
            }),
            Asset::Currency(_) => None,
        });
        Ok(holdings.collect())
    }

    /// What a person holds of one product; nothing when they never did.
    ///
    /// # Errors
    /// The permit is not that person's nor of a plugin's call for them, or the
    /// database failed.
    pub async fn holding(
        &self,
        permit: &Permit,
        user: UserId,
        product: ProductId,
    ) -> Result<Holding, Error> {
        access::may_see_holding(permit, user)?;
        let account = Account::Holding(user).of(product).id();
        let income = store::read::income(&self.db, &[account]).await?;
        Ok(Holding {
            product,
            balance: self.ledger.balance(account).await?.unwrap_or_default(),
            income_minor: income.get(&account).copied().unwrap_or(0),
        })
    }

    /// A page of a product's holders with something posted, in a fixed order:
    /// from the first, or after the account of the page before's last.
    ///
    /// # Errors
    /// The permit is not the host's own, or the database failed.
    pub async fn holders(
        &self,
        permit: &Permit,
        product: ProductId,
        after: Option<LedgerAccountId>,
        limit: usize,
    ) -> Result<Vec<Holder>, Error> {
        access::may_see_holders(permit)?;
        let accounts = self.ledger.holders(product, after, limit).await?;
        let holders = accounts.into_iter().map(|account| {
            let user = account.owner.parse();
            Ok(Holder {
                account: account.id,
                user: user.map_err(|_| qiao_db::Error::corrupt("holder", account.owner))?,
                balance: account.balance,
            })
        });
        holders.collect()
    }

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

    /// A page of a statement.
    ///
    /// # Errors
    /// The permit is not the owner's, or the database failed.
    pub async fn statement(
        &self,
        permit: &Permit,
        of: StatementOf,
        from: Option<TransferId>,
        limit: usize,
    ) -> Result<StatementPage, Error> {
        match of {
            StatementOf::User(user, _) | StatementOf::Holding(user, _) => {
                access::may_see_user(permit, user)?;
            }
            StatementOf::Settlement(institution, _) | StatementOf::Revenue(institution, _) => {
                access::may_see_institution(permit, institution)?;
            }
        }
        let account = of.account().id();
        let page = self.ledger.statement(account, from, limit).await?;
        let payments = self.payments_of(&page.transfers).await?;
        let lines = page.transfers.into_iter().map(|transfer| {
            let payment = payment_named(&transfer).and_then(|id| payments.get(&id).cloned());
            StatementLine {
                change: transfer.change_of(account),
                balance: transfer.balance_of(account),
                payment,
                transfer,
            }
        });
        Ok(StatementPage {
            lines: lines.collect(),
            next: page.next,
        })
    }

    /// The books of every asset: each sums to zero.
    ///
    /// # Errors
    /// The permit is not an operator's, or the database failed.
    pub async fn books(&self, permit: &Permit) -> Result<Vec<AssetTotal>, Error> {
        access::may_see_books(permit)?;
        Ok(self.ledger.totals().await?)
    }

    /// What the platform earned in a currency.
    ///
    /// # Errors
    /// The permit is not an operator's, or the database failed.
    pub async fn platform_revenue(
        &self,
        permit: &Permit,
        currency: Currency,
    ) -> Result<Balance, Error> {
        access::may_see_books(permit)?;
        let asset = Asset::Currency(currency);
        let account = account_id(&Owner::Platform, AccountKind::Revenue, asset);
        Ok(self.ledger.balance(account).await?.unwrap_or_default())
    }

    async fn payments_of(
        &self,
        transfers: &[Transfer],
    ) -> Result<HashMap<PaymentId, Payment>, Error> {
        let mut ids: Vec<PaymentId> = transfers.iter().filter_map(payment_named).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        Ok(store::read::payments(&self.db, &ids).await?)
    }
}

impl StatementOf {
    fn account(self) -> NewAccount {
        match self {
            Self::User(user, currency) => Party::User(user).account(currency),
            Self::Holding(user, product) => Account::Holding(user).of(product),
            Self::Settlement(id, currency) => Party::Institution(id).account(currency),
            Self::Revenue(id, currency) => Party::Revenue(id).account(currency),
        }
    }
}

impl InstitutionSummary {
    fn empty(currency: Currency) -> Self {
        Self {
            currency,
            settlement: Balance::default(),
            settlement_received: 0,
            revenue: Balance::default(),
            revenue_received: 0,
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
            AccountKind::Available
            | AccountKind::Clearing
            | AccountKind::External
            | AccountKind::Holding
            | AccountKind::Issuance
            | AccountKind::Income => {}
        }
    }
}

fn visible(permit: &Permit, found: Option<Payment>) -> Result<Option<Payment>, Error> {
    match found {
        Some(payment) if access::may_see(permit, &payment)? => Ok(Some(payment)),
        Some(_) | None => Ok(None),
    }
}

fn payment_named(transfer: &Transfer) -> Option<PaymentId> {
    transfer.reference.parse().ok()
}
