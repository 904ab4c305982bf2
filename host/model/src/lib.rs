//! Values without IO: typed ids, money, rates, time, scopes, and the injected
//! sources of time and chance.
//!
//! Every other room speaks in these. What is absent: no database, no clock of
//! its own, no floats, no serialization of domain types (wire structs live at
//! the doors).

mod amount;
mod asset;
mod calendar;
mod channel;
mod env;
/// Typed ids.
pub mod id;
mod scope;
mod secret;
mod text;
mod time;

pub use amount::{Amount, AmountError, Money, Rate, Rounding, split_by_largest_remainder};
pub use asset::{Asset, Currency, ParseAssetError};
pub use calendar::{CALENDAR_WARNING_DAYS, Calendar};
pub use channel::{CHANNEL_CHARS_MAX, Channel, ParseChannelError};
pub use env::{Clock, Entropy, Env, ManualClock, SeededEntropy};
pub use id::{
    BankLinkId, BankTransferId, CaseId, DeliveryId, EndpointId, EventId, FeeScheduleId, Id,
    InstitutionId, InvocationId, LedgerAccountId, MandateId, MessageId, OAuthClientId, OfferId,
    OrderId, ParseIdError, PaymentId, PayoutId, PluginId, ProductId, PublicAccountId, RefundId,
    ReleaseId, SessionId, TransferId, UserId,
};
pub use scope::{ParseScopeError, Scope, ScopeSet};
pub use secret::Secret;
pub use text::{is_plain_text, to_plain_text};
pub use time::{Day, ParseDayError, Timestamp};
