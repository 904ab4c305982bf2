//! At day end every yuan is at a custody account.

use qiao_model::{Channel, Money};
use qiao_payments::Party;
use qiao_settlement::{CaseEnd, CaseState, CustodyCheck, Doubt};
use qiao_tests::each_database;
use sandbox_bank::{Fault, FaultKind};

use crate::world::{FUND, TOPPED_UP, World, day, river};

async fn check(world: &World) -> CustodyCheck {
    world.settlement.custody(&world.operator).await.unwrap()
}

/// Purchases, a refund, fees and payouts over some days.
async fn live(world: &World) {
    world.terms(1, 0).await;
    let payment = world
        .pay(&[
            (Party::Institution(FUND), 98_500, "principal"),
            (Party::Revenue(FUND), 1_200, "purchase-fee"),
            (Party::Platform, 300, "platform-fee"),
        ])
        .await;
    world.refund(payment, 40_000).await;
    world.work("2026-11-26", 540).await;
    world.top_up("second", 5_000).await;
    world.pay_fund(7_777).await;
    world.set_time("2026-11-27", 2);
}

#[tokio::test]
async fn after_some_days_every_yuan_is_at_the_bank() {
    each_database(|database| async move {
        let world = World::new(database).await;
        live(&world).await;
        assert_eq!(world.settlement.end_days().await.unwrap(), 2);
        let check = check(&world).await;
        assert!(check.holds(), "{check:?}");
        let bank = &check.channels[0];
        assert_eq!(bank.books_minor, world.bank.custody_minor());
        assert_eq!(bank.bank_minor, Some(bank.books_minor));
        assert_eq!(check.owed_minor(), check.custody_minor());
        let paid_out = world.fund_at_the_bank();
        assert_eq!(check.custody_minor(), TOPPED_UP + 5_000 - paid_out);
        let ended = bank.last_day.as_ref().unwrap();
        assert_eq!(ended.run.day.to_string(), "2026-11-26");
        assert_eq!(ended.run.bank_closing, ended.run.books_closing);
        assert_eq!(ended.unexplained_minor(), 0);
        assert_eq!(world.settlement.end_days().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn money_that_left_the_bank_unknown_to_the_books_is_found_and_is_a_case() {
    each_database(|database| async move {
        let world = World::new(database).await;
        live(&world).await;
        world.settlement.end_days().await.unwrap();
        world.steal_custody(1_000).await;
        let before = check(&world).await.channels.remove(0);
        assert_eq!(before.bank_minor, Some(before.books_minor - 1_000));
        world.set_time("2026-11-28", 2);
        world.settlement.end_days().await.unwrap();
        let ended = check(&world).await.channels.remove(0).last_day.unwrap();
        let difference = ended.run.bank_closing - ended.run.books_closing;
        assert_eq!((difference, ended.cases_minor), (-1_000, -1_000));
        assert_eq!(ended.unexplained_minor(), 0);
    })
    .await;
}

/// The case of what was stolen, ended.
async fn end_case(world: &World, end: CaseEnd) {
    let open = world
        .settlement
        .cases(&world.operator, Some(CaseState::Open), None);
    let case = open.await.unwrap().remove(0);
    let ended = world
        .settlement
        .end_case(&world.operator, case.id, end, "seen");
    ended.await.unwrap();
}

#[tokio::test]
async fn money_that_is_missing_is_missing_however_it_is_explained() {
    for end in CaseEnd::ALL {
        each_database(|database| async move {
            let world = World::new(database).await;
            live(&world).await;
            world.steal_custody(1_000).await;
            world.set_time("2026-11-28", 2);
            world.settlement.end_days().await.unwrap();
            let river = river();
            let difference = Doubt::Difference {
                channel: river,
                day: day("2026-11-27"),
                difference: Money::cny(-1_000),
            };
            let open = Doubt::OpenCases {
                channel: river,
                count: 1,
            };
            let told = check(&world).await;
            let books = Money::cny(told.custody_minor());
            let bank = Money::cny(books.minor - 1_000);
            let now = Doubt::BankDiffers {
                channel: river,
                bank,
                books,
            };
            assert_eq!(told.doubts(), [difference.clone(), open, now.clone()]);
            end_case(&world, end).await;
            let told = check(&world).await;
            assert_eq!(told.doubts(), [difference, now], "{end:?}");
            // The operator's shell asks no bank, and comes to the same.
            let shell = CustodyCheck::read(&world.db, world.env.now())
                .await
                .unwrap();
            assert!(!shell.holds(), "{end:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_was_never_compared_or_long_ago_proves_nothing() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let never = Doubt::NotCompared {
            channel: river(),
            day: day("2026-11-24"),
            last: None,
        };
        assert_eq!(check(&world).await.doubts(), [never]);
        world.set_time("2026-11-26", 2);
        world.settlement.end_days().await.unwrap();
        assert!(check(&world).await.holds());
        // A minute after midnight at the earliest a day is over.
        world.set_time("2026-11-27", 0);
        assert!(check(&world).await.holds());
        world.set_time("2026-11-27", 1);
        let late = Doubt::NotCompared {
            channel: river(),
            day: day("2026-11-26"),
            last: Some(day("2026-11-25")),
        };
        assert_eq!(check(&world).await.doubts(), [late]);
        world.settlement.end_days().await.unwrap();
        assert!(check(&world).await.holds());
    })
    .await;
}

#[tokio::test]
async fn money_under_way_is_no_difference() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.set_time("2026-11-26", 2);
        world.settlement.end_days().await.unwrap();
        world.bank.plan(Fault::once(FaultKind::LoseResponse));
        world.top_up("lost", 900).await;
        let told = check(&world).await;
        let bank = &told.channels[0];
        assert_eq!(bank.coming_minor, 900);
        assert_eq!(bank.bank_minor, Some(bank.books_minor + 900));
        assert!(told.holds(), "{:?}", told.doubts());
    })
    .await;
}

#[tokio::test]
async fn play_money_is_at_no_bank() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.set_time("2026-11-26", 2);
        world.settlement.end_days().await.unwrap();
        assert!(check(&world).await.holds());
        let amount = Money::cny(1_000);
        let key = None;
        let top_up = world
            .payments
            .top_up(&world.person, world.user, amount, key);
        top_up.await.unwrap();
        let broken = check(&world).await;
        assert!(!broken.holds());
        assert_eq!(broken.play_minor, 1_000);
        assert_eq!(broken.owed_minor(), broken.custody_minor() + 1_000);
        assert!(
            broken
                .channels
                .iter()
                .all(|c| c.channel != Channel::SANDBOX)
        );
    })
    .await;
}

