//! Services' pages, and the offers that forms lead to.

use qiao_orders::{Answer, Error, OFFER_LIFETIME_SECS, Submission, Visit};
use qiao_tests::each_database;

use crate::plugin::offer;
use crate::world::{World, submission, ticket, visit};

#[tokio::test]
async fn a_page_is_the_plugins_and_a_refusal_is_told() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let permit = &world.user.permit;
        let page = world
            .orders
            .open_page(permit, visit("invest"))
            .await
            .unwrap();
        assert_eq!(page.title, "invest on 2026-11-22");
        let refused = world.orders.open_page(permit, visit("nothing")).await;
        assert!(matches!(refused, Err(Error::PageNotFound(name)) if name == "nothing"));
        let refused = world.orders.open_page(permit, visit("broken")).await;
        assert!(matches!(refused, Err(Error::Busy)));
        let elsewhere = Visit {
            account: "nobody".to_owned(),
            ..visit("invest")
        };
        let refused = world.orders.open_page(permit, elsewhere.clone()).await;
        assert!(matches!(refused, Err(Error::NotServing(handle)) if handle == "nobody"));
        let form = Submission {
            visit: elsewhere,
            ..submission()
        };
        let refused = world.orders.submit(permit, form).await;
        assert!(matches!(refused, Err(Error::NotServing(_))));
        let answered = world.orders.submit(permit, submission()).await.unwrap();
        assert!(matches!(answered, Answer::Page(page) if page.title == "nothing to sell"));
    })
    .await;
}

#[tokio::test]
async fn an_offer_is_stored_and_survives_the_node() {
    each_database(|database| async move {
        let mut world = World::new(database).await;
        let offer = world.offer(&world.user, ticket(5_000)).await;
        world.restart(qiao_orders::Crash::Never).await;
        let stored = world.orders.offer(&world.user.permit, offer.id).await;
        assert_eq!(stored.unwrap(), offer);
        let missing = world.orders.offer(&world.user.permit, world.env.id()).await;
        assert!(matches!(missing, Err(Error::OfferNotFound(_))));
    })
    .await;
}

#[tokio::test]
async fn an_offer_of_a_product_that_was_never_registered_is_the_plugins_failure() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world
            .plugin
            .offers(offer("moon", qiao_orders::OrderKind::Pay));
        let refused = world.orders.submit(&world.user.permit, submission()).await;
        assert!(matches!(refused, Err(Error::PluginFailed(_))));
        assert_eq!(world.count("offer").await, 0);
    })
    .await;
}

#[tokio::test]
async fn expired_offers_go_after_a_week_but_those_that_became_orders_stay() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.offer(&world.user, ticket(1)).await;
        let order = world.order(&world.user, ticket(5_000)).await.unwrap();
        world.advance_secs(OFFER_LIFETIME_SECS + 7 * 86_400);
        assert_eq!(world.orders.prune_offers().await.unwrap(), 0);
        world.advance_secs(1);
        assert_eq!(world.orders.prune_offers().await.unwrap(), 1);
        assert_eq!(world.count("offer").await, 1);
        let kept = world
            .orders
            .offer(&world.user.permit, order.quote.offer)
            .await;
        assert!(matches!(kept, Err(Error::OfferExpired(_))));
    })
    .await;
}
