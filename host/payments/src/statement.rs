use std::collections::HashMap;

use qiao_auth::Permit;
use qiao_ledger::{NewAccount, Transfer};
use qiao_model::{Currency, InstitutionId, PaymentId, ProductId, TransferId, UserId};

use crate::access;
use crate::error::Error;
use crate::party::{Account, Party};
use crate::payment::Payment;
use crate::payments::Payments;
use crate::store;

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
    /// Any party's money: an institution's for the institution, the rest for
    /// operators and the host's jobs.
    Party(Party, Currency),
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
            StatementOf::Party(party, _) => access::may_see_party(permit, party)?,
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
            Self::Party(party, currency) => party.account(currency),
        }
    }
}

fn payment_named(transfer: &Transfer) -> Option<PaymentId> {
    transfer.reference.parse().ok()
}
