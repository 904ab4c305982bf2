//! Who gives, sees, charges and revokes a mandate, and what the schema refuses.

use qiao_model::{OrderId, PluginId, Scope};
use qiao_payments::{
    Error, GrantRefusal, Invalid, InvalidLimits, InvalidMandate, Method, NewMandate, PaymentState,
    Refusal,
};
use qiao_tests::each_database;

use crate::access::{Callers, plugin};
use crate::giver::{Person, refused as refused_by};
use crate::world::{FUND, World};

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
        let id = person.give(person.plain_mandate(5)).await.id;
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
        let charge = |permit| payments.charge(permit, person.plain_charge(id, 100), None);
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
async fn a_plugins_mandate_is_not_its_institutions_servers_and_products_take_an_order() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let person = Person::new(&world).await;
        let callers = Callers::new(&world).await;
        let payments = &world.payments;
        let server = &callers.client_charge;
        let of_plugin = NewMandate {
            plugin: Some(PluginId::from_u128(1)),
            ..person.plain_mandate(5)
        };
        let of_plugin = person.give(of_plugin).await.id;
        let refused = payments
            .charge(server, person.plain_charge(of_plugin, 100), None)
            .await;
        assert!(
            matches!(refused, Err(Error::Refused(Refusal::UnknownMandate(of))) if of == of_plugin),
            "{refused:?}"
        );
        let its_own = plugin(&world, Scope::PaymentsCharge, None);
        payments.chargeable(&its_own, of_plugin).await.unwrap();

        let for_products = person.give(person.mandate(5)).await.id;
        let claimed = payments
            .charge(server, person.charge(for_products, 100), None)
            .await;
        let of_order = Refusal::Invalid(Invalid::ChargeOfOrder);
        assert!(
            matches!(&claimed, Err(Error::Refused(why)) if *why == of_order),
            "{claimed:?}"
        );
        let mut for_order = person.plain_charge(for_products, 100);
        for_order.payment.order = Some(OrderId::from_u128(1));
        let claimed = payments.charge(server, for_order, None).await;
        assert!(
            matches!(&claimed, Err(Error::Refused(why)) if *why == of_order),
            "{claimed:?}"
        );
        let plain = payments
            .charge(server, person.plain_charge(for_products, 100), None)
            .await;
        assert!(
            matches!(&plain, Err(Error::Refused(why)) if *why == refused_by(for_products, GrantRefusal::Product)),
            "{plain:?}"
        );
        assert_eq!(person.stored(for_products).await.grant.usage.count, 0);
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
