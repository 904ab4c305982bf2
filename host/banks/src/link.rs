use qiao_model::{BankLinkId, Channel, Timestamp, UserId};

/// Whether a link can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It can.
    Active,
    /// The bank no longer takes its tokens: the person links the account again.
    Expired,
    /// The person unlinked it.
    Unlinked,
}

impl LinkState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Active, Self::Expired, Self::Unlinked];

    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Unlinked => "unlinked",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A person's bank account, as they linked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankLink {
    /// Its id.
    pub id: BankLinkId,
    /// Whose.
    pub user: UserId,
    /// At which bank.
    pub channel: Channel,
    /// The bank's id of the account; people see the masked number.
    pub account: String,
    /// The holder's name at the bank.
    pub name: String,
    /// Such as `**** 6789`.
    pub number_masked: String,
    /// Whether it can be used.
    pub state: LinkState,
    /// When it was linked.
    pub linked_at: Timestamp,
}
