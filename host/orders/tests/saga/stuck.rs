//! Orders that nobody can end but the operator.

use qiao_model::{Currency, Money};
use qiao_orders::rules::RETRY_PAUSES_SECS;
use qiao_orders::{Error, OrderPage, OrderState};
use qiao_payments::{Method, NewPayment, Party, Split};
use qiao_tests::each_database;

use crate::books::assert_agree;
use crate::plugin::{INSTITUTION, rejected, unknown};
use crate::world::{World, fine};

#[tokio::test]
async fn after_the_last_try_an_order_stays_unknown_until_the_operator_asks_again() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let tries = RETRY_PAUSES_SECS.len() + 1;
        world.plugin.will((0..tries).map(|_| unknown("no answer")));
        let order = world.order(&world.user, fine(20_000)).await.unwrap();
        let operator = world.operator().await;
        let page = OrderPage::default();
        for pause in RETRY_PAUSES_SECS {
            assert_eq!(world.orders.stuck(&operator, page).await.unwrap(), []);
            assert!(!world.orders.ask_again(&operator, order.id).await.unwrap());
            world.advance_secs(pause);
            assert_eq!(world.orders.resume().await.unwrap(), 1);
        }
        world.advance_secs(365 * 86_400);
        assert_eq!(world.orders.resume().await.unwrap(), 0);
        let stuck = world.orders.stuck(&operator, page).await.unwrap();
        assert_eq!(stuck.len(), 1);
        assert_eq!(
            (stuck[0].id, stuck[0].standing.state),
            (order.id, OrderState::Unknown)
        );
        assert_agree(&world, &stuck[0]).await;
        let denied = world.orders.stuck(&world.user.permit, page).await;
        assert!(matches!(denied, Err(Error::Denied(_))));
        assert!(world.orders.ask_again(&operator, order.id).await.unwrap());
        let audit = world
            .auth
            .audit_of(&operator, &order.id.to_string())
            .await
            .unwrap();
        let asked: Vec<_> = audit.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(asked, ["order.ask-again"]);
        assert_eq!(world.orders.resume().await.unwrap(), 1);
        assert_eq!(world.orders.stuck(&operator, page).await.unwrap(), []);
        assert_eq!(
            world.stored(&order).await.standing.state,
            OrderState::Completed
        );
        assert_eq!(world.plugin.seen().fulfilled.len(), tries + 1);
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_a_receiver_cannot_give_is_made_and_owed_by_the_institution() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([unknown("?"), rejected("no")]);
        let order = world.order(&world.user, fine(20_000)).await.unwrap();
        // The platform spends its 2.00 before the plugin rejects the order.
        let operator = world.operator().await;
        let spend = NewPayment {
            id: world.env.id(),
            order: None,
            institution: Some(INSTITUTION),
            payer: Party::Platform,
            method: Method::Balance,
            amount: Money::new(200, Currency::CNY),
            splits: vec![Split {
                receiver: Party::Revenue(INSTITUTION),
                amount: Money::cny(200),
                purpose: "rebate".into(),
            }],
            deliveries: Vec::new(),
            description: "rebate".to_owned(),
            expires_at: None,
        };
        world.payments.pay(&operator, spend, None).await.unwrap();
        world.advance_secs(5);
        world.orders.resume().await.unwrap();
        assert_eq!(
            world.stored(&order).await.standing.state,
            OrderState::Refunded
        );
        assert_eq!(world.money(&world.user).await, 1_000_000);
        let summary = world
            .payments
            .institution_summary(&operator, INSTITUTION)
            .await
            .unwrap();
        assert_eq!(summary[0].owed, 200);
        assert_agree(&world, &order).await;
    })
    .await;
}
