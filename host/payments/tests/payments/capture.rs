use qiao_model::{Currency, Money, PaymentId};
use qiao_payments::{Command, NewPayment, Outcome, Party, PaymentState, Refusal};
use qiao_tests::each_database;

use crate::world::{FUND, USER, World, issue, post};

fn capture(payment: PaymentId, fen: i64) -> Command {
    Command::Post {
        payment,
        amount: Some(Money::cny(fen)),
    }
}

#[tokio::test]
async fn a_part_is_captured_by_shares_and_the_rest_is_free_again() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let id = new.id;
        let held = world.payment(Command::Hold(new)).await;
        assert_eq!(held.captured, Money::cny(0));
        // 333.33 of 1,000.00: 328.33, 4.00 and 1.00 by largest remainder.
        let part = world.payment(capture(id, 33_333)).await;
        assert_eq!(part.state, PaymentState::Posted);
        assert_eq!(part.captured, Money::cny(33_333));
        assert_eq!(part.captured_splits(), [32_833, 400, 100]);
        assert_eq!(world.fen().await, [66_667, 32_833, 400, 100]);
        assert_eq!(world.balance(Party::User(USER)).await.available(), 66_667);
        // One capture resolves a hold: the same again is the same, another is refused.
        assert_eq!(world.payment(capture(id, 33_333)).await, part);
        for other in [capture(id, 1), post(id)] {
            assert_eq!(
                world.run(other).await,
                Err(Refusal::WrongState {
                    payment: id,
                    state: PaymentState::Posted,
                })
            );
        }
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn a_refund_of_a_partly_captured_payment_is_of_what_was_captured() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let id = new.id;
        world.payment(Command::Hold(new)).await;
        world.payment(capture(id, 33_333)).await;
        assert_eq!(
            world.run(Command::Refund(world.refund(id, 33_334))).await,
            Err(Refusal::ExceedsRefundable {
                payment: id,
                refundable: Money::cny(33_333),
                requested: Money::cny(33_334),
            })
        );
        let ten = Command::Refund(world.refund(id, 1_000));
        let Ok(Outcome::Refunded { payment, .. }) = world.run(ten).await else {
            panic!("it was refused");
        };
        assert_eq!(payment.state, PaymentState::PartlyRefunded);
        let rest = Command::Refund(world.refund(id, 32_333));
        let Ok(Outcome::Refunded { payment, .. }) = world.run(rest).await else {
            panic!("it was refused");
        };
        assert_eq!(payment.state, PaymentState::Refunded);
        assert_eq!(world.fen().await, [100_000, 0, 0, 0]);
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn a_capture_of_one_fen_releases_the_holds_that_get_nothing_of_it() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let id = new.id;
        world.payment(Command::Hold(new)).await;
        world.payment(capture(id, 1)).await;
        assert_eq!(world.fen().await, [99_999, 1, 0, 0]);
        for party in [Party::User(USER), Party::Revenue(FUND), Party::Platform] {
            let balance = world.balance(party).await;
            assert_eq!((balance.pending_in, balance.pending_out), (0, 0));
        }
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn a_capture_of_all_is_taken_and_of_a_fen_more_or_of_nothing_is_refused() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let payment = new.id;
        world.payment(Command::Hold(new)).await;
        let foreign = Money::new(1, "USD".parse::<Currency>().unwrap());
        for requested in [Money::cny(100_001), Money::cny(0), Money::cny(-1), foreign] {
            let amount = Some(requested);
            assert_eq!(
                world.run(Command::Post { payment, amount }).await,
                Err(Refusal::ExceedsHeld {
                    payment,
                    held: Money::cny(100_000),
                    requested,
                })
            );
        }
        let all = world.payment(capture(payment, 100_000)).await;
        assert_eq!(world.payment(post(payment)).await, all);
        assert_eq!(world.fen().await, [0, 98_500, 1_200, 300]);
    })
    .await;
}

#[tokio::test]
async fn a_payment_that_delivers_units_is_captured_as_a_whole() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = NewPayment {
            deliveries: vec![issue(5)],
            ..world.purchase()
        };
        let id = new.id;
        world.payment(Command::Hold(new)).await;
        assert_eq!(
            world.run(capture(id, 99_999)).await,
            Err(Refusal::WholeCaptureOnly(id))
        );
        world.payment(capture(id, 100_000)).await;
        assert_eq!(world.units(USER).await.posted, 5);
    })
    .await;
}
