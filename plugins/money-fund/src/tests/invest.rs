use super::*;

fn hold(host: &FakeHost, available_minor: i64) {
    let holding = UserHolding {
        available_minor,
        held_minor: 0,
        income_minor: 1_234,
    };
    host.set_holding("sub_ann", fund::CODE, holding);
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
        hold(host, 200_000_000);
        offer_of(submit("redeem", "units", "1000000.00"));
        for text in ["", "0", "1000000.01", "0.001", "-1", "all"] {
            let refusal = submit("redeem", "units", text);
            assert!(
                matches!(&refusal, Err(PageError::InvalidField(problem)) if problem.name == "units"),
                "{text}: {refusal:?}"
            );
        }
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
