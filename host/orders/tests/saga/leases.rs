//! Several nodes on one database.

use std::collections::HashSet;
use std::sync::Arc;

use qiao_orders::rules::LEASE_SECS;
use qiao_orders::{Crash, OrderState};
use qiao_runtime::{CallError, FulfilError, Fulfilment};
use qiao_tests::each_database;
use tokio::sync::Notify;

use crate::books::assert_agree;
use crate::plugin::{Act, done, receipt};
use crate::world::{World, fine, ticket};

#[tokio::test]
async fn another_node_takes_over_when_the_lease_has_run_out_and_not_before() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([Act::Hang]);
        let quote = world.quote(&world.user, fine(20_000)).await;
        let mut request = world.confirm_aside(&quote).await;
        let other = world.open("node-b", Crash::Never).await;
        world.clock.advance_millis(LEASE_SECS * 1000 - 1);
        assert_eq!(
            other.resume().await.unwrap(),
            0,
            "node-b does not release node-a's leases"
        );
        world.clock.advance_millis(1);
        assert_eq!(other.resume().await.unwrap(), 1);
        request.abort_all();
        let order = world.orders.get(&world.user.permit, quote.order()).await;
        let order = order.unwrap().unwrap();
        assert_eq!(order.standing.state, OrderState::Completed);
        assert_eq!(order.standing.attempt, 2);
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn the_late_answer_of_an_overtaken_attempt_decides_nothing() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let told = Arc::new(Notify::new());
        let refusal = FulfilError::Rejected("too late".to_owned());
        let late = Act::Late(told.clone(), Err(CallError::Guest(refusal)));
        world.plugin.will([late, done("R-2")]);
        let quote = world.quote(&world.user, fine(20_000)).await;
        let mut request = world.confirm_aside(&quote).await;
        world.advance_secs(LEASE_SECS);
        let other = world.open("node-b", Crash::Never).await;
        assert_eq!(other.resume().await.unwrap(), 1);
        told.notify_one();
        let order = request.join_next().await.unwrap().unwrap().unwrap();
        assert_eq!(order.standing.state, OrderState::Completed);
        assert_eq!(order.standing.receipt, Some(receipt("R-2")));
        assert_eq!(world.plugin.seen().cancelled.len(), 0);
        assert_eq!(world.money(&world.user).await, 1_000_000 - 20_200);
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn two_nodes_that_resume_at_once_never_drive_one_order_twice() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let count = 24;
        for _ in 0..count {
            world.plugin.will([Act::Answer(Ok(Fulfilment::Pending(5)))]);
            world.order(&world.user, ticket(100)).await.unwrap();
        }
        world.advance_secs(5);
        let other = world.open("node-b", Crash::Never).await;
        let (first, second) = tokio::join!(world.orders.resume(), other.resume());
        assert_eq!(first.unwrap() + second.unwrap(), count);
        let seen = world.plugin.seen().fulfilled;
        let second_attempts: Vec<_> = seen
            .iter()
            .filter(|o| o.attempt == 2)
            .map(|o| o.id)
            .collect();
        let unique: HashSet<_> = second_attempts.iter().collect();
        assert_eq!((second_attempts.len(), unique.len()), (count, count));
        assert_eq!(world.count("orders where state = 'completed'").await, 24);
    })
    .await;
}
