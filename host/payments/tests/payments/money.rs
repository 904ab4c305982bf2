use qiao_model::{Amount, Asset, OrderId, PaymentId};
use qiao_payments::{
    Account, Command, Delivery, Invalid, NewPayment, NewRefund, Outcome, Party, PaymentState,
    Refusal,
};
use qiao_tests::each_database;

use crate::world::{FUND, PRODUCT, USER, World, issue, post};

#[tokio::test]
async fn a_payment_is_held_and_posted_with_its_splits_and_units() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = NewPayment {
            deliveries: vec![issue(98_500)],
            ..world.purchase()
        };
        let id = new.id;
        let held = world.payment(Command::Hold(new.clone())).await;
        assert_eq!(held.state, PaymentState::Held);
        assert_eq!(world.balance(Party::User(USER)).await.available(), 0);
        assert_eq!(world.fen().await, [100_000, 0, 0, 0]);
        assert_eq!(world.units(USER).await.pending_in, 98_500);

        let posted = world.payment(post(id)).await;
        assert_eq!(posted.state, PaymentState::Posted);
        assert_eq!(posted.splits, new.splits);
        assert_eq!(posted.deliveries, new.deliveries);
        assert_eq!(world.fen().await, [0, 98_500, 1_200, 300]);
        assert_eq!(world.units(USER).await.available(), 98_500);
        assert_eq!(
            world.events(&id.to_string()).await,
            ["payment.held", "payment.posted"]
        );
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn a_voided_hold_leaves_everything_as_it_was() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = NewPayment {
            deliveries: vec![issue(5)],
            ..world.purchase()
        };
        let payment = new.id;
        world.payment(Command::Hold(new)).await;
        let voided = world.payment(Command::Void { payment }).await;
        assert_eq!(voided.state, PaymentState::Voided);
        assert_eq!(world.balance(Party::User(USER)).await.available(), 100_000);
        assert_eq!(world.units(USER).await.pending_in, 0);
        assert_eq!(world.fen().await, [100_000, 0, 0, 0]);
        assert_eq!(
            world.events(&payment.to_string()).await,
            ["payment.held", "payment.voided"]
        );
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn repeating_a_step_changes_nothing_and_no_state_goes_back() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let payment = new.id;
        world.payment(Command::Hold(new.clone())).await;
        world.payment(Command::Hold(new.clone())).await;
        world.payment(post(payment)).await;
        let again = world.payment(post(payment)).await;
        assert_eq!(again.state, PaymentState::Posted);
        // A hold that is sent again finds what became of it.
        let late = world.payment(Command::Hold(new.clone())).await;
        assert_eq!(late.state, PaymentState::Posted);
        assert_eq!(
            world.run(Command::Void { payment }).await,
            Err(Refusal::WrongState {
                payment,
                state: PaymentState::Posted,
            })
        );
        assert_eq!(world.fen().await, [0, 98_500, 1_200, 300]);
        assert_eq!(world.events(&payment.to_string()).await.len(), 2);

        let other = NewPayment {
            description: "another".to_owned(),
            ..new
        };
        assert_eq!(
            world.run(Command::Hold(other)).await,
            Err(Refusal::PaymentConflict(payment))
        );
        let unknown = PaymentId::from_u128(77);
        assert_eq!(
            world.run(post(unknown)).await,
            Err(Refusal::UnknownPayment(unknown))
        );
    })
    .await;
}

#[tokio::test]
async fn a_voided_payment_cannot_be_posted() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let payment = new.id;
        world.payment(Command::Hold(new)).await;
        world.payment(Command::Void { payment }).await;
        world.payment(Command::Void { payment }).await;
        assert_eq!(
            world.run(post(payment)).await,
            Err(Refusal::WrongState {
                payment,
                state: PaymentState::Voided,
            })
        );
    })
    .await;
}

#[tokio::test]
async fn a_payment_a_fen_above_the_balance_is_refused_with_nothing_posted() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.new_payment(&[
            (Party::Institution(FUND), 100_000, "principal"),
            (Party::Platform, 1, "fee"),
        ]);
        let id = new.id;
        for command in [Command::Pay(new.clone()), Command::Hold(new)] {
            let Err(Refusal::InsufficientFunds {
                available,
                requested,
            }) = world.run(command).await
            else {
                panic!("it was not refused");
            };
            assert_eq!((available.minor, requested.minor), (100_000, 100_001));
        }
        assert_eq!(world.fen().await, [100_000, 0, 0, 0]);
        assert!(world.events(&id.to_string()).await.is_empty());
        // The whole balance is fine.
        world.payment(Command::Pay(world.purchase())).await;
        assert_eq!(world.fen().await[0], 0);
    })
    .await;
}

