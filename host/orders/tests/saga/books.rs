//! What must hold of the books whatever happened.

use qiao_ledger::Ledger;
use qiao_orders::{Captured, Order, OrderState};
use qiao_payments::PaymentState;

use crate::world::World;

/// Every asset sums to zero, and the order and its payment tell one story.
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
}
