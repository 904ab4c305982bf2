use super::*;

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
    for units in [i64::MIN, -1, 0, 100_000_001, i64::MAX] {
        let offer = Offer::redeem(fund::CODE, "Redeem", Units(units));
        assert!(
            matches!(quote(offer), Err(QuoteError::AmountOutOfRange(_))),
            "{units}"
        );
    }
    let absurd = quote_request(
        Offer::redeem(fund::CODE, "R", Units(100_000_000)),
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
