use qiao_model::{EventId, MandateId, OrderId, Timestamp, UserId};
use qiao_payments::MandateState;

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

/// What happened to a plugin's orders, mandates and followers.
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
    /// A mandate was given, revoked or used up.
    MandateChanged {
        /// Which.
        mandate: MandateId,
        /// The state it is in now.
        state: MandateState,
        /// Who gave it; the plugin sees its institution's pseudonym.
        user: UserId,
        /// The plugin's own key for it.
        reference: String,
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
            | Self::MandateChanged { user, .. }
            | Self::Followed { user }
            | Self::Unfollowed { user } => *user,
        }
    }
}
