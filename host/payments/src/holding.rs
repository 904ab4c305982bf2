use qiao_auth::Permit;
use qiao_ledger::{AccountKind, Balance, LedgerAccount, Owner, Place};
use qiao_model::{Asset, LedgerAccountId, ProductId, UserId};

use crate::access;
use crate::error::Error;
use crate::party::Account;
use crate::payments::Payments;
use crate::store;

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
    /// Where its transfers end.
    pub place: Place,
}

impl Holder {
    pub(crate) fn of(account: LedgerAccount) -> Result<Self, qiao_db::Error> {
        let user = account.owner.parse();
        Ok(Self {
            account: account.id,
            user: user.map_err(|_| qiao_db::Error::corrupt("holder", account.owner))?,
            balance: account.balance,
            place: account.place,
        })
    }
}

impl Payments {
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
        let holders = accounts.into_iter().map(Holder::of);
        Ok(holders.collect::<Result<_, _>>()?)
    }
}
