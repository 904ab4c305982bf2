//! What institutions are owed is paid once, on its day.

use qiao_banks::{Crash, CrashPoint, rules::REPAIR_PAUSES_SECS};
use qiao_payments::Party;
use qiao_settlement::{Error, NOTE_CHARS_MAX, NewTerms, Payout, PayoutState, Source};
use qiao_tests::each_database;
use sandbox_bank::{Fault, FaultKind};

use crate::world::{CHANNEL_MAX, FUND, FUND_NUMBER, TOPPED_UP, World, river};

const NINE: i64 = 9 * 60;
const FIVE_PM: i64 = 17 * 60;

fn told(payouts: &[Payout]) -> Vec<(String, i64, PayoutState)> {
    payouts
        .iter()
        .map(|payout| (payout.day.to_string(), payout.amount.minor, payout.state))
        .collect()
}

fn paid(day: &str, fen: i64) -> (String, i64, PayoutState) {
    (day.to_owned(), fen, PayoutState::Paid)
}

#[tokio::test]
async fn what_a_day_brought_is_paid_on_the_next_business_day_and_once() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world.pay_fund(30_000).await;
        world.work("2026-11-25", FIVE_PM).await;
        world.work("2026-11-26", NINE - 1).await;
        assert_eq!(world.payouts().await, []);
        world.work("2026-11-26", NINE).await;
        let payouts = world.payouts().await;
        assert_eq!(told(&payouts), [paid("2026-11-26", 30_000)]);
        assert_eq!(payouts[0].through.to_string(), "2026-11-25");
        assert_eq!(payouts[0].channel.as_deref(), Some("river"));
        assert!(payouts[0].bank_reference.is_some());
        world.work("2026-11-26", NINE + 60).await;
        world.work("2026-11-27", NINE).await;
        assert_eq!(world.payouts().await.len(), 1);
        assert_eq!(world.fund_at_the_bank(), 30_000);
        assert_eq!(world.balance(Party::Institution(FUND)).await.posted, 0);
    })
    .await;
}

#[tokio::test]
async fn what_came_after_the_day_waits_for_its_own() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world.pay_fund(30_000).await;
        world.set_time("2026-11-26", 60);
        world.pay_fund(20_000).await;
        world.work("2026-11-26", NINE).await;
        world.work("2026-11-27", NINE).await;
        let payouts = world.payouts().await;
        let expected = [paid("2026-11-26", 30_000), paid("2026-11-27", 20_000)];
        assert_eq!(told(&payouts), expected);
    })
    .await;
}

#[tokio::test]
async fn what_was_refunded_before_the_payout_is_not_paid_out() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        let payment = world.pay_fund(30_000).await;
        world.set_time("2026-11-26", 60);
        world.pay_fund(5_000).await;
        world.refund(payment, 12_000).await;
        world.work("2026-11-26", NINE).await;
        assert_eq!(told(&world.payouts().await), [paid("2026-11-26", 18_000)]);
        assert_eq!(world.balance(Party::Institution(FUND)).await.posted, 5_000);
    })
    .await;
}

/// While no channel works a payout holds nothing, so its money looks free.
#[tokio::test]
async fn what_an_earlier_payout_still_takes_is_not_planned_again() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world.pay_fund(30_000).await;
        let (banks, operator) = (&world.banks, &world.operator);
        let paused = banks.pause_channel(operator, river(), "a test").await;
        paused.unwrap();
        world.work("2026-11-26", NINE).await;
        world.pay_fund(20_000).await;
        world.work("2026-11-27", NINE).await;
        // Its own day has not come.
        world.pay_fund(70_000).await;
        let due = |day: &str, fen| (day.to_owned(), fen, PayoutState::Due);
        let expected = [due("2026-11-26", 30_000), due("2026-11-27", 20_000)];
        assert_eq!(told(&world.payouts().await), expected);
        banks.resume_channel(operator, river()).await.unwrap();
        world.work("2026-11-27", FIVE_PM).await;
        let expected = [paid("2026-11-26", 30_000), paid("2026-11-27", 20_000)];
        assert_eq!(told(&world.payouts().await), expected);
        assert_eq!(world.fund_at_the_bank(), 50_000);
        let left = world.balance(Party::Institution(FUND)).await;
        assert_eq!(left.posted, 70_000);
    })
    .await;
}

