//! Fees are the pinned schedule's: what a quote was charged can be computed again.

use qiao_catalog::FeeSchedule;
use qiao_catalog::fee::{self, Basis, ChargedLine, FeeError};

use crate::quote::Quote;

/// How a quote's fees differ from its schedule's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeesDiffer {
    /// It is another schedule than the one that the quote is pinned to.
    #[error(
        "the quote is pinned to version {quoted} of the fees, this is version {version} of {product}"
    )]
    Schedule {
        /// What the quote says.
        quoted: u32,
        /// What was given.
        version: u32,
        /// Whose.
        product: qiao_model::ProductId,
    },
    /// The schedule does not charge what was quoted at all.
    #[error(transparent)]
    Refused(#[from] FeeError),
    /// A line is missing, or differs.
    #[error(
        "the fee `{code}` was charged {charged:?}, its schedule charges {computed:?} minor units"
    )]
    Line {
        /// The line.
        code: String,
        /// What the quote says; none where it has no such line.
        charged: Option<i64>,
        /// What the schedule says; none where it has no such line.
        computed: Option<i64>,
    },
}

/// Computes the fees of a quote again from the schedule that it is pinned to and
/// from what it stores (principal, channel, ages of its units, proposals), and
/// compares every line with its shares.
///
/// # Errors
/// [`FeesDiffer`] names the first line that differs.
pub fn check_fees(quote: &Quote, schedule: &FeeSchedule) -> Result<(), FeesDiffer> {
    if (schedule.product, schedule.version) != (quote.product, quote.schedule_version) {
        return Err(FeesDiffer::Schedule {
            quoted: quote.schedule_version,
            version: schedule.version,
            product: schedule.product,
        });
    }
    let basis = Basis {
        kind: quote.kind,
        principal: quote.principal,
        channel: quote.parties.channel,
        ages: &quote.ages,
        proposals: &quote.proposals,
    };
    let computed = fee::charge(&schedule.lines, &basis)?.lines;
    let lines = quote.lines.len().max(computed.len());
    match (0..lines).find(|index| quote.lines.get(*index) != computed.get(*index)) {
        None => Ok(()),
        Some(index) => Err(differ(quote.lines.get(index), computed.get(index))),
    }
}

fn differ(charged: Option<&ChargedLine>, computed: Option<&ChargedLine>) -> FeesDiffer {
    let minor = |line: Option<&ChargedLine>| line.map(|line| line.amount.minor);
    FeesDiffer::Line {
        code: (charged.or(computed)).map_or_else(String::new, |line| line.code.clone()),
        charged: minor(charged),
        computed: minor(computed),
    }
}
