//! What becomes of an order by what the plugin says.

use qiao_model::{Money, OrderId};
use qiao_orders::OrderState::{Completed, Held, Paid, Refunded, Unknown, Voided};
use qiao_payments::Party;
use qiao_runtime::{CallError, Fault, FaultKind, FulfilError, Fulfilment};
use qiao_tests::each_database;

use crate::books::assert_agree;
use crate::plugin::{Act, INSTITUTION, done, receipt, rejected, unknown};
use crate::world::{World, buy, fine, redeem, ticket};

#[tokio::test]
async fn a_purchase_holds_then_posts_with_splits_and_delivers_the_units() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let order = world.order(&world.user, buy(100_000)).await.unwrap();
        assert_eq!(order.standing.state, Completed);
        assert_eq!(order.standing.receipt, Some(receipt("R-1")));
        // 1,000.00 at 1.3 % inside: net 987.17, fee 12.83; 0.05 % of 1,000.00 is 0.50.
        assert_eq!(order.quote.amount, Money::cny(100_000));
        assert_eq!(world.money(&world.user).await, 900_000);
        assert_eq!(world.units(&world.user).await, (98_717, 0));
        assert_eq!(
            world.has(Party::Institution(INSTITUTION)).await,
            98_717 - 50
        );
        assert_eq!(world.has(Party::Revenue(INSTITUTION)).await, 898);
        assert_eq!(world.has(Party::Platform).await, 385 + 50);
        assert_eq!(
            world.events("order.").await,
            ["order.completed", "order.held"]
        );
        let seen = world.plugin.seen().fulfilled;
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].id, seen[0].attempt), (order.id, 1));
        assert_eq!(seen[0].units_minor, Some(98_717));
        assert_eq!(world.stored(&order).await, order);
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn a_redemption_pays_out_of_the_institutions_settlement() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.order(&world.user, buy(100_000)).await.unwrap();
        let order = world.order(&world.user, redeem(20_000)).await.unwrap();
        assert_eq!(order.standing.state, Completed);
        assert_eq!(order.quote.amount, Money::cny(20_000));
        assert_eq!(world.money(&world.user).await, 920_000);
        assert_eq!(world.units(&world.user).await, (78_717, 0));
        let settlement = world.has(Party::Institution(INSTITUTION)).await;
        assert_eq!(settlement, 98_667 - 20_000);
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn a_fine_is_captured_first_and_then_fulfilled() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let order = world.order(&world.user, fine(20_000)).await.unwrap();
        assert_eq!(order.standing.state, Completed);
        assert_eq!(order.quote.amount, Money::cny(20_200));
        assert_eq!(world.money(&world.user).await, 1_000_000 - 20_200);
        assert_eq!(
            world.events("order.").await,
            ["order.completed", "order.held", "order.paid"]
        );
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn a_rejection_before_the_capture_releases_the_hold_and_cancels() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([rejected("sold out")]);
        let order = world.order(&world.user, buy(100_000)).await.unwrap();
        assert_eq!(order.standing.state, Voided);
        assert_eq!(order.standing.problem.as_deref(), Some("sold out"));
        assert_eq!(order.standing.next_at, None);
        assert_eq!(world.money(&world.user).await, 1_000_000);
        assert_eq!(world.units(&world.user).await, (0, 0));
        assert_eq!(world.plugin.seen().cancelled[0].id, order.id);
        assert_eq!(world.events("order.").await, ["order.held", "order.voided"]);
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn a_rejection_after_the_capture_refunds_all_and_cancels() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([rejected("the office is closed")]);
        let order = world.order(&world.user, fine(20_000)).await.unwrap();
        assert_eq!(order.standing.state, Refunded);
        assert_eq!(world.money(&world.user).await, 1_000_000);
        assert_eq!(world.has(Party::Platform).await, 0);
        assert_eq!(world.plugin.seen().cancelled.len(), 1);
        let permit = &world.user.permit;
        let transfers = world.payments.transfers_of(permit, order.payment).await;
        // Two splits: held, posted and given back.
        assert_eq!(transfers.unwrap().len(), 6);
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn no_answer_leaves_the_order_unknown_until_the_plugin_says_done() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let fault = Fault {
            kind: FaultKind::Deadline,
            message: "1000 ms".to_owned(),
        };
        world.plugin.will([
            Act::Answer(Err(CallError::Trap(fault))),
            Act::Answer(Err(CallError::Unavailable)),
            unknown("the office does not answer"),
            done("R-9"),
        ]);
        let order = world.order(&world.user, fine(20_000)).await.unwrap();
        assert_eq!(order.standing.state, Unknown);
        assert_eq!(world.orders.resume().await.unwrap(), 0, "it is not due yet");
        for pause in [5, 15] {
            world.advance_secs(pause);
            assert_eq!(world.orders.resume().await.unwrap(), 1);
            assert_eq!(world.stored(&order).await.standing.state, Unknown);
            assert_agree(&world, &order).await;
        }
        world.advance_secs(60);
        assert_eq!(world.orders.resume().await.unwrap(), 1);
        let order = world.stored(&order).await;
        assert_eq!(order.standing.state, Completed);
        assert_eq!(order.standing.problem, None);
        let attempts: Vec<(OrderId, u32)> = (world.plugin.seen().fulfilled.iter())
            .map(|seen| (seen.id, seen.attempt))
            .collect();
        assert_eq!(attempts, [1, 2, 3, 4].map(|attempt| (order.id, attempt)));
        assert_eq!(world.money(&world.user).await, 1_000_000 - 20_200);
        assert_eq!(
            world.events("order.").await,
            [
                "order.completed",
                "order.held",
                "order.paid",
                "order.unknown"
            ]
        );
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn an_unknown_order_that_is_rejected_later_gives_the_money_back() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([unknown("?"), rejected("no")]);
        let held = world.order(&world.user, ticket(5_000)).await.unwrap();
        assert_eq!(held.standing.state, Unknown);
        world.advance_secs(5);
        world.orders.resume().await.unwrap();
        assert_eq!(world.stored(&held).await.standing.state, Voided);
        world.plugin.will([unknown("?"), rejected("no")]);
        let captured = world.order(&world.user, fine(5_000)).await.unwrap();
        world.advance_secs(5);
        world.orders.resume().await.unwrap();
        assert_eq!(world.stored(&captured).await.standing.state, Refunded);
        assert_eq!(world.money(&world.user).await, 1_000_000);
        assert_agree(&world, &held).await;
        assert_agree(&world, &captured).await;
    })
    .await;
}

