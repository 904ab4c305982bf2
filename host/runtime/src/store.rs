//! All SQL of this room.

pub(crate) mod invocation;
pub(crate) mod storage;
