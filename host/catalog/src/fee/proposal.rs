use qiao_model::{Money, Rate, Rounding};

use super::charge::FeeError;
use super::line::{Band, Charge, FeeLine};

/// A fee that the plugin proposes for one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The line's code.
    pub code: String,
    /// The fee, in minor units of the principal's currency.
    pub minor: i64,
}

/// Every proposal is for one line with a band, and no line has two.
pub(super) fn check_proposals(lines: &[&FeeLine], proposals: &[Proposal]) -> Result<(), FeeError> {
    for (index, proposal) in proposals.iter().enumerate() {
        let has_band = |line: &&FeeLine| line.code == proposal.code && line.band.is_some();
        let is_again = proposals[..index].iter().any(|p| p.code == proposal.code);
        if is_again || !lines.iter().any(has_band) {
            return Err(FeeError::NotProposable(proposal.code.clone()));
        }
    }
    Ok(())
}

/// The proposed fee, if the line's band holds it.
pub(super) fn proposed(line: &FeeLine, minor: i64, principal: Money) -> Result<i64, FeeError> {
    let not_proposable = || FeeError::NotProposable(line.code.clone());
    let band = line.band.as_ref().ok_or_else(not_proposable)?;
    let (least, most) = band.of(principal.minor).ok_or_else(not_proposable)?;
    if (least..=most).contains(&minor) {
        return Ok(minor);
    }
    let money = |minor| Money::new(minor, principal.currency);
    Err(FeeError::OutsideBand {
        code: line.code.clone(),
        proposed: money(minor),
        least: money(least),
        most: money(most),
    })
}

impl Band {
    /// The smallest and the largest fee of an amount.
    fn of(&self, amount: i64) -> Option<(i64, i64)> {
        let bound = |charge, rounding| match charge {
            Charge::Rate(rate) => Rate::of(rate, amount, rounding).ok(),
            Charge::Flat(minor) => Some(minor),
        };
        let least = bound(self.least, Rounding::Up)?;
        Some((least, bound(self.most, Rounding::Down)?))
    }
}
