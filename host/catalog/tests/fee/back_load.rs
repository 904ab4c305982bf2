//! Redemptions by holding days.

use proptest::prelude::*;
use qiao_catalog::OrderKind;
use qiao_catalog::fee::{self, AGE_DAYS_MAX, Aged, Basis, FeeError, Lot, TIERS_MAX};
use qiao_model::{Day, Money, Rounding};

use crate::line::back_load;

/// The sheet of fund 002338.
const SHEET: [(u32, Option<u32>, i64); 4] = [
    (0, Some(7), 15_000),
    (7, Some(30), 7_500),
    (30, Some(180), 5_000),
    (180, None, 0),
];

fn aged(ages: &[(u32, i64)]) -> Vec<Aged> {
    let aged = |(days, units_minor): &(u32, i64)| Aged {
        days: *days,
        units_minor: *units_minor,
    };
    ages.iter().map(aged).collect()
}

fn redeem(ages: &[(u32, i64)], fen: i64) -> Result<i64, FeeError> {
    let ages = aged(ages);
    let basis = Basis {
        ages: &ages,
        ..Basis::new(OrderKind::Redeem, Money::cny(fen))
    };
    fee::charge(&[back_load(&SHEET)], &basis).map(|fees| fees.total().minor)
}

#[test]
fn lots_are_rounded_together_and_not_one_by_one() {
    // A third of 1.00 each at 1.5 %: 0.5 fen three times is 1.5, rounded once to 2.
    assert_eq!(redeem(&[(0, 100), (3, 100), (6, 100)], 100), Ok(2));
    assert_eq!(redeem(&[(0, 300)], 100), Ok(2));
    let mut down = back_load(&SHEET);
    down.rounding = Rounding::Down;
    let ages = aged(&[(0, 300)]);
    let basis = Basis {
        ages: &ages,
        ..Basis::new(OrderKind::Redeem, Money::cny(100))
    };
    assert_eq!(fee::charge(&[down], &basis).unwrap().total().minor, 1);
}

#[test]
fn a_day_before_a_bound_is_younger_and_the_bound_itself_is_not() {
    for (days, fee) in [
        (6, 1_500),
        (7, 750),
        (29, 750),
        (30, 500),
        (179, 500),
        (180, 0),
    ] {
        assert_eq!(redeem(&[(days, 50)], 100_000), Ok(fee), "{days} days");
    }
}

#[test]
fn ages_are_counted_from_the_day_of_acquisition_and_summed_by_tier() {
    let today = Day::new(2028, 3, 5).unwrap();
    let lot = |days: i64, units_minor| Lot {
        acquired: today.plus_days(-days),
        units_minor,
    };
    // Over the 29th of February: the 27th is seven days before.
    assert_eq!(lot(7, 1).acquired, Day::new(2028, 2, 27).unwrap());
    let lots = [
        lot(400, 1),
        lot(180, 2),
        lot(179, 4),
        lot(7, 8),
        lot(6, 16),
        lot(0, 32),
    ];
    let ages = fee::ages(&[back_load(&SHEET)], &lots, today);
    assert_eq!(ages, aged(&[(0, 48), (7, 8), (30, 4), (180, 3)]));
    let tomorrow = [lot(-1, 5)];
    let ages = fee::ages(&[back_load(&SHEET)], &tomorrow, today);
    assert_eq!(ages, aged(&[(0, 5)]), "a later day is no day held");
}

