use std::fmt;

use qiao_model::{
    Asset, Channel, Id, InstitutionId, LedgerAccountId, ProductId, UserId,
    id::{Noun, noun},
};

use crate::spread::Place;

/// Whose an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A person.
    User(UserId),
    /// An institution.
    Institution(InstitutionId),
    /// The platform that runs the host.
    Platform,
    /// The world outside the books, by channel: a custody bank, or `sandbox`.
    External(Channel),
    /// A product: where its units come from and go back to.
    Product(ProductId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Institution(id) => id.fmt(f),
            Self::Platform => f.write_str("platform"),
            Self::External(channel) => write!(f, "external:{channel}"),
            Self::Product(id) => id.fmt(f),
        }
    }
}

/// What an account is for. The kind decides the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// A person's money, free to spend.
    Available,
    /// What an institution received for its customers' orders, to be paid out.
    Settlement,
    /// Fees that an institution, the platform or a bank channel earned.
    Revenue,
    /// What an institution sets aside for redemptions that are paid later. They hold
    /// it from when they are ordered, and it comes on the day that they are paid: what
    /// is free is below zero by what is still to come. No floor.
    Clearing,
    /// The other side of money that enters or leaves the books: less than zero
    /// by what the channel's bank keeps in custody. No floor.
    External,
    /// What an institution owes since a refund found it short: less than zero
    /// by that much. No floor.
    Receivable,
    /// What a bank advanced to an institution, so that its redemptions are paid at once.
    Advance,
    /// Units that a person holds.
    Holding,
    /// Units that are in circulation, as what the product owes. No floor.
    Issuance,
    /// Units that were created as income of holders. No floor.
    Income,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Available,
        Self::Settlement,
        Self::Revenue,
        Self::Clearing,
        Self::External,
        Self::Receivable,
        Self::Advance,
        Self::Holding,
        Self::Issuance,
        Self::Income,
    ];

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Settlement => "settlement",
            Self::Revenue => "revenue",
            Self::Clearing => "clearing",
            Self::External => "external",
            Self::Receivable => "receivable",
            Self::Advance => "advance",
            Self::Holding => "holding",
            Self::Issuance => "issuance",
            Self::Income => "income",
        }
    }

    /// The kind of this stored name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The least that may be available; none for accounts that mirror the
    /// world outside or issue units.
    #[must_use]
    pub const fn floor(self) -> Option<i64> {
        match self {
            Self::External | Self::Clearing | Self::Receivable | Self::Issuance | Self::Income => {
                None
            }
            Self::Available | Self::Settlement | Self::Revenue | Self::Advance | Self::Holding => {
                Some(0)
            }
        }
    }
}

impl fmt::Display for AccountKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An account by what it is: it is opened by the first batch that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAccount {
    id: LedgerAccountId,
    owner: Owner,
    kind: AccountKind,
    asset: Asset,
}

impl NewAccount {
    /// The account of this owner, kind and asset; its id follows from them.
    #[must_use]
    pub fn new(owner: Owner, kind: AccountKind, asset: Asset) -> Self {
        let id = account_id(&owner, kind, asset);
        Self {
            id,
            owner,
            kind,
            asset,
        }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> LedgerAccountId {
        self.id
    }

    /// Whose it is.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// What it is for.
    #[must_use]
    pub const fn kind(&self) -> AccountKind {
        self.kind
    }

    /// What it counts.
    #[must_use]
    pub const fn asset(&self) -> Asset {
        self.asset
    }
}

/// The id of the account of this owner, kind and asset. It is derived, so
/// nobody looks it up.
#[must_use]
pub fn account_id(owner: &Owner, kind: AccountKind, asset: Asset) -> LedgerAccountId {
    let label = format!("{kind}/{asset}");
    match owner {
        Owner::User(id) => id.derive(&label, 0),
        Owner::Institution(id) => id.derive(&label, 0),
        Owner::Product(id) => id.derive(&label, 0),
        Owner::Platform => root("platform", &label),
        Owner::External(channel) => root(&format!("external:{channel}"), &label),
    }
}

fn root(name: &str, label: &str) -> LedgerAccountId {
    let nobody = Id::<noun::LedgerAccount>::from_u128(0);
    derive(nobody.derive::<noun::LedgerAccount>(name, 0), label)
}

fn derive<N: Noun>(parent: Id<N>, label: &str) -> LedgerAccountId {
    parent.derive(label, 0)
}

/// What an account holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Credits less debits of everything posted.
    pub posted: i64,
    /// Held: will leave unless voided.
    pub pending_out: i64,
    /// Will arrive unless voided.
    pub pending_in: i64,
}

