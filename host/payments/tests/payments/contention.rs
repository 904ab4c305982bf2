//! Many callers and several hosts at once.

use std::collections::HashMap;

use qiao_db::Batcher;
use qiao_model::{PaymentId, Scope, UserId};
use qiao_payments::{
    Command, Error, IdempotencyKey, NewPayment, Outcome, Party, PaymentMachine, Payments, Refusal,
};
use qiao_tests::each_database;
use sqlx::Row;
use tokio::task::JoinSet;

use crate::world::{FUND, USER, World};

const KEYS: usize = 10_000;
/// Parallel sends of each key, half of them to each of two hosts.
const SENDS: usize = 32;
/// Keys that are under way at once.
const KEYS_AT_ONCE: usize = 250;
const FEN: i64 = 100;

/// A payment with a new id, as a door makes one for every request.
fn one(world: &World) -> NewPayment {
    world.new_payment(&[(Party::Institution(FUND), FEN, "principal")])
}

async fn count(world: &World, table: &str) -> i64 {
    let sql = format!("select count(*) as rows_there from {table}");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(world.db.reads());
    row.await.unwrap().get("rows_there")
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_keys_sent_thirty_two_times_each_to_two_hosts_have_one_effect_each() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let funds = i64::try_from(KEYS).unwrap() * FEN;
        world.top_up(USER, funds).await;
        let (payments, events) = (count(&world, "payment").await, count(&world, "event").await);
        let hosts = [
            world.payments.clone(),
            Payments::start(world.db.clone(), world.env.clone()),
        ];
        let mut answered: HashMap<usize, PaymentId> = HashMap::new();
        for first in (0..KEYS).step_by(KEYS_AT_ONCE) {
            for (number, paid) in send_all(&world, &hosts, first).await {
                match paid {
                    Ok(id) => assert_eq!(*answered.entry(number).or_insert(id), id, "{number}"),
                    Err(Error::Refused(Refusal::InFlight)) => {}
                    Err(error) => panic!("{number}: {error}"),
                }
            }
        }
        assert_eq!(answered.len(), KEYS, "each key was answered");
        let made = i64::try_from(KEYS).unwrap();
        assert_eq!(count(&world, "payment").await - payments, made);
        assert_eq!(count(&world, "event").await - events, made);
        assert_eq!(count(&world, "payment_idempotency").await, made);
        assert_eq!(world.fen().await[1], funds);
        world.assert_books_hold().await;
    })
    .await;
}

/// Sends each of some keys to both hosts, all at once.
async fn send_all(
    world: &World,
    hosts: &[Payments; 2],
    first: usize,
) -> Vec<(usize, Result<PaymentId, Error>)> {
    let mut sends = JoinSet::new();
    for send in 0..SENDS {
        for number in first..first + KEYS_AT_ONCE {
            let payments = hosts[send % hosts.len()].clone();
            let permit = world.system(Scope::PaymentsWrite);
            let new = one(world);
            let key = IdempotencyKey::new("shop", &format!("key {number}"), b"pay").unwrap();
            sends.spawn(async move {
                let paid = payments.pay(&permit, new, Some(key)).await;
                (number, paid.map(|payment| payment.id))
            });
        }
    }
    sends.join_all().await
}

const PEOPLE: u128 = 6;
const START_FEN: i64 = 2_000;
const PAYMENTS_OF_A_HOST: usize = 600;

/// Two hosts move money round between a few people, in both directions and in
/// batches of their own: whoever has too little is refused, nobody falls below
/// zero, nothing is made or lost, and no deadlock is told to a caller.
#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_on_one_database_break_no_floor_and_lose_nothing() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        for person in 0..PEOPLE {
            world.top_up(user(person), START_FEN).await;
        }
        let hosts = [world.other_host(), world.other_host()];
        let mut payers = JoinSet::new();
        for (number, new) in
            (0..2 * PAYMENTS_OF_A_HOST).map(|number| (number, round(&world, number)))
        {
            let host: Batcher<PaymentMachine> = hosts[number % 2].clone();
            payers.spawn(async move { host.submit(Command::Pay(new).into()).await });
        }
        let (mut paid, mut refused) = (0, 0);
        for outcome in payers.join_all().await {
            match outcome.unwrap() {
                Ok(Outcome::Payment(_)) => paid += 1,
                Err(Refusal::InsufficientFunds { .. }) => refused += 1,
                outcome => panic!("{outcome:?}"),
            }
        }
        assert_eq!(paid + refused, 2 * PAYMENTS_OF_A_HOST);
        assert!(paid > 50 && refused > 50, "{paid} paid, {refused} refused");
        let mut sum = 0;
        for person in 0..PEOPLE {
            let balance = world.balance(Party::User(user(person))).await;
            assert!(balance.available() >= 0, "{balance:?}");
            sum += balance.posted;
        }
        assert_eq!(sum, i64::try_from(PEOPLE).unwrap() * START_FEN);
        world.assert_books_hold().await;
    })
    .await;
}

fn user(person: u128) -> UserId {
    UserId::from_u128(1_000 + person)
}

/// From somebody to two others, so that batches lock in every order.
fn round(world: &World, number: usize) -> NewPayment {
    let number = u128::try_from(number).unwrap();
    let payer = number * 7 % PEOPLE;
    let receivers = [(payer + 1 + number % 3) % PEOPLE, (payer + 5) % PEOPLE];
    let fen = 20 + i64::try_from(number * 37 % 900).unwrap();
    NewPayment {
        payer: Party::User(user(payer)),
        ..world.new_payment(&[
            (Party::User(user(receivers[0])), fen, "round"),
            (Party::User(user(receivers[1])), 1, "round"),
        ])
    }
}
