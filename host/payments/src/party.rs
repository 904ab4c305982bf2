use std::fmt;
use std::str::FromStr;

use qiao_ledger::{AccountKind, NewAccount, Owner};
use qiao_model::{Asset, Channel, Currency, InstitutionId, ProductId, UserId};

/// Who pays or gets money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// A person, from or to their available balance.
    User(UserId),
    /// An institution's settlement account: money of its customers' orders.
    Institution(InstitutionId),
    /// An institution's own fees.
    Revenue(InstitutionId),
    /// What an institution owes since a refund found it short.
    Receivable(InstitutionId),
    /// What a bank advanced to an institution for instant redemptions.
    Advance(InstitutionId),
    /// What an institution sets aside for redemptions that are paid later.
    Clearing(InstitutionId),
    /// The platform's own fees.
    Platform,
    /// A bank channel: the money outside that mirrors the books.
    Bank(Channel),
    /// A bank channel's own fees.
    Channel(Channel),
    /// Play money of a sandbox host.
    Sandbox,
}

impl Party {
    /// The party's account in a currency.
    #[must_use]
    pub fn account(self, currency: Currency) -> NewAccount {
        let (owner, kind) = match self {
            Self::User(user) => (Owner::User(user), AccountKind::Available),
            Self::Institution(id) => (Owner::Institution(id), AccountKind::Settlement),
            Self::Revenue(id) => (Owner::Institution(id), AccountKind::Revenue),
            Self::Receivable(id) => (Owner::Institution(id), AccountKind::Receivable),
            Self::Advance(id) => (Owner::Institution(id), AccountKind::Advance),
            Self::Clearing(id) => (Owner::Institution(id), AccountKind::Clearing),
            Self::Platform => (Owner::Platform, AccountKind::Revenue),
            Self::Bank(channel) => (Owner::External(channel), AccountKind::External),
            Self::Channel(channel) => (Owner::External(channel), AccountKind::Revenue),
            Self::Sandbox => (Owner::External(Channel::SANDBOX), AccountKind::External),
        };
        NewAccount::new(owner, kind, Asset::Currency(currency))
    }
}

const REVENUE: &str = "/revenue";
const RECEIVABLE: &str = "/receivable";
const ADVANCE: &str = "/advance";
const CLEARING: &str = "/clearing";
const BANK: &str = "bank:";
const CHANNEL: &str = "channel:";

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Institution(id) => id.fmt(f),
            Self::Revenue(id) => write!(f, "{id}{REVENUE}"),
            Self::Receivable(id) => write!(f, "{id}{RECEIVABLE}"),
            Self::Advance(id) => write!(f, "{id}{ADVANCE}"),
            Self::Clearing(id) => write!(f, "{id}{CLEARING}"),
            Self::Bank(channel) => write!(f, "{BANK}{channel}"),
            Self::Channel(channel) => write!(f, "{CHANNEL}{channel}"),
            Self::Platform => f.write_str("platform"),
            Self::Sandbox => f.write_str("sandbox"),
        }
    }
}

/// The text names no party.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a party of a payment")]
pub struct ParsePartyError(String);

impl FromStr for Party {
    type Err = ParsePartyError;

    fn from_str(text: &str) -> Result<Self, ParsePartyError> {
        let refuse = || ParsePartyError(text.chars().take(40).collect());
        let of_institution = [
            (REVENUE, Self::Revenue as fn(InstitutionId) -> Self),
            (RECEIVABLE, Self::Receivable),
            (ADVANCE, Self::Advance),
            (CLEARING, Self::Clearing),
        ];
        for (ending, party) in of_institution {
            if let Some(id) = text.strip_suffix(ending) {
                return id.parse().map(party).map_err(|_| refuse());
            }
        }
        if let Some(channel) = text.strip_prefix(BANK) {
            return channel.parse().map(Self::Bank).map_err(|_| refuse());
        }
        if let Some(channel) = text.strip_prefix(CHANNEL) {
            return channel.parse().map(Self::Channel).map_err(|_| refuse());
        }
        match text {
            "platform" => Ok(Self::Platform),
            "sandbox" => Ok(Self::Sandbox),
            _ => (text.parse().map(Self::User))
                .or_else(|_| text.parse().map(Self::Institution))
                .map_err(|_| refuse()),
        }
    }
}

/// Where units of a product are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// With a person.
    Holding(UserId),
    /// With the product: taken from here when issued, given back when redeemed.
    Issuance,
    /// With the product: taken from here when credited as income.
    Income,
}

impl Account {
    /// The account for a product's units.
    #[must_use]
    pub fn of(self, product: ProductId) -> NewAccount {
        let (owner, kind) = match self {
            Self::Holding(user) => (Owner::User(user), AccountKind::Holding),
            Self::Issuance => (Owner::Product(product), AccountKind::Issuance),
            Self::Income => (Owner::Product(product), AccountKind::Income),
        };
        NewAccount::new(owner, kind, Asset::Units(product))
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holding(user) => user.fmt(f),
            Self::Issuance => f.write_str("issuance"),
            Self::Income => f.write_str("income"),
        }
    }
}

impl FromStr for Account {
    type Err = ParsePartyError;

    fn from_str(text: &str) -> Result<Self, ParsePartyError> {
        match text {
            "issuance" => Ok(Self::Issuance),
            "income" => Ok(Self::Income),
            _ => (text.parse().map(Self::Holding))
                .map_err(|_| ParsePartyError(text.chars().take(40).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_party_survives_its_text() {
        let institution = InstitutionId::from_u128(3);
        for party in [
            Party::User(UserId::from_u128(2)),
            Party::Institution(institution),
            Party::Revenue(institution),
            Party::Receivable(institution),
            Party::Advance(institution),
            Party::Clearing(institution),
            Party::Platform,
            Party::Bank(Channel::SANDBOX),
            Party::Channel(Channel::SANDBOX),
            Party::Sandbox,
        ] {
            assert_eq!(party.to_string().parse(), Ok(party));
        }
        assert!("bank".parse::<Party>().is_err());
        assert!("bank:".parse::<Party>().is_err());
        assert!("platform/revenue".parse::<Party>().is_err());
    }

    #[test]
    fn every_unit_account_survives_its_text() {
        for account in [
            Account::Holding(UserId::from_u128(2)),
            Account::Issuance,
            Account::Income,
        ] {
            assert_eq!(account.to_string().parse(), Ok(account));
        }
        assert!("holding".parse::<Account>().is_err());
    }
}
