//! Mandates from their offer to the orders that they pay for.

use qiao_auth::{Permit, PluginCaller};
use qiao_events::{AttemptOutcome, Event, PluginDelivery, Ticket};
use qiao_model::{Id, MandateId, Money, Scope, ScopeSet};
use qiao_orders::{Answer, Error, MandateOffer, OrderState};
use qiao_payments::{GrantRefusal, Mandate, MandateState, Party};
use qiao_runtime::{
    ChargePortError, ChargeRequest, ChargedOrder, Happening, MandateOffer as Proposed,
    MandateTerms, Offer,
};
use qiao_tests::each_database;

use crate::plugin::{INSTITUTION, PLUGIN, rejected};
use crate::world::{Person, World, buy, day, fine, plugin_permit, redeem, submission, ticket};

/// 100.00 at once, 150.00 a day, until the 30th.
fn terms(product: &str) -> Proposed {
    let terms = MandateTerms {
        title: "Auto-pay".to_owned(),
        purpose: "Pays as it comes.".to_owned(),
        per_payment: Money::cny(10_000),
        per_day: Some(15_000),
        per_month: None,
        count: Some(3),
        until: day(30),
        reference: "plate".to_owned(),
        facts: Vec::new(),
    };
    Proposed {
        product: product.to_owned(),
        terms,
    }
}

async fn offered(world: &World, person: &Person, terms: Proposed) -> Result<MandateOffer, Error> {
    world.plugin.offers_mandate(terms);
    match world.orders.submit(&person.permit, submission()).await? {
        Answer::Mandate(offer) => Ok(*offer),
        other => panic!("no mandate: {other:?}"),
    }
}

pub(crate) async fn given(world: &World, product: &str) -> Mandate {
    let offer = offered(world, &world.user, terms(product)).await.unwrap();
    let pin = world.proof(&world.user).await;
    world
        .orders
        .agree(&world.user.permit, offer.id, pin)
        .await
        .unwrap()
}

fn permit(world: &World) -> Permit {
    plugin_permit(&world.auth, Scope::PaymentsCharge, None)
}

pub(crate) async fn charge(
    world: &World,
    mandate: MandateId,
    offer: Offer,
    key: &str,
) -> Result<ChargedOrder, ChargePortError> {
    let request = ChargeRequest {
        plugin: PLUGIN,
        mandate,
        offer,
        key,
    };
    let port = world.orders.port();
    port.charge(&permit(world), request).await
}

async fn stored(world: &World, id: MandateId) -> Mandate {
    let found = world
        .payments
        .mandate(&world.user.permit, id)
        .await
        .unwrap();
    found.unwrap()
}

#[tokio::test]
async fn an_offer_becomes_one_mandate_by_the_pin_of_its_user() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let offer = offered(&world, &world.user, terms("fund")).await.unwrap();
        assert_eq!(
            world
                .orders
                .mandate_offer(&world.user.permit, offer.id)
                .await
                .unwrap(),
            offer
        );
        let stranger = world.person("li.na").await;
        let foreign = world.orders.mandate_offer(&stranger.permit, offer.id).await;
        assert!(matches!(foreign, Err(Error::OfferNotFound(_))));
        let pin = world.proof(&stranger).await;
        let by_another = world.orders.agree(&world.user.permit, offer.id, pin).await;
        assert!(matches!(by_another, Err(Error::PinForeign)));
        let agree = async || {
            let pin = world.proof(&world.user).await;
            world.orders.agree(&world.user.permit, offer.id, pin).await
        };
        let mandate = agree().await.unwrap();
        assert_eq!(agree().await.unwrap(), mandate);
        assert_eq!(mandate.state(world.env.now()), MandateState::Active);
        assert_eq!(
            (mandate.plugin, mandate.institution),
            (Some(PLUGIN), INSTITUTION)
        );
        assert_eq!(mandate.grant.limits.products, [world.fund.id]);
        assert_eq!(
            mandate.grant.limits.expires_at,
            day(30).plus_days(1).start()
        );
    })
    .await;
}

#[tokio::test]
async fn an_offer_of_a_mandate_ends_and_one_of_nonsense_is_the_plugins_fault() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let offer = offered(&world, &world.user, terms("fund")).await.unwrap();
        world.advance_secs(qiao_orders::OFFER_LIFETIME_SECS);
        let pin = world.proof(&world.user).await;
        let late = world.orders.agree(&world.user.permit, offer.id, pin).await;
        assert!(matches!(late, Err(Error::OfferExpired(_))));
        world.advance_secs(7 * 86_400 + 1);
        assert_eq!(world.orders.prune_offers().await.unwrap(), 1);

        let nonsense: [fn(&mut Proposed); 3] = [
            |offer| offer.product = "gold".to_owned(),
            |offer| offer.terms.until = day(1),
            |offer| offer.terms.per_payment = Money::new(1, "USD".parse().unwrap()),
        ];
        for spoil in nonsense {
            let mut offer = terms("fund");
            offer.terms.until = world.env.today().plus_days(5);
            spoil(&mut offer);
            let refused = offered(&world, &world.user, offer).await;
            assert!(matches!(refused, Err(Error::PluginFailed(_))));
        }
    })
    .await;
}

