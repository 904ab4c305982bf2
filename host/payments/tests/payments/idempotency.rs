use qiao_db::Batcher;
use qiao_model::Scope;
use qiao_payments::{
    Command, Error, IDEMPOTENCY_KEEP_HOURS, IdempotencyKey, Keyed, NewPayment, Outcome, Party,
    PaymentMachine, PaymentState, Refusal,
};
use qiao_tests::each_database;
use tokio::task::JoinSet;

use crate::world::{FUND, USER, World, post};

fn key(key: &str, request: &str) -> IdempotencyKey {
    IdempotencyKey::new("client test", key, request.as_bytes()).unwrap()
}

/// A payment of 1.00 with a new id, as a door makes one for every request.
fn one(world: &World) -> NewPayment {
    world.new_payment(&[(Party::Institution(FUND), 100, "principal")])
}

#[tokio::test]
async fn the_same_key_and_request_gives_the_same_answer_and_one_effect() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let first = world
            .run_keyed(Command::Pay(one(&world)), key("k", "a"))
            .await;
        let again = world
            .run_keyed(Command::Pay(one(&world)), key("k", "a"))
            .await;
        assert_eq!(first, again);
        assert_eq!(world.fen().await[1], 100);
        let other = world
            .run_keyed(Command::Pay(one(&world)), key("k", "b"))
            .await;
        assert_eq!(other, Err(Refusal::KeyReused));
        world
            .run_keyed(Command::Pay(one(&world)), key("k2", "a"))
            .await
            .unwrap();
        assert_eq!(world.fen().await[1], 200);
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_given_again_as_it_was_whatever_happened_since() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = one(&world);
        let id = new.id;
        let held = world
            .run_keyed(Command::Hold(new.clone()), key("hold", "a"))
            .await;
        world.clock.advance_millis(1_000);
        world.payment(post(id)).await;
        let refund = Command::Refund(world.refund(id, 40));
        let refunded = world.run_keyed(refund, key("refund", "a")).await;
        let rest = Command::Refund(world.refund(id, 60));
        world.run(rest).await.unwrap();
        let again = world.run_keyed(Command::Hold(new), key("hold", "a")).await;
        assert_eq!(again, held);
        assert_eq!(
            again.unwrap().payment().map(|payment| payment.state),
            Some(PaymentState::Held)
        );
        let refund = Command::Refund(world.refund(id, 40));
        let again = world.run_keyed(refund, key("refund", "a")).await;
        assert_eq!(again, refunded);
        assert!(matches!(
            again,
            Ok(Outcome::Refunded { payment, .. }) if payment.state == PaymentState::PartlyRefunded
        ));
    })
    .await;
}

#[tokio::test]
async fn a_refusal_of_the_books_is_kept_and_a_malformed_request_is_not() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let large = |fen| world.new_payment(&[(Party::Institution(FUND), fen, "principal")]);
        let refused = world
            .run_keyed(Command::Pay(large(100_001)), key("k", "a"))
            .await;
        assert!(matches!(refused, Err(Refusal::InsufficientFunds { .. })));
        world.top_up(USER, 1).await;
        let again = world
            .run_keyed(Command::Pay(large(100_001)), key("k", "a"))
            .await;
        assert_eq!(again, refused);
        let malformed = world.run_keyed(Command::Pay(large(0)), key("m", "a")).await;
        assert!(matches!(malformed, Err(Refusal::Invalid(_))));
        world
            .run_keyed(Command::Pay(large(100_001)), key("m", "b"))
            .await
            .unwrap();
    })
    .await;
}

/// Every key is sent many times at once through two hosts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_in_parallel_through_two_hosts_have_one_effect_each() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let hosts = [world.other_host(), world.other_host()];
        let mut tasks = JoinSet::new();
        for number in 0..20 {
            for send in 0..8 {
                let key = key(&format!("key {number}"), "a");
                let keyed = Keyed::new(Command::Pay(one(&world)), Some(key));
                spawn(&mut tasks, hosts[send % 2].clone(), number, keyed);
            }
        }
        let mut answers: Vec<Vec<Outcome>> = vec![Vec::new(); 20];
        while let Some(answer) = tasks.join_next().await {
            let (number, outcome) = answer.unwrap();
            answers[number].push(outcome.unwrap());
        }
        for answers in answers {
            assert_eq!(answers.len(), 8);
            assert!(answers.iter().all(|answer| *answer == answers[0]));
        }
        assert_eq!(world.fen().await[1], 2_000);
        world.assert_books_hold().await;
    })
    .await;
}

fn spawn(
    tasks: &mut JoinSet<(usize, Result<Outcome, Refusal>)>,
    host: Batcher<PaymentMachine>,
    number: usize,
    keyed: Keyed,
) {
    tasks.spawn(async move { (number, host.submit(keyed).await.unwrap()) });
}

#[tokio::test]
async fn a_key_in_flight_is_refused_at_the_door() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let system = world.system(Scope::PaymentsWrite);
        let guard = world.payments.in_flight().enter(&key("k", "a")).unwrap();
        let refused = world
            .payments
            .pay(&system, one(&world), Some(key("k", "a")))
            .await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::InFlight))));
        drop(guard);
        let pay = || {
            world
                .payments
                .pay(&system, one(&world), Some(key("k", "a")))
        };
        let paid = pay().await.unwrap();
        assert_eq!(pay().await.unwrap(), paid);
        assert_eq!(world.fen().await[1], 100);
    })
    .await;
}

#[tokio::test]
async fn answers_are_forgotten_after_their_time() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        world
            .run_keyed(Command::Pay(one(&world)), key("old", "a"))
            .await
            .unwrap();
        world
            .clock
            .advance_millis(IDEMPOTENCY_KEEP_HOURS * 3_600_000);
        world
            .run_keyed(Command::Pay(one(&world)), key("new", "a"))
            .await
            .unwrap();
        assert_eq!(world.payments.sweep().await.unwrap(), 0);
        world.clock.advance_millis(1);
        assert_eq!(world.payments.sweep().await.unwrap(), 1);
        let again = Command::Pay(one(&world));
        world.run_keyed(again, key("old", "b")).await.unwrap();
        let kept = Command::Pay(one(&world));
        assert_eq!(
            world.run_keyed(kept, key("new", "b")).await,
            Err(Refusal::KeyReused)
        );
    })
    .await;
}
