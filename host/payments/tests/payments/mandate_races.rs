//! Many charges at once, through one host or two, never take more.

use qiao_db::Batcher;
use qiao_payments::{
    ChargeCapture, Command, GrantRefusal, Keyed, Outcome, Party, PaymentMachine, Refusal,
};
use qiao_tests::each_database;
use tokio::task::JoinSet;

use crate::giver::{Person, refused};
use crate::world::World;

/// 1,000 payments against a grant of 100, through so many hosts.
async fn race(world: &World, hosts: &[Batcher<PaymentMachine>]) {
    let person = Person::new(world).await;
    let mut new = person.mandate(100);
    new.limits.per_day = None;
    let id = person.give(new).await.id;
    let mut tasks = JoinSet::new();
    for number in 0..1_000 {
        let host = hosts[number % hosts.len()].clone();
        let keyed = Keyed::from(Command::Charge(person.charge(id, 100)));
        tasks.spawn(async move { host.submit(keyed).await.unwrap() });
    }
    let outcomes: Vec<Result<Outcome, Refusal>> = tasks.join_all().await;
    let paid = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let used_up = Err(refused(id, GrantRefusal::UsedUp(100)));
    let refused = outcomes
        .iter()
        .filter(|outcome| **outcome == used_up)
        .count();
    assert_eq!((paid, refused), (100, 900));
    let stored = person.stored(id).await;
    assert_eq!(
        (stored.grant.usage.count, stored.grant.usage.minor),
        (100, 10_000)
    );
    assert_eq!(world.balance(Party::User(person.user)).await.posted, 90_000);
    let kinds = world.events(&id.to_string()).await;
    assert_eq!(kinds, ["mandate.given", "mandate.used-up"]);
    world.assert_books_hold().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_1000_payments_at_once_against_a_grant_of_100_exactly_100_succeed() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        race(&world, &[world.other_host()]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hosts_together_spend_a_grant_once() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        race(&world, &[world.other_host(), world.other_host()]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_mandates_are_charged_voided_and_refunded_through_two_hosts_at_once() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let hosts = [world.other_host(), world.other_host()];
        let mut mandates = Vec::new();
        for _ in 0..10 {
            let mut new = person.mandate(1_000);
            new.limits.per_day = None;
            mandates.push(person.give(new).await.id);
        }
        let mut tasks = JoinSet::new();
        for number in 0..200 {
            let host = hosts[number % 2].clone();
            let at = if number % 2 == 0 {
                number / 2
            } else {
                199 - number / 2
            };
            let mut charge = person.charge(mandates[at % 10], 100);
            charge.capture = ChargeCapture::Later;
            let id = charge.payment.id;
            let refund = world.refund(id, 40);
            tasks.spawn(async move {
                let submit =
                    async |command| host.submit(Keyed::from(command)).await.unwrap().unwrap();
                submit(Command::Charge(charge)).await;
                if number % 4 < 2 {
                    submit(Command::Void { payment: id }).await;
                    return;
                }
                let amount = None;
                submit(Command::Post {
                    payment: id,
                    amount,
                })
                .await;
                submit(Command::Refund(refund)).await;
            });
        }
        tasks.join_all().await;
        let mut total = (0, 0);
        for id in mandates {
            let usage = person.stored(id).await.grant.usage;
            assert_eq!(usage.minor, usage.day_minor);
            total = (total.0 + usage.count, total.1 + usage.minor);
        }
        assert_eq!(total, (100, 6_000));
        assert_eq!(world.balance(Party::User(person.user)).await.posted, 94_000);
        world.assert_books_hold().await;
    })
    .await;
}
