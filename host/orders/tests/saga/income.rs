//! The daily income of holders.

use qiao_model::{Scope, UserId};
use qiao_orders::{Accrued, Crash, CrashPoint, Error, INCOME_HOLDERS_MAX};
use qiao_payments::{Credit, CreditLine};
use qiao_tests::each_database;

use crate::books::assert_balanced;
use crate::refunds::refund;
use crate::world::{World, buy, day, fine, redeem};

const DAY_SECS: i64 = 86_400;

async fn accrue(world: &World) -> Accrued {
    world.orders.accrue_income().await.unwrap()
}

#[tokio::test]
async fn units_earn_from_the_day_after_they_were_bought_once_a_day() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.order(&world.user, buy(100_000)).await.unwrap();
        world.publish(day(22), 5_432).await;
        let bought_today = accrue(&world).await;
        assert_eq!((bought_today.days, bought_today.holders), (1, 0));
        world.advance_secs(DAY_SECS);
        world.publish(day(23), 5_432).await;
        // 987.17 units at 0.5432 per 10,000 are 0.0536 units.
        let accrued = accrue(&world).await;
        assert_eq!((accrued.holders, accrued.units_minor), (1, 5));
        assert_eq!(accrue(&world).await, Accrued::default(), "never twice");
        assert_eq!(world.units(&world.user).await, (98_722, 0));
        let holdings = world.orders.holdings(&world.user.permit).await.unwrap();
        assert_eq!(holdings.len(), 1);
        assert_eq!(holdings[0].income_minor, 5);
        assert_eq!(holdings[0].available_minor, 98_722);
        assert_eq!(holdings[0].worth.map(|worth| worth.minor), Some(98_722));
        assert_eq!(holdings[0].price.map(|price| price.day), Some(day(23)));
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn what_was_credited_stays_the_same_whatever_orders_move() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let first = world.order(&world.user, buy(100_000)).await.unwrap();
        world.advance_secs(DAY_SECS);
        world.publish(day(23), 5_432).await;
        accrue(&world).await;
        let income = async || {
            let holdings = world.orders.holdings(&world.user.permit).await.unwrap();
            holdings[0].income_minor
        };
        assert_eq!(income().await, 5);
        world.order(&world.user, buy(50_000)).await.unwrap();
        assert_eq!(income().await, 5);
        world.order(&world.user, redeem(30_000)).await.unwrap();
        assert_eq!(income().await, 5);
        refund(&world, &first, 100_000, "back").await.unwrap();
        assert_eq!(income().await, 5);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn units_that_were_redeemed_or_held_on_a_day_earn_it() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.order(&world.user, buy(500_000)).await.unwrap();
        world.advance_secs(DAY_SECS);
        world.order(&world.user, redeem(100_000)).await.unwrap();
        world.plugin.will([crate::plugin::unknown("?")]);
        world.order(&world.user, redeem(100_000)).await.unwrap();
        world.order(&world.user, buy(300_000)).await.unwrap();
        world.publish(day(23), 10_000).await;
        // 4,935.83 units when the day began, at 1.0000 per 10,000.
        assert_eq!(accrue(&world).await.units_minor, 49);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn missed_days_are_credited_in_order_and_each_builds_on_the_one_before() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.order(&world.user, buy(900_000)).await.unwrap();
        world.advance_secs(3 * DAY_SECS);
        for number in [25, 23, 24] {
            world.publish(day(number), 1_000_000).await;
        }
        let accrued = accrue(&world).await;
        assert_eq!((accrued.days, accrued.holders), (3, 3));
        // 8,884.50 units; 1 % a day, each day's income earning the next.
        assert_eq!(accrued.units_minor, 8_884 + 8_973 + 9_063);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_day_without_income_and_a_product_without_holders_are_done_at_once() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.order(&world.user, fine(5_000)).await.unwrap();
        world.publish(day(21), 0).await;
        world.publish(day(22), 5_432).await;
        let accrued = accrue(&world).await;
        assert_eq!(
            accrued,
            Accrued {
                days: 2,
                holders: 0,
                units_minor: 0
            }
        );
        assert_eq!(accrue(&world).await, Accrued::default());
    })
    .await;
}

/// So many holders of 10,000.00 units each.
async fn holders(world: &World, count: usize) {
    let permit = world.auth.permit_system("test", Scope::PaymentsWrite);
    let lines: Vec<CreditLine> = (1..=count)
        .map(|number| CreditLine {
            user: UserId::from_u128((number as u128) << 64),
            minor: 1_000_000,
        })
        .collect();
    for chunk in lines.chunks(500) {
        let credit = Credit {
            product: world.fund.id,
            day: day(1),
            lines: chunk.to_vec(),
        };
        world.payments.credit(&permit, credit).await.unwrap();
    }
}

#[tokio::test]
async fn a_host_that_stops_between_two_batches_goes_on_behind_the_last_holder() {
    each_database(|database| async move {
        let mut world = World::new(database).await;
        let count = INCOME_HOLDERS_MAX + 7;
        holders(&world, count).await;
        world.publish(day(22), 5_432).await;
        world
            .restart(Crash::Drop(CrashPoint::AfterIncomeBatch))
            .await;
        let crashed = world.orders.accrue_income().await.unwrap_err();
        assert!(matches!(crashed, Error::Crashed(_)), "{crashed}");
        let credited = world
            .count("ledger_transfer where purpose = 'income'")
            .await;
        assert_eq!(credited, i64::try_from(count + INCOME_HOLDERS_MAX).unwrap());
        world.restart(Crash::Never).await;
        let rest = accrue(&world).await;
        assert_eq!(
            rest,
            Accrued {
                days: 1,
                holders: 7,
                units_minor: 7 * 54
            }
        );
        assert_eq!(accrue(&world).await, Accrued::default());
        let credited = world
            .count("ledger_transfer where purpose = 'income'")
            .await;
        assert_eq!(credited, i64::try_from(2 * count).unwrap());
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn two_nodes_that_accrue_at_once_credit_everybody_once() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let count = INCOME_HOLDERS_MAX + 500;
        holders(&world, count).await;
        world.publish(day(22), 5_432).await;
        let other = world.open("node-b", Crash::Never).await;
        let (first, second) = tokio::join!(world.orders.accrue_income(), other.accrue_income());
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.holders + second.holders, count);
        let credited = world
            .count("ledger_transfer where purpose = 'income'")
            .await;
        assert_eq!(credited, i64::try_from(2 * count).unwrap());
        assert_balanced(&world).await;
    })
    .await;
}
