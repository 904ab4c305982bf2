//! What is refused at the checkout, with nothing held.

use qiao_model::{BankLinkId, Channel, MandateId, Money, Secret};
use qiao_orders::{
    Confirmation, Error, QUOTE_LIFETIME_SECS, QuoteContext, QuoteSigner, TokenError,
};
use qiao_payments::{IdempotencyKey, Method, Refusal};
use qiao_tests::each_database;

use crate::books::assert_balanced;
use crate::world::{World, buy, fine, redeem, ticket};

async fn assert_nothing_is_held(world: &World) {
    assert_eq!(world.money(&world.user).await, 1_000_000);
    assert_eq!(world.count("orders").await, 0);
    assert_eq!(world.plugin.seen().fulfilled.len(), 0);
    assert_eq!(world.events("order.").await.len(), 0);
    assert_balanced(world).await;
}

async fn refusal(world: &World, confirmation: Confirmation) -> Error {
    let permit = &world.user.permit;
    world
        .orders
        .confirm(permit, confirmation)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn an_altered_quote_is_refused() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, fine(20_000)).await;
        let mut altered = quote.clone();
        altered.amount = Money::cny(1);
        let other_host = QuoteSigner::new(&Secret::new([1; 32])).sign(altered);
        let mut confirmation = world.yes(&world.user, &other_host).await;
        confirmation.amount = Money::cny(1);
        let refused = refusal(&world, confirmation).await;
        assert!(matches!(
            refused,
            Error::QuoteInvalid(TokenError::Signature)
        ));
        let mut cut = world.yes(&world.user, &quote).await;
        cut.token.pop();
        assert!(matches!(refusal(&world, cut).await, Error::QuoteInvalid(_)));
        assert_nothing_is_held(&world).await;
    })
    .await;
}

#[tokio::test]
async fn an_expired_quote_is_refused_and_one_in_its_last_moment_is_not() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, ticket(5_000)).await;
        world.clock.advance_millis(QUOTE_LIFETIME_SECS * 1000);
        let refused = world.confirm(&world.user, &quote).await.unwrap_err();
        assert!(matches!(refused, Error::QuoteExpired(id) if id == quote.id));
        assert_nothing_is_held(&world).await;
        let quote = world.quote(&world.user, ticket(5_000)).await;
        world.clock.advance_millis(QUOTE_LIFETIME_SECS * 1000 - 1);
        world.confirm(&world.user, &quote).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_quote_of_somebody_else_is_refused() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, ticket(5_000)).await;
        let thief = world.person("thief").await;
        world.top_up(&thief, 1_000_000).await;
        let refused = world.confirm(&thief, &quote).await.unwrap_err();
        assert!(matches!(refused, Error::QuoteForeign(_)));
        let offer = world.orders.offer(&thief.permit, quote.offer).await;
        assert!(matches!(offer, Err(Error::OfferNotFound(_))));
        let priced = world
            .orders
            .quote(&thief.permit, quote.offer, QuoteContext::default())
            .await;
        assert!(matches!(priced, Err(Error::OfferNotFound(_))));
        assert_nothing_is_held(&world).await;
    })
    .await;
}

#[tokio::test]
async fn an_amount_one_fen_off_is_refused() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, fine(20_000)).await;
        for off in [-1, 1] {
            let mut confirmation = world.yes(&world.user, &quote).await;
            confirmation.amount.minor += off;
            let refused = refusal(&world, confirmation).await;
            assert!(matches!(refused, Error::AmountDiffers { .. }), "{refused}");
        }
        assert_nothing_is_held(&world).await;
    })
    .await;
}

#[tokio::test]
async fn the_pin_of_somebody_else_or_of_long_ago_is_refused() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, ticket(5_000)).await;
        let other = world.person("other").await;
        let mut confirmation = world.yes(&world.user, &quote).await;
        confirmation.pin = world.proof(&other).await;
        assert!(matches!(
            refusal(&world, confirmation).await,
            Error::PinForeign
        ));
        let confirmation = world.yes(&world.user, &quote).await;
        world.advance_secs(120);
        assert!(matches!(
            refusal(&world, confirmation).await,
            Error::PinForeign
        ));
        assert_nothing_is_held(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_balance_one_fen_too_small_is_refused_and_the_exact_one_is_not() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, ticket(1_000_001)).await;
        let refused = world.confirm(&world.user, &quote).await.unwrap_err();
        let short = matches!(refused, Error::Payment(Refusal::InsufficientFunds { .. }));
        assert!(short, "{refused}");
        assert_nothing_is_held(&world).await;
        world.top_up(&world.user, 1).await;
        // The same quote under a new key.
        world.confirm(&world.user, &quote).await.unwrap();
        assert_eq!(world.money(&world.user).await, 0);
    })
    .await;
}