#[tokio::test]
async fn days_that_were_missed_are_ended_one_after_the_other() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.set_time("2026-11-26", 2);
        assert_eq!(world.settlement.end_days().await.unwrap(), 1);
        world.set_time("2026-11-29", 2);
        assert_eq!(world.settlement.end_days().await.unwrap(), 3);
        let runs = world.settlement.reconciliations(&world.operator).await;
        let days: Vec<String> = runs.unwrap().iter().map(|r| r.day.to_string()).collect();
        assert_eq!(
            days,
            ["2026-11-28", "2026-11-27", "2026-11-26", "2026-11-25"]
        );
    })
    .await;
}

#[tokio::test]
async fn days_that_were_missed_for_months_are_caught_up_the_newest_first() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.set_time("2026-11-26", 2);
        assert_eq!(world.settlement.end_days().await.unwrap(), 1);
        world.set_time("2027-01-11", 2);
        assert_eq!(world.settlement.end_days().await.unwrap(), 31);
        assert!(check(&world).await.holds());
        assert_eq!(world.settlement.end_days().await.unwrap(), 15);
        assert_eq!(world.settlement.end_days().await.unwrap(), 0);
        let runs = world.settlement.reconciliations(&world.operator).await;
        let runs = runs.unwrap();
        assert_eq!(runs.len(), 47);
        let oldest = runs.last().unwrap();
        assert_eq!(
            (runs[0].day, oldest.day),
            (day("2027-01-10"), day("2026-11-25"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_day_that_an_operator_jumped_over_is_caught_up() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.set_time("2026-11-26", 2);
        world.settlement.end_days().await.unwrap();
        world.set_time("2026-11-29", 2);
        let jumped = world
            .settlement
            .reconcile(&world.operator, river(), day("2026-11-28"));
        jumped.await.unwrap();
        assert_eq!(world.settlement.end_days().await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_bank_is_compared_from_its_first_transfer_on() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.set_time("2026-11-28", 2);
        assert_eq!(world.settlement.end_days().await.unwrap(), 3);
    })
    .await;
}
