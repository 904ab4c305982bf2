//! One account gives to many in one go: a day's income to every holder of a page.
//!
//! A spread is prepared without IO from accounts as they were read, beside the
//! writer, and stored if none of them moved since; else its caller locks them
//! and prepares it again. It makes the same transfers and the same entry of the
//! journal as [`crate::State`] would, with less to look up.

use qiao_db::attest::Fact;
use qiao_db::{Error, Tx};
use qiao_model::{LedgerAccountId, Timestamp, TransferId};

use crate::account::NewAccount;
use crate::refusal::Refusal;
use crate::store::spread as store;

/// Transfers of one spread at most.
pub const SPREAD_TRANSFERS_MAX: usize = 4_096;

/// Where an account's chain of transfers ends: what its next one builds on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Credits less debits of everything posted.
    pub posted: i64,
    /// Will arrive unless voided.
    pub pending_in: i64,
    /// How many transfers it has.
    pub transfers: i64,
    /// The last of them.
    pub last_transfer: Option<TransferId>,
}

/// One account that gets something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpreadLine {
    /// The transfer's id.
    pub id: TransferId,
    /// The account, which is open.
    pub account: LedgerAccountId,
    /// Where its chain ends.
    pub place: Place,
    /// How much, at least 1.
    pub minor: i64,
}

/// What every transfer of a spread has in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpreadOf {
    /// The account that gives; its kind has no floor.
    pub giver: NewAccount,
    /// What it is for.
    pub purpose: &'static str,
    /// What it belongs to.
    pub reference: String,
    /// When.
    pub at: Timestamp,
}

/// A spread that is ready to be stored.
#[derive(Clone, Debug)]
pub struct Spread {
    pub(crate) of: SpreadOf,
    pub(crate) before: Place,
    pub(crate) after: Place,
    pub(crate) given: i64,
    pub(crate) rows: Vec<SpreadRow>,
    facts: Vec<Fact>,
}

/// A transfer of a spread, with what differs from one to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpreadRow {
    pub(crate) line: SpreadLine,
    pub(crate) giver_previous: Option<TransferId>,
    pub(crate) giver_balance: i64,
    pub(crate) balance: i64,
}

impl Spread {
    /// Prepares the transfers, in the order of the lines, behind `place` of the giver.
    ///
    /// # Errors
    /// A line moves nothing, or a balance would not fit in 64 bits.
    ///
    /// # Panics
    /// The giver's kind has a floor, or there are more lines than
    /// [`SPREAD_TRANSFERS_MAX`].
    pub fn prepare(of: SpreadOf, place: Place, lines: &[SpreadLine]) -> Result<Self, Refusal> {
        assert!(of.giver.kind().floor().is_none(), "a spread keeps no floor");
        assert!(lines.len() <= SPREAD_TRANSFERS_MAX, "a spread has a limit");
        let mut spread = Self {
            before: place,
            after: place,
            given: 0,
            rows: Vec::with_capacity(lines.len()),
            facts: Vec::new(),
            of,
        };
        for line in lines {
            spread.add(line)?;
        }
        spread.facts = store::attest(&spread.of, &spread.rows);
        Ok(spread)
    }

    fn add(&mut self, line: &SpreadLine) -> Result<(), Refusal> {
        if line.minor < 1 {
            return Err(Refusal::NotPositive(line.id));
        }
        let giver = self.of.giver.id();
        let minor = line.minor;
        let overflow = || Refusal::Overflow(giver);
        let giver_balance = self.after.posted.checked_sub(minor).ok_or_else(overflow)?;
        self.given = self.given.checked_add(minor).ok_or_else(overflow)?;
        let balance = line.place.posted.checked_add(minor);
        let balance = balance
            .filter(|balance| balance.checked_add(line.place.pending_in).is_some())
            .ok_or(Refusal::Overflow(line.account))?;
        self.rows.push(SpreadRow {
            line: *line,
            giver_previous: self.after.last_transfer,
            giver_balance,
            balance,
        });
        self.after = Place {
            posted: giver_balance,
            transfers: self.after.transfers.saturating_add(1),
            last_transfer: Some(line.id),
            ..self.after
        };
        Ok(())
    }

    /// Where the giver's chain ends after it.
    #[must_use]
    pub const fn giver_after(&self) -> Place {
        self.after
    }

    /// Writes the transfers, the accounts, and an entry of the journal with the
    /// facts of other rooms' rows; false when an account moved since it was read,
    /// and then the caller rolls back.
    ///
    /// # Errors
    /// The database failed, or one of the transfers is in the books already.
    pub async fn store(
        &self,
        tx: &mut Tx,
        facts: impl IntoIterator<Item = Fact>,
    ) -> Result<bool, Error> {
        if !self.rows.is_empty() {
            let is_unmoved = store::give(tx, self).await? && store::receive(tx, self).await?;
            if !is_unmoved {
                return Ok(false);
            }
        }
        let attested: Vec<Fact> = self.facts.iter().copied().chain(facts).collect();
        crate::store::journal::append(tx, &attested, self.of.at).await?;
        Ok(true)
    }
}

/// Where an account's chain ends as the transaction sees it; the beginning when
/// the account is not open.
///
/// # Errors
/// The database failed.
pub async fn place_of(tx: &mut Tx, account: LedgerAccountId) -> Result<Place, Error> {
    store::place_of(tx, account).await
}

/// Where the chains of these accounts end, in the order of the ids; those that
/// are not open are left out. Their rows are locked until the transaction ends.
///
/// # Errors
/// The database failed.
pub async fn lock_places(
    tx: &mut Tx,
    accounts: &[LedgerAccountId],
) -> Result<Vec<(LedgerAccountId, Place)>, Error> {
    store::lock_places(tx, accounts).await
}
