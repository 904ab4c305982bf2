use qiao_auth::Permit;
use qiao_ledger::AccountKind;
use qiao_model::{BankTransferId, Day, InstitutionId, Money, PayoutId, Timestamp};
use qiao_payments::Party;

use crate::access;
use crate::error::Error;
use crate::settlement::{PAGE_MAX, Settlement};
use crate::store;

/// Which of an institution's accounts is paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Money of its customers' orders.
    Settlement,
    /// Its own fees.
    Revenue,
}

impl Source {
    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settlement => "settlement",
            Self::Revenue => "revenue",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Settlement, Self::Revenue]
            .into_iter()
            .find(|source| source.name() == name)
    }

    /// The source that an account of an institution is.
    pub(crate) const fn of_kind(kind: AccountKind) -> Option<Self> {
        match kind {
            AccountKind::Settlement => Some(Self::Settlement),
            AccountKind::Revenue => Some(Self::Revenue),
            AccountKind::Available
            | AccountKind::Clearing
            | AccountKind::External
            | AccountKind::Receivable
            | AccountKind::Advance
            | AccountKind::Holding
            | AccountKind::Issuance
            | AccountKind::Income => None,
        }
    }

    /// The party that pays.
    #[must_use]
    pub const fn party(self, institution: InstitutionId) -> Party {
        match self {
            Self::Settlement => Party::Institution(institution),
            Self::Revenue => Party::Revenue(institution),
        }
    }
}

/// Where a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayoutState {
    /// It is stored and no bank was asked.
    Due,
    /// A bank was asked.
    Sent,
    /// A bank was asked, and nobody knows what became of it.
    Unknown,
    /// The bank moved the money.
    Paid,
    /// Nothing moved; what is owed is part of a later day's payout.
    Rejected,
}

impl PayoutState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Due,
        Self::Sent,
        Self::Unknown,
        Self::Paid,
        Self::Rejected,
    ];

    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Paid => "paid",
            Self::Rejected => "rejected",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it has ended.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Paid | Self::Rejected)
    }
}

impl std::fmt::Display for PayoutState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What an institution gets on a day, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Its id.
    pub id: PayoutId,
    /// Who is paid.
    pub institution: InstitutionId,
    /// From which of its accounts.
    pub source: Source,
    /// How much.
    pub amount: Money,
    /// The day that it is paid.
    pub day: Day,
    /// Which part of the day's, from 1 on: a bank's channel carries so much at once.
    pub part: u32,
    /// The last day whose credits it pays.
    pub through: Day,
    /// To which bank account.
    pub account_number: String,
    /// Where it stands.
    pub state: PayoutState,
    /// Why it is rejected or waits.
    pub reason: Option<String>,
    /// The bank that carries it, once one was asked.
    pub channel: Option<String>,
    /// The bank's own id of it.
    pub bank_reference: Option<String>,
    /// How often it was driven.
    pub attempts: u32,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When it changed last.
    pub changed_at: Timestamp,
}

impl Payout {
    /// Its transfer in the banks room, which makes it happen once.
    #[must_use]
    pub fn bank_transfer(&self) -> BankTransferId {
        self.id.derive("bank transfer", 0)
    }
}

impl Settlement {
    /// A page of an institution's payouts, the newest first.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn payouts(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        before: Option<PayoutId>,
        limit: usize,
    ) -> Result<Vec<Payout>, Error> {
        access::may_see(permit, institution)?;
        let limit = limit.clamp(1, PAGE_MAX);
        Ok(store::payout::list_for(&self.inner().db, institution, before, limit).await?)
    }

    /// One payout; none when there is none of that id. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn payout(&self, permit: &Permit, id: PayoutId) -> Result<Option<Payout>, Error> {
        access::may_operate(permit)?;
        Ok(store::payout::find(&self.inner().db, id).await?)
    }

    /// A page of every institution's payouts, the newest first. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn all_payouts(
        &self,
        permit: &Permit,
        before: Option<PayoutId>,
        limit: usize,
    ) -> Result<Vec<Payout>, Error> {
        access::may_operate(permit)?;
        let limit = limit.clamp(1, PAGE_MAX);
        Ok(store::payout::list(&self.inner().db, before, limit).await?)
    }
}