#[tokio::test]
async fn a_pending_order_keeps_its_state_and_is_asked_when_the_plugin_said() {
    each_database(|database| async move {
        let world = World::new(database).await;
        for (terms, state) in [(ticket(5_000), Held), (fine(5_000), Paid)] {
            world
                .plugin
                .will([Act::Answer(Ok(Fulfilment::Pending(90))), done("R-2")]);
            let order = world.order(&world.user, terms).await.unwrap();
            assert_eq!(order.standing.state, state);
            world.advance_secs(89);
            assert_eq!(world.orders.resume().await.unwrap(), 0);
            world.advance_secs(1);
            assert_eq!(world.orders.resume().await.unwrap(), 1);
            let stored = world.stored(&order).await;
            assert_eq!(stored.standing.state, Completed);
            assert_eq!(stored.standing.attempt, 2);
            assert_agree(&world, &order).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_cancel_without_an_answer_is_repeated_and_moves_no_money() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([rejected("no")]);
        let lost = CallError::Guest(FulfilError::Unknown("lost".to_owned()));
        world
            .plugin
            .will_cancel([Err(lost), Err(CallError::Unavailable)]);
        let order = world.order(&world.user, fine(5_000)).await.unwrap();
        assert_eq!(order.standing.state, Refunded);
        assert_eq!(world.money(&world.user).await, 1_000_000);
        for pause in [5, 15] {
            world.advance_secs(pause);
            assert_eq!(world.orders.resume().await.unwrap(), 1);
        }
        let stored = world.stored(&order).await;
        assert_eq!(
            (stored.standing.state, stored.standing.next_at),
            (Refunded, None)
        );
        assert_eq!(stored.standing.problem.as_deref(), Some("no"));
        assert_eq!(world.plugin.seen().cancelled.len(), 3);
        assert_eq!(world.plugin.seen().fulfilled.len(), 1);
        assert_eq!(world.money(&world.user).await, 1_000_000);
    })
    .await;
}

#[tokio::test]
async fn a_plugin_that_was_stopped_leaves_its_orders_unknown() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([Act::Answer(Ok(Fulfilment::Pending(5)))]);
        let order = world.order(&world.user, ticket(5_000)).await.unwrap();
        world.plugin.stops();
        world.advance_secs(5);
        world.orders.resume().await.unwrap();
        let stored = world.stored(&order).await;
        assert_eq!(stored.standing.state, Unknown);
        assert_eq!(
            stored.standing.problem.as_deref(),
            Some("no release of the plugin serves")
        );
        assert_agree(&world, &order).await;
    })
    .await;
}