#[tokio::test]
async fn a_charge_is_quoted_placed_once_by_its_key_and_fulfilled_by_the_worker() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let mandate = given(&world, "fund").await;
        let first = charge(&world, mandate.id, buy(10_000), "november")
            .await
            .unwrap();
        assert_eq!(
            (first.state, first.amount),
            (OrderState::Held, Money::cny(10_000))
        );
        assert_eq!(world.money(&world.user).await, 990_000);
        let again = charge(&world, mandate.id, buy(10_000), "november")
            .await
            .unwrap();
        assert_eq!(again, first);
        assert!(world.plugin.seen().fulfilled.is_empty());
        assert_eq!(world.orders.resume().await.unwrap(), 1);
        let order = world
            .orders
            .get(&world.user.permit, first.order)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(order.standing.state, OrderState::Completed);
        assert_eq!(world.plugin.seen().fulfilled[0].attempt, 1);
        // 1.3 % inside: 98.72 net.
        assert_eq!(world.units(&world.user).await, (9_872, 0));
        let usage = stored(&world, mandate.id).await.grant.usage;
        assert_eq!((usage.count, usage.minor), (1, 10_000));
        let again = charge(&world, mandate.id, buy(10_000), "november")
            .await
            .unwrap();
        assert_eq!(
            (again.order, again.state),
            (first.order, OrderState::Completed)
        );
        let paid = world
            .payments
            .payments_of_mandate(&world.user.permit, mandate.id)
            .await;
        assert_eq!(paid.unwrap()[0].order, Some(first.order));
    })
    .await;
}

#[tokio::test]
async fn a_key_of_another_charge_is_refused() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let mandate = given(&world, "ticket").await;
        let other = given(&world, "ticket").await;
        charge(&world, mandate.id, ticket(100), "k").await.unwrap();
        let differs = charge(&world, mandate.id, ticket(101), "k").await;
        assert!(matches!(differs, Err(ChargePortError::NotOrderable(_))));
        let differs = charge(&world, other.id, ticket(100), "k").await;
        assert!(matches!(differs, Err(ChargePortError::NotOrderable(_))));
        charge(&world, other.id, ticket(100), "k2").await.unwrap();
        assert_eq!(world.count("orders").await, 2);
    })
    .await;
}

#[tokio::test]
async fn what_the_user_pays_with_fees_is_what_the_mandate_limits() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let mandate = given(&world, "fine").await;
        // 2.00 on top.
        let over = charge(&world, mandate.id, fine(9_801), "a").await;
        let limit = GrantRefusal::PerPayment(Money::cny(10_000));
        assert_eq!(over, Err(ChargePortError::Refused(limit)));
        let paid = charge(&world, mandate.id, fine(9_800), "a2").await.unwrap();
        assert_eq!(paid.amount, Money::cny(10_000));
        let left = GrantRefusal::PerDay(Money::cny(5_000));
        let over = charge(&world, mandate.id, fine(4_801), "b").await;
        assert_eq!(over, Err(ChargePortError::Refused(left)));
        world.advance_secs(86_400);
        // A refused charge can be tried again under its key.
        charge(&world, mandate.id, fine(4_801), "b").await.unwrap();
        let another = charge(&world, mandate.id, ticket(100), "c").await;
        assert_eq!(
            another,
            Err(ChargePortError::Refused(GrantRefusal::Product))
        );
        charge(&world, mandate.id, fine(500), "d").await.unwrap();
        let used_up = charge(&world, mandate.id, fine(500), "e").await;
        assert_eq!(
            used_up,
            Err(ChargePortError::Refused(GrantRefusal::UsedUp(3)))
        );
        assert_eq!(world.count("orders").await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_mandate_refuses_the_next_charge_and_placed_orders_go_on() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let mandate = given(&world, "ticket").await;
        let placed = charge(&world, mandate.id, ticket(100), "a").await.unwrap();
        world
            .payments
            .revoke_mandate(&world.user.permit, mandate.id)
            .await
            .unwrap();
        let refused = charge(&world, mandate.id, ticket(100), "b").await;
        assert_eq!(
            refused,
            Err(ChargePortError::Refused(GrantRefusal::Revoked))
        );
        world.orders.resume().await.unwrap();
        let again = charge(&world, mandate.id, ticket(100), "a").await.unwrap();
        assert_eq!(
            (again.order, again.state),
            (placed.order, OrderState::Completed)
        );
    })
    .await;
}