#[tokio::test]
async fn settlement_and_fees_are_paid_each_by_itself() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world
            .pay(&[
                (Party::Institution(FUND), 98_500, "principal"),
                (Party::Revenue(FUND), 1_200, "purchase-fee"),
                (Party::Platform, 300, "platform-fee"),
            ])
            .await;
        world.work("2026-11-26", NINE).await;
        let mut payouts = world.payouts().await;
        payouts.sort_by_key(|payout| payout.amount.minor);
        let expected = [paid("2026-11-26", 1_200), paid("2026-11-26", 98_500)];
        assert_eq!(told(&payouts), expected);
        assert_eq!(payouts[0].source, Source::Revenue);
        assert_eq!(world.fund_at_the_bank(), 99_700);
        assert_eq!(world.balance(Party::Platform).await.posted, 300);
    })
    .await;
}

#[tokio::test]
async fn t_plus_zero_is_paid_at_the_cut_of_the_same_day() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(0, 0).await;
        world.pay_fund(30_000).await;
        world.work("2026-11-25", FIVE_PM - 1).await;
        assert_eq!(world.payouts().await, []);
        world.work("2026-11-25", FIVE_PM).await;
        world.set_time("2026-11-25", FIVE_PM + 1);
        world.pay_fund(1_000).await;
        world.work("2026-11-25", FIVE_PM + 2).await;
        world.work("2026-11-26", FIVE_PM).await;
        let expected = [paid("2026-11-25", 30_000), paid("2026-11-26", 1_000)];
        assert_eq!(told(&world.payouts().await), expected);
    })
    .await;
}

#[tokio::test]
async fn a_weekend_counts_as_monday() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world.set_time("2026-11-27", 600);
        world.pay_fund(100).await;
        world.set_time("2026-11-28", 600);
        world.pay_fund(200).await;
        world.work("2026-11-28", NINE * 2).await;
        world.work("2026-11-29", NINE).await;
        assert_eq!(world.payouts().await, []);
        world.work("2026-11-30", NINE).await;
        world.work("2026-12-01", NINE).await;
        let expected = [paid("2026-11-30", 100), paid("2026-12-01", 200)];
        assert_eq!(told(&world.payouts().await), expected);
    })
    .await;
}

#[tokio::test]
async fn less_than_the_minimum_waits_until_it_is_enough() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 10_000).await;
        world.pay_fund(9_999).await;
        world.work("2026-11-26", NINE).await;
        assert_eq!(world.payouts().await, []);
        world.pay_fund(1).await;
        world.work("2026-11-27", NINE).await;
        assert_eq!(told(&world.payouts().await), [paid("2026-11-27", 10_000)]);
    })
    .await;
}

