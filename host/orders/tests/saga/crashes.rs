//! A host that stops at every step of the saga, and the one that goes on.

use qiao_orders::{Crash, CrashPoint, Error, Order, OrderState};
use qiao_runtime::Offer as Terms;
use qiao_tests::{TestDatabase, each_database};

use crate::books::assert_agree;
use crate::plugin::{Act, done, rejected};
use crate::world::{World, buy, fine, redeem};

struct Case {
    terms: Terms,
    rejects: bool,
    ends: OrderState,
    /// Of 10,000.00 CNY.
    left: i64,
}

fn cases() -> [Case; 5] {
    let case = |terms, rejects, ends, left| Case {
        terms,
        rejects,
        ends,
        left,
    };
    [
        case(buy(100_000), false, OrderState::Completed, 800_000),
        case(buy(100_000), true, OrderState::Voided, 900_000),
        case(redeem(50_000), false, OrderState::Completed, 950_000),
        case(fine(20_000), false, OrderState::Completed, 879_800),
        case(fine(20_000), true, OrderState::Refunded, 900_000),
    ]
}

/// Whether the saga of the case passes the point.
fn passes(case: &Case, point: CrashPoint) -> bool {
    match point {
        CrashPoint::AfterHold | CrashPoint::AfterFulfil | CrashPoint::AfterSettle => true,
        CrashPoint::AfterCapture => case.terms.product == "fine",
        CrashPoint::BeforeCancel | CrashPoint::AfterCancel => case.rejects,
        CrashPoint::AfterIncomeBatch | CrashPoint::AfterAccruedDay => false,
    }
}

async fn crashed_at(world: &mut World, case: &Case, point: CrashPoint) -> Order {
    world.restart(Crash::Drop(point)).await;
    let quote = world.quote(&world.user, case.terms.clone()).await;
    if case.rejects {
        // A plugin says the same again.
        world.plugin.will([rejected("no"), rejected("no")]);
    } else {
        world.plugin.will([done("R-1"), done("R-1")]);
    }
    let crashed = world.confirm(&world.user, &quote).await.unwrap_err();
    assert!(
        matches!(crashed, Error::Crashed(at) if at == point),
        "{crashed}"
    );
    world
        .orders
        .get(&world.user.permit, quote.order())
        .await
        .unwrap()
        .unwrap()
}

async fn resumes(database: TestDatabase, case: &Case, point: CrashPoint) {
    let mut world = World::new(database).await;
    world.order(&world.user, buy(100_000)).await.unwrap();
    let calls_before = world.plugin.seen().fulfilled.len();
    let order = crashed_at(&mut world, case, point).await;
    let name = format!("{point:?} of {} {:?}", case.terms.product, case.ends);
    assert_agree(&world, &order).await;
    world.restart(Crash::Never).await;
    let driven = world.orders.resume().await.unwrap();
    let ended_before = order.standing.next_at.is_none();
    assert_eq!(driven, usize::from(!ended_before), "{name}");
    let order = world.stored(&order).await;
    assert_eq!(order.standing.state, case.ends, "{name}");
    assert_eq!(
        (order.standing.next_at, &order.standing.lease),
        (None, &None),
        "{name}"
    );
    assert_eq!(world.money(&world.user).await, case.left, "{name}");
    assert_agree(&world, &order).await;
    assert_eq!(world.orders.resume().await.unwrap(), 0, "{name}");
    let calls = world.plugin.seen().fulfilled.len() - calls_before;
    let asked_again = point == CrashPoint::AfterFulfil;
    assert_eq!(calls, 1 + usize::from(asked_again), "{name}");
    assert_eq!(
        !world.plugin.seen().cancelled.is_empty(),
        case.rejects,
        "{name}"
    );
    let states = world.events("order.").await;
    let unique: std::collections::HashSet<_> = states.iter().collect();
    let repeated = 2; // The purchase before is held and completed, too.
    assert!(
        states.len() <= unique.len() + repeated,
        "{name}: {states:?}"
    );
}

#[tokio::test]
async fn a_host_that_stops_anywhere_goes_on_to_the_same_end() {
    for case in cases() {
        for point in CrashPoint::ALL {
            if passes(&case, point) {
                resumes(qiao_tests::sqlite().await, &case, point).await;
                resumes(qiao_tests::postgres().await, &case, point).await;
            }
        }
    }
}

#[tokio::test]
async fn a_user_who_goes_away_while_the_plugin_works_has_their_order_ended() {
    each_database(|database| async move {
        let mut world = World::new(database).await;
        world.plugin.will([Act::Hang, done("R-2")]);
        let quote = world.quote(&world.user, fine(20_000)).await;
        drop(world.confirm_aside(&quote).await);
        let order = world.orders.get(&world.user.permit, quote.order()).await;
        let order = order.unwrap().unwrap();
        assert_eq!(order.standing.state, OrderState::Paid);
        assert_eq!(world.orders.resume().await.unwrap(), 0, "its lease is on");
        world.restart(Crash::Never).await;
        assert_eq!(world.orders.resume().await.unwrap(), 1);
        assert_eq!(
            world.stored(&order).await.standing.state,
            OrderState::Completed
        );
        assert_eq!(world.money(&world.user).await, 1_000_000 - 20_200);
        assert_agree(&world, &order).await;
    })
    .await;
}
