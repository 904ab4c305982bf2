use qiao_sdk::orders::Order as PastOrder;
use qiao_sdk::testing::{FakeHost, order, quote_request, submission, today, visit, with_host};
use qiao_sdk::users::UserHolding;
use qiao_sdk::{
    Answer, Block, Capture, Date, Event, EventError, Field, FulfilError, Fulfilment, Happening,
    JobError, JobRun, Money, Offer, OrderChanged, OrderKind, OrderState, Page, PageError, Plugin,
    Price, QuoteError, Units,
};

use crate::{MoneyFund, daily_yield, fund};

fn price(nav_e4: u64) -> Price {
    Price {
        day: today(),
        nav_e4,
        income_per_10k_e4: Some(5_012),
        yield_7d_ppm: Some(18_254),
    }
}

fn hold(host: &FakeHost, available_minor: i64) {
    let holding = UserHolding {
        available_minor,
        held_minor: 0,
        income_minor: 1_234,
    };
    host.set_holding("sub_ann", fund::CODE, holding);
}

fn submit(form: &str, field: &str, value: &str) -> Result<Answer, PageError> {
    MoneyFund::submit(submission(visit("invest"), form, &[(field, value)]))
}

fn offer_of(answer: Result<Answer, PageError>) -> Offer {
    match answer {
        Ok(Answer::Offer(offer)) => offer,
        other => panic!("no offer: {other:?}"),
    }
}

fn metrics(page: &Page) -> Vec<(String, String)> {
    let blocks = page.blocks.iter();
    let metrics = blocks.filter_map(|block| match block {
        Block::Metrics(metrics) => Some(metrics),
        _ => None,
    });
    metrics
        .flatten()
        .map(|metric| (metric.label.clone(), metric.value.clone()))
        .collect()
}

fn has_form(page: &Page, name: &str) -> bool {
    page.blocks
        .iter()
        .any(|block| matches!(block, Block::Form(form) if form.name == name))
}

#[test]
fn activation_registers_the_fund_with_its_fees_and_may_come_again() {
    with_host(|host| {
        MoneyFund::activate().unwrap();
        MoneyFund::activate().unwrap();
        let products = host.products();
        assert_eq!(products.len(), 1);
        assert_eq!(products[0].code, "steady-money");
        assert!(products[0].in_units);
        assert_eq!(products[0].capture, Capture::OnFulfilment);
        let codes: Vec<_> = products[0]
            .fees
            .lines
            .iter()
            .map(|line| line.code.as_str())
            .collect();
        assert_eq!(codes, ["subscription", "channel-service"]);
        assert_eq!(products[0].fees.lines[0].maximum_minor, Some(10_000));
    });
}

#[test]
fn activation_says_why_it_was_refused() {
    with_host(|host| {
        host.deny("catalog");
        let refusal = MoneyFund::activate().unwrap_err();
        assert!(refusal.to_string().contains("catalog"), "{refusal}");
    });
}

#[test]
fn the_page_shows_the_newest_figures_and_the_holding() {
    with_host(|host| {
        host.set_price(fund::CODE, price(10_000));
        hold(host, 123_456);
        let page = MoneyFund::open(visit("invest")).unwrap();
        let figures = metrics(&page);
        for (label, value) in [
            ("Seven-day yield", "1.825%"),
            ("Income per 10,000", "0.5012"),
            ("NAV", "1.0000"),
            ("Units", "1234.56"),
            ("Income so far", "12.34"),
        ] {
            assert!(
                figures.contains(&(label.to_owned(), value.to_owned())),
                "{figures:?}"
            );
        }
        assert!(has_form(&page, "buy") && has_form(&page, "redeem"));
    });
}

#[test]
fn the_page_before_the_first_price_and_holding_offers_only_to_buy() {
    with_host(|_| {
        let page = MoneyFund::open(visit("invest")).unwrap();
        assert!(has_form(&page, "buy") && !has_form(&page, "redeem"));
        assert!(metrics(&page).contains(&("Seven-day yield".to_owned(), "—".to_owned())));
    });
}

#[test]
fn pages_speak_the_users_language() {
    with_host(|_| {
        for service in ["invest", "about"] {
            let mut chinese = visit(service);
            chinese.locale = "zh-CN".to_owned();
            let chinese = MoneyFund::open(chinese).unwrap();
            let english = MoneyFund::open(visit(service)).unwrap();
            assert_ne!(chinese.title, english.title);
            assert_eq!(chinese.blocks.len(), english.blocks.len());
        }
    });
}

