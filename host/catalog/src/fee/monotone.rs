use super::age::AgeTier;
use super::charge::line_fee;
use super::line::{FeeForm, FeeLine, Tier};
use crate::error::Problem;

/// Checks a line that is declared monotone, over the bounds of its tiers: within
/// a tier, a fee of any form never falls.
///
/// # Errors
/// The tier where the declaration breaks.
pub(super) fn check_monotone(line: &FeeLine, at: &str) -> Result<(), Problem> {
    if !line.monotone {
        return Ok(());
    }
    let at = |index: usize| format!("{at}.form.tiers[{index}]");
    match &line.form {
        FeeForm::Flat(_) | FeeForm::Percent(_) | FeeForm::Graduated(_) | FeeForm::ByChannel(_) => {
            Ok(())
        }
        FeeForm::Slab(tiers) => match tiers.iter().position(|tier| falls_at(line, tier)) {
            None => Ok(()),
            Some(index) => Err(Problem::new(
                at(index),
                "the fee falls where the tier begins, and the line is declared monotone",
            )),
        },
        FeeForm::BackLoad(tiers) => match tiers.windows(2).position(rises) {
            None => Ok(()),
            Some(index) => Err(Problem::new(
                at(index + 1),
                "the rate rises with the age, and the line is declared monotone",
            )),
        },
    }
}

/// Whether the fee of the tier's first amount is below that of the amount before it.
fn falls_at(line: &FeeLine, tier: &Tier) -> bool {
    let fee = |amount| line_fee(line, amount).unwrap_or(0);
    tier.from > 1 && fee(tier.from) < fee(tier.from - 1)
}

fn rises(pair: &[AgeTier]) -> bool {
    pair[0].rate < pair[1].rate
}
