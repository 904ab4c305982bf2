#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers, and a test stops when they overflow"
)]

use proptest::prelude::*;

use super::*;

const FUND: InstitutionId = InstitutionId::from_u128(2);
const PRODUCT: ProductId = ProductId::from_u128(3);
const DAY_SECS: i64 = 86_400;

/// 2026-11-27 12:00 in Asia/Shanghai.
fn noon() -> Timestamp {
    Day::new(2026, 11, 27)
        .unwrap()
        .start()
        .plus_secs(DAY_SECS / 2)
}

fn limits() -> SpendLimits {
    SpendLimits {
        currency: Currency::CNY,
        per_payment: 1_000,
        per_day: Some(1_500),
        per_month: Some(2_000),
        count: Some(5),
        payees: vec![FUND],
        products: vec![PRODUCT],
        expires_at: noon().plus_secs(60 * DAY_SECS),
    }
}

fn grant() -> SpendGrant {
    SpendGrant {
        limits: limits(),
        usage: SpendUsage::none(noon().day()),
    }
}

fn spend(fen: i64) -> Spend {
    Spend {
        amount: Money::cny(fen),
        payee: FUND,
        product: Some(PRODUCT),
    }
}

/// Spends on top of one another; the last answer.
fn after(mut grant: SpendGrant, spends: &[(i64, Timestamp)]) -> Result<SpendUsage, GrantRefusal> {
    for (fen, at) in spends {
        grant.usage = grant.consume(&spend(*fen), *at)?;
    }
    Ok(grant.usage)
}

#[test]
fn a_payment_at_its_limit_is_allowed_and_one_fen_more_is_not() {
    assert!(grant().consume(&spend(1_000), noon()).is_ok());
    assert_eq!(
        grant().consume(&spend(1_001), noon()),
        Err(GrantRefusal::PerPayment(Money::cny(1_000)))
    );
}

#[test]
fn a_day_takes_its_limit_and_the_next_day_begins_anew() {
    let spent = after(grant(), &[(1_000, noon()), (500, noon())]).unwrap();
    assert_eq!(
        (spent.day_minor, spent.month_minor, spent.count),
        (1_500, 1_500, 2)
    );
    let refused = after(grant(), &[(1_000, noon()), (501, noon())]);
    assert_eq!(refused, Err(GrantRefusal::PerDay(Money::cny(500))));
    let midnight = noon().day().plus_days(1).start();
    assert!(after(grant(), &[(1_000, noon()), (501, midnight)]).is_ok());
    let before = midnight.plus_millis(-1);
    assert!(after(grant(), &[(1_000, noon()), (501, before)]).is_err());
}

#[test]
fn a_month_takes_its_limit_and_the_next_month_begins_anew() {
    let next_day = noon().plus_secs(DAY_SECS);
    assert!(after(grant(), &[(1_000, noon()), (1_000, next_day)]).is_ok());
    let over = [(1_000, noon()), (1_000, next_day), (1, next_day)];
    assert_eq!(
        after(grant(), &over),
        Err(GrantRefusal::PerMonth(Money::cny(0)))
    );
    let december = Day::new(2026, 12, 1).unwrap().start();
    let anew = [(1_000, noon()), (1_000, next_day), (1, december)];
    assert_eq!(after(grant(), &anew).unwrap().month_minor, 1);
    let november = december.plus_millis(-1);
    let still = [(1_000, noon()), (1_000, next_day), (1, november)];
    assert!(after(grant(), &still).is_err());
}

#[test]
fn the_last_payment_of_the_count_is_allowed_and_one_more_is_not() {
    let five = [(1, noon()); 5];
    assert_eq!(after(grant(), &five).unwrap().count, 5);
    assert_eq!(
        after(grant(), &[(1, noon()); 6]),
        Err(GrantRefusal::UsedUp(5))
    );
}

#[test]
fn a_grant_ends_at_its_time() {
    let end = limits().expires_at;
    assert!(grant().consume(&spend(1), end.plus_millis(-1)).is_ok());
    assert_eq!(grant().consume(&spend(1), end), Err(GrantRefusal::Expired));
}

#[test]
fn a_grant_is_for_its_payees_products_and_currency_alone() {
    let to_another = Spend {
        payee: InstitutionId::from_u128(9),
        ..spend(1)
    };
    assert_eq!(
        grant().consume(&to_another, noon()),
        Err(GrantRefusal::Payee)
    );
    for product in [None, Some(ProductId::from_u128(9))] {
        let other = Spend {
            product,
            ..spend(1)
        };
        assert_eq!(grant().consume(&other, noon()), Err(GrantRefusal::Product));
    }
    let mut of_any_product = grant();
    of_any_product.limits.products.clear();
    let without = Spend {
        product: None,
        ..spend(1)
    };
    assert!(of_any_product.consume(&without, noon()).is_ok());
    let mut in_dollars = grant();
    in_dollars.limits.currency = "USD".parse().unwrap();
    assert!(matches!(
        in_dollars.consume(&spend(1), noon()),
        Err(GrantRefusal::Currency(_))
    ));
}

