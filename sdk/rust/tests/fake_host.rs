//! The fake host keeps the rules that a plugin can break.

use qiao_sdk::catalog::{self, CatalogError};
use qiao_sdk::egress::{EgressError, Method, Request};
use qiao_sdk::messages::{self, MessagesError};
use qiao_sdk::payments::{self, MandateRefusal, Payment, PaymentsError};
use qiao_sdk::storage::{self, StorageError};
use qiao_sdk::testing::{today, with_host};
use qiao_sdk::users::{self, UsersError};
use qiao_sdk::{
    FeeForm, FeeLine, Money, Offer, OrderState, Price, Product, Rate, Receiver, Tier, Units, log,
    orders,
};

fn product(line: FeeLine) -> Product {
    Product::new("thing", "Thing").fee(line)
}

fn line(form: FeeForm) -> FeeLine {
    FeeLine::new("fee", "Fee", form).all_to(Receiver::Platform)
}

/// Where a refused registration is wrong.
fn refused_at(product: &Product) -> String {
    match catalog::register(product) {
        Err(CatalogError::InvalidProduct(problem) | CatalogError::InvalidFeeSchedule(problem)) => {
            problem.at
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn products_that_break_the_contract_are_refused() {
    with_host(|host| {
        for (product, at) in [
            (Product::new("", "Thing"), "code"),
            (Product::new(&"a".repeat(33), "Thing"), "code"),
            (Product::new("Thing", "Thing"), "code"),
            (Product::new("thing", ""), "name"),
            (Product::new("thing", "T".repeat(65)), "name"),
            (
                Product::new("thing", "Thing").summary("s".repeat(201)),
                "summary",
            ),
            (Product::new("thing", "Thing").currency("yuan"), "currency"),
        ] {
            assert_eq!(refused_at(&product), at);
        }
        assert_eq!(host.products(), []);
        let longest = Product::new(&"a".repeat(32), "T".repeat(64)).summary("s".repeat(200));
        assert_eq!(catalog::register(&longest), Ok(()));
    });
}

#[test]
fn fee_schedules_that_break_the_contract_are_refused() {
    let whole = Rate::WHOLE;
    let half = Rate::percent(50);
    with_host(|_| {
        for (line, at) in [
            (FeeLine::flat("fee", "Fee", 1), "fees.lines[0].shares"),
            (
                FeeLine::flat("fee", "Fee", 1).share(Receiver::Platform, half),
                "fees.lines[0].shares",
            ),
            (
                line(FeeForm::Flat(1)).share(Receiver::Institution, half),
                "fees.lines[0].shares",
            ),
            (
                line(FeeForm::Flat(1)).minimum(2).maximum(1),
                "fees.lines[0].minimum-minor",
            ),
            (line(FeeForm::Percent(1_000_001)), "fees.lines[0].form"),
            (line(FeeForm::Slab(vec![])), "fees.lines[0].form.tiers"),
            (
                line(FeeForm::Slab(vec![Tier::flat(0, Some(5), 1)])),
                "fees.lines[0].form.tiers",
            ),
            (
                line(FeeForm::Slab(vec![Tier::flat(1, None, 1)])),
                "fees.lines[0].form.tiers[0]",
            ),
            (
                line(FeeForm::Slab(vec![
                    Tier::flat(0, Some(5), 1),
                    Tier::flat(6, None, 1),
                ])),
                "fees.lines[0].form.tiers[1]",
            ),
            (
                line(FeeForm::Slab(vec![
                    Tier::flat(0, None, 1),
                    Tier::flat(6, None, 1),
                ])),
                "fees.lines[0].form.tiers[1]",
            ),
            (
                line(FeeForm::Slab(vec![Tier::flat(0, Some(0), 1)])),
                "fees.lines[0].form.tiers[0]",
            ),
            (
                line(FeeForm::Graduated(vec![Tier::flat(0, None, 1)])),
                "fees.lines[0].form",
            ),
        ] {
            assert_eq!(refused_at(&product(line)), at);
        }
        let twice = product(line(FeeForm::Flat(1))).fee(line(FeeForm::Flat(1)));
        assert_eq!(refused_at(&twice), "fees.lines[1].code");
        let tiers = vec![Tier::rate(0, Some(5), half), Tier::rate(5, None, whole)];
        assert_eq!(
            catalog::register(&product(line(FeeForm::Graduated(tiers)))),
            Ok(())
        );
    });
}

#[test]
fn seventeen_fee_lines_are_one_too_many() {
    let with_lines = |count: usize| {
        (0..count).fold(Product::new("thing", "Thing"), |product, index| {
            product.fee(FeeLine::flat(&format!("fee-{index}"), "Fee", 1).all_to(Receiver::Platform))
        })
    };
    with_host(|_| {
        assert_eq!(catalog::register(&with_lines(16)), Ok(()));
        assert_eq!(refused_at(&with_lines(17)), "fees.lines");
    });
}

#[test]
fn a_price_is_published_once_and_for_a_registered_product() {
    let price = |nav_e4| Price {
        day: today(),
        nav_e4,
        income_per_10k_e4: None,
        yield_7d_ppm: None,
    };
    with_host(|_| {
        let unknown = catalog::publish_price("thing", price(10_000));
        assert_eq!(
            unknown,
            Err(CatalogError::UnknownProduct("thing".to_owned()))
        );
        assert_eq!(catalog::register(&Product::new("thing", "Thing")), Ok(()));
        assert!(matches!(
            catalog::publish_price("thing", price(0)),
            Err(CatalogError::InvalidPrice(_))
        ));
        assert_eq!(catalog::latest_price("thing"), Ok(None));
        assert_eq!(catalog::publish_price("thing", price(10_000)), Ok(()));
        assert_eq!(catalog::publish_price("thing", price(10_000)), Ok(()));
        assert!(matches!(
            catalog::publish_price("thing", price(10_001)),
            Err(CatalogError::InvalidPrice(_))
        ));
        assert_eq!(catalog::latest_price("thing"), Ok(Some(price(10_000))));
    });
}

#[test]
fn a_refund_happens_once_per_key_and_never_beyond_what_was_paid() {
    with_host(|host| {
        let payment = Payment {
            id: "pay_1".to_owned(),
            paid: Money::cny(100),
            refunded: Money::cny(0),
        };
        host.set_payment("ord_1", payment);
        for _ in 0..2 {
            let refunded = payments::refund("ord_1", &Money::cny(60), "why", "key-1").unwrap();
            assert_eq!(refunded.refunded, Money::cny(60));
        }
        let beyond = payments::refund("ord_1", &Money::cny(41), "why", "key-2");
        assert_eq!(beyond, Err(PaymentsError::ExceedsRefundable(40)));
        assert_eq!(host.payment("ord_1").unwrap().refunded, Money::cny(60));
        assert!(matches!(
            payments::get("ord_2"),
            Err(PaymentsError::UnknownOrder(_))
        ));
    });
}

#[test]
fn messages_and_keys_keep_their_limits() {
    with_host(|host| {
        assert_eq!(messages::send("sub_ann", &"信".repeat(600)), Ok(()));
        for text in ["", &"信".repeat(601)] {
            assert_eq!(
                messages::send("sub_ann", text),
                Err(MessagesError::InvalidText)
            );
        }
        host.unfollow("sub_ann");
        assert_eq!(
            messages::send("sub_ann", "Hello"),
            Err(MessagesError::NotFollower)
        );
        assert_eq!(storage::set(&"k".repeat(128), "v"), Ok(()));
        for key in ["", &"k".repeat(129)] {
            assert_eq!(storage::set(key, "v"), Err(StorageError::InvalidKey));
        }
    });
}

#[test]
fn keys_come_in_byte_order_a_hundred_at_a_time() {
    with_host(|_| {
        for number in 0..150 {
            storage::set(&format!("a-{number:03}"), "v").unwrap();
        }
        storage::set("b", "v").unwrap();
        let first = storage::keys("a-", None).unwrap();
        assert_eq!((first.len(), first[0].as_str()), (100, "a-000"));
        let rest = storage::keys("a-", first.last().map(String::as_str)).unwrap();
        assert_eq!((rest.len(), rest[0].as_str()), (50, "a-100"));
        storage::delete("a-000").unwrap();
        storage::delete("a-000").unwrap();
        assert_eq!(storage::get("a-000"), Ok(None));
    });
}

#[test]
fn every_interface_but_the_log_can_be_denied_and_is_denied_to_a_quote() {
    let denials = || {
        [
            matches!(catalog::latest_price("thing"), Err(CatalogError::Denied(_))),
            matches!(payments::get("ord_1"), Err(PaymentsError::Denied(_))),
            matches!(orders::get("ord_1"), Err(orders::OrdersError::Denied(_))),
            matches!(
                orders::by_reference("r"),
                Err(orders::OrdersError::Denied(_))
            ),
            matches!(users::profile("sub_ann"), Err(UsersError::Denied(_))),
            matches!(
                users::holding("sub_ann", "thing"),
                Err(UsersError::Denied(_))
            ),
            matches!(
                messages::send("sub_ann", "Hello"),
                Err(MessagesError::Denied(_))
            ),
            matches!(storage::get("key"), Err(StorageError::Denied(_))),
            matches!(
                Request::get("rule", "/").send(),
                Err(EgressError::Denied(_))
            ),
        ]
    };
    with_host(|host| {
        assert_eq!(host.quoting(denials), [true; 9]);
        host.quoting(|| log::info("a quote may log"));
        assert_eq!(host.log().len(), 1);
        for interface in [
            "catalog", "payments", "orders", "users", "messages", "storage", "egress",
        ] {
            host.deny(interface);
        }
        assert_eq!(denials(), [true; 9]);
    });
}

#[test]
fn prepared_replies_are_used_once_and_in_order() {
    with_host(|host| {
        host.reply(Method::Get, "biller", "/a?b=c", 200, "first");
        host.fail(Method::Get, "biller", "/a?b=c", EgressError::TimedOut);
        let request = Request::get("biller", "/a").query("b", "c");
        assert_eq!(request.send().unwrap().body, b"first");
        assert_eq!(request.send(), Err(EgressError::TimedOut));
        assert_eq!(host.requests().len(), 2);
        for path in ["a", "/../a"] {
            let malformed = Request::get("biller", path).send();
            assert!(matches!(malformed, Err(EgressError::InvalidRequest(_))));
        }
    });
}

#[test]
#[should_panic(expected = "no reply is prepared for Method::Post biller /payments")]
fn a_request_without_a_prepared_reply_names_itself() {
    with_host(|_| Request::post("biller", "/payments").send()).unwrap();
}

#[test]
#[should_panic(expected = "wrap the test in qiao_sdk::testing::with_host")]
fn a_call_without_a_host_says_what_to_do() {
    log::info("nobody listens");
}

#[test]
fn a_host_does_not_outlive_its_test() {
    with_host(|_| storage::set("key", "value").unwrap());
    with_host(|host| assert_eq!(host.stored("key"), None));
}

#[test]
fn a_charge_happens_once_per_key_and_only_by_a_mandate() {
    with_host(|host| {
        let offer = || Offer::pay("fine", "Fine", Money::cny(20_000)).reference("F-1");
        let charge = |key: &str| payments::charge("mdt_1", offer(), key);
        assert!(matches!(charge("a"), Err(PaymentsError::UnknownMandate(_))));
        host.add_mandate("mdt_1");
        let charged = charge("a").unwrap();
        assert_eq!(
            (charged.state, &charged.amount),
            (OrderState::Held, &Money::cny(20_000))
        );
        assert_eq!(charge("a").as_ref(), Ok(&charged));
        let other = payments::charge("mdt_1", offer().fact("Plate", "京A12345"), "a");
        assert!(matches!(other, Err(PaymentsError::NotOrderable(_))));
        assert_eq!(host.charges().len(), 1);

        host.refuse_mandate("mdt_1", MandateRefusal::UsedUp);
        let refused = Err(PaymentsError::MandateRefused(MandateRefusal::UsedUp));
        assert_eq!(charge("b"), refused);
        host.add_mandate("mdt_1");
        host.empty_balance_of("mdt_1");
        assert_eq!(charge("b"), Err(PaymentsError::InsufficientFunds));
        for key in [String::new(), "k".repeat(129)] {
            assert!(matches!(charge(&key), Err(PaymentsError::NotOrderable(_))));
        }
        host.deny("payments");
        assert!(matches!(charge("b"), Err(PaymentsError::Denied(_))));
    });
}

#[test]
fn a_mandate_pays_and_redeems_nothing() {
    with_host(|host| {
        host.add_mandate("mdt_1");
        let redeem = Offer::redeem("fund", "Redeem", Units(100));
        let refused = payments::charge("mdt_1", redeem, "k");
        assert!(matches!(refused, Err(PaymentsError::NotOrderable(_))));
        assert!(host.charges().is_empty());
    });
}
