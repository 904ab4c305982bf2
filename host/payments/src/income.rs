//! A day's income for every holder of a product, a page at a time. A page is
//! read and prepared beside the writer and then stored with few statements; the
//! room that knows the day's price composes them in its own transaction.

use std::collections::HashMap;

use qiao_db::{Error, Tx};
use qiao_events::NewEvent;
use qiao_ledger::{Place, Spread, SpreadLine, SpreadOf};
use qiao_model::{Day, LedgerAccountId, ProductId, Timestamp, TransferId, UserId};

use crate::command::{Credit, Credited};
use crate::event;
use crate::holding::Holder;
use crate::party::Account;
use crate::refusal::Refusal;

/// Holders of one page at most.
pub const INCOME_PAGE_MAX: usize = qiao_ledger::SPREAD_TRANSFERS_MAX;

/// The income of one holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncomeLine {
    /// Who.
    pub user: UserId,
    /// The holding.
    pub account: LedgerAccountId,
    /// Where its transfers end.
    pub place: Place,
    /// In hundredths of a unit, at least 1.
    pub minor: i64,
}

/// Whose income it is, and of which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncomeOf {
    /// The product.
    pub product: ProductId,
    /// The day.
    pub day: Day,
    /// When it is credited.
    pub at: Timestamp,
}

/// A page that is ready to be stored.
#[derive(Clone, Debug)]
pub struct Income {
    of: IncomeOf,
    lines: Vec<IncomeLine>,
    spread: Spread,
    event: Option<NewEvent>,
    credited: Credited,
}

/// Where the transfers of a product's income account end; the beginning when
/// there was no income yet.
///
/// # Errors
/// The database failed.
pub async fn source(tx: &mut Tx, product: ProductId) -> Result<Place, Error> {
    qiao_ledger::place_of(tx, Account::Income.of(product).id()).await
}

/// A page of the product's holders, after the account of the page before's last.
///
/// # Errors
/// The database failed.
pub async fn holders(
    tx: &mut Tx,
    product: ProductId,
    after: Option<LedgerAccountId>,
    limit: usize,
) -> Result<Vec<Holder>, Error> {
    let accounts = qiao_ledger::holders(tx, product, after, limit).await?;
    accounts.into_iter().map(Holder::of).collect()
}

/// Units of a product that were sold and not given back before a time, in
/// hundredths; without what was credited as income.
///
/// # Errors
/// The database failed.
pub async fn issued_before(tx: &mut Tx, product: ProductId, at: Timestamp) -> Result<i64, Error> {
    let issuance = Account::Issuance.of(product).id();
    let posted = qiao_ledger::balance_before(tx, issuance, at).await?;
    Ok(posted.saturating_neg())
}

impl Income {
    /// Prepares the transfers of a page behind `source`. Does no IO.
    ///
    /// # Errors
    /// A line without income, or a balance that would not fit in 64 bits.
    ///
    /// # Panics
    /// There are more lines than [`INCOME_PAGE_MAX`].
    pub fn prepare(of: IncomeOf, source: Place, lines: Vec<IncomeLine>) -> Result<Self, Refusal> {
        let label = of.label();
        let spread_of = SpreadOf {
            giver: Account::Income.of(of.product),
            purpose: PURPOSE,
            reference: label.clone(),
            at: of.at,
        };
        let spread_lines: Vec<SpreadLine> = lines
            .iter()
            .map(|line| SpreadLine {
                id: transfer_id(&label, line.user),
                account: line.account,
                place: line.place,
                minor: line.minor,
            })
            .collect();
        let spread = Spread::prepare(spread_of, source, &spread_lines).map_err(Refusal::Ledger)?;
        let credited = Credited {
            holders: lines.len(),
            minor: lines
                .iter()
                .fold(0, |sum, line| line.minor.saturating_add(sum)),
            existing: 0,
        };
        let credit = Credit {
            product: of.product,
            day: of.day,
            lines: Vec::new(),
        };
        let first = spread_lines.first();
        let event = first.map(|first| event::of_credit(&credit, &credited, first.id));
        Ok(Self {
            of,
            lines,
            spread,
            event,
            credited,
        })
    }

    /// What it credits.
    #[must_use]
    pub const fn credited(&self) -> Credited {
        self.credited
    }

    /// Where the transfers of the income account end after it.
    #[must_use]
    pub const fn source_after(&self) -> Place {
        self.spread.giver_after()
    }

    /// Writes the page and its entry of the journal; false when one of its
    /// accounts moved since it was read, and then the caller rolls back.
    ///
    /// # Errors
    /// The database failed, or a holder was credited for the day before.
    pub async fn store(&self, tx: &mut Tx) -> Result<bool, Error> {
        let Some(event) = &self.event else {
            return Ok(true);
        };
        let facts =
            qiao_events::append_attested(tx, self.of.at, std::slice::from_ref(event)).await?;
        self.spread.store(tx, facts).await
    }

    /// The same page behind where its accounts are now, which are locked until
    /// the transaction ends.
    ///
    /// # Errors
    /// The database failed, or a balance would not fit in 64 bits.
    pub async fn again(&self, tx: &mut Tx) -> Result<Self, crate::Error> {
        let source = Account::Income.of(self.of.product).id();
        let mut accounts = vec![source];
        accounts.extend(self.lines.iter().map(|line| line.account));
        let places = qiao_ledger::lock_places(tx, &accounts).await?;
        let places: HashMap<LedgerAccountId, Place> = places.into_iter().collect();
        let lines = self.lines.iter().map(|line| IncomeLine {
            place: places.get(&line.account).copied().unwrap_or(line.place),
            ..*line
        });
        let source = places.get(&source).copied().unwrap_or_default();
        Ok(Self::prepare(self.of, source, lines.collect())?)
    }
}

const PURPOSE: &str = "income";

impl IncomeOf {
    fn label(&self) -> String {
        label(self.product, self.day)
    }
}

/// What the transfers of a day's income belong to.
pub(crate) fn label(product: ProductId, day: Day) -> String {
    format!("income/{product}/{day}")
}

/// The id of a holder's income: one for a product, day and holder.
pub(crate) fn transfer_id(label: &str, user: UserId) -> TransferId {
    user.derive(label, 0)
}