#[tokio::test]
async fn a_rejected_charge_goes_back_to_the_person_and_to_the_mandate() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let mandate = given(&world, "ticket").await;
        world.plugin.will([rejected("sold out")]);
        charge(&world, mandate.id, ticket(5_000), "a")
            .await
            .unwrap();
        world.orders.resume().await.unwrap();
        assert_eq!(world.money(&world.user).await, 1_000_000);
        let usage = stored(&world, mandate.id).await.grant.usage;
        assert_eq!((usage.count, usage.day_minor), (0, 0));
        // A fine is captured first: it took place, and its money comes back.
        let mandate = given(&world, "fine").await;
        world.plugin.will([rejected("no such fine")]);
        charge(&world, mandate.id, fine(5_000), "b").await.unwrap();
        world.orders.resume().await.unwrap();
        assert_eq!(world.money(&world.user).await, 1_000_000);
        let usage = stored(&world, mandate.id).await.grant.usage;
        assert_eq!((usage.count, usage.day_minor), (1, 0));
        assert_eq!(world.has(Party::Institution(INSTITUTION)).await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_ordered_is_not_charged() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let mandate = given(&world, "fund").await;
        let mut sold_out = buy(100);
        sold_out.reference = "sold-out".to_owned();
        let mut gold = buy(100);
        gold.product = "gold".to_owned();
        for (number, offer) in [redeem(100), sold_out, gold].into_iter().enumerate() {
            let refused = charge(&world, mandate.id, offer, &format!("k{number}")).await;
            assert!(
                matches!(refused, Err(ChargePortError::NotOrderable(_))),
                "{refused:?}"
            );
        }
        world.plugin.stops();
        let stopped = charge(&world, mandate.id, buy(100), "stopped").await;
        assert!(matches!(stopped, Err(ChargePortError::NotOrderable(_))));
        assert_eq!(world.money(&world.user).await, 1_000_000);
    })
    .await;
}

#[tokio::test]
async fn a_balance_that_is_too_small_is_a_refusal_of_its_own() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let poor = world.person("li.na").await;
        let offer = offered(&world, &poor, terms("ticket")).await.unwrap();
        let pin = world.proof(&poor).await;
        let mandate = world
            .orders
            .agree(&poor.permit, offer.id, pin)
            .await
            .unwrap();
        let refused = charge(&world, mandate.id, ticket(100), "a").await;
        assert_eq!(refused, Err(ChargePortError::InsufficientFunds));
        world.top_up(&poor, 100).await;
        charge(&world, mandate.id, ticket(100), "a").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_mandate_is_charged_by_its_own_plugin_with_the_scope_alone() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let mandate = given(&world, "ticket").await;
        let other = PluginCaller {
            plugin: Id::from_u128(0x99),
            release: Id::from_u128(0x98),
            institution: INSTITUTION,
            granted: ScopeSet::EMPTY.with(Scope::PaymentsCharge),
            on_behalf_of: None,
        };
        let other = world
            .auth
            .permit_plugin(&other, Scope::PaymentsCharge)
            .unwrap();
        let request = |key| ChargeRequest {
            plugin: PLUGIN,
            mandate: mandate.id,
            offer: ticket(100),
            key,
        };
        let foreign = world.orders.port().charge(&other, request("a")).await;
        assert_eq!(foreign, Err(ChargePortError::UnknownMandate(mandate.id)));
        let unscoped = plugin_permit(&world.auth, Scope::PaymentsRefund, None);
        let denied = world.orders.port().charge(&unscoped, request("a")).await;
        assert!(matches!(denied, Err(ChargePortError::Denied(_))));
        let person = world
            .orders
            .port()
            .charge(&world.user.permit, request("a"))
            .await;
        assert!(matches!(person, Err(ChargePortError::Denied(_))));
        assert_eq!(world.count("orders").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_plugin_is_told_of_its_mandates() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let mandate = given(&world, "ticket").await;
        world
            .payments
            .revoke_mandate(&world.user.permit, mandate.id)
            .await
            .unwrap();
        assert_eq!(
            world.events("mandate.").await,
            ["mandate.given", "mandate.revoked"]
        );
        for kind in [
            "mandate.given",
            "mandate.revoked",
            "mandate.used-up",
            "mandate.other",
        ] {
            let delivery = PluginDelivery {
                ticket: Ticket {
                    delivery: Id::from_u128(1),
                    attempt: 1,
                },
                event: Event {
                    id: Id::from_u128(2),
                    kind: kind.to_owned(),
                    institution: Some(INSTITUTION),
                    plugin: Some(PLUGIN),
                    subject: mandate.id.to_string(),
                    payload: "{}".to_owned(),
                    created_at: world.env.now(),
                },
                plugin: PLUGIN,
            };
            let attempt = world.orders.deliver_to_plugin(&delivery).await;
            assert_eq!(attempt.outcome, AttemptOutcome::Delivered);
        }
        let told = |state| Happening::MandateChanged {
            mandate: mandate.id,
            state,
            user: world.user.id,
            reference: "plate".to_owned(),
        };
        let states = [
            MandateState::Active,
            MandateState::Revoked,
            MandateState::UsedUp,
        ];
        assert_eq!(world.plugin.seen().happenings, states.map(told));
    })
    .await;
}