#[test]
fn a_page_without_its_figures_is_unavailable_and_the_author_reads_why() {
    for interface in ["catalog", "users"] {
        with_host(|host| {
            host.deny(interface);
            let refusal = MoneyFund::open(visit("invest"));
            assert!(matches!(refusal, Err(PageError::Unavailable(_))));
            assert!(host.log()[0].1.contains(interface));
        });
    }
}

#[test]
fn unknown_services_forms_and_jobs_are_not_found() {
    with_host(|_| {
        assert_eq!(
            MoneyFund::open(visit("sell")),
            Err(PageError::NotFound("sell".to_owned()))
        );
        assert_eq!(
            submit("sell", "amount", "1"),
            Err(PageError::NotFound("sell".to_owned()))
        );
        let run = JobRun {
            name: "nightly".to_owned(),
            day: today(),
            due_at: 0,
        };
        assert_eq!(
            MoneyFund::run_job(run),
            Err(JobError::UnknownJob("nightly".to_owned()))
        );
    });
}

#[test]
fn an_amount_in_range_becomes_an_offer() {
    with_host(|_| {
        for (text, minor) in [("1.00", 100), ("1000.5", 100_050), ("1000000", 100_000_000)] {
            let offer = offer_of(submit("buy", "amount", text));
            assert_eq!(offer.kind, OrderKind::Purchase);
            assert_eq!(offer.product, "steady-money");
            assert_eq!(offer.amount, Some(Money::cny(minor)));
        }
    });
}

#[test]
fn an_amount_out_of_range_is_refused_beside_its_field() {
    with_host(|_| {
        for text in ["", "0", "0.99", "1000000.01", "-5", "1.001", "ten"] {
            let refusal = submit("buy", "amount", text);
            let Err(PageError::InvalidField(problem)) = refusal else {
                panic!("{text}: {refusal:?}");
            };
            assert_eq!(problem.name, "amount");
        }
    });
}

#[test]
fn units_are_redeemed_up_to_what_the_user_holds() {
    with_host(|host| {
        hold(host, 20_000);
        assert_eq!(
            offer_of(submit("redeem", "units", "200.00")).units_minor,
            Some(20_000)
        );
        let refusal = submit("redeem", "units", "200.01");
        assert_eq!(
            refusal,
            Err(PageError::invalid_field(
                "units",
                "You can redeem 200.00 units."
            ))
        );
    });
}

#[test]
fn units_out_of_range_are_refused_beside_their_field() {
    with_host(|host| {
        hold(host, 100_000_000);
        offer_of(submit("redeem", "units", "10000.00"));
        for text in ["", "0", "10000.01", "0.001", "-1", "all"] {
            let refusal = submit("redeem", "units", text);
            assert!(
                matches!(&refusal, Err(PageError::InvalidField(problem)) if problem.name == "units"),
                "{text}: {refusal:?}"
            );
        }
    });
}

#[test]
fn a_quote_depends_on_the_offer_and_the_newest_price_alone() {
    with_host(|host| {
        let buy = Offer::purchase(fund::CODE, "Buy", Money::cny(100_000));
        let redeem = Offer::redeem(fund::CODE, "Redeem", Units(20_000));
        for (offer, price, principal, unit_price) in [
            (&buy, None, 100_000, 10_000),
            (&buy, Some(price(10_423)), 100_000, 10_423),
            (&redeem, None, 20_000, 10_000),
            (&redeem, Some(price(10_423)), 20_846, 10_423),
        ] {
            let request = quote_request(offer.clone(), price);
            let quote = host.quoting(|| MoneyFund::quote(request.clone())).unwrap();
            assert_eq!(quote.principal, Money::cny(principal));
            assert_eq!(quote.unit_price_e4, Some(unit_price));
            assert_eq!(host.quoting(|| MoneyFund::quote(request)), Ok(quote));
        }
    });
}

