//! Every statement of this room.

pub(crate) mod audit;
pub(crate) mod client;
pub(crate) mod pin;
pub(crate) mod revision;
pub(crate) mod session;
pub(crate) mod staff;
pub(crate) mod sweep;
pub(crate) mod throttle;
pub(crate) mod token;
pub(crate) mod user;
