//! The fee engine: from the lines of a schedule and an amount to what the order
//! costs, to the minor unit. Pure: no IO, no clock, no floats.
//!
//! A schedule is checked once, when it is registered ([`check`]), so that
//! [`charge`] has little left to refuse. What a check cannot know is the amount:
//! a flat fee or a minimum of 5.00 is more than an order of 3.00. Such an order
//! is refused by [`charge`] ([`FeeError::AboveAmount`]); the fee is never cut,
//! since a fee that was cut is not the registered fee.

mod charge;
mod check;
mod line;

pub use charge::{ChargedLine, FeeError, Fees, charge};
pub use check::{
    FEE_CODE_CHARS_MAX, FEE_MINOR_MAX, FEE_NAME_CHARS_MAX, LINES_MAX, SHARES_MAX, TIERS_MAX, check,
};
pub use line::{Charge, FeeForm, FeeLine, Payer, Receiver, Share, Tier};
