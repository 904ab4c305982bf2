//! Redemptions that are paid at once: the daily limit, the advance line, and
//! what happens past either.

use qiao_catalog::NewProduct;
use qiao_model::{Currency, Day, InstitutionId, Money, Scope};
use qiao_orders::rules::SHORT_PAUSE_SECS;
use qiao_orders::{
    Arrival, Crash, INSTANT_REDEMPTION_DAY_MAX, Order, OrderKind, OrderPage, OrderState,
    QuoteContext,
};
use qiao_payments::{Advance, Method, NewPayment, Party, Split};
use qiao_runtime::Offer as Terms;
use qiao_tests::{TestDatabase, each_database};
use tokio::task::JoinSet;

use crate::books::assert_balanced;
use crate::plugin::{INSTITUTION, offer, pending, rejected};
use crate::world::{World, buy, day, instant_fund, plugin_permit, redeem};

const DAY_SECS: i64 = 24 * 3600;
const LINE: Party = Party::Advance(INSTITUTION);
const SETTLEMENT: Party = Party::Institution(INSTITUTION);

/// Tuesday at 10:00: the user holds 40,000.00 units and nothing else, and the
/// fund's bank advanced so much.
pub(crate) async fn world(database: TestDatabase, line_fen: i64) -> World {
    let world = World::new(database).await;
    let permit = plugin_permit(&world.auth, Scope::CatalogWrite, None);
    let registered = world.catalog.register_product(&permit, instant_fund());
    registered.await.unwrap();
    world.advance_secs(2 * DAY_SECS);
    world.top_up(&world.user, 3_000_000).await;
    let bought = world.order(&world.user, buy(4_000_000)).await.unwrap();
    assert_eq!(bought.standing.state, OrderState::Completed);
    assert_eq!(world.units(&world.user).await, (4_000_000, 0));
    if line_fen > 0 {
        world.lend(line_fen).await;
    }
    world
}

impl World {
    async fn lend(&self, fen: i64) {
        let permit = self.auth.permit_system("test", Scope::Operate);
        let advance = Advance {
            institution: INSTITUTION,
            amount: Money::cny(fen),
        };
        let lent = self.payments.fund_advance(&permit, advance, None);
        lent.await.unwrap();
    }

    /// An institution's or the platform's money goes elsewhere.
    async fn spend(&self, payer: Party, receiver: Party, fen: i64) {
        let host = self.auth.permit_system("test", Scope::PaymentsWrite);
        let payment = NewPayment {
            id: self.env.id(),
            order: None,
            institution: Some(INSTITUTION),
            payer,
            method: Method::Balance,
            amount: Money::cny(fen),
            splits: vec![Split {
                receiver,
                amount: Money::cny(fen),
                purpose: "principal".into(),
            }],
            deliveries: Vec::new(),
            description: String::new(),
            expires_at: None,
        };
        self.payments.pay(&host, payment, None).await.unwrap();
    }

    /// A redemption, after which its money is expected as the quote had said.
    pub(crate) async fn redeemed(&self, fen: i64) -> (Order, Arrival) {
        let quote = self.quote(&self.user, redeem(fen)).await;
        let expected = self.orders.expected_arrival(&quote).await.unwrap().unwrap();
        let order = self.confirm(&self.user, &quote).await.unwrap();
        let arrival = self.arrival(&order).await;
        assert_eq!(arrival, expected);
        (order, arrival)
    }

    async fn arrival(&self, order: &Order) -> Arrival {
        self.orders.arrivals(&[order.id]).await.unwrap()[&order.id]
    }
}

#[tokio::test]
async fn the_limit_of_a_day_is_paid_at_once_to_the_fen_and_a_fen_more_tomorrow() {
    each_database(|database| async move {
        let world = world(database, 5_000_000).await;
        let today = Arrival::Instant(day(24));
        let (first, arrival) = world.redeemed(999_999).await;
        assert_eq!(
            (first.standing.state, arrival),
            (OrderState::Completed, today)
        );
        assert_eq!(world.redeemed(1).await.1, today);
        assert_eq!(world.money(&world.user).await, INSTANT_REDEMPTION_DAY_MAX);
        assert_eq!(world.has(LINE).await, 4_000_000);
        assert_eq!(world.has(Party::Institution(INSTITUTION)).await, 4_000_000);

        // Past the limit: the units are held, and the money comes on the next day.
        let (late, arrival) = world.redeemed(1).await;
        assert_eq!(arrival, Arrival::Later(day(25)));
        assert_eq!(late.standing.state, OrderState::Held);
        assert_eq!(world.units(&world.user).await, (2_999_999, 1));
        assert_eq!(world.orders.resume().await.unwrap(), 0);
        world.advance_secs(14 * 3600);
        assert_eq!(world.orders.resume().await.unwrap(), 1);
        assert_eq!(
            world.stored(&late).await.standing.state,
            OrderState::Completed
        );
        assert_eq!(world.money(&world.user).await, 1_000_001);
        assert_eq!(world.has(Party::Institution(INSTITUTION)).await, 3_999_999);
    })
    .await;
}