#[tokio::test]
async fn proposed_terms_pay_nothing_until_an_operator_approves_them() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let staff = world.staff().await;
        let terms = NewTerms {
            days: 1,
            account_number: FUND_NUMBER.to_owned(),
            minimum_minor: 0,
        };
        let set = world.settlement.set_terms(&staff, FUND, terms.clone());
        set.await.unwrap();
        world.pay_fund(30_000).await;
        world.work("2026-11-26", NINE).await;
        assert_eq!(world.payouts().await, []);
        let approve = world.settlement.approve_terms(&world.operator, FUND);
        approve.await.unwrap();
        world.work("2026-11-26", NINE + 1).await;
        assert_eq!(told(&world.payouts().await), [paid("2026-11-26", 30_000)]);
        // Changed by the staff, they wait again.
        let set = world.settlement.set_terms(&staff, FUND, terms);
        set.await.unwrap();
        world.pay_fund(1_000).await;
        world.work("2026-11-27", NINE).await;
        assert_eq!(world.payouts().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_bank_rejects_is_part_of_the_next_payout() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world.pay_fund(30_000).await;
        world.bank.plan(Fault::once(FaultKind::Reject));
        world.work("2026-11-26", NINE).await;
        let payouts = world.payouts().await;
        assert_eq!(payouts[0].state, PayoutState::Rejected);
        assert_eq!(payouts[0].reason.as_deref(), Some("limit"));
        assert_eq!(world.balance(Party::Institution(FUND)).await.posted, 30_000);
        world.work("2026-11-27", NINE).await;
        let payouts = world.payouts().await;
        assert_eq!(told(&payouts[1..]), [paid("2026-11-27", 30_000)]);
        assert_eq!(world.fund_at_the_bank(), 30_000);
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_then_paid_once() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world.pay_fund(30_000).await;
        world.bank.plan(Fault::once(FaultKind::LoseResponse));
        world.work("2026-11-26", NINE).await;
        let payouts = world.payouts().await;
        assert_eq!(payouts[0].state, PayoutState::Unknown);
        assert_eq!(world.fund_at_the_bank(), 30_000);
        world.clock.advance_millis(REPAIR_PAUSES_SECS[0] * 1000);
        world.banks.repair().await.unwrap();
        world.work("2026-11-26", NINE + 60).await;
        assert_eq!(told(&world.payouts().await), [paid("2026-11-26", 30_000)]);
        assert_eq!(world.fund_at_the_bank(), 30_000);
        let events = sqlx::query("select kind from event where kind = 'payout.paid'");
        let events = events.fetch_all(world.db.reads()).await.unwrap();
        assert_eq!(events.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_host_that_ends_anywhere_pays_once() {
    for point in CrashPoint::ALL {
        each_database(|database| async move {
            let world = World::new(database).await;
            world.terms(1, 0).await;
            world.pay_fund(30_000).await;
            world.set_time("2026-11-26", NINE);
            let crashing = world.crashing(Crash::Drop(point)).await;
            crashing.plan_payouts().await.unwrap();
            crashing.drive_payouts().await.unwrap();
            for minute in 1..20 {
                world.set_time("2026-11-26", NINE + minute);
                world.banks.repair().await.unwrap();
                world.work("2026-11-26", NINE + minute).await;
            }
            let payouts = world.payouts().await;
            assert_eq!(told(&payouts), [paid("2026-11-26", 30_000)], "{point:?}");
            assert_eq!(world.fund_at_the_bank(), 30_000, "{point:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn many_nodes_pay_once() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world.pay_fund(30_000).await;
        world.set_time("2026-11-26", NINE);
        let other = world.other_node("node-b").await;
        let third = world.other_node("node-c").await;
        let (a, b, c) = tokio::join!(
            world.settlement.plan_payouts(),
            other.plan_payouts(),
            third.plan_payouts(),
        );
        assert_eq!(a.unwrap() + b.unwrap() + c.unwrap(), 1);
        let (a, b, c) = tokio::join!(
            world.settlement.drive_payouts(),
            other.drive_payouts(),
            third.drive_payouts(),
        );
        assert_eq!(a.unwrap() + b.unwrap() + c.unwrap(), 1);
        assert_eq!(told(&world.payouts().await), [paid("2026-11-26", 30_000)]);
        assert_eq!(world.fund_at_the_bank(), 30_000);
    })
    .await;
}

#[tokio::test]
async fn money_that_is_gone_before_it_is_sent_is_not_paid() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        let payment = world.pay_fund(30_000).await;
        world.set_time("2026-11-26", NINE);
        world.settlement.plan_payouts().await.unwrap();
        world.refund(payment, 30_000).await;
        world.work("2026-11-26", NINE + 1).await;
        let payouts = world.payouts().await;
        assert_eq!(payouts[0].state, PayoutState::Rejected);
        assert_eq!(payouts[0].reason.as_deref(), Some("insufficient_funds"));
        assert_eq!(world.fund_at_the_bank(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_an_institution_owes_is_taken_off_before_it_is_paid() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        let payment = world.pay_fund(30_000).await;
        world.work("2026-11-26", NINE).await;
        // Paid out already, it has nothing to give back, and owes.
        world.refund(payment, 10_000).await;
        assert_eq!(world.balance(Party::Receivable(FUND)).await.posted, -10_000);
        world.pay_fund(25_000).await;
        world.work("2026-11-27", NINE).await;
        let expected = [paid("2026-11-26", 30_000), paid("2026-11-27", 15_000)];
        assert_eq!(told(&world.payouts().await), expected);
        assert_eq!(world.balance(Party::Receivable(FUND)).await.posted, 0);
    })
    .await;
}

#[tokio::test]
async fn a_payout_that_waits_for_its_channel_is_not_planned_again() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let (banks, operator) = (&world.banks, &world.operator);
        world.terms(1, 0).await;
        world.pay_fund(10_000).await;
        let paused = banks.pause_channel(operator, river(), "works").await;
        paused.unwrap();
        world.work("2026-11-26", NINE).await;
        world.pay_fund(5_000).await;
        world.work("2026-11-27", NINE).await;
        world.pay_fund(20_000).await;
        let waits = |day: &str, fen| (day.to_owned(), fen, PayoutState::Due);
        let expected = [waits("2026-11-26", 10_000), waits("2026-11-27", 5_000)];
        assert_eq!(told(&world.payouts().await), expected);
        banks.resume_channel(operator, river()).await.unwrap();
        world.work("2026-11-27", FIVE_PM).await;
        let expected = [paid("2026-11-26", 10_000), paid("2026-11-27", 5_000)];
        assert_eq!(told(&world.payouts().await), expected);
        assert_eq!(world.fund_at_the_bank(), 15_000);
    })
    .await;
}