#[test]
fn ages_serve_two_back_loads_with_other_bounds() {
    let today = Day::new(2026, 11, 27).unwrap();
    let mut second = back_load(&[(0, Some(10), 1_000), (10, None, 0)]);
    second.code = "second".to_owned();
    let lines = [back_load(&SHEET), second];
    let lot = |days: i64| Lot {
        acquired: today.plus_days(-days),
        units_minor: 100,
    };
    let ages = fee::ages(&lines, &[lot(12), lot(9), lot(7)], today);
    assert_eq!(ages, aged(&[(7, 200), (10, 100)]));
    let basis = Basis {
        ages: &ages,
        ..Basis::new(OrderKind::Redeem, Money::cny(300_000))
    };
    let fees = fee::charge(&lines, &basis).unwrap();
    let minor: Vec<i64> = fees.lines.iter().map(|line| line.amount.minor).collect();
    assert_eq!(minor, [2_250, 200]);
}

#[test]
fn a_back_load_without_lots_is_refused() {
    assert_eq!(redeem(&[], 100), Err(FeeError::NoLots("fee".to_owned())));
}

#[test]
fn age_tiers_begin_at_no_day_follow_each_other_and_end_open() {
    let check = |tiers: &[(u32, Option<u32>, i64)]| fee::check(&[back_load(tiers)]);
    let refused = |tiers: &[(u32, Option<u32>, i64)], cause: &str| {
        let problem = check(tiers).unwrap_err();
        assert!(
            problem.at.starts_with("fees.lines[0].form.tiers"),
            "{problem}"
        );
        assert!(problem.cause.contains(cause), "{problem}");
    };
    assert_eq!(check(&SHEET), Ok(()));
    refused(&[], "1 to 32 tiers");
    refused(&[(1, None, 9)], "a gap");
    refused(
        &[(0, Some(7), 9), (8, None, 9)],
        "a gap: no tier charges ages from 7",
    );
    refused(&[(0, Some(7), 9), (6, None, 9)], "an overlap");
    refused(&[(0, Some(0), 9), (0, None, 9)], "holds no age");
    refused(&[(0, None, 9), (7, None, 9)], "only the last tier is open");
    refused(&[(0, Some(7), 9)], "a gap: the last tier is open");
    refused(&[(0, None, 1_000_001)], "100 %");
    let bound = AGE_DAYS_MAX;
    assert_eq!(check(&[(0, Some(bound), 9), (bound, None, 9)]), Ok(()));
    refused(
        &[(0, Some(bound + 1), 9), (bound + 1, None, 9)],
        "at most 3650 days",
    );
    let many = |count: u32| -> Vec<_> {
        let tier = |index| (index, (index + 1 < count).then_some(index + 1), 9);
        (0..count).map(tier).collect()
    };
    let most = u32::try_from(TIERS_MAX).unwrap();
    assert_eq!(check(&many(most)), Ok(()));
    refused(&many(most + 1), "1 to 32 tiers");
}

#[test]
fn a_back_load_is_of_redemptions_alone() {
    for kind in [OrderKind::Purchase, OrderKind::Pay] {
        let mut line = back_load(&SHEET);
        line.applies_to = kind;
        let problem = fee::check(&[line]).unwrap_err();
        assert!(problem.cause.contains("of redemptions"), "{problem}");
    }
}

proptest! {
    #[test]
    fn a_back_load_is_at_most_its_amount_and_between_its_rates(
        ages in prop::collection::vec((0..400_u32, 1..1_000_000_000_000_i64), 1..8),
        fen in 1..1_000_000_000_000_i64,
    ) {
        let fee = redeem(&ages, fen).unwrap();
        prop_assert!((0..=fen).contains(&fee));
        let at_most = fee::charge(
            &[back_load(&[(0, None, 15_000)])],
            &Basis { ages: &aged(&ages), ..Basis::new(OrderKind::Redeem, Money::cny(fen)) },
        );
        prop_assert!(fee <= at_most.unwrap().total().minor);
    }

    #[test]
    fn a_longer_holding_never_costs_more(
        younger in 0..400_u32,
        by in 0..400_u32,
        fen in 1..1_000_000_000_i64,
    ) {
        let fee = |days| redeem(&[(days, 100)], fen).unwrap();
        prop_assert!(fee(younger + by) <= fee(younger));
    }
}