#[test]
fn what_the_fund_does_not_sell_is_not_quoted() {
    let quote = |offer| MoneyFund::quote(quote_request(offer, None));
    for offer in [
        Offer::purchase("gold", "Buy", Money::cny(100)),
        Offer::pay(fund::CODE, "Pay", Money::cny(100)),
        Offer::purchase(fund::CODE, "Buy", Money::new(100, "USD")),
        Offer {
            units_minor: None,
            ..Offer::redeem(fund::CODE, "Redeem", Units(1))
        },
    ] {
        assert!(matches!(quote(offer), Err(QuoteError::NotAvailable(_))));
    }
    for minor in [i64::MIN, -1, 0, 99, 100_000_001, i64::MAX] {
        let offer = Offer::purchase(fund::CODE, "Buy", Money::cny(minor));
        assert!(
            matches!(quote(offer), Err(QuoteError::AmountOutOfRange(_))),
            "{minor}"
        );
    }
    for units in [i64::MIN, -1, 0, 1_000_001, i64::MAX] {
        let offer = Offer::redeem(fund::CODE, "Redeem", Units(units));
        assert!(
            matches!(quote(offer), Err(QuoteError::AmountOutOfRange(_))),
            "{units}"
        );
    }
    let absurd = quote_request(
        Offer::redeem(fund::CODE, "R", Units(1_000_000)),
        Some(price(u64::MAX)),
    );
    assert!(matches!(
        MoneyFund::quote(absurd),
        Err(QuoteError::AmountOutOfRange(_))
    ));
}

#[test]
fn the_same_order_has_the_same_receipt_however_often_it_comes() {
    let mut order = order(
        Offer::purchase(fund::CODE, "Buy", Money::cny(100_000)),
        Money::cny(100_000),
    );
    order.id = "ord_01JCxyz".to_owned();
    order.units_minor = Some(99_900);
    let first = MoneyFund::fulfil(order.clone()).unwrap();
    let Fulfilment::Done(receipt) = &first else {
        panic!("{first:?}");
    };
    assert_eq!(receipt.number, "SMF-01JCXYZ");
    assert_eq!(receipt.entries[0].value, "999.00");
    order.attempt = 2;
    assert_eq!(MoneyFund::fulfil(order), Ok(first));
}

#[test]
fn a_receipt_number_keeps_its_limit() {
    let mut order = order(Offer::redeem(fund::CODE, "Redeem", Units(1)), Money::cny(1));
    order.id = format!("ord_{}", "a".repeat(200));
    let Ok(Fulfilment::Done(receipt)) = MoneyFund::fulfil(order) else {
        panic!("no receipt");
    };
    assert_eq!(receipt.number.len(), 64);
}

#[test]
fn an_order_of_something_else_is_rejected() {
    let amount = Money::cny(100);
    for (offer, units) in [
        (Offer::purchase("gold", "Buy", amount.clone()), Some(100)),
        (Offer::pay(fund::CODE, "Pay", amount.clone()), Some(100)),
        (Offer::purchase(fund::CODE, "Buy", amount.clone()), None),
    ] {
        let mut order = order(offer, amount.clone());
        order.units_minor = units;
        assert!(matches!(
            MoneyFund::fulfil(order),
            Err(FulfilError::Rejected(_))
        ));
    }
}

fn run(day: Date) -> Result<(), JobError> {
    MoneyFund::run_job(JobRun {
        name: "daily-yield".to_owned(),
        day,
        due_at: 0,
    })
}

#[test]
fn the_price_of_a_day_is_published_once_however_often_the_job_runs() {
    with_host(|host| {
        MoneyFund::activate().unwrap();
        run(today()).unwrap();
        run(today()).unwrap();
        run(today().plus_days(1).unwrap()).unwrap();
        let prices = host.prices(fund::CODE);
        assert_eq!(prices.len(), 2);
        assert_eq!(prices[0].day, today());
    });
}

#[test]
fn the_yield_of_a_week_follows_from_its_incomes() {
    let mut week = 0;
    let mut day = Date::parse("2026-01-01").unwrap();
    let mut incomes = std::collections::VecDeque::new();
    for _ in 0..400 {
        let price = daily_yield::price_of(day);
        let income = price.income_per_10k_e4.unwrap();
        assert!((4_500..=5_600).contains(&income), "{day}: {income}");
        week += income;
        incomes.push_back(income);
        if incomes.len() > 7 {
            week -= incomes.pop_front().unwrap();
        }
        if incomes.len() == 7 {
            // 0.01 yuan a day per 10,000 units is 365 ppm a year.
            let expected = (week * 365 + 350) / 700;
            assert_eq!(u64::from(price.yield_7d_ppm.unwrap()), expected);
        }
        day = day.plus_days(1).unwrap();
    }
}

