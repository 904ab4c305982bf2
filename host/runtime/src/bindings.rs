//! One file per released WIT version, each holding nothing but `bindgen!`.

pub(crate) mod v0_1_0;
