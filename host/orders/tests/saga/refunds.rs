//! What an institution gives back after the saga, by its server or by its plugin.

use qiao_auth::Permit;
use qiao_catalog::Capture;
use qiao_model::{Money, Scope};
use qiao_orders::OrderState::{Completed, Refunded, Unknown};
use qiao_orders::{Error, Order};
use qiao_payments::{IdempotencyKey, NewRefund, Refusal};
use qiao_runtime::{OrdersPort, PaymentView, PaymentsPortError, RefundRequest};
use qiao_tests::each_database;

use crate::bond::{self, YEARLY_PPM};
use crate::books::{assert_agree, assert_balanced};
use crate::plugin::{PLUGIN, rejected, unknown};
use crate::world::{World, buy, day, fine, plugin_permit, redeem, ticket};

const DAY_SECS: i64 = 86_400;

fn permit(world: &World) -> Permit {
    plugin_permit(&world.auth, Scope::PaymentsRefund, None)
}

/// The institution's server gives back so much of an order.
pub(crate) async fn refund(world: &World, order: &Order, fen: i64, key: &str) -> Result<(), Error> {
    let new = NewRefund {
        id: world.env.id(),
        payment: order.payment,
        amount: Money::cny(fen),
        reason: "a test".to_owned(),
    };
    let permit = permit(world);
    let key = IdempotencyKey::of(&permit, key, &fen.to_be_bytes()).unwrap();
    let refunded = world.orders.refund(&permit, new, Some(key)).await;
    refunded.map(|_| ())
}

/// Its plugin does.
async fn refund_by_plugin(
    world: &World,
    order: &Order,
    (fen, key): (i64, &str),
) -> Result<PaymentView, PaymentsPortError> {
    let request = RefundRequest {
        plugin: PLUGIN,
        order: order.id,
        amount: Money::cny(fen),
        reason: "a test",
        key,
    };
    let port = world.orders.port();
    OrdersPort::refund(&*port, &permit(world), request).await
}

#[tokio::test]
async fn an_order_is_refunded_when_its_last_fen_went_back_by_whatever_door() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let order = world.order(&world.user, ticket(5_000)).await.unwrap();
        refund(&world, &order, 2_000, "first").await.unwrap();
        assert_eq!(world.stored(&order).await.standing.state, Completed);
        let view = refund_by_plugin(&world, &order, (3_000, "rest")).await;
        assert_eq!(view.unwrap().refunded, Money::cny(5_000));
        let stored = world.stored(&order).await.standing;
        assert_eq!(stored.state, Refunded);
        assert_eq!(stored.returned_at, Some(world.env.now()));
        assert!(stored.receipt.is_some(), "what was issued stays told");
        assert_eq!(world.events("order.refunded").await.len(), 1);
        // Sent again, both are what they were.
        refund(&world, &order, 2_000, "first").await.unwrap();
        let again = refund_by_plugin(&world, &order, (3_000, "rest")).await;
        assert_eq!(again.unwrap().refunded, Money::cny(5_000));
        let more = refund_by_plugin(&world, &order, (1, "more")).await;
        assert!(more.is_err(), "{more:?}");
        assert_eq!(world.stored(&order).await.standing, stored);
        assert_eq!(world.money(&world.user).await, 1_000_000);
        assert_eq!(
            world.orders.resume().await.unwrap(),
            0,
            "nothing is left to do"
        );
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn a_purchase_that_was_refunded_on_its_day_takes_nothing_off_the_income() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.order(&world.user, buy(500_000)).await.unwrap();
        world.advance_secs(DAY_SECS);
        let more = world.order(&world.user, buy(100_000)).await.unwrap();
        refund(&world, &more, 100_000, "back").await.unwrap();
        world.publish(day(23), 10_000).await;
        // 4,935.83 units when the day began and when it ended.
        let accrued = world.orders.accrue_income().await.unwrap();
        assert_eq!(accrued.units_minor, 49);
        assert_agree(&world, &more).await;
    })
    .await;
}

#[tokio::test]
async fn what_a_redemption_paid_is_not_taken_back_from_the_person() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.order(&world.user, buy(500_000)).await.unwrap();
        world.advance_secs(DAY_SECS);
        let order = world.order(&world.user, redeem(400_000)).await.unwrap();
        let money = world.money(&world.user).await;
        let paid = order.quote.amount.minor;
        let refused = refund(&world, &order, paid, "back").await;
        let is_theirs = matches!(refused, Err(Error::Payment(Refusal::NotRefundable(_))));
        assert!(is_theirs, "{refused:?}");
        assert_eq!(world.money(&world.user).await, money);
        assert_eq!(world.units(&world.user).await, (93_583, 0));
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn a_refunded_purchase_leaves_no_lot_behind() {
    each_database(|database| async move {
        let world = World::new(database).await;
        bond::register(&world, Capture::OnFulfilment, YEARLY_PPM).await;
        let old = world.order(&world.user, bond::buy(101_300)).await.unwrap();
        world.advance_secs(10 * DAY_SECS);
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        let refunded = refund_by_plugin(&world, &old, (101_300, "back")).await;
        refunded.unwrap();
        // The units that are left are of today: 1.5 %, and not 0.75 %.
        let quote = world.quote(&world.user, bond::redeem(100_000)).await;
        assert_eq!(quote.lines[0].amount, Money::cny(1_500));
        world.confirm(&world.user, &quote).await.unwrap();
        assert_agree(&world, &old).await;
    })
    .await;
}

#[tokio::test]
async fn units_that_are_gone_are_not_given_back_and_change_nothing() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let order = world.order(&world.user, buy(100_000)).await.unwrap();
        world.order(&world.user, redeem(50_000)).await.unwrap();
        let refused = refund(&world, &order, 100_000, "back").await.unwrap_err();
        let short = matches!(refused, Error::Payment(Refusal::ReceiverShort { .. }));
        assert!(short, "{refused}");
        assert_eq!(world.stored(&order).await.standing.state, Completed);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_refunded_before_it_is_fulfilled_ends_and_is_cancelled() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([unknown("?")]);
        let order = world.order(&world.user, fine(20_000)).await.unwrap();
        let paid = order.quote.amount.minor;
        refund(&world, &order, paid, "back").await.unwrap();
        assert_eq!(world.stored(&order).await.standing.state, Refunded);
        assert_eq!(world.orders.resume().await.unwrap(), 1);
        assert_eq!(world.plugin.seen().cancelled.len(), 1);
        let ended = world.stored(&order).await.standing;
        assert_eq!((ended.state, ended.next_at), (Refunded, None));
        assert_eq!(world.money(&world.user).await, 1_000_000);
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_rejected_after_a_part_of_it_went_back_gives_back_the_rest() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([unknown("?"), rejected("no such fine")]);
        let order = world.order(&world.user, fine(20_000)).await.unwrap();
        refund(&world, &order, 5_000, "a part").await.unwrap();
        assert_eq!(world.stored(&order).await.standing.state, Unknown);
        world.advance_secs(DAY_SECS);
        world.orders.resume().await.unwrap();
        let ended = world.stored(&order).await.standing;
        assert_eq!(ended.state, Refunded, "{:?}", ended.problem);
        assert_eq!(world.money(&world.user).await, 1_000_000);
        assert_eq!(world.events("order.refunded").await.len(), 1);
        assert_agree(&world, &order).await;
    })
    .await;
}
