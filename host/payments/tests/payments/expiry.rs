use qiao_model::Timestamp;
use qiao_payments::{
    Command, EXPIRED_HOLDS_MAX, HOLD_SECS_DEFAULT, HOLD_SECS_MAX, Invalid, NewPayment, Party,
    Payment, PaymentState, Refusal, VoidReason,
};
use qiao_tests::each_database;

use crate::world::{FUND, USER, World, post};

impl World {
    fn expiring(&self, fen: i64, expires_at: Timestamp) -> NewPayment {
        NewPayment {
            expires_at: Some(expires_at),
            ..self.new_payment(&[(Party::Institution(FUND), fen, "principal")])
        }
    }

    async fn hold_for(&self, secs: i64) -> Payment {
        let new = self.expiring(10_000, self.env.now().plus_secs(secs));
        self.payment(Command::Hold(new)).await
    }
}

#[tokio::test]
async fn a_hold_is_released_when_its_time_has_come_and_not_before() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let id = world.hold_for(HOLD_SECS_DEFAULT).await.id;
        let lasting = world.purchase();
        let lasting = world.new_payment(&[(Party::Platform, lasting.amount.minor / 2, "fee")]);
        world.payment(Command::Hold(lasting)).await;
        world.clock.advance_millis((HOLD_SECS_DEFAULT - 1) * 1_000);
        assert_eq!(world.payments.expire_holds().await.unwrap(), 0);
        assert_eq!(
            world.run(Command::Expire { payment: id }).await,
            Err(Refusal::NotExpired(id))
        );
        world.clock.advance_millis(1_000);
        assert_eq!(world.payments.expire_holds().await.unwrap(), 1);
        assert_eq!(world.payments.expire_holds().await.unwrap(), 0);
        let voided = world.payment(Command::Void { payment: id }).await;
        assert_eq!(voided.state, PaymentState::Voided);
        assert_eq!(voided.void_reason, Some(VoidReason::Expired));
        // The hold that does not expire is still there.
        assert_eq!(world.balance(Party::User(USER)).await.available(), 50_000);
        assert_eq!(
            world.events(&id.to_string()).await,
            ["payment.held", "payment.voided"]
        );
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn a_post_after_the_expiry_is_refused_and_an_expiry_after_the_post() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let (late, early) = (world.hold_for(60).await.id, world.hold_for(60).await.id);
        world.clock.advance_millis(60 * 1_000);
        // Due, but not released yet: whichever is decided first counts.
        world.payment(post(early)).await;
        assert_eq!(world.payments.expire_holds().await.unwrap(), 1);
        assert_eq!(world.run(post(late)).await, Err(Refusal::HoldExpired(late)));
        assert_eq!(
            world.run(Command::Expire { payment: early }).await,
            Err(Refusal::WrongState {
                payment: early,
                state: PaymentState::Posted,
            })
        );
        assert_eq!(world.fen().await, [90_000, 10_000, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_post_that_races_the_expiry_has_one_winner() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let other = world.other_host();
        for _ in 0..8 {
            let payment = world.hold_for(60).await.id;
            world.clock.advance_millis(60 * 1_000);
            let post = post(payment);
            let (posted, expired) = tokio::join!(
                world.run(post),
                other.submit(Command::Expire { payment }.into())
            );
            let expired = expired.unwrap();
            assert!(posted.is_ok() != expired.is_ok(), "{posted:?} {expired:?}");
        }
        let user = world.balance(Party::User(USER)).await;
        assert_eq!(user.pending_out, 0);
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn a_hold_of_thirty_days_is_accepted_and_a_millisecond_more_is_not() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let now = world.env.now();
        let last = now.plus_secs(HOLD_SECS_MAX);
        for at in [now, last.plus_millis(1)] {
            let refused = world.run(Command::Hold(world.expiring(1, at))).await;
            assert_eq!(refused, Err(Refusal::Invalid(Invalid::Expiry)));
        }
        for at in [now.plus_millis(1), last] {
            world.payment(Command::Hold(world.expiring(1, at))).await;
        }
    })
    .await;
}

#[tokio::test]
async fn one_call_releases_a_bounded_number_of_holds() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let at = world.env.now().plus_secs(60);
        let holds = (0..=EXPIRED_HOLDS_MAX).map(|_| Command::Hold(world.expiring(1, at)).into());
        for held in world.other_host().submit_all(holds.collect()).await {
            held.unwrap().unwrap();
        }
        world.clock.advance_millis(60 * 1_000);
        let first = world.payments.expire_holds().await.unwrap();
        assert_eq!(i64::try_from(first).unwrap(), EXPIRED_HOLDS_MAX);
        assert_eq!(world.payments.expire_holds().await.unwrap(), 1);
        assert_eq!(world.balance(Party::User(USER)).await.available(), 100_000);
    })
    .await;
}
