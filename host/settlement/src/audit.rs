//! What the audit proves of settlement: each payout is the bank transfer that
//! carried it, an institution got no more than its statement says was brought by
//! then, a closed day is a place in its account's chain, a reconciled day has
//! its lines, and each payout that ended has its one event.

mod closes;
mod payouts;

use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report};

use crate::store::audit as store;
use closes::Closes;
use payouts::Payouts;

const PAYOUT: &str = "payout";
const CLOSE: &str = "settlement_close";
const RECONCILIATION: &str = "reconciliation";

/// Checks payouts, closed days and reconciled days.
///
/// # Errors
/// The database or the temporary files failed.
pub async fn check_settlement(tx: &mut Tx, report: &mut Report) -> Result<(), AuditError> {
    let mut payouts = Payouts::new(report);
    let mut closes = Closes::default();
    store::payouts(tx, |id, payout| {
        report.row();
        match payout {
            Ok(payout) => {
                payouts.take(&payout)?;
                closes.payout(&payout)?;
            }
            Err(problem) => report.add(PAYOUT, id, problem.to_string()),
        }
        Ok::<_, AuditError>(())
    })
    .await?;
    store::closes(tx, |id, close| {
        report.row();
        match close {
            Ok(close) => closes.close(&close)?,
            Err(problem) => report.add(CLOSE, id, problem.to_string()),
        }
        Ok::<_, AuditError>(())
    })
    .await?;
    payouts.check(tx, report).await?;
    closes.check(tx, report).await?;
    store::runs(tx, |of, says, lines| {
        if says != lines {
            let problem = format!("counts {says} lines, there are {lines}");
            report.add(RECONCILIATION, of, problem);
        }
    })
    .await?;
    Ok(())
}
