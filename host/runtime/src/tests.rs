//! What the room promises, on real components: the plugins of this repository, its
//! hostile guests, and components in the text format where a limit must be met exactly.

mod answers;
mod checks;
mod fixture;
mod host_limits;
mod hostile;
mod limits;
mod purity;
mod records;
mod rooms;
mod scopes;
mod stores;
mod waits;