impl Balance {
    /// What can be spent: posted less what is held.
    #[must_use]
    pub const fn available(&self) -> i64 {
        self.posted.saturating_sub(self.pending_out)
    }
}

/// An account as it is in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerAccount {
    /// Its id.
    pub id: LedgerAccountId,
    /// Whose it is, as text: an id, `platform` or `external:<channel>`.
    pub owner: String,
    /// What it is for.
    pub kind: AccountKind,
    /// What it counts.
    pub asset: Asset,
    /// What it holds.
    pub balance: Balance,
    /// Everything that was ever posted out of it.
    pub debits: i64,
    /// Everything that was ever posted into it.
    pub credits: i64,
    /// Where its chain of transfers ends.
    pub place: Place,
}

/// What all accounts of one kind hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindTotal {
    /// What they count.
    pub asset: Asset,
    /// What they are for.
    pub kind: AccountKind,
    /// Whose they are, where it is the world outside: `external:<channel>`.
    pub outside: Option<String>,
    /// The sum of what is posted.
    pub posted: i64,
    /// The sum of what will leave unless voided.
    pub pending_out: i64,
    /// The sum of what will arrive unless voided.
    pub pending_in: i64,
}

/// The books of one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetTotal {
    /// The asset.
    pub asset: Asset,
    /// The sum of all its balances: always zero.
    pub sum_of_balances: i64,
    /// Everything ever debited.
    pub debits: i64,
    /// Everything ever credited: equal to `debits`.
    pub credits: i64,
    /// What is held at present.
    pub pending: i64,
    /// How many accounts count it.
    pub accounts: i64,
    /// How many transfers there are of it.
    pub transfers: i64,
}

impl AssetTotal {
    /// Whether the books of this asset hold: every debit has its credit.
    #[must_use]
    pub const fn is_balanced(&self) -> bool {
        self.sum_of_balances == 0 && self.debits == self.credits
    }
}

#[cfg(test)]
mod tests {
    use qiao_model::Currency;

    use super::*;

    const CNY: Asset = Asset::Currency(Currency::CNY);

    #[test]
    fn an_account_id_follows_from_owner_kind_and_asset_alone() {
        let user = Owner::User(UserId::from_u128(5));
        let id = account_id(&user, AccountKind::Available, CNY);
        assert_eq!(id, account_id(&user, AccountKind::Available, CNY));
        assert_ne!(id, account_id(&user, AccountKind::Holding, CNY));
        let institution = Owner::Institution(InstitutionId::from_u128(5));
        assert_ne!(id, account_id(&institution, AccountKind::Available, CNY));
        let sandbox = account_id(
            &Owner::External(Channel::SANDBOX),
            AccountKind::External,
            CNY,
        );
        let bank = account_id(
            &Owner::External("bank".parse().unwrap()),
            AccountKind::External,
            CNY,
        );
        assert_ne!(sandbox, bank);
        assert_ne!(
            sandbox,
            account_id(&Owner::Platform, AccountKind::External, CNY)
        );
    }

    #[test]
    fn every_kind_survives_its_name() {
        for kind in AccountKind::ALL {
            assert_eq!(AccountKind::of_name(kind.name()), Some(kind));
        }
        assert_eq!(AccountKind::of_name("cash"), None);
    }
}
