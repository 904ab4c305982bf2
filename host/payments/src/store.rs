//! The statements of payments. Those of the money path take one JSON array
//! each, so their number does not depend on the size of the batch.

pub(crate) mod audit;
pub(crate) mod load;
pub(crate) mod mandate;
pub(crate) mod read;
mod row;
pub(crate) mod write;
