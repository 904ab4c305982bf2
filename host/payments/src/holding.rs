use qiao_auth::Permit;
use qiao_db::Tx;
use qiao_ledger::{AccountKind, Balance, LedgerAccount, Owner, Place};
use qiao_model::{Asset, LedgerAccountId, ProductId, UserId};

use crate::access;
use crate::error::Error;
use crate::party::Account;
use crate::payments::Payments;

/// What a person holds of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The product.
    pub product: ProductId,
    /// Units in hundredths.
    pub balance: Balance,
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

/// What a person holds, product by product, as the transaction sees it.
///
/// # Errors
/// The permit is not that person's, or the database failed.
pub async fn holdings_in(
    tx: &mut Tx,
    permit: &Permit,
    user: UserId,
) -> Result<Vec<Holding>, Error> {
    access::may_see_user(permit, user)?;
    let owner = Owner::User(user);
    Ok(held(qiao_ledger::accounts_in(tx, &owner).await?))
}

/// As [`Payments::holding`], as the transaction sees it.
///
/// # Errors
/// The permit is not that person's nor of a plugin's call for them, or the database
/// failed.
pub async fn holding_in(
    tx: &mut Tx,
    permit: &Permit,
    user: UserId,
    product: ProductId,
) -> Result<Holding, Error> {
    access::may_see_holding(permit, user)?;
    let owner = Owner::User(user);
    let mut held = held(qiao_ledger::accounts_in(tx, &owner).await?);
    held.retain(|holding| holding.product == product);
    Ok(held.pop().unwrap_or(Holding {
        product,
        balance: Balance::default(),
    }))
}

fn held(accounts: Vec<LedgerAccount>) -> Vec<Holding> {
    let held = accounts.into_iter().filter_map(|account| {
        let is_holding = account.kind == AccountKind::Holding;
        match account.asset {
            Asset::Units(product) if is_holding => Some(Holding {
                product,
                balance: account.balance,
            }),
            Asset::Units(_) | Asset::Currency(_) => None,
        }
    });
    held.collect()
}

impl Payments {
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
        Ok(Holding {
            product,
            balance: self.ledger.balance(account).await?.unwrap_or_default(),
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
