//! What a mandate allows, and what comes back to it.

use qiao_model::{InstitutionId, MandateId, Money};
use qiao_payments::{
    ChargeCapture, Command, GrantRefusal, IdempotencyKey, Keyed, MandateState, Method, Party,
    Refusal,
};
use qiao_tests::each_database;

use crate::giver::{Person, refused};
use crate::world::{USER, World};

#[tokio::test]
async fn a_charge_moves_money_and_counts_against_its_mandate() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let mandate = person.give(person.mandate(5)).await;
        assert_eq!(mandate.state(world.env.now()), MandateState::Active);
        let paid = person.run(person.charge(mandate.id, 1_000)).await.unwrap();
        let usage = person.stored(mandate.id).await.grant.usage;
        assert_eq!(
            (usage.count, usage.minor, usage.day_minor),
            (1, 1_000, 1_000)
        );
        assert_eq!(world.balance(Party::User(person.user)).await.posted, 99_000);
        let payments = world
            .payments
            .payments_of_mandate(&person.permit, mandate.id)
            .await;
        let payments = payments.unwrap();
        assert_eq!(payments.iter().map(|p| p.id).collect::<Vec<_>>(), [paid]);
        let id = mandate.id.to_string();
        assert_eq!(world.events(&id).await, ["mandate.given"]);
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn each_limit_refuses_what_is_one_past_it_and_leaves_no_trace() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let id = person.give(person.mandate(5)).await.id;
        let charge = |fen| person.charge(id, fen);
        let over = person.run(charge(1_001)).await;
        assert_eq!(
            over,
            Err(refused(id, GrantRefusal::PerPayment(Money::cny(1_000))))
        );
        for _ in 0..2 {
            person.run(charge(1_000)).await.unwrap();
        }
        person.run(charge(999)).await.unwrap();
        let over = person.run(charge(2)).await;
        assert_eq!(over, Err(refused(id, GrantRefusal::PerDay(Money::cny(1)))));
        world.clock.advance_millis(86_400_000);
        person.run(charge(2)).await.unwrap();
        person.run(charge(1)).await.unwrap();
        let over = person.run(charge(1)).await;
        assert_eq!(over, Err(refused(id, GrantRefusal::UsedUp(5))));
        let stored = person.stored(id).await;
        assert_eq!(stored.state(world.env.now()), MandateState::UsedUp);
        assert_eq!(
            (stored.grant.usage.count, stored.grant.usage.minor),
            (5, 3_002)
        );
        assert_eq!(
            world.events(&id.to_string()).await,
            ["mandate.given", "mandate.used-up"]
        );
        world.clock.advance_millis(30 * 86_400_000);
        assert_eq!(
            person.run(charge(1)).await,
            Err(refused(id, GrantRefusal::Expired))
        );
    })
    .await;
}

