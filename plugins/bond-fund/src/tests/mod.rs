use qiao_sdk::testing::{FakeHost, order, quote_request, submission, today, visit, with_host};
use qiao_sdk::users::UserHolding;
use qiao_sdk::{
    Answer, Date, FeeForm, FulfilError, Fulfilment, JobError, JobRun, Money, Offer, Page,
    PageError, Plugin, Price, QuoteError, Units,
};

use crate::{BondFund, daily_nav, fund};

fn price(nav_e4: u64) -> Price {
    Price {
        day: today(),
        nav_e4,
        income_per_10k_e4: None,
        yield_7d_ppm: None,
    }
}

fn submit(form: &str, field: &str, value: &str) -> Result<Answer, PageError> {
    BondFund::submit(submission(visit("invest"), form, &[(field, value)]))
}

fn holds(host: &FakeHost, available_minor: i64) {
    let holding = UserHolding {
        available_minor,
        held_minor: 0,
        income_minor: 0,
    };
    host.set_holding("sub_ann", fund::CODE, holding);
}

fn offer(answer: Result<Answer, PageError>) -> Offer {
    match answer {
        Ok(Answer::Offer(offer)) => offer,
        other => panic!("no offer: {other:?}"),
    }
}

#[test]
fn activation_registers_the_fund_with_every_sheet() {
    with_host(|host| {
        BondFund::activate().unwrap();
        BondFund::activate().unwrap();
        let products = host.products();
        assert_eq!(products.len(), 1);
        let fees = &products[0].fees;
        assert!(matches!(&fees.lines[0].form, FeeForm::Slab(tiers) if tiers.len() == 4));
        assert!(matches!(&fees.lines[1].form, FeeForm::BackLoad(tiers) if tiers.len() == 4));
        let accrued: Vec<_> = fees
            .accrued
            .iter()
            .map(|fee| (fee.code.as_str(), fee.rate))
            .collect();
        assert_eq!(accrued, [("management", 12_000), ("custody", 2_000)]);
    });
}

#[test]
fn a_purchase_is_taken_at_its_limits_and_refused_one_past_them() {
    with_host(|_| {
        assert_eq!(
            offer(submit("buy", "amount", "10.00")).amount,
            Some(Money::cny(1_000))
        );
        let most = offer(submit("buy", "amount", "10000000.00"));
        assert_eq!(most.amount, Some(Money::cny(1_000_000_000)));
        for amount in ["9.99", "10000000.01", "0", "x"] {
            let refused = submit("buy", "amount", amount);
            assert!(
                matches!(refused, Err(PageError::InvalidField(_))),
                "{amount}"
            );
        }
    });
}

#[test]
fn a_redemption_is_of_what_the_person_holds() {
    with_host(|host| {
        BondFund::activate().unwrap();
        holds(host, 50_000);
        assert_eq!(
            offer(submit("redeem", "units", "500.00")).units_minor,
            Some(50_000)
        );
        for units in ["500.01", "0", "x"] {
            let refused = submit("redeem", "units", units);
            assert!(
                matches!(refused, Err(PageError::InvalidField(_))),
                "{units}"
            );
        }
    });
}

#[test]
fn only_who_holds_the_fund_sees_the_form_to_redeem() {
    with_host(|host| {
        BondFund::activate().unwrap();
        let blocks = |page: Result<Page, PageError>| page.unwrap().blocks.len();
        let without = blocks(BondFund::open(visit("invest")));
        holds(host, 1);
        assert_eq!(blocks(BondFund::open(visit("invest"))), without + 3);
        assert!(BondFund::open(visit("about")).is_ok());
        let missing = BondFund::open(visit("sell"));
        assert_eq!(missing, Err(PageError::NotFound("sell".to_owned())));
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
            (&redeem, Some(price(10_423)), 20_846, 10_423),
        ] {
            let request = quote_request(offer.clone(), price);
            let quote = host.quoting(|| BondFund::quote(request.clone())).unwrap();
            assert_eq!(quote.principal, Money::cny(principal));
            assert_eq!(quote.unit_price_e4, Some(unit_price));
            assert!(quote.proposals.is_empty());
        }
    });
}

#[test]
fn what_the_fund_does_not_sell_is_not_quoted() {
    let quote = |offer| BondFund::quote(quote_request(offer, None));
    for offer in [
        Offer::purchase("gold", "Buy", Money::cny(1_000)),
        Offer::pay(fund::CODE, "Pay", Money::cny(1_000)),
        Offer::purchase(fund::CODE, "Buy", Money::new(1_000, "USD")),
    ] {
        assert!(matches!(quote(offer), Err(QuoteError::NotAvailable(_))));
    }
    for offer in [
        Offer::purchase(fund::CODE, "Buy", Money::cny(999)),
        Offer::purchase(fund::CODE, "Buy", Money::cny(1_000_000_001)),
        Offer::redeem(fund::CODE, "Redeem", Units(0)),
        Offer::redeem(fund::CODE, "Redeem", Units(10_000_000_001)),
        Offer::redeem(fund::CODE, "Redeem", Units(i64::MAX)),
    ] {
        assert!(matches!(quote(offer), Err(QuoteError::AmountOutOfRange(_))));
    }
}

#[test]
fn the_same_order_has_the_same_receipt_however_often_it_comes() {
    let amount = Money::cny(100_000);
    let mut order = order(Offer::purchase(fund::CODE, "Buy", amount.clone()), amount);
    order.id = "ord_01JCxyz".to_owned();
    order.units_minor = Some(98_717);
    let Ok(Fulfilment::Done(receipt)) = BondFund::fulfil(order.clone()) else {
        panic!("no receipt");
    };
    assert_eq!(receipt.number, "SBF-01JCXYZ");
    assert_eq!(receipt.entries[0].value, "987.17");
    order.units_minor = None;
    assert!(matches!(
        BondFund::fulfil(order),
        Err(FulfilError::Rejected(_))
    ));
}

#[test]
fn the_net_asset_value_of_a_day_is_published_once_however_often_the_job_runs() {
    let run = |name: &str, day: Date| {
        BondFund::run_job(JobRun {
            name: name.to_owned(),
            day,
            due_at: 0,
        })
    };
    with_host(|host| {
        BondFund::activate().unwrap();
        run("daily-nav", today()).unwrap();
        run("daily-nav", today()).unwrap();
        assert_eq!(host.prices(fund::CODE).len(), 1);
        let unknown = run("nightly", today());
        assert_eq!(unknown, Err(JobError::UnknownJob("nightly".to_owned())));
    });
}

#[test]
fn the_net_asset_value_follows_its_trend() {
    let mut day = Date::parse("2026-01-01").unwrap();
    for age in 0..800_u64 {
        let nav = daily_nav::price_of(day).nav_e4;
        assert!((9_995 + age..=10_005 + age).contains(&nav), "{day}: {nav}");
        day = day.plus_days(1).unwrap();
    }
}
