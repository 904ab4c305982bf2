use qiao_model::{EventId, OrderId, Timestamp, UserId};

use crate::OrderState;

/// An event for a plugin; the same one may come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub happening: Happening,
}

/// What happened to a plugin's orders and followers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// An order changed its state.
    OrderChanged {
        /// Which.
        order: OrderId,
        /// The state it is in now.
        state: OrderState,
        /// Whose; the plugin sees its institution's pseudonym.
        user: UserId,
    },
    /// A user follows the public account.
    Followed {
        /// Who; the plugin sees its institution's pseudonym.
        user: UserId,
    },
    /// A user follows it no longer.
    Unfollowed {
        /// Who; the plugin sees its institution's pseudonym.
        user: UserId,
    },
}

impl Happening {
    /// Whom it is about.
    #[must_use]
    pub const fn user(&self) -> UserId {
        match self {
            Self::OrderChanged { user, .. }
            | Self::Followed { user }
            | Self::Unfollowed { user } => *user,
        }
    }
}
