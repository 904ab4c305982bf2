//! What orders are charged, form by form.

use qiao_catalog::OrderKind;
use qiao_catalog::fee::{
    self, Basis, Charge, FeeError, FeeForm, FeeLine, Fees, Payer, Receiver, Share, Tier,
};
use qiao_model::{Money, Rate, Rounding};

fn line(form: FeeForm) -> FeeLine {
    FeeLine {
        code: "fee".to_owned(),
        name: "Fee".to_owned(),
        applies_to: OrderKind::Pay,
        payer: Payer::User,
        form,
        minimum: None,
        maximum: None,
        band: None,
        monotone: false,
        rounding: Rounding::HalfUp,
        shares: vec![
            Share {
                receiver: Receiver::Institution,
                rate: Rate::from_ppm(700_000),
            },
            Share {
                receiver: Receiver::Platform,
                rate: Rate::from_ppm(300_000),
            },
        ],
    }
}

fn percent(ppm: i64) -> FeeLine {
    line(FeeForm::Percent(Rate::from_ppm(ppm)))
}

fn pay(lines: &[FeeLine], fen: i64) -> Result<Fees, FeeError> {
    fee::check(lines).unwrap();
    fee::charge(lines, &Basis::new(OrderKind::Pay, Money::cny(fen)))
}

fn total(lines: &[FeeLine], fen: i64) -> i64 {
    pay(lines, fen).unwrap().total().minor
}

#[test]
fn a_product_without_fees_costs_nothing() {
    let fees = pay(&[], 100).unwrap();
    assert_eq!(fees.total(), Money::cny(0));
    assert!(fees.lines.is_empty());
}

#[test]
fn a_flat_fee_above_its_amount_is_refused_and_never_cut() {
    let lines = [line(FeeForm::Flat(500))];
    assert_eq!(total(&lines, 501), 500);
    assert_eq!(total(&lines, 500), 500);
    let principal = Money::cny(499);
    let refused = FeeError::AboveAmount {
        minor: 500,
        principal,
    };
    assert_eq!(pay(&lines, 499), Err(refused));
}

#[test]
fn lines_that_are_above_the_amount_only_together_are_refused() {
    let mut second = line(FeeForm::Flat(60));
    second.code = "second".to_owned();
    let lines = [line(FeeForm::Flat(60)), second];
    assert_eq!(total(&lines, 120), 120);
    assert!(matches!(
        pay(&lines, 119),
        Err(FeeError::AboveAmount { minor: 120, .. })
    ));
}

#[test]
fn fees_are_of_an_amount_above_zero() {
    for fen in [0, -1] {
        let refused = pay(&[percent(1)], fen);
        assert_eq!(refused, Err(FeeError::NotPositive(Money::cny(fen))));
    }
}

#[test]
fn the_largest_amount_is_charged_without_overflow() {
    assert_eq!(total(&[percent(1_000_000)], i64::MAX), i64::MAX);
    let mut inside = percent(1_000_000);
    inside.payer = Payer::UserInside;
    assert_eq!(total(&[inside], i64::MAX), i64::MAX / 2);
}

#[test]
fn a_minimum_and_a_maximum_bound_the_fee() {
    let mut line = percent(10_000);
    line.minimum = Some(5);
    line.maximum = Some(20);
    let lines = [line];
    assert_eq!(total(&lines, 499), 5);
    assert_eq!(total(&lines, 600), 6);
    assert_eq!(total(&lines, 2_000), 20);
    assert_eq!(total(&lines, 2_100), 20);
    assert!(pay(&lines, 4).is_err(), "the minimum is above the amount");
}

#[test]
fn graduated_tiers_charge_the_part_inside_them_and_round_once() {
    let tier = |from, below, ppm| Tier {
        from,
        below,
        charge: Charge::Rate(Rate::from_ppm(ppm)),
    };
    let tiers = vec![tier(0, Some(105), 10_000), tier(105, None, 20_000)];
    let lines = [line(FeeForm::Graduated(tiers))];
    // 1.05 fen of the first tier and 0.9 of the second: 1.95, not 1 + 1.
    assert_eq!(total(&lines, 150), 2);
    assert_eq!(total(&lines, 105), 1);
    assert_eq!(total(&lines, 49), 0);
    assert_eq!(total(&lines, 50), 1);
}

#[test]
fn rounding_is_as_named() {
    let of = |rounding| {
        let mut line = percent(10_000);
        line.rounding = rounding;
        [150, 250, 251].map(|fen| total(&[line.clone()], fen))
    };
    assert_eq!(of(Rounding::HalfUp), [2, 3, 3]);
    assert_eq!(of(Rounding::HalfEven), [2, 2, 3]);
    assert_eq!(of(Rounding::Down), [1, 2, 2]);
    assert_eq!(of(Rounding::Up), [2, 3, 3]);
}

#[test]
fn a_redemption_takes_its_rate_of_the_proceeds() {
    let mut line = percent(15_000);
    line.payer = Payer::UserInside;
    line.applies_to = OrderKind::Redeem;
    let fees = fee::charge(&[line], &Basis::new(OrderKind::Redeem, Money::cny(100_000))).unwrap();
    assert_eq!(fees.inside(), Money::cny(1_500));
}

#[test]
fn lines_of_another_kind_of_order_do_not_apply() {
    let mut redemption = percent(10_000);
    redemption.applies_to = OrderKind::Redeem;
    let fees = pay(&[redemption], 100_000).unwrap();
    assert!(fees.lines.is_empty());
}

#[test]
fn each_payer_pays_their_own_lines_and_each_receiver_gets_their_shares() {
    let with = |code: &str, payer, fen| FeeLine {
        code: code.to_owned(),
        payer,
        ..line(FeeForm::Flat(fen))
    };
    let lines = [
        with("on-top", Payer::User, 101),
        with("inside", Payer::UserInside, 55),
        with("from-institution", Payer::Institution, 10),
    ];
    let fees = pay(&lines, 1_000).unwrap();
    assert_eq!(fees.on_top(), Money::cny(101));
    assert_eq!(fees.inside(), Money::cny(55));
    assert_eq!(fees.from_institution(), Money::cny(10));
    let parts = |index: usize| {
        let shares = &fees.lines[index].shares;
        shares
            .iter()
            .map(|(_, share)| share.minor)
            .collect::<Vec<_>>()
    };
    assert_eq!(parts(0), [71, 30], "70.7 and 30.3");
    assert_eq!(
        parts(1),
        [39, 16],
        "38.5 and 16.5: the earlier of two equals"
    );
    assert_eq!(parts(2), [7, 3]);
    assert_eq!(fees.to(Receiver::Institution), Money::cny(117));
    assert_eq!(fees.to(Receiver::Platform), Money::cny(49));
}

#[test]
fn a_line_that_was_never_checked_is_refused() {
    let closed = Tier {
        from: 0,
        below: Some(100),
        charge: Charge::Flat(1),
    };
    let mut unchecked = line(FeeForm::Slab(vec![closed]));
    let charge = |line: &FeeLine| {
        fee::charge(
            std::slice::from_ref(line),
            &Basis::new(OrderKind::Pay, Money::cny(100)),
        )
    };
    assert!(matches!(
        charge(&unchecked),
        Err(FeeError::Unchecked { .. })
    ));
    unchecked.form = FeeForm::Flat(-1);
    unchecked.shares.clear();
    assert!(matches!(
        charge(&unchecked),
        Err(FeeError::Unchecked { .. })
    ));
}
