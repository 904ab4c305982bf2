//! Fees that are declared never to fall.

use proptest::prelude::*;
use qiao_catalog::OrderKind;
use qiao_catalog::fee::{self, Basis, Charge, FeeForm, FeeLine, Payer, Tier};
use qiao_model::{Money, Rounding};

use crate::line::{back_load, line, percent, rate};

fn slab(tiers: &[(i64, Option<i64>, Charge)]) -> FeeLine {
    let tier = |(from, below, charge): &(i64, Option<i64>, Charge)| Tier {
        from: *from,
        below: *below,
        charge: *charge,
    };
    FeeLine {
        monotone: true,
        ..line(FeeForm::Slab(tiers.iter().map(tier).collect()))
    }
}

#[test]
fn a_slab_that_falls_at_a_bound_is_refused_where_it_is_declared_monotone() {
    // The purchase sheet of fund 002338 falls at a million: 13,000.00 to 8,000.00.
    let mut sheet = slab(&[
        (0, Some(100_000_000), rate(13_000)),
        (100_000_000, None, rate(8_000)),
    ]);
    let problem = fee::check(std::slice::from_ref(&sheet)).unwrap_err();
    assert_eq!(problem.at, "fees.lines[0].form.tiers[1]");
    assert!(problem.cause.contains("declared monotone"), "{problem}");
    sheet.monotone = false;
    assert_eq!(fee::check(&[sheet]), Ok(()), "undeclared, it may fall");
}

#[test]
fn a_slab_that_stays_or_rises_at_its_bounds_is_monotone() {
    let flat_then_rate = |ppm| {
        slab(&[
            (0, Some(10_000), Charge::Flat(100)),
            (10_000, None, rate(ppm)),
        ])
    };
    assert_eq!(
        fee::check(&[flat_then_rate(10_000)]),
        Ok(()),
        "1.00 and 1.00"
    );
    assert!(
        fee::check(&[flat_then_rate(9_900)]).is_err(),
        "1.00 and 0.99"
    );
    let mut bounded = flat_then_rate(9_900);
    bounded.minimum = Some(100);
    assert_eq!(fee::check(&[bounded]), Ok(()), "the minimum holds it up");
}

#[test]
fn other_forms_are_monotone_as_they_are() {
    for form in [percent(10_000), line(FeeForm::Flat(5))] {
        let declared = FeeLine {
            monotone: true,
            ..form
        };
        assert_eq!(fee::check(&[declared]), Ok(()));
    }
}

#[test]
fn a_back_load_whose_rate_rises_with_the_age_is_refused_where_it_is_declared_monotone() {
    let declared = |rates: [i64; 2]| FeeLine {
        monotone: true,
        ..back_load(&[(0, Some(7), rates[0]), (7, None, rates[1])])
    };
    assert_eq!(fee::check(&[declared([15_000, 15_000])]), Ok(()));
    let problem = fee::check(&[declared([7_500, 15_000])]).unwrap_err();
    assert_eq!(problem.at, "fees.lines[0].form.tiers[1]");
    let mut undeclared = declared([7_500, 15_000]);
    undeclared.monotone = false;
    assert_eq!(fee::check(&[undeclared]), Ok(()));
}

proptest! {
    #[test]
    fn a_declared_slab_that_passes_its_check_never_falls(
        bound in 2..10_000_i64,
        (first, second) in (0..=1_000_000_i64, 0..=1_000_000_i64),
        payer in prop::sample::select(vec![Payer::User, Payer::UserInside]),
        rounding in prop::sample::select(vec![
            Rounding::HalfUp, Rounding::HalfEven, Rounding::Down, Rounding::Up,
        ]),
        (one, other) in (1..20_000_i64, 1..20_000_i64),
    ) {
        let mut line = slab(&[(0, Some(bound), rate(first)), (bound, None, rate(second))]);
        line.payer = payer;
        line.rounding = rounding;
        let lines = [line];
        if fee::check(&lines).is_err() {
            return Ok(());
        }
        let fee = |fen| {
            let basis = Basis::new(OrderKind::Pay, Money::cny(fen));
            fee::charge(&lines, &basis).unwrap().total().minor
        };
        prop_assert!(fee(one.min(other)) <= fee(one.max(other)));
    }
}
