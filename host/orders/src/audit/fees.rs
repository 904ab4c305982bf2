//! An order against the quote that was confirmed, and the quote's fees against the
//! schedule version that it is pinned to.

use std::collections::HashMap;
use std::sync::Arc;

use qiao_catalog::fee::{self, AGE_DAYS_MAX};
use qiao_catalog::{FeeSchedule, stored_schedule};
use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report};
use qiao_model::{Day, OfferId, OrderId, ProductId};

use super::ORDERS;
use crate::fees::check_fees;
use crate::head::Head;
use crate::lots::{Lot, LotEffect, Taken, digest};
use crate::plan::Plan;
use crate::quote::{Quote, QuoteId};
use crate::store::audit::{StoredOrder, StoredUse};

/// Schedules that are kept in memory; orders of one time share a few.
const SCHEDULES_KEPT: usize = 256;

/// The schedules that were read last.
#[derive(Debug, Default)]
pub(super) struct Schedules(HashMap<(ProductId, u32), Option<Arc<FeeSchedule>>>);

impl Schedules {
    async fn get(
        &mut self,
        tx: &mut Tx,
        product: ProductId,
        version: u32,
    ) -> Result<Option<Arc<FeeSchedule>>, AuditError> {
        if let Some(known) = self.0.get(&(product, version)) {
            return Ok(known.clone());
        }
        let found = match stored_schedule(tx, product, version).await {
            // A row that is not readable is none.
            Err(qiao_db::Error::Corrupt { .. }) => None,
            found => found?.map(Arc::new),
        };
        if self.0.len() >= SCHEDULES_KEPT {
            self.0.clear();
        }
        self.0.insert((product, version), found.clone());
        Ok(found)
    }
}

/// Checks an order, and gives what it moves by its quote; none when that does not
/// follow from the quote.
pub(super) async fn check(
    tx: &mut Tx,
    order: &StoredOrder,
    uses: &[StoredUse],
    schedules: &mut Schedules,
    report: &mut Report,
) -> Result<Option<Plan>, AuditError> {
    let (head, quote) = (&order.head, &order.quote);
    let mut wrong = |problem: String| report.add(ORDERS, head.id, problem);
    if let Some(column) = differs(head, quote) {
        wrong(format!("its {column} is not its quote's"));
    }
    let schedule = schedules.get(tx, quote.product, quote.schedule_version);
    match schedule.await? {
        None => wrong(format!(
            "version {} of the fees of {} is not there",
            quote.schedule_version, quote.product
        )),
        Some(schedule) => {
            if let Err(differ) = check_fees(quote, &schedule) {
                wrong(differ.to_string());
            }
            let of_order = uses.iter().filter(|used| used.redemption == head.id);
            if let Some(problem) = differing_lots(head, quote, of_order, &schedule) {
                wrong(problem.to_owned());
            }
        }
    }
    match quote.plan() {
        Ok(plan) if plan.paid == head.paid => Ok(Some(plan)),
        Ok(plan) => {
            wrong(format!(
                "is paid with {}, its quote with {}",
                head.paid, plan.paid
            ));
            Ok(Some(plan))
        }
        Err(problem) => {
            wrong(problem.to_string());
            Ok(None)
        }
    }
}

/// The column that is not as the quote says.
fn differs(head: &Head, quote: &Quote) -> Option<&'static str> {
    let columns = [
        ("id", head.id == quote.order()),
        ("payment_id", head.payment == quote.payment()),
        ("user_id", head.user == quote.user),
        ("plugin_id", head.plugin == quote.plugin),
        ("institution_id", head.institution == quote.institution),
        ("product_id", head.product == quote.product),
        ("kind", head.kind == quote.kind),
        ("reference", head.reference == quote.reference),
        ("principal_minor", head.principal == quote.principal),
        ("amount_minor", head.amount == quote.amount),
        ("units_minor", head.units_minor == quote.units_minor),
        ("lots", head.lots == quote.lots),
    ];
    columns
        .into_iter()
        .find_map(|(column, is_same)| (!is_same).then_some(column))
}

/// Whether the lots that a redemption took are those that it was charged for:
/// what no lot held is the oldest.
fn differing_lots<'a>(
    head: &Head,
    quote: &Quote,
    uses: impl Iterator<Item = &'a StoredUse>,
    schedule: &FeeSchedule,
) -> Option<&'static str> {
    let uses: Vec<&StoredUse> = uses.collect();
    let (LotEffect::Taken, Some(units)) = (head.lots, head.units_minor) else {
        return (!uses.is_empty()).then_some("took lots, though its quote takes none");
    };
    let in_lots = uses
        .iter()
        .fold(0_i64, |sum, used| sum.saturating_add(used.minor));
    let loose = Taken {
        lot: None,
        minor: units.saturating_sub(in_lots),
    };
    let of_lots = uses.iter().map(|used| Taken {
        lot: Some(Lot {
            order: used.lot,
            acquired: used.acquired,
            left_minor: 0,
            changes: 0,
        }),
        minor: used.minor,
    });
    let taken: Vec<Taken> = Some(loose)
        .filter(|loose| loose.minor != 0)
        .into_iter()
        .chain(of_lots)
        .collect();
    if loose.minor < 0 || quote.lots_digest != Some(digest(&taken)) {
        return Some("took other lots than its quote was charged for");
    }
    let ages = fee::ages(&schedule.lines, &aged(&taken, quote.day), quote.day);
    (ages != quote.ages).then_some("was not charged by the days that its units were held")
}

fn aged(taken: &[Taken], redeemed_on: Day) -> Vec<fee::Lot> {
    let oldest = redeemed_on.plus_days(-i64::from(AGE_DAYS_MAX));
    let lot = |taken: &Taken| fee::Lot {
        acquired: taken.lot.map_or(oldest, |lot| lot.acquired),
        units_minor: taken.minor,
    };
    taken.iter().map(lot).collect()
}

/// The one order that an offer of a charge leads to.
pub(super) fn charged_order(offer: OfferId) -> OrderId {
    let quote: QuoteId = offer.derive("charge", 0);
    quote.derive("order", 0)
}
