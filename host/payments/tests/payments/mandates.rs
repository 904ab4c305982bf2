//! What a mandate allows, and that many charges at once never take more.

use qiao_auth::{NewUser, Permit, PinProof};
use qiao_db::Batcher;
use qiao_model::{Currency, InstitutionId, MandateId, Money, PaymentId, Scope, Secret, UserId};
use qiao_payments::{
    Charge, ChargeCapture, Command, Error, GrantRefusal, IdempotencyKey, InvalidLimits,
    InvalidMandate, Keyed, Mandate, MandateState, Method, NewMandate, Outcome, Party,
    PaymentMachine, PaymentState, Refusal, SpendLimits,
};
use qiao_tests::each_database;
use tokio::task::JoinSet;

use crate::access::Callers;
use crate::world::{FUND, PRODUCT, World};

/// A person with 1,000.00 and a PIN.
struct Person<'a> {
    world: &'a World,
    user: UserId,
    permit: Permit,
}

impl<'a> Person<'a> {
    async fn new(world: &'a World) -> Self {
        let auth = &world.auth;
        let password = Secret::new("correct horse battery".to_owned());
        let new = NewUser {
            login: "giver".to_owned(),
            name: "giver".to_owned(),
            password: password.clone(),
        };
        let user = auth.sign_up(new).await.unwrap();
        let token = auth.log_in("giver", &password).await.unwrap();
        let session = auth.session(token.expose()).await.unwrap().unwrap();
        let permit = auth.permit_session(&session, Scope::Account).unwrap();
        auth.set_pin(&permit, &pin()).await.unwrap();
        world.top_up(user, 100_000).await;
        Self {
            world,
            user,
            permit,
        }
    }

    /// 10.00 at once, 30.00 a day, so many payments, for 30 days.
    fn mandate(&self, count: u32) -> NewMandate {
        NewMandate {
            id: self.world.env.id(),
            user: self.user,
            institution: FUND,
            plugin: None,
            title: "Auto-invest".to_owned(),
            purpose: "Buys units every Monday.".to_owned(),
            reference: "weekly".to_owned(),
            limits: SpendLimits {
                currency: Currency::CNY,
                per_payment: 1_000,
                per_day: Some(3_000),
                per_month: None,
                count: Some(count),
                payees: vec![FUND],
                products: vec![PRODUCT],
                expires_at: self.world.env.now().plus_secs(30 * 86_400),
            },
        }
    }

    async fn proof(&self) -> PinProof {
        self.world
            .auth
            .verify_pin(&self.permit, &pin())
            .await
            .unwrap()
    }

    async fn give(&self, new: NewMandate) -> Mandate {
        let proof = self.proof().await;
        let given = self
            .world
            .payments
            .give_mandate(&self.permit, new, &proof)
            .await;
        given.unwrap()
    }

    async fn stored(&self, id: MandateId) -> Mandate {
        let found = self.world.payments.mandate(&self.permit, id).await.unwrap();
        found.unwrap()
    }

    fn charge(&self, mandate: MandateId, fen: i64) -> Charge {
        let mut payment = self
            .world
            .new_payment(&[(Party::Institution(FUND), fen, "principal")]);
        payment.payer = Party::User(self.user);
        payment.method = Method::Mandate(mandate);
        Charge {
            product: Some(PRODUCT),
            capture: ChargeCapture::Now,
            payment,
        }
    }

    async fn run(&self, charge: Charge) -> Result<PaymentId, Refusal> {
        let outcome = self.world.run(Command::Charge(charge)).await?;
        Ok(outcome.payment().unwrap().id)
    }
}

fn pin() -> Secret<String> {
    Secret::new("271828".to_owned())
}

fn refused(mandate: MandateId, cause: GrantRefusal) -> Refusal {
    Refusal::Mandate { mandate, cause }
}

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
        of_another.payment.payer = Party::User(crate::world::USER);
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
        let kinds = world.events(&id.to_string()).await;
        assert_eq!(kinds, ["mandate.given", "mandate.revoked"]);
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