#[tokio::test]
async fn a_mandate_is_for_its_giver_payee_and_product_alone() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let id = person.give(person.mandate(5)).await.id;
        let mut of_another = person.charge(id, 100);
        of_another.payment.payer = Party::User(USER);
        assert_eq!(
            person.run(of_another).await,
            Err(refused(id, GrantRefusal::Payer))
        );
        let mut to_another = person.charge(id, 100);
        to_another.payment.institution = Some(InstitutionId::from_u128(77));
        assert_eq!(
            person.run(to_another).await,
            Err(refused(id, GrantRefusal::Payee))
        );
        let mut for_nothing = person.charge(id, 100);
        for_nothing.product = None;
        assert_eq!(
            person.run(for_nothing).await,
            Err(refused(id, GrantRefusal::Product))
        );
        let unknown = person.charge(MandateId::from_u128(5), 100);
        let missing = Err(Refusal::UnknownMandate(MandateId::from_u128(5)));
        assert_eq!(person.run(unknown).await, missing);
        let mut of_balance = person.charge(id, 100);
        of_balance.payment.method = Method::Balance;
        assert!(matches!(
            person.run(of_balance).await,
            Err(Refusal::Invalid(_))
        ));
        // A hold or a payment cannot go around what its method says.
        let plain = person.charge(id, 100).payment;
        for command in [Command::Pay(plain.clone()), Command::Hold(plain)] {
            let around = world.run(command).await;
            assert_eq!(around, Err(refused(id, GrantRefusal::Product)));
        }
        assert_eq!(person.stored(id).await.grant.usage.count, 0);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_mandate_refuses_the_next_charge_on_every_host() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let other_host = world.other_host();
        let id = person.give(person.mandate(5)).await.id;
        let charge = || Keyed::from(Command::Charge(person.charge(id, 100)));
        other_host.submit(charge()).await.unwrap().unwrap();
        let revoked = world
            .payments
            .revoke_mandate(&person.permit, id)
            .await
            .unwrap();
        assert_eq!(revoked.state(world.env.now()), MandateState::Revoked);
        let refusal = other_host.submit(charge()).await.unwrap();
        assert_eq!(refusal, Err(refused(id, GrantRefusal::Revoked)));
        world.clock.advance_millis(5_000);
        let again = world
            .payments
            .revoke_mandate(&person.permit, id)
            .await
            .unwrap();
        assert_eq!(again.revoked_at, revoked.revoked_at);
        world.clock.advance_millis(400 * 24 * 3_600_000);
        assert_eq!(world.payments.expire_mandates().await.unwrap(), 0);
        let kinds = world.events(&id.to_string()).await;
        assert_eq!(kinds, ["mandate.given", "mandate.revoked"]);
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_mandate_is_told_once_when_it_has_come() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let mandate = person.give(person.mandate(5)).await;
        let ends = mandate.grant.limits.expires_at.as_millis();
        let left = ends - world.env.now().as_millis();
        world.clock.advance_millis(left - 1);
        assert_eq!(world.payments.expire_mandates().await.unwrap(), 0);
        world.clock.advance_millis(1);
        let (one, other) = tokio::join!(
            world.payments.expire_mandates(),
            world.payments.expire_mandates(),
        );
        assert_eq!(one.unwrap() + other.unwrap(), 1);
        assert_eq!(world.payments.expire_mandates().await.unwrap(), 0);
        let kinds = world.events(&mandate.id.to_string()).await;
        assert_eq!(kinds, ["mandate.expired", "mandate.given"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_voided_refunded_or_not_captured_goes_back_to_the_mandate() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let id = person.give(person.mandate(5)).await.id;
        let held = async |fen| {
            let mut charge = person.charge(id, fen);
            charge.capture = ChargeCapture::Later;
            person.run(charge).await.unwrap()
        };
        let used = async || {
            let usage = person.stored(id).await.grant.usage;
            (usage.count, usage.day_minor)
        };
        let voided = held(1_000).await;
        let captured = held(1_000).await;
        assert_eq!(used().await, (2, 2_000));
        world.payment(Command::Void { payment: voided }).await;
        world.payment(Command::Void { payment: voided }).await;
        assert_eq!(used().await, (1, 1_000));
        let part = Some(Money::cny(600));
        world
            .payment(Command::Post {
                payment: captured,
                amount: part,
            })
            .await;
        assert_eq!(used().await, (1, 600));
        let refund = world.refund(captured, 250);
        world.payment(Command::Refund(refund.clone())).await;
        world.payment(Command::Refund(refund)).await;
        assert_eq!(used().await, (1, 350));
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn a_charge_that_the_books_refuse_consumes_nothing() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let mut new = person.mandate(5);
        new.limits.per_payment = 1_000_000;
        new.limits.per_day = None;
        let id = person.give(new).await.id;
        let poor = person.run(person.charge(id, 100_001)).await;
        assert!(matches!(poor, Err(Refusal::InsufficientFunds { .. })));
        assert_eq!(person.stored(id).await.grant.usage.count, 0);
        person.run(person.charge(id, 100_000)).await.unwrap();
        assert_eq!(person.stored(id).await.grant.usage.count, 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_charge_or_key_again_consumes_once() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let id = person.give(person.mandate(1)).await.id;
        let charge = person.charge(id, 100);
        let first = person.run(charge.clone()).await.unwrap();
        assert_eq!(person.run(charge).await, Ok(first));
        let key = || IdempotencyKey::new("client", "k", b"charge").unwrap();
        let over = world
            .run_keyed(Command::Charge(person.charge(id, 100)), key())
            .await;
        let kept = Err(refused(id, GrantRefusal::UsedUp(1)));
        assert_eq!(over, kept);
        let again = world
            .run_keyed(Command::Charge(person.charge(id, 100)), key())
            .await;
        assert_eq!(again, kept);
        assert_eq!(person.stored(id).await.grant.usage.count, 1);
    })
    .await;
}
