//! What was paid at once: within the limit of each person, product, channel and
//! day, counted right, and repaid.

use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report};
use qiao_model::{OrderId, PaymentId};
use qiao_runtime::OrderState;

use crate::redemption::INSTANT_REDEMPTION_DAY_MAX;
use crate::store::audit::{self as store, StoredRedemption};

const REDEMPTION: &str = "redemption";
const ALLOWANCE: &str = "instant_allowance";

/// Checks every redemption against its order, and the sums of a day against the
/// limit and against what is counted. Hands on which payment repaid which order.
pub(super) async fn check(
    tx: &mut Tx,
    report: &mut Report,
    mut repaid: impl FnMut(OrderId, PaymentId) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    store::redemptions(tx, |id, stored| {
        report.row();
        match stored {
            Ok(stored) => {
                check_one(&stored, report);
                if stored.is_repaid {
                    repaid(stored.order, stored.order.derive("advance-repaid", 0))?;
                }
            }
            Err(problem) => report.add(REDEMPTION, id, problem.to_string()),
        }
        Ok::<_, AuditError>(())
    })
    .await?;
    let mut day: Option<Counted> = None;
    store::allowances(tx, |of, counted, taken| {
        if let Some(done) = day.take_if(|day| day.of != of) {
            done.finish(report);
        }
        let day = day.get_or_insert(Counted {
            of,
            says: 0,
            taken: 0,
        });
        day.says = day.says.saturating_add(counted);
        day.taken = day.taken.saturating_add(taken);
        Ok::<_, AuditError>(())
    })
    .await?;
    if let Some(done) = day {
        done.finish(report);
    }
    Ok(())
}

fn check_one(stored: &StoredRedemption, report: &mut Report) {
    let mut wrong = |problem: &str| report.add(REDEMPTION, stored.order, problem);
    if !stored.is_as_its_order {
        wrong("is not of the person, product and amount of its order");
    }
    let is_back = matches!(stored.state, OrderState::Voided | OrderState::Refunded);
    if is_back != stored.is_given_back {
        wrong("is given back, or is not, otherwise than its order");
    }
    if stored.is_repaid && !(stored.is_instant && stored.state == OrderState::Completed) {
        wrong("is repaid, though nothing was advanced for it");
    }
}

/// One person's day with one product through one channel.
struct Counted {
    of: String,
    says: i64,
    taken: i64,
}

impl Counted {
    fn finish(self, report: &mut Report) {
        if self.taken > INSTANT_REDEMPTION_DAY_MAX {
            let problem = format!(
                "{} were paid at once, {INSTANT_REDEMPTION_DAY_MAX} is the limit",
                self.taken
            );
            report.add(ALLOWANCE, &self.of, problem);
        }
        if self.says != self.taken {
            let problem = format!("counts {}, redemptions took {}", self.says, self.taken);
            report.add(ALLOWANCE, &self.of, problem);
        }
    }
}
