//! Every statement of this room.

pub(crate) mod account;
pub(crate) mod follower;
pub(crate) mod institution;
pub(crate) mod message;
pub(crate) mod plugin;
pub(crate) mod release;
pub(crate) mod revision;
