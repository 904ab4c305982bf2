use qiao_auth::Permit;
use qiao_ledger::{AccountKind, AssetTotal, Balance, LedgerAccount, Owner, Transfer, account_id};
use qiao_model::{Asset, Currency, InstitutionId, OrderId, PaymentId, Timestamp, UserId};

use crate::access;
use crate::error::Error;
use crate::idempotency::IdempotencyKey;
use crate::party::Party;
use crate::payment::{Payment, Refund};
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::store;

/// So many movements of a person's balance are looked at for their last payment.
pub const LAST_PAID_TRANSFERS_MAX: usize = 200;

impl Payments {
    /// One payment; none when there is none that the caller may see.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn get(&self, permit: &Permit, payment: PaymentId) -> Result<Option<Payment>, Error> {
        let found = store::read::payment(&self.db, payment).await?;
        visible(permit, found)
    }

    /// Whether a key may be sent with its request: it was never used, or with the same.
    /// For a room that has the answer already and decides nothing any more.
    ///
    /// # Errors
    /// [`Refusal::KeyReused`], or the database failed.
    pub async fn check_key(&self, key: &IdempotencyKey) -> Result<(), Error> {
        match store::read::request_of_key(&self.db, key.digest()).await? {
            Some(request) if request != key.request_hash() => Err(Refusal::KeyReused.into()),
            Some(_) | None => Ok(()),
        }
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

    /// When a person last paid an institution within so many seconds; none when they
    /// did not, or not among the newest [`LAST_PAID_TRANSFERS_MAX`] movements of
    /// their balances. For the host's own rooms.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn last_paid(
        &self,
        permit: &Permit,
        (user, institution): (UserId, InstitutionId),
        within_secs: i64,
    ) -> Result<Option<Timestamp>, Error> {
        let since = self.env.now().plus_secs(within_secs.saturating_neg());
        let mut last = None;
        for account in self.ledger.accounts_of(&Owner::User(user)).await? {
            if account.kind != AccountKind::Available {
                continue;
            }
            let page = self
                .ledger
                .statement(account.id, None, LAST_PAID_TRANSFERS_MAX)
                .await?;
            let lately = page.transfers.iter().take_while(|t| t.at > since);
            let paying = lately.filter(|t| t.change_of(account.id) < 0);
            for transfer in paying {
                let Ok(payment) = transfer.reference.parse() else {
                    continue;
                };
                let payment = self.get(permit, payment).await?;
                if payment.is_some_and(|payment| payment.institution == Some(institution)) {
                    last = last.max(Some(transfer.at));
                    break;
                }
            }
        }
        Ok(last)
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
}

fn visible(permit: &Permit, found: Option<Payment>) -> Result<Option<Payment>, Error> {
    match found {
        Some(payment) if access::may_see(permit, &payment)? => Ok(Some(payment)),
        Some(_) | None => Ok(None),
    }
}
