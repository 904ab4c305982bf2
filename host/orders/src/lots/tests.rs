use proptest::prelude::*;

use super::*;

fn day(number: i64) -> Day {
    Day::new(2026, 1, 1).unwrap().plus_days(number)
}

fn lot(order: u128, acquired: i64, left_minor: i64) -> Lot {
    Lot {
        order: OrderId::from_u128(order),
        acquired: day(acquired),
        left_minor,
        changes: 0,
    }
}

fn taken(lots: &[Lot], available: i64, units: i64) -> Vec<(u128, i64)> {
    take(lots, available, units)
        .iter()
        .map(|taken| (taken.lot.map_or(0, |lot| lot.order.as_u128()), taken.minor))
        .collect()
}

#[test]
fn the_first_units_in_are_the_first_out() {
    let lots = [lot(1, 0, 100), lot(2, 10, 50)];
    assert_eq!(taken(&lots, 150, 30), [(1, 30)]);
    assert_eq!(taken(&lots, 150, 100), [(1, 100)]);
    assert_eq!(taken(&lots, 150, 101), [(1, 100), (2, 1)]);
    assert_eq!(taken(&lots, 150, 150), [(1, 100), (2, 50)]);
}

#[test]
fn units_that_no_lot_holds_are_the_oldest() {
    let lots = [lot(1, 0, 100)];
    assert_eq!(taken(&lots, 120, 20), [(0, 20)]);
    assert_eq!(taken(&lots, 120, 21), [(0, 20), (1, 1)]);
    let of_ages = lots_of(&take(&lots, 120, 21), day(5));
    assert_eq!(of_ages[0].acquired, day(5 - i64::from(AGE_DAYS_MAX)));
    assert_eq!(of_ages[1].acquired, day(0));
}

#[test]
fn units_that_are_not_there_are_taken_of_no_lot() {
    assert_eq!(taken(&[lot(1, 0, 100)], 100, 130), [(1, 100), (0, 30)]);
    assert_eq!(taken(&[], 0, 5), [(0, 5)]);
}

#[test]
fn the_digest_tells_other_days_and_other_amounts_apart_and_not_lots_of_one_day() {
    let of = |lots: &[Lot], units| digest(&take(lots, 100, units));
    let lots = [lot(1, 0, 100)];
    assert_eq!(of(&lots, 50), of(&lots, 50));
    assert_ne!(of(&lots, 50), of(&lots, 51));
    assert_ne!(of(&lots, 50), of(&[lot(1, 1, 100)], 50));
    assert_ne!(of(&lots, 50), of(&[lot(1, 0, 60)], 50), "some have no lot");
    assert_eq!(of(&lots, 50), of(&[lot(2, 0, 20), lot(3, 0, 80)], 50));
}

#[test]
fn every_effect_survives_its_name() {
    for effect in LotEffect::ALL {
        assert_eq!(LotEffect::of_name(effect.name()), Some(effect));
    }
    assert_eq!(LotEffect::of_name("kept"), None);
}

proptest! {
    #[test]
    fn a_redemption_takes_its_units_and_no_lot_gives_more_than_it_has(
        lefts in prop::collection::vec(1..1_000_i64, 0..8),
        unkept in 0..500_i64,
        units in 1..5_000_i64,
    ) {
        let lots: Vec<Lot> = (1..).zip(&lefts).map(|(order, left)| lot(order, 0, *left)).collect();
        let available = lefts.iter().sum::<i64>() + unkept;
        let taken = take(&lots, available, units);
        prop_assert_eq!(taken.iter().map(|taken| taken.minor).sum::<i64>(), units);
        for taken in taken {
            prop_assert!(taken.minor > 0);
            prop_assert!(taken.lot.is_none_or(|lot| taken.minor <= lot.left_minor));
        }
    }
}