#[tokio::test]
async fn units_that_are_not_there_or_held_already_are_not_redeemed() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.order(&world.user, buy(100_000)).await.unwrap();
        let refused = world.order(&world.user, redeem(98_718)).await.unwrap_err();
        assert!(matches!(
            refused,
            Error::Payment(Refusal::InsufficientFunds { .. })
        ));
        world.plugin.will([crate::plugin::unknown("?")]);
        world.order(&world.user, redeem(60_000)).await.unwrap();
        assert_eq!(world.units(&world.user).await, (38_717, 60_000));
        let refused = world.order(&world.user, redeem(38_718)).await.unwrap_err();
        assert!(matches!(
            refused,
            Error::Payment(Refusal::InsufficientFunds { .. })
        ));
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_confirmation_whose_answer_was_lost_gives_the_same_order_whatever_serves_now() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let first = world.quote(&world.user, ticket(1_000)).await;
        let yes = world.yes_with_key(&world.user, &first, "first").await;
        let first_order = world.orders.confirm(&world.user.permit, yes).await;
        first_order.unwrap();
        let quote = world.quote(&world.user, ticket(5_000)).await;
        let again = || async {
            let yes = world.yes_with_key(&world.user, &quote, "lost").await;
            world.orders.confirm(&world.user.permit, yes).await
        };
        let order = again().await.unwrap();
        world.plugin.release_changes();
        assert_eq!(again().await.unwrap(), order);
        world.plugin.stops();
        assert_eq!(again().await.unwrap(), order);
        assert_eq!(world.money(&world.user).await, 1_000_000 - 6_000);
        // The key of another request stays that, also for a quote with an order.
        let used = world.yes_with_key(&world.user, &first, "first").await;
        let mixed = Confirmation {
            token: quote.token.clone(),
            amount: quote.amount,
            key: IdempotencyKey::of(&world.user.permit, "first", b"another").unwrap(),
            ..used
        };
        let refused = refusal(&world, mixed).await;
        assert!(
            matches!(refused, Error::Payment(Refusal::KeyReused)),
            "{refused}"
        );
        let mut dearer = world.yes_with_key(&world.user, &quote, "lost").await;
        dearer.amount = Money::cny(5_001);
        let refused = refusal(&world, dearer).await;
        assert!(matches!(refused, Error::AmountDiffers { .. }), "{refused}");
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_quote_of_a_release_that_serves_no_more_is_outdated() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, ticket(5_000)).await;
        world.plugin.release_changes();
        let refused = world.confirm(&world.user, &quote).await.unwrap_err();
        assert!(matches!(refused, Error::QuoteOutdated(_)), "{refused}");
        world.plugin.stops();
        let refused = world.confirm(&world.user, &quote).await.unwrap_err();
        assert!(matches!(refused, Error::QuoteOutdated(_)), "{refused}");
        assert_nothing_is_held(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_permit_that_is_not_a_persons_own_orders_nothing() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, ticket(5_000)).await;
        let operator = world.operator().await;
        let confirmation = world.yes(&world.user, &quote).await;
        let refused = world.orders.confirm(&operator, confirmation).await;
        assert!(matches!(refused, Err(Error::Denied(_))));
        let priced = world
            .orders
            .quote(&operator, quote.offer, QuoteContext::default())
            .await;
        assert!(matches!(priced, Err(Error::Denied(_))));
        assert_nothing_is_held(&world).await;
    })
    .await;
}

#[tokio::test]
async fn one_quote_makes_one_order_however_often_it_is_confirmed() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, fine(20_000)).await;
        let first = world.confirm(&world.user, &quote).await.unwrap();
        let second = world.confirm(&world.user, &quote).await.unwrap();
        assert_eq!(first, second);
        world.advance_secs(QUOTE_LIFETIME_SECS);
        let late = world.confirm(&world.user, &quote).await.unwrap();
        assert_eq!(
            first, late,
            "the order of an expired quote is still its order"
        );
        assert_eq!(world.count("orders").await, 1);
        assert_eq!(world.plugin.seen().fulfilled.len(), 1);
        assert_eq!(world.money(&world.user).await, 1_000_000 - 20_200);
    })
    .await;
}