#[tokio::test]
async fn one_order_of_the_limit_is_paid_at_once_and_of_a_fen_more_is_not() {
    each_database(|database| async move {
        let world = world(database, 5_000_000).await;
        let (_, arrival) = world.redeemed(INSTANT_REDEMPTION_DAY_MAX + 1).await;
        assert_eq!(arrival, Arrival::Later(day(25)));
        // What is paid later takes nothing of the limit.
        let (_, arrival) = world.redeemed(INSTANT_REDEMPTION_DAY_MAX).await;
        assert_eq!(arrival, Arrival::Instant(day(24)));
        assert_eq!(world.has(LINE).await, 4_000_000);
    })
    .await;
}

#[tokio::test]
async fn each_sales_channel_has_a_limit_of_its_own() {
    each_database(|database| async move {
        let world = world(database, 5_000_000).await;
        let scene = InstitutionId::from_u128(0x22);
        assert_eq!(world.redeemed(1_000_000).await.1, Arrival::Instant(day(24)));
        assert_eq!(world.redeemed(1).await.1, Arrival::Later(day(25)));
        for (fen, arrival) in [
            (1_000_000, Arrival::Instant(day(24))),
            (1, Arrival::Later(day(25))),
        ] {
            let offer = world.offer_at(&world.user, redeem(fen), Some(scene)).await;
            let quote = world
                .quote_by(&world.user, offer.id, QuoteContext::default())
                .await;
            let order = world.confirm(&world.user, &quote).await.unwrap();
            assert_eq!(world.arrival(&order).await, arrival);
        }
        let channels = world.count("instant_allowance where minor = 1000000").await;
        assert_eq!(channels, 2);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_renminbi_is_not_paid_at_once() {
    each_database(|database| async move {
        let world = world(database, 5_000_000).await;
        let dollars: Currency = "USD".parse().unwrap();
        let new = NewProduct {
            code: "dollar".to_owned(),
            currency: dollars,
            ..instant_fund()
        };
        world.register(new).await;
        let terms = Terms {
            units_minor: Some(100),
            ..offer("dollar", OrderKind::Redeem)
        };
        let quote = world.quote(&world.user, terms).await;
        assert_eq!(quote.amount.currency, dollars);
        assert_eq!(world.orders.expected_arrival(&quote).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn the_limit_begins_anew_at_midnight_in_shanghai() {
    each_database(|database| async move {
        let world = world(database, 5_000_000).await;
        world.advance_secs(14 * 3600 - 1);
        assert_eq!(world.redeemed(1_000_000).await.1, Arrival::Instant(day(24)));
        assert_eq!(world.redeemed(1).await.1, Arrival::Later(day(25)));
        world.advance_secs(1);
        assert_eq!(world.redeemed(1_000_000).await.1, Arrival::Instant(day(25)));
        assert_eq!(world.redeemed(1).await.1, Arrival::Later(day(26)));
    })
    .await;
}

#[tokio::test]
async fn two_orders_that_together_cross_the_limit_are_one_at_once_and_one_later() {
    each_database(|database| async move {
        let world = world(database, 5_000_000).await;
        let quotes = [
            world.quote(&world.user, redeem(500_001)).await,
            world.quote(&world.user, redeem(500_000)).await,
        ];
        for quote in &quotes {
            let expected = world.orders.expected_arrival(quote).await.unwrap();
            assert_eq!(expected, Some(Arrival::Instant(day(24))));
        }
        let (first, second) = tokio::join!(
            world.confirm(&world.user, &quotes[0]),
            world.confirm(&world.user, &quotes[1]),
        );
        let mut arrivals = Vec::new();
        for order in [first.unwrap(), second.unwrap()] {
            arrivals.push(world.arrival(&order).await);
        }
        arrivals.sort_by_key(|arrival| arrival.day());
        assert_eq!(
            arrivals,
            [Arrival::Instant(day(24)), Arrival::Later(day(25))]
        );
    })
    .await;
}

#[tokio::test]
async fn a_line_that_is_a_fen_short_is_no_failure() {
    each_database(|database| async move {
        let world = world(database, 500_000).await;
        assert_eq!(world.redeemed(500_001).await.1, Arrival::Later(day(25)));
        assert_eq!(world.redeemed(500_000).await.1, Arrival::Instant(day(24)));
        assert_eq!(world.has(LINE).await, 0);
        assert_eq!(world.redeemed(1).await.1, Arrival::Later(day(25)));
        world.lend(1).await;
        assert_eq!(world.redeemed(1).await.1, Arrival::Instant(day(24)));
    })
    .await;
}

#[tokio::test]
async fn a_rejected_redemption_gives_limit_and_line_back() {
    each_database(|database| async move {
        let world = world(database, 1_000_000).await;
        world.plugin.will([rejected("the market is closed")]);
        let (order, arrival) = world.redeemed(1_000_000).await;
        assert_eq!(arrival, Arrival::Instant(day(24)));
        assert_eq!(order.standing.state, OrderState::Voided);
        assert_eq!(world.has(LINE).await, 1_000_000);
        assert_eq!(world.redeemed(1_000_000).await.1, Arrival::Instant(day(24)));
        assert_eq!(world.has(LINE).await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_advance_is_repaid_once_on_the_next_business_day() {
    each_database(|database| async move {
        let world = world(database, 1_000_000).await;
        world.redeemed(600_000).await;
        world.redeemed(400_000).await;
        assert_eq!(world.orders.repay_advances().await.unwrap(), 0);
        assert_eq!(world.has(LINE).await, 0);
        let operator = world.operator().await;
        let lent = async || {
            let lent = world.orders.lent_out(&operator, Currency::CNY).await;
            lent.unwrap().remove(&INSTITUTION).unwrap_or(0)
        };
        assert_eq!(lent().await, 1_000_000);
        world.advance_secs(14 * 3600);
        assert_eq!(world.orders.repay_advances().await.unwrap(), 2);
        assert_eq!(world.has(LINE).await, 1_000_000);
        assert_eq!(world.has(Party::Institution(INSTITUTION)).await, 3_000_000);
        assert_eq!(world.orders.repay_advances().await.unwrap(), 0);
        assert_eq!(world.has(LINE).await, 1_000_000);
        assert_eq!(lent().await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_institution_that_is_short_repays_when_it_has_the_money() {
    each_database(|database| async move {
        let world = world(database, 1_000_000).await;
        world.redeemed(1_000_000).await;
        world.spend(SETTLEMENT, Party::Platform, 3_500_000).await;
        world.advance_secs(14 * 3600);
        assert_eq!(world.orders.repay_advances().await.unwrap(), 0);
        world.spend(Party::Platform, SETTLEMENT, 3_500_000).await;
        assert_eq!(world.orders.repay_advances().await.unwrap(), 1);
        assert_eq!(world.has(LINE).await, 1_000_000);
    })
    .await;
}

#[tokio::test]
async fn a_redemption_that_the_fund_cannot_pay_yet_waits_held_and_is_paid_when_it_can() {
    each_database(|database| async move {
        let world = world(database, 0).await;
        world.spend(SETTLEMENT, Party::Platform, 4_000_000).await;
        let (order, arrival) = world.redeemed(500_000).await;
        assert_eq!(arrival, Arrival::Later(day(25)));
        assert_eq!(order.standing.state, OrderState::Held);
        assert_eq!(world.units(&world.user).await, (3_500_000, 500_000));
        let operator = world.operator().await;
        let waiting = async || {
            let page = OrderPage::default();
            world.orders.stuck(&operator, page).await.unwrap()
        };
        assert_eq!(waiting().await, []);

        world.advance_secs(14 * 3600);
        assert_eq!(world.orders.resume().await.unwrap(), 1);
        let short = world.stored(&order).await.standing;
        assert_eq!((short.state, short.failures), (OrderState::Held, 0));
        let problem = short.problem.clone().unwrap_or_default();
        assert!(problem.contains("cannot be set aside"), "{problem}");
        let waits: Vec<_> = waiting().await.iter().map(|order| order.id).collect();
        assert_eq!(waits, [order.id], "the operator sees it");
        assert_eq!(world.plugin.seen().fulfilled.len(), 1, "only the purchase");
        assert_eq!(
            world.orders.resume().await.unwrap(),
            0,
            "it is not due again yet"
        );

        world.spend(Party::Platform, SETTLEMENT, 499_999).await;
        world.advance_secs(SHORT_PAUSE_SECS);
        assert_eq!(world.orders.resume().await.unwrap(), 1);
        assert_eq!(world.stored(&order).await.standing.state, OrderState::Held);
        world.spend(Party::Platform, SETTLEMENT, 1).await;
        assert!(world.orders.ask_again(&operator, order.id).await.unwrap());
        assert_eq!(world.orders.resume().await.unwrap(), 1);
        let paid = world.stored(&order).await.standing;
        assert_eq!((paid.state, paid.problem), (OrderState::Completed, None));
        assert_eq!(world.money(&world.user).await, 500_000);
        assert_eq!(world.units(&world.user).await, (3_500_000, 0));
        for party in [SETTLEMENT, Party::Clearing(INSTITUTION)] {
            assert_eq!(world.has(party).await, 0, "{party}");
        }
        assert_eq!(waiting().await, []);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn what_was_set_aside_for_a_redemption_goes_back_when_it_is_rejected() {
    each_database(|database| async move {
        let world = world(database, 0).await;
        let (order, _) = world.redeemed(500_000).await;
        assert_eq!(
            world.has(SETTLEMENT).await,
            4_000_000,
            "nothing is held yet"
        );
        world.advance_secs(14 * 3600);
        world.plugin.will([rejected("the market is closed")]);
        assert_eq!(world.orders.resume().await.unwrap(), 1);
        let voided = world.stored(&order).await.standing.state;
        assert_eq!(voided, OrderState::Voided);
        assert_eq!(world.units(&world.user).await, (4_000_000, 0));
        assert_eq!(world.has(SETTLEMENT).await, 4_000_000);
        assert_eq!(world.has(Party::Clearing(INSTITUTION)).await, 0);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn money_is_set_aside_once_however_often_the_plugin_is_asked() {
    each_database(|database| async move {
        let world = world(database, 0).await;
        let (order, _) = world.redeemed(500_000).await;
        world.advance_secs(14 * 3600);
        world.plugin.will([pending(1), pending(1)]);
        for _ in 0..3 {
            assert_eq!(world.orders.resume().await.unwrap(), 1);
            assert_eq!(world.has(SETTLEMENT).await, 3_500_000);
            world.advance_secs(1);
        }
        let done = world.stored(&order).await.standing.state;
        assert_eq!(done, OrderState::Completed);
        assert_eq!(world.money(&world.user).await, 500_000);
        assert_balanced(&world).await;
    })
    .await;
}

#[tokio::test]
async fn of_64_redemptions_at_once_on_two_hosts_as_many_are_paid_as_the_limit_allows() {
    each_database(|database| async move {
        let world = world(database, 5_000_000).await;
        let mut requests = JoinSet::new();
        let hosts = [
            world.orders.clone(),
            world.open("node_b", Crash::Never).await,
        ];
        for number in 0..64 {
            let quote = world.quote(&world.user, redeem(20_000)).await;
            let confirmation = world.yes(&world.user, &quote).await;
            let (orders, permit) = (hosts[number % 2].clone(), world.user.permit.clone());
            requests.spawn(async move { orders.confirm(&permit, confirmation).await });
        }
        let mut days: Vec<Day> = Vec::new();
        for order in requests.join_all().await {
            days.push(world.arrival(&order.unwrap()).await.day());
        }
        assert_eq!(
            days.iter().filter(|arrives| **arrives == day(24)).count(),
            50
        );
        assert_eq!(
            days.iter().filter(|arrives| **arrives == day(25)).count(),
            14
        );
        assert_eq!(world.money(&world.user).await, INSTANT_REDEMPTION_DAY_MAX);
        assert_eq!(world.has(LINE).await, 4_000_000);
    })
    .await;
}

#[tokio::test]
async fn a_confirmation_sent_twice_is_counted_once() {
    each_database(|database| async move {
        let world = world(database, 5_000_000).await;
        let quote = world.quote(&world.user, redeem(600_000)).await;
        for _ in 0..2 {
            let yes = world.yes_with_key(&world.user, &quote, "twice").await;
            let order = world.orders.confirm(&world.user.permit, yes).await.unwrap();
            assert_eq!(order.standing.state, OrderState::Completed);
        }
        world.confirm(&world.user, &quote).await.unwrap();
        assert_eq!(world.has(LINE).await, 4_400_000);
        assert_eq!(world.redeemed(400_000).await.1, Arrival::Instant(day(24)));
        assert_eq!(world.redeemed(1).await.1, Arrival::Later(day(25)));
    })
    .await;
}
