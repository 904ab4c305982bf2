//! Several nodes on one database.

use std::collections::HashSet;
use std::sync::Arc;

use qiao_auth::PluginCaller;
use qiao_catalog::Capture;
use qiao_model::{Scope, ScopeSet};
use qiao_orders::rules::{LEASE_SECS, RETRY_PAUSES_SECS};
use qiao_orders::{Answer, Crash, Order, OrderState, QuoteContext, RESUME_PLUGIN_SHARE};
use qiao_runtime::{CallError, FulfilError, Fulfilment};
use qiao_tests::each_database;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::books::assert_agree;
use crate::plugin::{Act, INSTITUTION, NEIGHBOUR, NEIGHBOURS_ACCOUNT, done, receipt, unknown};
use crate::world::{World, fine, product, submission, ticket};

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

/// An order of the neighbour that its first call left unknown.
async fn neighbours_order(world: &World) -> Order {
    let caller = PluginCaller {
        plugin: NEIGHBOUR,
        release: qiao_model::Id::from_u128(0x13),
        institution: INSTITUTION,
        granted: ScopeSet::EMPTY.with(Scope::CatalogWrite),
        on_behalf_of: None,
    };
    let permit = world.auth.permit_plugin(&caller, Scope::CatalogWrite);
    let permit = permit.unwrap();
    let ticket_of_its_own = product("ticket", false, Capture::OnFulfilment, Vec::new());
    let registered = world.catalog.register_product(&permit, ticket_of_its_own);
    registered.await.unwrap();
    world.plugin.offers(ticket(5_000));
    let mut form = submission();
    form.visit.account = NEIGHBOURS_ACCOUNT.to_owned();
    let answered = world.orders.submit(&world.user.permit, form).await;
    let Answer::Offer(offer) = answered.unwrap() else {
        panic!("no offer")
    };
    let context = QuoteContext::default();
    let quote = world.quote_by(&world.user, offer.id, context).await;
    assert_eq!(quote.plugin, NEIGHBOUR);
    world.plugin.will([unknown("?")]);
    world.confirm(&world.user, &quote).await.unwrap()
}

#[tokio::test]
async fn a_plugin_that_hangs_takes_its_share_and_keeps_no_neighbour_waiting() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let many = RESUME_PLUGIN_SHARE + 2;
        for _ in 0..many {
            world.plugin.will([unknown("?")]);
            world.order(&world.user, ticket(1_000)).await.unwrap();
        }
        let neighbours = neighbours_order(&world).await;
        let before = world.plugin.seen().fulfilled.len();
        world.advance_secs(RETRY_PAUSES_SECS[0]);
        let until = Arc::new(Notify::new());
        world.plugin.hangs(Some(until.clone()));
        let mut resuming = JoinSet::new();
        let orders = world.orders.clone();
        resuming.spawn(async move { orders.resume().await });
        while world.stored(&neighbours).await.standing.state != OrderState::Completed {
            tokio::task::yield_now().await;
        }
        let asked = world.plugin.seen().fulfilled.len() - before;
        assert!(asked <= RESUME_PLUGIN_SHARE + 1, "{asked}");
        world.plugin.hangs(None);
        until.notify_waiters();
        let driven = resuming.join_next().await.unwrap().unwrap();
        assert_eq!(driven.unwrap(), many + 1);
        assert_eq!(world.count("orders where state = 'completed'").await, 11);
    })
    .await;
}

#[tokio::test]
async fn a_host_that_stops_takes_no_more_orders() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([unknown("?")]);
        world.order(&world.user, ticket(1_000)).await.unwrap();
        world.advance_secs(RETRY_PAUSES_SECS[0]);
        world.orders.stop_resuming();
        assert_eq!(world.orders.resume().await.unwrap(), 0);
        let other = world.open("node-b", Crash::Never).await;
        assert_eq!(other.resume().await.unwrap(), 1);
    })
    .await;
}
