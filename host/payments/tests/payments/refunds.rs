use qiao_model::{Money, Scope};
use qiao_payments::{
    Command, NewPayment, NewRefund, Outcome, Party, Payment, PaymentState, Refund, Refusal,
};
use qiao_tests::each_database;

use crate::world::{FUND, USER, World, issue};

async fn refund(world: &World, new: NewRefund) -> (Payment, Refund) {
    match world.run(Command::Refund(new)).await.unwrap() {
        Outcome::Refunded { payment, refund } => (payment, refund),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn refunds_claw_every_split_back_until_nothing_is_left() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = NewPayment {
            deliveries: vec![issue(98_500)],
            ..world.purchase()
        };
        let id = new.id;
        world.payment(Command::Pay(new)).await;
        let (payment, first) = refund(&world, world.refund(id, 33_333)).await;
        assert_eq!(payment.state, PaymentState::PartlyRefunded);
        // 32833.005, 399.996, 99.999.
        assert_eq!(first.parts, [32_833, 400, 100]);
        assert_eq!(world.fen().await, [33_333, 65_667, 800, 200]);
        // Units go back with the last rest alone.
        assert_eq!(world.units(USER).await.posted, 98_500);
        let (payment, rest) = refund(&world, world.refund(id, 66_667)).await;
        assert_eq!(payment.state, PaymentState::Refunded);
        assert_eq!(rest.parts, [65_667, 800, 200]);
        assert_eq!(payment.refunded, payment.amount);
        assert_eq!(world.fen().await, [100_000, 0, 0, 0]);
        assert_eq!(world.units(USER).await.posted, 0);
        assert_eq!(
            world.events(&id.to_string()).await,
            ["payment.posted", "payment.refunded", "payment.refunded"]
        );
        let transfers = world.ledger.transfers_of(&id.to_string()).await.unwrap();
        let clawed: i64 = (transfers.iter())
            .filter(|t| t.purpose == "refund/purchase-fee")
            .map(|t| t.minor)
            .sum();
        assert_eq!(clawed, 1_200);
        let refused = world.run(Command::Refund(world.refund(id, 1))).await;
        assert_eq!(
            refused,
            Err(Refusal::ExceedsRefundable {
                payment: id,
                refundable: Money::cny(0),
                requested: Money::cny(1),
            })
        );
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn the_same_refund_again_is_the_same_refund() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let id = new.id;
        world.payment(Command::Pay(new)).await;
        let ten = world.refund(id, 1_000);
        let (_, first) = refund(&world, ten.clone()).await;
        let (payment, again) = refund(&world, ten.clone()).await;
        assert_eq!(first, again);
        assert_eq!(payment.refunded, Money::cny(1_000));
        let other = NewRefund {
            amount: Money::cny(1_001),
            ..ten.clone()
        };
        assert_eq!(
            world.run(Command::Refund(other)).await,
            Err(Refusal::RefundConflict(ten.id))
        );
        let system = world.system(Scope::PaymentsRead);
        let refunds = world.payments.refunds_of(&system, id).await.unwrap();
        assert_eq!(refunds, [first]);
    })
    .await;
}

#[tokio::test]
async fn a_held_payment_is_not_refunded() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let payment = new.id;
        world.payment(Command::Hold(new)).await;
        assert_eq!(
            world.run(Command::Refund(world.refund(payment, 1))).await,
            Err(Refusal::WrongState {
                payment,
                state: PaymentState::Held,
            })
        );
    })
    .await;
}

/// Random payments of random splits, refunded in random parts: in the end the
/// books are as before, to the fen, in every asset.
#[tokio::test]
async fn random_splits_and_refunds_come_back_to_where_they_began() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let before = world.fen().await;
        let mut chance = Chance(7);
        for _ in 0..25 {
            let parties = [
                Party::Institution(FUND),
                Party::Revenue(FUND),
                Party::Platform,
            ];
            let splits: Vec<_> = (0..=chance.below(6))
                .map(|index| {
                    let receiver = parties[usize::try_from(index % 3).unwrap()];
                    (receiver, chance.below(1_000) + 1, "part")
                })
                .collect();
            let new = world.new_payment(&splits);
            let (id, mut left) = (new.id, new.amount.minor);
            world.payment(Command::Pay(new)).await;
            while left > 0 {
                let fen = left.min(chance.below(left) + 1 + left / 4);
                refund(&world, world.refund(id, fen)).await;
                left -= fen;
            }
        }
        assert_eq!(world.fen().await, before);
        world.assert_books_hold().await;
    })
    .await;
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        i64::try_from(self.0 >> 33).unwrap() % end
    }
}
