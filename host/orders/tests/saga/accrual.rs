//! What a fund pays for every day.

use qiao_catalog::{Capture, Product};
use qiao_orders::{AccruedFees, Crash, CrashPoint, Error};
use qiao_payments::Party;
use qiao_tests::each_database;

use crate::bond::{self, YEARLY_PPM, publish};
use crate::books::assert_balanced;
use crate::plugin::INSTITUTION;
use crate::world::{World, day};

const DAY_SECS: i64 = 86_400;

/// A world in which the bond fund has 98,717.00 units; what its purchase paid in fees.
async fn with_units(world: &World, yearly_ppm: [i64; 2]) -> (Product, (i64, i64)) {
    let bond = bond::register(world, Capture::OnFulfilment, yearly_ppm).await;
    world.top_up(&world.user, 9_000_000).await;
    world
        .order(&world.user, bond::buy(10_000_000))
        .await
        .unwrap();
    (bond, revenues(world).await)
}

/// What the institution and the platform earned so far.
async fn revenues(world: &World) -> (i64, i64) {
    let institution = world.has(Party::Revenue(INSTITUTION)).await;
    (institution, world.has(Party::Platform).await)
}

async fn earned_since(world: &World, before: (i64, i64)) -> (i64, i64) {
    let now = revenues(world).await;
    (now.0 - before.0, now.1 - before.1)
}

async fn accrue(world: &World) -> AccruedFees {
    world.orders.accrue_fees().await.unwrap()
}

#[tokio::test]
async fn each_price_day_is_paid_once_out_of_the_settlement_account() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let (bond, before) = with_units(&world, YEARLY_PPM).await;
        assert_eq!(accrue(&world).await, AccruedFees::default(), "no price yet");
        publish(&world, &bond, day(22), 10_000).await;
        // 98,716.68 units at 1.0000: 3.2454... and 0.5409... a day.
        let accrued = accrue(&world).await;
        assert_eq!((accrued.days, accrued.minor, accrued.due), (1, 324 + 54, 0));
        assert_eq!(earned_since(&world, before).await, (324, 54));
        assert_eq!(accrue(&world).await, AccruedFees::default(), "never twice");
        let settlement = world.has(Party::Institution(INSTITUTION)).await;
        assert_eq!(settlement, 9_871_668 - 378);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_weekend_is_paid_with_the_next_price_and_fractions_are_carried() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let (bond, before) = with_units(&world, YEARLY_PPM).await;
        publish(&world, &bond, day(22), 10_000).await;
        accrue(&world).await;
        world.advance_secs(4 * DAY_SECS);
        publish(&world, &bond, day(25), 10_000).await;
        publish(&world, &bond, day(26), 10_000).await;
        assert_eq!(accrue(&world).await.days, 2);
        // Five days of 3.24548...: 16.2274; of 0.54091...: 2.7045.
        assert_eq!(earned_since(&world, before).await, (1_622, 270));
        assert_eq!(world.count("accrued_day").await, 2 + 1);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_day_that_the_settlement_account_cannot_pay_stays_due() {
    each_database(|database| async move {
        let world = World::new(database).await;
        // 100 % a year, so that a long gap costs more than there is.
        let (bond, before) = with_units(&world, [600_000, 400_000]).await;
        world.plugin.prices(19_000);
        world
            .order(&world.user, bond::redeem(5_000_000))
            .await
            .unwrap();
        publish(&world, &bond, day(22), 19_000).await;
        assert_eq!(accrue(&world).await.due, 0);
        world.advance_secs(60 * DAY_SECS);
        let later = day(22).plus_days(60);
        publish(&world, &bond, later, 19_000).await;
        let accrued = accrue(&world).await;
        assert_eq!((accrued.days, accrued.due), (0, 1));
        let operator = world.operator().await;
        let unpaid = world.orders.unpaid_days(&operator).await.unwrap();
        let [due] = unpaid.as_slice() else {
            panic!("{unpaid:?}");
        };
        assert_eq!((due.product, due.day, due.days), (bond.id, later, 60));
        let denied = world.orders.unpaid_days(&world.user.permit).await;
        assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
        let paid = earned_since(&world, before).await;
        world.advance_secs(DAY_SECS);
        world.plugin.prices(10_000);
        world.top_up(&world.user, 9_000_000).await;
        world
            .order(&world.user, bond::buy(9_000_000))
            .await
            .unwrap();
        let accrued = accrue(&world).await;
        // 48,716.68 units at 1.9000 for 60 days, not those that were bought since.
        let of_old_units = 912_937 + 608_625;
        assert_eq!((accrued.days, accrued.minor), (1, of_old_units));
        assert_eq!(accrued.due, 0);
        assert_eq!(world.orders.unpaid_days(&operator).await.unwrap(), []);
        assert!(earned_since(&world, before).await.0 > paid.0);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn after_a_crash_between_two_days_it_goes_on_and_pays_none_twice() {
    each_database(|database| async move {
        let mut world = World::new(database).await;
        let (bond, before) = with_units(&world, YEARLY_PPM).await;
        world.advance_secs(2 * DAY_SECS);
        for number in 22..=24 {
            publish(&world, &bond, day(number), 10_000).await;
        }
        world
            .restart(Crash::Drop(CrashPoint::AfterAccruedDay))
            .await;
        let crashed = world.orders.accrue_fees().await;
        assert!(matches!(crashed, Err(Error::Crashed(_))));
        assert_eq!(earned_since(&world, before).await, (324, 54));
        world.restart(Crash::Never).await;
        assert_eq!(accrue(&world).await.days, 2);
        // Three days of 3.24548...: 9.7364; of 0.54091...: 1.6227.
        assert_eq!(earned_since(&world, before).await, (973, 162));
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn two_nodes_that_accrue_at_once_pay_each_day_once() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let (bond, before) = with_units(&world, YEARLY_PPM).await;
        publish(&world, &bond, day(22), 10_000).await;
        let other = world.open("node-b", Crash::Never).await;
        let (one, two) = tokio::join!(world.orders.accrue_fees(), other.accrue_fees());
        assert_eq!(one.unwrap().days + two.unwrap().days, 1);
        assert_eq!(earned_since(&world, before).await, (324, 54));
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_day_is_paid_on_the_units_that_there_were_when_it_ended() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let (bond, _) = with_units(&world, YEARLY_PPM).await;
        world.advance_secs(4 * DAY_SECS);
        publish(&world, &bond, day(22), 10_000).await;
        publish(&world, &bond, day(25), 10_000).await;
        // Before the host looks at the prices everything goes, and others come.
        let redeemed = world.order(&world.user, bond::redeem(9_871_668)).await;
        redeemed.unwrap();
        let bought = world.order(&world.user, bond::buy(100_000)).await;
        bought.unwrap();
        let accrued = accrue(&world).await;
        // Four days of 3.24548...: 12.9819; of 0.54091...: 2.1636.
        assert_eq!((accrued.days, accrued.minor), (2, 1_298 + 216));
        assert_balanced(&world).await;
    })
    .await;
}