#[test]
fn a_clock_that_lags_behind_midnight_counts_into_the_later_day() {
    let midnight = noon().day().plus_days(1).start();
    let late = [(1_000, midnight), (501, midnight.plus_millis(-1))];
    assert_eq!(
        after(grant(), &late),
        Err(GrantRefusal::PerDay(Money::cny(500)))
    );
}

#[test]
fn a_voided_payment_gives_all_back_and_a_refunded_one_still_counts() {
    let today = noon().day();
    let spent = after(grant(), &[(1_000, noon()), (300, noon())]).unwrap();
    let voided = spent.given_back(300, today, Returned::Voided);
    assert_eq!(voided, after(grant(), &[(1_000, noon())]).unwrap());
    let refunded = spent.given_back(300, today, Returned::Refunded);
    assert_eq!(refunded, SpendUsage { count: 2, ..voided });
}

#[test]
fn what_comes_back_later_does_not_open_the_window_of_another_day() {
    let tomorrow = noon().plus_secs(DAY_SECS);
    let spent = after(grant(), &[(1_000, noon()), (300, tomorrow)]).unwrap();
    let back = spent.given_back(1_000, noon().day(), Returned::Voided);
    assert_eq!((back.count, back.minor), (1, 300));
    assert_eq!((back.day_minor, back.month_minor), (300, 300));
    let december = Day::new(2026, 12, 2).unwrap();
    let later = spent
        .on(december)
        .given_back(1_000, noon().day(), Returned::Refunded);
    assert_eq!(
        (later.day_minor, later.month_minor, later.minor),
        (0, 0, 300)
    );
}

#[test]
fn limits_that_allow_nothing_or_never_end_are_refused() {
    let check = |change: fn(&mut SpendLimits)| {
        let mut changed = limits();
        change(&mut changed);
        changed.check(noon())
    };
    assert_eq!(check(|_| ()), Ok(()));
    assert_eq!(check(|l| l.per_payment = 1), Ok(()));
    assert_eq!(check(|l| l.per_payment = 0), Err(InvalidLimits::Amount));
    assert_eq!(check(|l| l.per_day = Some(0)), Err(InvalidLimits::Amount));
    assert_eq!(
        check(|l| l.per_month = Some(-1)),
        Err(InvalidLimits::Amount)
    );
    assert_eq!(check(|l| l.count = Some(0)), Err(InvalidLimits::Count));
    assert_eq!(check(|l| l.payees = vec![FUND; PAYEES_MAX]), Ok(()));
    assert_eq!(
        check(|l| l.payees = vec![FUND; PAYEES_MAX + 1]),
        Err(InvalidLimits::Payees(PAYEES_MAX + 1))
    );
    assert_eq!(check(|l| l.payees.clear()), Err(InvalidLimits::Payees(0)));
    assert_eq!(
        check(|l| l.products = vec![PRODUCT; GRANT_PRODUCTS_MAX]),
        Ok(())
    );
    assert_eq!(
        check(|l| l.products = vec![PRODUCT; GRANT_PRODUCTS_MAX + 1]),
        Err(InvalidLimits::Products(GRANT_PRODUCTS_MAX + 1))
    );
    let latest = |l: &mut SpendLimits| l.expires_at = noon().plus_secs(GRANT_DAYS_MAX * DAY_SECS);
    assert_eq!(check(latest), Ok(()));
    let later = |l: &mut SpendLimits| {
        l.expires_at = noon().plus_secs(GRANT_DAYS_MAX * DAY_SECS).plus_millis(1);
    };
    assert_eq!(check(later), Err(InvalidLimits::Expiry));
    assert_eq!(check(|l| l.expires_at = noon()), Err(InvalidLimits::Expiry));
}

proptest! {
    #[test]
    fn nothing_is_ever_spent_beyond_a_limit(
        steps in prop::collection::vec((1_i64..1_200, 0_i64..40, any::<bool>()), 1..60)
    ) {
        let mut grant = grant();
        let mut now = noon();
        let mut spent_today: (Day, i64) = (now.day(), 0);
        for (fen, hours, is_voided) in steps {
            now = now.plus_secs(hours * 3_600);
            if spent_today.0 != now.day() {
                spent_today = (now.day(), 0);
            }
            let before = grant.usage;
            let Ok(usage) = grant.consume(&spend(fen), now) else {
                continue;
            };
            prop_assert!(fen <= 1_000);
            grant.usage = usage;
            if is_voided {
                grant.usage = usage.given_back(fen, now.day(), Returned::Voided);
                prop_assert_eq!(grant.usage, before.on(now.day()));
            } else {
                spent_today.1 += fen;
            }
            prop_assert_eq!(grant.usage.day_minor, spent_today.1);
            prop_assert!(usage.day_minor <= 1_500);
            prop_assert!(usage.month_minor <= 2_000);
            prop_assert!(usage.count <= 5);
            prop_assert!(usage.day_minor <= usage.month_minor);
            prop_assert!(usage.month_minor <= usage.minor);
        }
    }
}
