//! What a quote holds, and what makes no quote.

use qiao_model::Money;
use qiao_orders::plan::PlanError;
use qiao_orders::{Error, OFFER_LIFETIME_SECS, QuoteContext};
use qiao_runtime::Offer as Terms;
use qiao_tests::each_database;

use crate::plugin::offer;
use crate::world::{World, buy, day, fine, redeem, ticket};

async fn refused(world: &World, terms: Terms) -> Error {
    let offer = world.offer(&world.user, terms).await;
    let quoted = world
        .orders
        .quote(&world.user.permit, offer.id, QuoteContext::default())
        .await;
    quoted.unwrap_err()
}

#[tokio::test]
async fn a_quote_holds_every_figure_and_writes_nothing() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.publish(day(21), 5_432).await;
        let offer = world.offer(&world.user, buy(100_000)).await;
        let quote = world
            .orders
            .quote(&world.user.permit, offer.id, QuoteContext::default())
            .await;
        let quote = quote.unwrap();
        assert_eq!(quote.offer_digest, offer.digest());
        assert_eq!(quote.price.map(|price| price.day), Some(day(21)));
        assert_eq!((quote.day, quote.schedule_version), (day(22), 1));
        assert_eq!(quote.units_minor, Some(98_717));
        let fees: Vec<_> = quote.lines.iter().map(|line| line.amount.minor).collect();
        assert_eq!(fees, [1_283, 50]);
        assert_eq!(quote.plan().unwrap().paid, Money::cny(100_000));
        assert_eq!(quote.release_digest, "aa".repeat(32));
        for table in ["orders", "payment where description <> 'top-up'"] {
            assert_eq!(world.count(table).await, 0, "{table}");
        }
        let again = world
            .orders
            .quote(&world.user.permit, offer.id, QuoteContext::default())
            .await
            .unwrap();
        assert_ne!(again.id, quote.id, "two quotes make two orders");
        assert_eq!(again.output_hash, quote.output_hash);
    })
    .await;
}

#[tokio::test]
async fn a_stored_quote_replays_to_the_same_bytes_until_the_plugin_differs() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let order = world.order(&world.user, buy(100_000)).await.unwrap();
        world.advance_secs(86_400);
        world.publish(day(23), 5_432).await;
        let operator = world.operator().await;
        let replay = world.orders.replay(&operator, order.id).await.unwrap();
        assert!(
            replay.unwrap().is_exact(),
            "the price and the day are the stored ones"
        );
        world.plugin.prices(10_001);
        let replay = world.orders.replay(&operator, order.id).await.unwrap();
        assert!(!replay.unwrap().is_exact());
        world.plugin.release_changes();
        assert_eq!(
            world.orders.replay(&operator, order.id).await.unwrap(),
            None
        );
        let denied = world.orders.replay(&world.user.permit, order.id).await;
        assert!(matches!(denied, Err(Error::Denied(_))));
    })
    .await;
}

#[tokio::test]
async fn an_expired_offer_is_not_quoted() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let offer = world.offer(&world.user, ticket(5_000)).await;
        world.clock.advance_millis(OFFER_LIFETIME_SECS * 1000 - 1);
        let quote = world
            .orders
            .quote(&world.user.permit, offer.id, QuoteContext::default())
            .await;
        assert_eq!(quote.unwrap().expires_at, offer.expires_at);
        world.clock.advance_millis(1);
        let quote = world
            .orders
            .quote(&world.user.permit, offer.id, QuoteContext::default())
            .await;
        assert!(matches!(quote, Err(Error::OfferExpired(_))));
    })
    .await;
}

#[tokio::test]
async fn what_the_plugin_or_the_fees_refuse_is_told() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let sold_out = Terms {
            reference: "sold-out".to_owned(),
            ..ticket(5_000)
        };
        let error = refused(&world, sold_out).await;
        assert!(matches!(error, Error::OfferNotAvailable(why) if why == "it is sold out"));
        // 2.00 of fees on 1.99: the schedule does not charge it.
        let error = refused(&world, fine(199)).await;
        assert!(
            matches!(error, Error::Unpriceable(PlanError::Fees(_))),
            "{error}"
        );
        world.plugin.prices(0);
        let error = refused(&world, buy(100)).await;
        assert!(
            matches!(error, Error::Unpriceable(PlanError::UnitPrice)),
            "{error}"
        );
        let error = refused(&world, redeem(100)).await;
        assert!(matches!(error, Error::Unpriceable(_)), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_redemption_of_what_has_no_units_is_not_priced() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let terms = Terms {
            units_minor: Some(100),
            ..offer("ticket", qiao_orders::OrderKind::Redeem)
        };
        let error = refused(&world, terms).await;
        assert!(
            matches!(error, Error::Unpriceable(PlanError::UnitPrice)),
            "{error}"
        );
    })
    .await;
}
