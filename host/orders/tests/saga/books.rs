//! What must hold of the books whatever happened.

use qiao_db::attest::Attested;
use qiao_ledger::Ledger;
use qiao_ledger::audit::{Report, check_books, check_journal};
use qiao_orders::audit::check_orders;
use qiao_orders::{Captured, Order, OrderState};
use qiao_payments::PaymentState;
use qiao_payments::audit::check_payments;

use crate::world::World;

/// The books pass the audit, and the order and its payment tell one story.
pub(crate) async fn assert_agree(world: &World, order: &Order) {
    assert_balanced(world).await;
    let stored = world.stored(order).await;
    let payment = world.payments.of_order(&world.user.permit, order.id).await;
    let payment = payment.unwrap().unwrap();
    assert_eq!(payment.id, stored.payment);
    let expected = match (stored.standing.state, stored.standing.capture) {
        (OrderState::Held, _) | (OrderState::Unknown, Captured::No) => PaymentState::Held,
        (OrderState::Paid | OrderState::Completed, _) | (OrderState::Unknown, Captured::Yes) => {
            PaymentState::Posted
        }
        (OrderState::Voided, _) => PaymentState::Voided,
        (OrderState::Refunded, _) => PaymentState::Refunded,
    };
    assert_eq!(payment.state, expected, "{stored:?}");
}

pub(crate) async fn assert_balanced(world: &World) {
    let ledger = Ledger::new(world.database.db.clone());
    for total in ledger.totals().await.unwrap() {
        assert!(total.is_balanced(), "{total:?}");
    }
    assert_eq!(said(&audit(world).await), "");
}

/// What the audit finds.
pub(crate) async fn audit(world: &World) -> Report {
    let rooms = [
        qiao_ledger::ATTESTED,
        qiao_events::ATTESTED,
        qiao_payments::ATTESTED,
        qiao_orders::ATTESTED,
    ];
    let attested: Vec<Attested> = rooms.concat();
    let mut report = Report::of(world.env.now());
    let mut tx = world.database.db.begin_snapshot().await.unwrap();
    check_journal(&mut tx, &attested, &[], &mut report)
        .await
        .unwrap();
    check_books(&mut tx, &mut report).await.unwrap();
    check_payments(&mut tx, &mut report).await.unwrap();
    check_orders(&mut tx, &mut report).await.unwrap();
    tx.commit().await.unwrap();
    report
}

pub(crate) fn said(report: &Report) -> String {
    let lines: Vec<String> = report.findings().iter().map(ToString::to_string).collect();
    lines.join("\n")
}