#[test]
fn a_job_that_cannot_publish_fails_so_that_it_comes_again() {
    with_host(|host| {
        assert!(
            matches!(run(today()), Err(JobError::Failed(cause)) if cause.contains("steady-money"))
        );
        MoneyFund::activate().unwrap();
        host.set_price(fund::CODE, price(9_000));
        assert!(matches!(run(today()), Err(JobError::Failed(_))));
    });
}

fn past_order(kind: OrderKind) -> PastOrder {
    PastOrder {
        id: "ord_1".to_owned(),
        kind,
        state: OrderState::Completed,
        product: fund::CODE.to_owned(),
        reference: String::new(),
        user: "sub_ann".to_owned(),
        principal: Money::cny(100_000),
        confirmed_at: 0,
    }
}

fn changed(state: OrderState) -> Event {
    Event {
        id: "evt_1".to_owned(),
        at: 0,
        happening: Happening::OrderChanged(OrderChanged {
            order: "ord_1".to_owned(),
            state,
            user: "sub_ann".to_owned(),
        }),
    }
}

#[test]
fn a_completed_order_is_announced_once_however_often_the_event_comes() {
    with_host(|host| {
        host.add_order(past_order(OrderKind::Purchase));
        MoneyFund::handle_event(changed(OrderState::Completed)).unwrap();
        MoneyFund::handle_event(changed(OrderState::Completed)).unwrap();
        let messages = host.messages();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].user, "sub_ann");
        assert!(
            messages[0]
                .text
                .starts_with("You bought Steady Money Fund for 1000.00 CNY.")
        );
    });
}

#[test]
fn only_completed_orders_are_announced() {
    with_host(|host| {
        for state in [
            OrderState::Held,
            OrderState::Paid,
            OrderState::Voided,
            OrderState::Refunded,
            OrderState::Unknown,
        ] {
            MoneyFund::handle_event(changed(state)).unwrap();
        }
        for happening in [
            Happening::Followed("sub_ann".to_owned()),
            Happening::Unfollowed("sub_ann".to_owned()),
        ] {
            MoneyFund::handle_event(Event {
                happening,
                ..changed(OrderState::Held)
            })
            .unwrap();
        }
        assert_eq!(host.messages(), []);
    });
}

#[test]
fn a_user_who_does_not_follow_gets_no_message_and_the_event_is_taken() {
    with_host(|host| {
        host.add_order(past_order(OrderKind::Redeem));
        host.unfollow("sub_ann");
        assert_eq!(
            MoneyFund::handle_event(changed(OrderState::Completed)),
            Ok(())
        );
        assert_eq!(host.messages(), []);
    });
}

#[test]
fn an_event_that_could_not_be_handled_comes_again() {
    for interface in ["storage", "orders", "messages"] {
        with_host(|host| {
            host.add_order(past_order(OrderKind::Redeem));
            host.deny(interface);
            let refusal = MoneyFund::handle_event(changed(OrderState::Completed));
            assert!(matches!(refusal, Err(EventError::Failed(_))), "{interface}");
        });
    }
}

#[test]
fn the_memory_of_announced_orders_stays_small() {
    with_host(|host| {
        for number in 0..100 {
            let mut order = past_order(OrderKind::Purchase);
            order.id = format!("ord_{number:03}");
            host.add_order(order);
            let mut event = changed(OrderState::Completed);
            if let Happening::OrderChanged(change) = &mut event.happening {
                change.order = format!("ord_{number:03}");
            }
            MoneyFund::handle_event(event).unwrap();
        }
        let announced = String::from_utf8(host.stored("announced").unwrap()).unwrap();
        assert_eq!(announced.lines().count(), 64);
        assert_eq!(announced.lines().last(), Some("ord_099"));
    });
}

#[test]
fn fields_that_no_form_has_change_nothing() {
    with_host(|_| {
        let mut form = submission(visit("invest"), "buy", &[("amount", "5")]);
        form.fields.push(Field::new("product", "gold"));
        assert_eq!(offer_of(MoneyFund::submit(form)).product, "steady-money");
    });
}
