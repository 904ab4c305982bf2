//! Units by the day that they were bought on.

use qiao_catalog::Capture;
use qiao_model::Money;
use qiao_orders::OrderState::{Completed, Refunded, Voided};
use qiao_orders::{Error, LotEffect, Order, check_fees};
use qiao_runtime::Fulfilment;
use qiao_tests::each_database;
use sqlx::Row;

use crate::bond::{self, YEARLY_PPM};
use crate::books::{assert_agree, assert_balanced};
use crate::plugin::{Act, rejected};
use crate::world::{self, World};

const DAY_SECS: i64 = 86_400;

/// A world with the bond fund, in which somebody else has bought enough of it for
/// every redemption to be paid.
pub(crate) async fn with_bond(database: qiao_tests::TestDatabase, capture: Capture) -> World {
    let world = World::new(database).await;
    bond::register(&world, capture, YEARLY_PPM).await;
    let other = world.person("mei").await;
    world.top_up(&other, 5_000_000).await;
    world.order(&other, bond::buy(5_000_000)).await.unwrap();
    world
}

async fn assert_fees_are_the_schedules(world: &World, order: &Order) {
    let quote = &order.quote;
    let version = quote.schedule_version;
    let schedule = world.catalog.schedule_version(quote.product, version).await;
    assert_eq!(check_fees(quote, &schedule.unwrap().unwrap()), Ok(()));
}

/// Day of acquisition and what is left of each lot of the user, the oldest first.
async fn lots(world: &World) -> Vec<(String, i64)> {
    let rows = sqlx::query(
        "select acquired, left_minor from lot where user_id = $1 order by acquired, order_id",
    )
    .bind(world.user.id.to_string())
    .fetch_all(world.database.db.reads())
    .await
    .unwrap();
    let lot = |row: &sqlx::any::AnyRow| (row.get("acquired"), row.get("left_minor"));
    rows.iter().map(lot).collect()
}

async fn left(world: &World) -> Vec<i64> {
    lots(world)
        .await
        .into_iter()
        .map(|(_, left)| left)
        .collect()
}