#[tokio::test]
async fn units_that_are_not_there_cannot_be_redeemed() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let buy = NewPayment {
            deliveries: vec![issue(98_500)],
            ..world.purchase()
        };
        world.payment(Command::Pay(buy)).await;
        let redeem = |minor: i64| NewPayment {
            payer: Party::Institution(FUND),
            deliveries: vec![Delivery {
                from: Account::Holding(USER),
                to: Account::Issuance,
                amount: Amount {
                    minor,
                    asset: Asset::Units(PRODUCT),
                },
            }],
            ..world.new_payment(&[(Party::User(USER), 20_000, "principal")])
        };
        let Err(Refusal::InsufficientFunds { requested, .. }) =
            world.run(Command::Hold(redeem(98_501))).await
        else {
            panic!("it was not refused");
        };
        assert_eq!(requested.asset, Asset::Units(PRODUCT));
        let new = redeem(20_000);
        let payment = new.id;
        world.payment(Command::Hold(new)).await;
        assert_eq!(world.units(USER).await.available(), 78_500);
        world.payment(post(payment)).await;
        assert_eq!(world.units(USER).await.posted, 78_500);
        assert_eq!(world.fen().await, [20_000, 78_500, 1_200, 300]);
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn a_malformed_payment_reaches_no_book() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let mut new = world.purchase();
        new.splits[2].amount.minor = 301;
        assert!(matches!(
            world.run(Command::Pay(new)).await,
            Err(Refusal::Invalid(Invalid::SplitSum { .. }))
        ));
        assert_eq!(world.fen().await, [100_000, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn commands_of_one_batch_build_on_each_other_and_fail_alone() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let commands: Vec<Command> = {
            let first = world.new_payment(&[(Party::Institution(FUND), 60_000, "principal")]);
            let second = world.new_payment(&[(Party::Institution(FUND), 60_000, "principal")]);
            let third = world.new_payment(&[(Party::Platform, 40_000, "fee")]);
            let (held, paid) = (first.id, third.id);
            vec![
                Command::Hold(first),
                Command::Pay(second),
                post(held),
                Command::Pay(third),
                Command::Refund(world.refund(held, 10_000)),
                Command::Refund(world.refund(paid, 40_001)),
            ]
        };
        let tx = &mut world.db.begin().await.unwrap();
        let keyed: Vec<_> = commands
            .into_iter()
            .map(qiao_payments::Keyed::from)
            .collect();
        let keyed: Vec<_> = keyed.iter().collect();
        let now = world.env.now();
        let mut loaded = qiao_payments::batch::load(tx, &keyed).await.unwrap();
        let outcomes: Vec<_> = keyed
            .iter()
            .map(|keyed| qiao_payments::batch::decide(&mut loaded, keyed, now))
            .collect();
        qiao_payments::batch::store(loaded, tx, now).await.unwrap();
        assert!(matches!(outcomes[0], Ok(Outcome::Payment(_))));
        assert!(matches!(
            outcomes[1],
            Err(Refusal::InsufficientFunds { .. })
        ));
        assert!(matches!(outcomes[2], Ok(Outcome::Payment(_))));
        assert!(matches!(outcomes[3], Ok(Outcome::Payment(_))));
        assert!(matches!(outcomes[4], Ok(Outcome::Refunded { .. })));
        assert!(matches!(
            outcomes[5],
            Err(Refusal::ExceedsRefundable { .. })
        ));
    })
    .await;
}

#[tokio::test]
async fn an_order_is_paid_by_one_payment() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let order = Some(OrderId::from_u128(5));
        let first = NewPayment {
            order,
            ..world.new_payment(&[(Party::Platform, 100, "fee")])
        };
        world.payment(Command::Pay(first)).await;
        let second = NewPayment {
            order,
            ..world.new_payment(&[(Party::Platform, 100, "fee")])
        };
        let refused = world.other_host().submit(Command::Pay(second).into()).await;
        assert!(refused.unwrap_err().is_unique_violation());
        assert_eq!(world.fen().await[3], 100);
    })
    .await;
}

#[tokio::test]
async fn the_schema_refuses_to_rewrite_a_payment() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let payment = new.id;
        world.payment(Command::Pay(new)).await;
        let refund = world.refund(payment, 1_000);
        world.run(Command::Refund(refund)).await.unwrap();
        for statement in [
            "delete from payment",
            "update payment set minor = 5",
            "update payment set splits = '[]'",
            "update payment set state = 'held'",
            "update payment set state = 'posted', refunded = 0 where refunded > 0",
            "update payment set refunded = minor + 1",
            "update payment set refunded = 5, state = 'refunded'",
            "update payment_refund set minor = 5",
            "delete from payment_refund",
        ] {
            let mut tx = world.db.begin().await.unwrap();
            let outcome = sqlx::query(statement).execute(tx.conn()).await;
            assert!(outcome.is_err(), "{statement}");
            tx.rollback().await.unwrap();
        }
    })
    .await;
}

/// The same payments through two hosts at once: a hold has one effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_payment_through_two_hosts_at_once_has_one_effect() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let hosts = [world.other_host(), world.other_host()];
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let new = world.new_payment(&[(Party::Institution(FUND), 100, "principal")]);
            for host in hosts.clone() {
                let command = Command::Pay(new.clone());
                tasks.spawn(async move { host.submit(command.into()).await.unwrap() });
            }
        }
        while let Some(outcome) = tasks.join_next().await {
            assert!(outcome.unwrap().is_ok());
        }
        assert_eq!(world.fen().await[1], 4_000);
        world.assert_books_hold().await;
    })
    .await;
}

/// A text that one engine cannot keep is refused by the rules: nobody else in the batch
/// notices.
#[tokio::test]
async fn control_characters_are_refused_and_their_neighbours_are_not() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let good = || world.new_payment(&[(Party::Platform, 100, "fee")]);
        let described = NewPayment {
            description: "a\0b".to_owned(),
            ..good()
        };
        let mut named = good();
        named.splits[0].purpose = "f\0e".into();
        let outcomes = tokio::join!(
            world.run(Command::Pay(good())),
            world.run(Command::Pay(described)),
            world.run(Command::Hold(named)),
            world.run(Command::Pay(good())),
        );
        assert!(outcomes.0.is_ok() && outcomes.3.is_ok(), "{outcomes:?}");
        assert_eq!(outcomes.1, Err(Invalid::Description.into()));
        assert_eq!(outcomes.2, Err(Invalid::Purpose.into()));
        let paid = world.payment(Command::Pay(good())).await;
        let refund = NewRefund {
            reason: "\u{1b}".to_owned(),
            ..world.refund(paid.id, 10)
        };
        let refused = world.run(Command::Refund(refund)).await;
        assert_eq!(refused, Err(Invalid::Description.into()));
    })
    .await;
}
