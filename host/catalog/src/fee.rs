//! The fee engine: from the lines of a schedule and an amount to what the order
//! costs, to the minor unit; and from a fund's net asset value to what a day
//! costs it. Pure: no IO, no clock, no floats.
//!
//! A schedule is checked once, when it is registered ([`check`],
//! [`check_accrued`]), so that [`charge`] has little left to refuse. What a check
//! cannot know is the order: a flat fee or a minimum of 5.00 is more than an
//! order of 3.00, and a plugin may propose a fee outside its band. Such an order
//! is refused by [`charge`]; the fee is never cut, since a fee that was cut is
//! not the registered fee.
//!
//! Front loads are lines that [`Payer::UserInside`] pays on a purchase, back
//! loads are [`FeeForm::BackLoad`] on a redemption, and what a fund pays for
//! every day of the year is an [`AccruedFee`].

mod accrual;
mod age;
mod basis;
mod charge;
mod check;
mod form;
mod line;
mod monotone;
mod proposal;

pub use accrual::{
    ACCRUAL_DAYS_OF_YEAR, ACCRUED_MAX, Accrual, AccruedFee, NetAssetValue, accrue, check_accrued,
};
pub use age::{AGE_DAYS_MAX, AgeTier, Aged, Lot, ages};
pub use basis::Basis;
pub use charge::{ChargedLine, FeeError, Fees, charge};
pub use check::{
    FEE_CODE_CHARS_MAX, FEE_MINOR_MAX, FEE_NAME_CHARS_MAX, LINES_MAX, SHARES_MAX,
    SHARES_OF_ORDER_MAX, check,
};
pub use form::{CHANNELS_MAX, TIERS_MAX};
pub use line::{Band, ChannelCharge, Charge, FeeForm, FeeLine, Payer, Receiver, Share, Tier};
pub use proposal::Proposal;