#[tokio::test]
async fn a_redemption_costs_by_the_days_that_its_units_were_held() {
    each_database(|database| async move {
        let world = with_bond(database, Capture::OnFulfilment).await;
        for (days, fee) in [(3, 1_543), (10, 772), (100, 514), (200, 0)] {
            // 1,000.00 at 1.3 % inside: net 987.17 at 1.0000.
            world.plugin.prices(10_000);
            let bought = world.order(&world.user, bond::buy(100_000)).await.unwrap();
            assert_eq!(bought.quote.lots, LotEffect::Added);
            world.advance_secs(days * DAY_SECS);
            world.plugin.prices(10_423);
            let order = world
                .order(&world.user, bond::redeem(98_717))
                .await
                .unwrap();
            assert_eq!(order.standing.state, Completed);
            assert_eq!(order.quote.lots, LotEffect::Taken);
            // 987.17 units at 1.0423 are worth 1,028.92.
            assert_eq!(order.quote.principal, Money::cny(102_892));
            assert_eq!(order.quote.lines[0].amount, Money::cny(fee), "{days} days");
            assert_eq!(order.quote.amount, Money::cny(102_892 - fee));
            assert_fees_are_the_schedules(&world, &order).await;
            assert_agree(&world, &order).await;
        }
        assert_eq!(left(&world).await, [0, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn the_oldest_units_are_redeemed_first_and_each_at_its_age() {
    each_database(|database| async move {
        let world = with_bond(database, Capture::OnFulfilment).await;
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        world.advance_secs(190 * DAY_SECS);
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        world.advance_secs(10 * DAY_SECS);
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        world.advance_secs(DAY_SECS);
        assert_eq!(left(&world).await, [100_000; 3]);
        // 1,000.00 of 201 days, 1,000.00 of 11 days and 500.00 of one day.
        let order = world
            .order(&world.user, bond::redeem(250_000))
            .await
            .unwrap();
        let ages: Vec<_> = order
            .quote
            .ages
            .iter()
            .map(|a| (a.days, a.units_minor))
            .collect();
        assert_eq!(ages, [(0, 50_000), (7, 100_000), (180, 100_000)]);
        assert_eq!(order.quote.lines[0].amount, Money::cny(750 + 750));
        assert_eq!(left(&world).await, [0, 0, 50_000]);
        assert_fees_are_the_schedules(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn an_open_redemption_keeps_its_lots_from_the_next_and_gives_them_back_when_it_is_rejected() {
    each_database(|database| async move {
        let world = with_bond(database, Capture::OnFulfilment).await;
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        world.advance_secs(10 * DAY_SECS);
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        let later = Act::Answer(Ok(Fulfilment::Pending(60)));
        world.plugin.will([later, rejected("no")]);
        let open = world
            .order(&world.user, bond::redeem(80_000))
            .await
            .unwrap();
        assert_eq!(open.quote.lines[0].amount, Money::cny(600));
        assert_eq!(left(&world).await, [20_000, 100_000]);
        let quote = world.quote(&world.user, bond::redeem(30_000)).await;
        // 200.00 at 0.75 % and 100.00 at 1.5 %.
        assert_eq!(quote.lines[0].amount, Money::cny(150 + 150));
        world.advance_secs(61);
        world.orders.resume().await.unwrap();
        assert_eq!(world.stored(&open).await.standing.state, Voided);
        assert_eq!(left(&world).await, [100_000, 100_000]);
        assert_eq!(world.count("lot_use").await, 1, "what was taken stays told");
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_quote_whose_lots_another_order_took_is_outdated_and_holds_nothing() {
    each_database(|database| async move {
        let world = with_bond(database, Capture::OnFulfilment).await;
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        world.advance_secs(10 * DAY_SECS);
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        let first = world.quote(&world.user, bond::redeem(100_000)).await;
        let second = world.quote(&world.user, bond::redeem(100_000)).await;
        world.confirm(&world.user, &first).await.unwrap();
        let refused = world.confirm(&world.user, &second).await;
        assert!(matches!(refused, Err(Error::QuoteOutdated(id)) if id == second.id));
        assert_eq!(left(&world).await, [0, 100_000]);
        // A purchase behind the lots that a quote takes leaves it as it is.
        let third = world.quote(&world.user, bond::redeem(50_000)).await;
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        world.confirm(&world.user, &third).await.unwrap();
        // Two of one day: either is the one that was taken.
        let mut left = left(&world).await;
        left.sort_unstable();
        assert_eq!(left, [0, 50_000, 100_000]);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn more_units_than_are_held_are_refused_by_the_books() {
    each_database(|database| async move {
        let world = with_bond(database, Capture::OnFulfilment).await;
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        let refused = world.order(&world.user, bond::redeem(100_001)).await;
        assert!(matches!(refused, Err(Error::Payment(_))), "{refused:?}");
        assert_eq!(left(&world).await, [100_000]);
    })
    .await;
}

#[tokio::test]
async fn a_refunded_purchase_takes_its_lot_back() {
    each_database(|database| async move {
        let world = with_bond(database, Capture::BeforeFulfilment).await;
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        world.plugin.will([rejected("sold out")]);
        let order = world.order(&world.user, bond::buy(101_300)).await.unwrap();
        assert_eq!(order.standing.state, Refunded);
        assert_eq!(left(&world).await, [100_000, 0]);
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn a_lot_is_of_the_day_that_its_purchase_was_posted_on() {
    each_database(|database| async move {
        let world = with_bond(database, Capture::OnFulfilment).await;
        let later = Act::Answer(Ok(Fulfilment::Pending(3_600)));
        world.plugin.will([later]);
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        assert_eq!(lots(&world).await, [], "held is not bought");
        world.advance_secs(DAY_SECS);
        world.orders.resume().await.unwrap();
        assert_eq!(lots(&world).await, [("2026-11-23".to_owned(), 100_000)]);
    })
    .await;
}

#[tokio::test]
async fn a_product_without_a_back_load_keeps_no_lots() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.order(&world.user, world::buy(100_000)).await.unwrap();
        let order = world
            .order(&world.user, world::redeem(10_000))
            .await
            .unwrap();
        assert_eq!(order.quote.lots, LotEffect::Unkept);
        assert_eq!(world.count("lot").await, 0);
    })
    .await;
}

#[tokio::test]
async fn fees_that_are_not_the_pinned_schedules_are_found() {
    each_database(|database| async move {
        let world = with_bond(database, Capture::OnFulfilment).await;
        let order = world.order(&world.user, bond::buy(101_300)).await.unwrap();
        let quote = order.quote;
        let schedule = world.catalog.schedule_version(quote.product, 1).await;
        let schedule = schedule.unwrap().unwrap();
        assert_eq!(check_fees(&quote, &schedule), Ok(()));
        let mut cheaper = quote.clone();
        cheaper.lines[0].amount = Money::cny(1_299);
        let found = check_fees(&cheaper, &schedule).unwrap_err().to_string();
        assert!(found.contains("purchase-fee"), "{found}");
        let mut without = quote.clone();
        without.lines.clear();
        assert!(check_fees(&without, &schedule).is_err());
        let mut other = quote;
        other.schedule_version = 2;
        assert!(check_fees(&other, &schedule).is_err());
    })
    .await;
}