#[tokio::test]
async fn a_mandate_is_given_by_its_own_person_with_a_pin_and_sound_limits() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let callers = Callers::new(&world).await;
        let payments = &world.payments;
        let new = person.mandate(5);
        let proof = person.proof().await;
        let of_another = payments.give_mandate(&callers.account, new.clone(), &proof);
        assert!(matches!(of_another.await, Err(Error::NotOwner { .. })));
        let stale = person.proof().await;
        world.clock.advance_millis(120_000);
        let late = payments
            .give_mandate(&person.permit, new.clone(), &stale)
            .await;
        assert!(matches!(late, Err(Error::PinForeign)));
        let mut endless = new.clone();
        endless.limits.payees.clear();
        let endless = payments
            .give_mandate(&person.permit, endless, &person.proof().await)
            .await;
        let no_payee = InvalidMandate::Limits(InvalidLimits::Payees(0));
        assert!(
            matches!(endless, Err(Error::Refused(Refusal::InvalidMandate(why))) if why == no_payee)
        );
        let given = person.give(new.clone()).await;
        assert_eq!(person.give(new).await, given);
        assert_eq!(world.events(&given.id.to_string()).await, ["mandate.given"]);
    })
    .await;
}

#[tokio::test]
async fn a_mandate_is_seen_charged_and_revoked_by_its_own_alone() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let callers = Callers::new(&world).await;
        let payments = &world.payments;
        let id = person.give(person.mandate(5)).await.id;
        for permit in [
            &person.permit,
            &callers.staff,
            &callers.client_read,
            &callers.operator,
        ] {
            assert!(
                payments.mandate(permit, id).await.unwrap().is_some(),
                "{permit:?}"
            );
        }
        for permit in [&callers.account, &callers.other_client_read] {
            assert!(
                payments.mandate(permit, id).await.unwrap().is_none(),
                "{permit:?}"
            );
            assert!(
                payments
                    .payments_of_mandate(permit, id)
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
        let unknown = payments.revoke_mandate(&callers.account, id).await;
        assert!(matches!(
            unknown,
            Err(Error::Refused(Refusal::UnknownMandate(_)))
        ));
        for permit in [&callers.client_read, &callers.staff, &callers.operator] {
            assert!(matches!(
                payments.revoke_mandate(permit, id).await,
                Err(Error::Denied(_))
            ));
        }
        let charge = |permit| payments.charge(permit, person.charge(id, 100), None);
        let own = charge(&callers.client_charge).await.unwrap();
        assert_eq!(
            (own.state, own.method),
            (PaymentState::Posted, Method::Mandate(id))
        );
        let foreign = charge(&callers.other_client_charge).await;
        assert!(matches!(
            foreign,
            Err(Error::Refused(Refusal::UnknownMandate(_)))
        ));
        for permit in [
            &callers.client_write,
            &callers.staff,
            &callers.operator,
            &person.permit,
        ] {
            assert!(
                matches!(charge(permit).await, Err(Error::Denied(_))),
                "{permit:?}"
            );
        }
        let listed = payments
            .mandates_of_user(&person.permit, person.user, None)
            .await
            .unwrap();
        assert_eq!(listed.len(), 1);
        let past = payments
            .mandates_of_user(&person.permit, person.user, Some(id))
            .await
            .unwrap();
        assert!(past.is_empty());
        let of_fund = payments
            .mandates_of_institution(&callers.client_read, FUND, None)
            .await;
        assert_eq!(of_fund.unwrap().len(), 1);
        let foreign = payments
            .mandates_of_institution(&callers.other_client_read, FUND, None)
            .await;
        assert!(foreign.is_err());
    })
    .await;
}

#[tokio::test]
async fn the_schema_keeps_what_was_allowed() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let id = person.give(person.mandate(5)).await.id;
        world
            .payments
            .revoke_mandate(&person.permit, id)
            .await
            .unwrap();
        for sql in [
            "update mandate set per_payment = 1000000",
            "update mandate set count_max = 1000000",
            "update mandate set used_count = 6",
            "update mandate set used_day_minor = 3001",
            "update mandate set used_minor = -1",
            "update mandate set revoked_at = null",
            "delete from mandate",
        ] {
            let mut tx = world.db.begin().await.unwrap();
            let done = sqlx::query(sql).execute(tx.conn()).await;
            assert!(done.is_err(), "{sql}");
        }
    })
    .await;
}

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