#[tokio::test]
async fn a_payout_above_the_limit_of_the_channel_is_paid_in_parts() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.top_up("more", CHANNEL_MAX + 1 - TOPPED_UP).await;
        world.terms(1, 0).await;
        world.pay_fund(CHANNEL_MAX + 1).await;
        world.work("2026-11-26", NINE).await;
        let payouts = world.payouts().await;
        let half = CHANNEL_MAX / 2;
        let expected = [paid("2026-11-26", half + 1), paid("2026-11-26", half)];
        assert_eq!(told(&payouts), expected);
        assert_eq!((payouts[0].part, payouts[1].part), (1, 2));
        assert_eq!(world.fund_at_the_bank(), CHANNEL_MAX + 1);
        world.work("2026-11-27", NINE).await;
        assert_eq!(world.payouts().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_suspended_institution_is_paid_when_it_is_resumed() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world.pay_fund(10_000).await;
        world.set_time("2026-11-26", NINE);
        world.settlement.plan_payouts().await.unwrap();
        world.suspend(FUND).await;
        // Neither what is planned already nor what falls due goes to a bank.
        world.work("2026-11-26", NINE + 1).await;
        world.pay_fund(5_000).await;
        world.work("2026-11-27", NINE).await;
        let payouts = world.payouts().await;
        let waits = ("2026-11-26".to_owned(), 10_000, PayoutState::Due);
        assert_eq!(told(&payouts), [waits]);
        let reason = payouts[0].reason.as_deref();
        assert_eq!(reason, Some("the institution is suspended"));
        assert_eq!(world.fund_at_the_bank(), 0);
        world.resume(FUND).await;
        world.work("2026-11-27", NINE + 61).await;
        let expected = [paid("2026-11-26", 10_000), paid("2026-11-27", 5_000)];
        assert_eq!(told(&world.payouts().await), expected);
        assert_eq!(world.fund_at_the_bank(), 15_000);
    })
    .await;
}

#[tokio::test]
async fn what_a_bank_was_asked_for_is_looked_after_while_the_institution_is_suspended() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world.pay_fund(10_000).await;
        world.bank.plan(Fault::once(FaultKind::LoseResponse));
        world.work("2026-11-26", NINE).await;
        assert_eq!(world.payouts().await[0].state, PayoutState::Unknown);
        world.suspend(FUND).await;
        world.clock.advance_millis(REPAIR_PAUSES_SECS[0] * 1000);
        world.banks.repair().await.unwrap();
        world.work("2026-11-26", NINE + 60).await;
        assert_eq!(told(&world.payouts().await), [paid("2026-11-26", 10_000)]);
    })
    .await;
}

#[tokio::test]
async fn an_operator_gives_up_what_waits_and_it_is_part_of_the_next_payout() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let (room, operator) = (&world.settlement, &world.operator);
        world.terms(1, 0).await;
        world.pay_fund(10_000).await;
        let paused = world.banks.pause_channel(operator, river(), "works").await;
        paused.unwrap();
        world.work("2026-11-26", NINE).await;
        let id = world.payouts().await[0].id;
        for reason in ["", " ", &"x".repeat(NOTE_CHARS_MAX + 1)] {
            let refused = room.give_up_payout(operator, id, reason).await;
            assert!(matches!(refused, Err(Error::Note(_))), "{refused:?}");
        }
        let denied = room.give_up_payout(&world.person, id, "no").await;
        assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
        let unknown = room.give_up_payout(operator, world.env.id(), "no").await;
        assert!(
            matches!(unknown, Err(Error::UnknownPayout(_))),
            "{unknown:?}"
        );
        let given_up = room.give_up_payout(operator, id, "wrong account").await;
        let given_up = given_up.unwrap();
        assert_eq!(given_up.state, PayoutState::Rejected);
        assert_eq!(given_up.reason.as_deref(), Some("given up: wrong account"));
        let again = room.give_up_payout(operator, id, "again").await;
        assert!(matches!(again, Err(Error::PayoutUnderWay(_))), "{again:?}");
        let audit = world.auth.audit_of(operator, &id.to_string()).await;
        assert_eq!(audit.unwrap()[0].action, "settlement.give-up-payout");
        let resumed = world.banks.resume_channel(operator, river()).await;
        resumed.unwrap();
        world.work("2026-11-27", NINE).await;
        let payouts = world.payouts().await;
        assert_eq!(told(&payouts[1..]), [paid("2026-11-27", 10_000)]);
        // What a bank carries is not given up.
        let carried = room.give_up_payout(operator, payouts[1].id, "late").await;
        assert!(
            matches!(carried, Err(Error::PayoutUnderWay(_))),
            "{carried:?}"
        );
        assert_eq!(world.fund_at_the_bank(), 10_000);
    })
    .await;
}
