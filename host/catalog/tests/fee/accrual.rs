//! What a fund pays for every day.

use proptest::prelude::*;
use qiao_catalog::fee::{
    self, ACCRUAL_DAYS_OF_YEAR, ACCRUED_MAX, AccruedFee, NetAssetValue, Receiver, Share,
};
use qiao_model::{Currency, Rate};

fn value(units_minor: i64, nav_e4: i64) -> NetAssetValue {
    NetAssetValue {
        units_minor,
        nav_e4,
        currency: Currency::CNY,
    }
}

fn fee_of(code: &str, ppm: i64, receiver: Receiver) -> AccruedFee {
    AccruedFee {
        code: code.to_owned(),
        name: "管理费".to_owned(),
        rate: Rate::from_ppm(ppm),
        shares: vec![Share {
            receiver,
            rate: Rate::ONE,
        }],
    }
}

/// Accrues day by day; what they came to and what is carried at the end.
fn days(ppm: i64, value: NetAssetValue, days: i64) -> (i64, i64) {
    let mut sum = (0, 0);
    for _ in 0..days {
        let accrued = fee::accrue(Rate::from_ppm(ppm), value, 1, sum.1).unwrap();
        sum = (sum.0 + accrued.minor, accrued.carried);
    }
    sum
}

#[test]
fn a_year_of_days_sums_to_the_rate_and_carries_nothing_on() {
    // 1,000,000.00 CNY: 12,000.00 and 2,000.00 a year, though a day is 32.876712...
    let million = value(100_000_000, 10_000);
    assert_eq!(days(12_000, million, ACCRUAL_DAYS_OF_YEAR), (1_200_000, 0));
    assert_eq!(days(2_000, million, ACCRUAL_DAYS_OF_YEAR), (200_000, 0));
}

#[test]
fn a_fund_too_small_for_a_fen_a_day_still_pays_its_year() {
    // 1.00 CNY: 1.2 fen a year, a fen after 305 days.
    let one = value(100, 10_000);
    assert_eq!(days(12_000, one, 304).0, 0);
    assert_eq!(days(12_000, one, 305).0, 1);
}

#[test]
fn three_days_at_once_are_three_days() {
    let value = value(123_456_789, 10_423);
    let at_once = fee::accrue(Rate::from_ppm(12_000), value, 3, 0).unwrap();
    assert_eq!((at_once.minor, at_once.carried), days(12_000, value, 3));
}

#[test]
fn figures_that_are_negative_or_too_large_accrue_nothing() {
    let accrue = |ppm, units, nav, carried| {
        fee::accrue(Rate::from_ppm(ppm), value(units, nav), 1, carried).is_some()
    };
    assert!(accrue(1, 1, 1, 0));
    assert!(!accrue(-1, 1, 1, 0));
    assert!(!accrue(1, -1, 1, 0));
    assert!(!accrue(1, 1, -1, 0));
    assert!(!accrue(1, 1, 1, -1));
    assert!(!accrue(1_000_000, i64::MAX, i64::MAX, 0));
}

#[test]
fn an_accrued_fee_has_a_code_of_its_own_and_no_party_of_an_order() {
    let check = |fees: &[AccruedFee]| fee::check_accrued(fees, &["purchase-fee"]);
    let management = fee_of("management", 12_000, Receiver::Institution);
    let custody = fee_of("custody", 2_000, Receiver::Platform);
    assert_eq!(check(&[management.clone(), custody]), Ok(()));
    let at = |fees: &[AccruedFee]| check(fees).unwrap_err().at;
    assert_eq!(
        at(&[management.clone(), management]),
        "fees.accrued[1].code"
    );
    let taken = fee_of("purchase-fee", 1, Receiver::Platform);
    assert_eq!(at(&[taken]), "fees.accrued[0].code");
    for receiver in [Receiver::Channel, Receiver::Scene] {
        let of_order = fee_of("custody", 1, receiver);
        assert_eq!(at(&[of_order]), "fees.accrued[0].shares[0]");
    }
}

#[test]
fn a_schedule_accrues_its_most_fees_and_not_one_more_nor_more_than_all() {
    let fees = |count: usize, ppm: i64| -> Vec<AccruedFee> {
        let fee = |index| fee_of(&format!("fee-{index}"), ppm, Receiver::Platform);
        (0..count).map(fee).collect()
    };
    assert_eq!(fee::check_accrued(&fees(ACCRUED_MAX, 125_000), &[]), Ok(()));
    assert!(fee::check_accrued(&fees(ACCRUED_MAX + 1, 1), &[]).is_err());
    assert!(fee::check_accrued(&fees(ACCRUED_MAX, 125_001), &[]).is_err());
}

proptest! {
    #[test]
    fn however_the_days_are_grouped_the_sum_is_exact(
        ppm in 0..=1_000_000_i64,
        units in 0..1_000_000_000_000_i64,
        nav in 1..100_000_i64,
        groups in prop::collection::vec(1..10_u32, 1..30),
    ) {
        let value = value(units, nav);
        let rate = Rate::from_ppm(ppm);
        let (mut sum, mut carried) = (0, 0);
        for days in &groups {
            let accrued = fee::accrue(rate, value, *days, carried).unwrap();
            prop_assert!(accrued.minor >= 0);
            sum += accrued.minor;
            carried = accrued.carried;
        }
        let whole = fee::accrue(rate, value, groups.iter().sum(), 0).unwrap();
        prop_assert_eq!((sum, carried), (whole.minor, whole.carried));
    }
}