#[tokio::test]
async fn confirmations_in_parallel_make_one_order_and_one_hold() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, fine(20_000)).await;
        let other_node = world.open("node-b", qiao_orders::Crash::Never).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..8 {
            let confirmation = world.yes(&world.user, &quote).await;
            let node = if number % 2 == 0 {
                &world.orders
            } else {
                &other_node
            };
            let (orders, permit) = (node.clone(), world.user.permit.clone());
            tasks.spawn(async move { orders.confirm(&permit, confirmation).await });
        }
        while let Some(done) = tasks.join_next().await {
            assert_eq!(done.unwrap().unwrap().id, quote.order());
        }
        assert_eq!(world.count("orders").await, 1);
        assert_eq!(world.plugin.seen().fulfilled.len(), 1);
        assert_eq!(world.money(&world.user).await, 1_000_000 - 20_200);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_key_belongs_to_one_quote() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let first = world.quote(&world.user, ticket(5_000)).await;
        let second = world.quote(&world.user, ticket(5_000)).await;
        let permit = &world.user.permit;
        let yes = world.yes_with_key(&world.user, &first, "k").await;
        let order = world.orders.confirm(permit, yes).await.unwrap();
        let again = world.yes_with_key(&world.user, &first, "k").await;
        assert_eq!(world.orders.confirm(permit, again).await.unwrap(), order);
        let reused = world.yes_with_key(&world.user, &second, "k").await;
        let refused = refusal(&world, reused).await;
        assert!(
            matches!(refused, Error::Payment(Refusal::KeyReused)),
            "{refused}"
        );
        assert_eq!(world.count("orders").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_key_in_flight_is_refused_until_its_request_ends() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, ticket(5_000)).await;
        let confirmation = world.yes_with_key(&world.user, &quote, "k").await;
        let guard = world.payments.in_flight().enter(&confirmation.key).unwrap();
        let refused = refusal(&world, confirmation).await;
        assert!(
            matches!(refused, Error::Payment(Refusal::InFlight)),
            "{refused}"
        );
        drop(guard);
        let confirmation = world.yes_with_key(&world.user, &quote, "k").await;
        let permit = &world.user.permit;
        assert!(world.orders.confirm(permit, confirmation).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn another_way_to_pay_than_the_quoted_one_is_refused_with_nothing_held() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let of_balance = world.quote(&world.user, fine(20_000)).await;
        let context = QuoteContext { method: of_bank(1) };
        let of_bank_one = world.quote_by(&world.user, of_balance.offer, context).await;
        for (quote, method) in [
            (&of_balance, of_bank(1)),
            (&of_bank_one, Method::Balance),
            (&of_bank_one, of_bank(2)),
        ] {
            let (token, permit) = (quote.token.as_str(), &world.user.permit);
            let reviewed = world
                .orders
                .review(permit, token, quote.amount, Some(method));
            let reviewed = reviewed.await.unwrap_err();
            let mut confirmation = world.yes(&world.user, quote).await;
            confirmation.method = method;
            for refused in [reviewed, refusal(&world, confirmation).await] {
                let Error::MethodDiffers { quoted, confirmed } = refused else {
                    panic!("{refused:?}");
                };
                assert_eq!((quoted, confirmed), (quote.method, method));
            }
        }
        assert_nothing_is_held(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_redemption_is_not_quoted_for_a_bank_and_nothing_for_a_mandate() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let mandate = Method::Mandate(MandateId::from_u128(0x31));
        for (terms, method) in [(redeem(100), of_bank(1)), (fine(20_000), mandate)] {
            let offer = world.offer(&world.user, terms).await;
            let context = QuoteContext { method };
            let quoted = world.orders.quote(&world.user.permit, offer.id, context);
            let refused = quoted.await.unwrap_err();
            assert!(
                matches!(refused, Error::NotPayableBy { method: of, .. } if of == method),
                "{refused:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_review_says_what_a_confirmation_would_and_finds_the_order_that_was_made() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let quote = world.quote(&world.user, fine(20_000)).await;
        let (token, permit) = (quote.token.as_str(), &world.user.permit);
        let review = |amount| world.orders.review(permit, token, amount, None);
        let off = review(Money::cny(19_999)).await;
        assert!(matches!(off, Err(Error::AmountDiffers { .. })), "{off:?}");
        let open = review(quote.amount).await.unwrap();
        assert_eq!((open.placed, open.quote.id), (None, quote.id));
        let thief = world.person("thief").await;
        let foreign = world
            .orders
            .review(&thief.permit, token, quote.amount, None);
        let foreign = foreign.await;
        assert!(
            matches!(foreign, Err(Error::QuoteForeign(_))),
            "{foreign:?}"
        );
        let order = world.confirm(&world.user, &quote).await.unwrap();
        world.clock.advance_millis(QUOTE_LIFETIME_SECS * 1000);
        let again = review(quote.amount).await.unwrap();
        assert_eq!(again.placed, Some(order.id));
    })
    .await;
}

fn of_bank(link: u128) -> Method {
    Method::Bank {
        link: BankLinkId::from_u128(link),
        channel: Channel::SANDBOX,
    }
}
