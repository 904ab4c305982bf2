use std::fmt;
use std::str::FromStr;

/// What one token, plugin or session may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Scope {
    /// Register products, fee schedules and prices.
    CatalogWrite,
    /// Read the payments of one's own orders.
    PaymentsRead,
    /// Make payments from one's own account to others.
    PaymentsWrite,
    /// Give back a payment of one's own orders.
    PaymentsRefund,
    /// Take money by a mandate that its giver does not confirm again.
    PaymentsCharge,
    /// Read one's own orders.
    OrdersRead,
    /// Ask for quotes and place orders.
    OrdersWrite,
    /// Read what a user consented to tell.
    UsersProfile,
    /// Read what a user holds of one's own products.
    HoldingsRead,
    /// Send messages to followers.
    MessagesSend,
    /// Keep a small store.
    Storage,
    /// Send HTTP requests to the addresses of the manifest.
    Egress,
    /// Upload and activate releases.
    ReleasesWrite,
    /// Manage one's own webhook endpoints.
    WebhooksWrite,
    /// A signed-in person acting for themselves; never granted to a client.
    Account,
    /// A staff member acting for their institution; never granted to a client.
    Institution,
    /// An operator of the platform; never granted to a client.
    Operate,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 17] = [
        Self::CatalogWrite,
        Self::PaymentsRead,
        Self::PaymentsWrite,
        Self::PaymentsRefund,
        Self::PaymentsCharge,
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::UsersProfile,
        Self::HoldingsRead,
        Self::MessagesSend,
        Self::Storage,
        Self::Egress,
        Self::ReleasesWrite,
        Self::WebhooksWrite,
        Self::Account,
        Self::Institution,
        Self::Operate,
    ];

    /// The wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CatalogWrite => "catalog:write",
            Self::PaymentsRead => "payments:read",
            Self::PaymentsWrite => "payments:write",
            Self::PaymentsRefund => "payments:refund",
            Self::PaymentsCharge => "payments:charge",
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::UsersProfile => "users:profile",
            Self::HoldingsRead => "holdings:read",
            Self::MessagesSend => "messages:send",
            Self::Storage => "storage",
            Self::Egress => "egress",
            Self::ReleasesWrite => "releases:write",
            Self::WebhooksWrite => "webhooks:write",
            Self::Account => "account",
            Self::Institution => "institution",
            Self::Operate => "operate",
        }
    }

    /// Whether an OAuth client can be granted it: the rest belongs to people.
    #[must_use]
    pub const fn grantable_to_client(self) -> bool {
        !matches!(self, Self::Account | Self::Institution | Self::Operate)
    }

    const fn bit(self) -> u32 {
        1 << (self as u8)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope")]
pub struct ParseScopeError(String);

impl FromStr for Scope {
    type Err = ParseScopeError;

    fn from_str(text: &str) -> Result<Self, ParseScopeError> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or_else(|| ParseScopeError(text.chars().take(40).collect()))
    }
}

/// A set of scopes; its text is space-separated (RFC 6749 section 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(u32);

impl ScopeSet {
    /// No scope.
    pub const EMPTY: Self = Self(0);

    /// Whether the set holds the scope.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// What both sets hold: a token's scopes are granted ∩ asked for.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What either set holds.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What this set holds and the other does not.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every scope of this set is in the other.
    #[must_use]
    pub const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes in order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |s| self.contains(*s))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            scope.fmt(f)?;
        }
        Ok(())
    }
}

impl FromStr for ScopeSet {
    type Err = ParseScopeError;

    fn from_str(text: &str) -> Result<Self, ParseScopeError> {
        text.split_ascii_whitespace().map(str::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_survives_its_name() {
        for scope in Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
        }
        let all: ScopeSet = Scope::ALL.into_iter().collect();
        assert_eq!(all.to_string().parse(), Ok(all));
        assert!("catalog:writ".parse::<Scope>().is_err());
    }
}
