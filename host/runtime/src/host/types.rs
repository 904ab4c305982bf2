use crate::bindings::v0_1_0::qiao::host::types::Host;
use crate::guest::Guest;

impl Host for Guest {}
