use proptest::prelude::*;
use qiao_model::split_by_largest_remainder;

use super::*;

fn terms(kind: OrderKind, principal: i64, lines: &[ChargedLine]) -> Terms<'_> {
    Terms {
        kind,
        user: UserId::from_u128(1),
        institution: InstitutionId::from_u128(2),
        product: ProductId::from_u128(3),
        principal: Money::cny(principal),
        lines,
        parties: Parties::default(),
        unit_price_e4: None,
        units_minor: None,
    }
}

/// A fee of which the platform gets `platform` and the institution the rest.
fn line(payer: Payer, amount: i64, platform: i64) -> ChargedLine {
    ChargedLine {
        code: "fee".to_owned(),
        name: "Fee".to_owned(),
        payer,
        amount: Money::cny(amount),
        shares: vec![
            (Receiver::Institution, Money::cny(amount - platform)),
            (Receiver::Platform, Money::cny(platform)),
        ],
    }
}

fn figures(plan: &Plan) -> (i64, i64, Vec<(&str, i64)>, Option<i64>) {
    let splits = plan.splits.iter().map(|s| (&*s.purpose, s.amount.minor));
    (
        plan.amount.minor,
        plan.paid.minor,
        splits.collect(),
        plan.units_minor,
    )
}

#[test]
fn a_purchase_pays_fees_on_top_and_buys_units_with_the_net_amount() {
    let lines = [
        line(Payer::User, 100, 40),
        line(Payer::UserInside, 1_283, 283),
        line(Payer::Institution, 50, 50),
    ];
    let plan = Plan::new(&Terms {
        unit_price_e4: Some(10_423),
        ..terms(OrderKind::Purchase, 100_000, &lines)
    });
    // Net 987.17 CNY at 1.0423 is 947.10 units and a rest.
    assert_eq!(
        figures(&plan.unwrap()),
        (
            100_100,
            100_100,
            vec![
                ("principal", 98_667),
                ("fee", 60),
                ("fee", 40),
                ("fee", 1_000),
                ("fee", 283),
                ("fee", 50),
            ],
            Some(94_710)
        )
    );
}

#[test]
fn a_redemption_pays_the_users_fees_out_of_the_proceeds() {
    let lines = [line(Payer::User, 150, 50), line(Payer::Institution, 20, 20)];
    let plan = Plan::new(&Terms {
        unit_price_e4: Some(10_000),
        units_minor: Some(20_000),
        ..terms(OrderKind::Redeem, 20_000, &lines)
    });
    let plan = plan.unwrap();
    assert_eq!(plan.payer, Party::Institution(InstitutionId::from_u128(2)));
    assert_eq!(
        figures(&plan),
        (
            19_850,
            20_020,
            vec![("proceeds", 19_850), ("fee", 100), ("fee", 50), ("fee", 20)],
            Some(20_000)
        )
    );
}

#[test]
fn a_bill_without_fees_goes_to_the_institution_whole() {
    let plan = Plan::new(&terms(OrderKind::Pay, 20_000, &[])).unwrap();
    assert_eq!(
        figures(&plan),
        (20_000, 20_000, vec![("principal", 20_000)], None)
    );
}

#[test]
fn figures_that_do_not_fit_are_refused() {
    let refused = |terms: &Terms<'_>| Plan::new(terms).unwrap_err();
    assert_eq!(
        refused(&terms(OrderKind::Pay, 0, &[])),
        PlanError::Principal(Money::cny(0))
    );
    let negative = [line(Payer::User, -1, 0)];
    assert_eq!(
        refused(&terms(OrderKind::Pay, 100, &negative)),
        PlanError::Fee("fee".to_owned())
    );
    let mut unshared = [line(Payer::User, 10, 0)];
    unshared[0].shares.pop();
    unshared[0].shares[0].1 = Money::cny(9);
    assert_eq!(
        refused(&terms(OrderKind::Pay, 100, &unshared)),
        PlanError::Shares("fee".to_owned())
    );
    let all = [line(Payer::UserInside, 100, 0)];
    assert_eq!(
        refused(&terms(OrderKind::Pay, 100, &all)),
        PlanError::FeesExceedPrincipal(Money::cny(100))
    );
    let more = [line(Payer::Institution, 101, 0)];
    assert_eq!(
        refused(&terms(OrderKind::Pay, 100, &more)),
        PlanError::FeesExceedPrincipal(Money::cny(100))
    );
    let priced = Terms {
        unit_price_e4: Some(10_000),
        ..terms(OrderKind::Pay, 100, &[])
    };
    assert_eq!(refused(&priced), PlanError::UnitPrice);
    let dear = Terms {
        unit_price_e4: Some(10_001),
        ..terms(OrderKind::Purchase, 1, &[])
    };
    assert_eq!(refused(&dear), PlanError::NoUnits);
    let free = Terms {
        unit_price_e4: Some(0),
        ..terms(OrderKind::Purchase, 1, &[])
    };
    assert_eq!(refused(&free), PlanError::UnitPrice);
    let overflow = [line(Payer::User, i64::MAX, 0)];
    assert_eq!(
        refused(&terms(OrderKind::Pay, 100, &overflow)),
        PlanError::Amount(AmountError::Overflow)
    );
}

#[test]
fn a_redemption_is_worth_its_units_within_a_fen() {
    // 1.00 unit at 1.0050 is worth 1.005 CNY: 100 or 101 fen, by the plugin's rounding.
    let worth = |principal| {
        Plan::new(&Terms {
            unit_price_e4: Some(10_050),
            units_minor: Some(100),
            ..terms(OrderKind::Redeem, principal, &[])
        })
    };
    assert!(worth(100).is_ok() && worth(101).is_ok());
    for off in [99, 102] {
        assert_eq!(
            worth(off),
            Err(PlanError::Worth {
                units_minor: 100,
                principal: Money::cny(off)
            })
        );
    }
    let exact = |principal| {
        Plan::new(&Terms {
            unit_price_e4: Some(10_000),
            units_minor: Some(100),
            ..terms(OrderKind::Redeem, principal, &[])
        })
    };
    assert!(exact(100).is_ok());
    assert!(exact(99).is_err() && exact(101).is_err());
}

fn payers() -> impl Strategy<Value = Payer> {
    proptest::sample::select(vec![Payer::User, Payer::UserInside, Payer::Institution])
}

fn lines() -> impl Strategy<Value = Vec<ChargedLine>> {
    let one = (payers(), 0..50_000_i64, 0..=1_000_000_i64);
    proptest::collection::vec(one, 0..6).prop_map(|lines| {
        let shared = lines.into_iter().map(|(payer, amount, platform_ppm)| {
            let parts =
                split_by_largest_remainder(amount, &[platform_ppm, 1_000_000 - platform_ppm]);
            line(payer, amount, parts.unwrap()[0])
        });
        shared.collect()
    })
}

fn sum(lines: &[ChargedLine], payer: Payer) -> i64 {
    let of_payer = lines.iter().filter(|l| l.payer == payer);
    of_payer.map(|l| l.amount.minor).sum()
}

fn received(plan: &Plan, of: impl Fn(&Party) -> bool) -> i64 {
    let to_them = plan.splits.iter().filter(|s| of(&s.receiver));
    to_them.map(|s| s.amount.minor).sum()
}

proptest! {
    #[test]
    fn every_fen_of_a_purchase_has_a_receiver(
        principal in 1..2_000_000_000_i64,
        price in 1..1_000_000_i64,
        lines in lines(),
    ) {
        let input = Terms {
            unit_price_e4: Some(price),
            ..terms(OrderKind::Purchase, principal, &lines)
        };
        let Ok(plan) = Plan::new(&input) else {
            let fees = sum(&lines, Payer::UserInside) + sum(&lines, Payer::Institution);
            let net = principal - sum(&lines, Payer::UserInside);
            prop_assert!(fees > principal || net <= 0 || net * 10_000 < price);
            return Ok(());
        };
        let (on_top, inside) = (sum(&lines, Payer::User), sum(&lines, Payer::UserInside));
        prop_assert_eq!(plan.amount.minor, principal + on_top);
        prop_assert_eq!(plan.paid, plan.amount);
        prop_assert!(plan.splits.iter().all(|s| s.amount.minor > 0));
        prop_assert_eq!(received(&plan, |_| true), plan.paid.minor);
        let platform: i64 = lines.iter().map(|l| l.shares[1].1.minor).sum();
        prop_assert_eq!(received(&plan, |p| *p == Party::Platform), platform);
        let units = i128::from(plan.units_minor.unwrap());
        let net = i128::from(principal - inside) * 10_000;
        prop_assert!(units * i128::from(price) <= net);
        prop_assert!((units + 1) * i128::from(price) > net);
    }

    #[test]
    fn every_fen_of_a_redemption_has_a_receiver(
        units in 1..2_000_000_000_i64,
        price in 1..1_000_000_i64,
        lines in lines(),
    ) {
        let worth = i64::try_from(i128::from(units) * i128::from(price) / 10_000).unwrap();
        let input = Terms {
            unit_price_e4: Some(price),
            units_minor: Some(units),
            ..terms(OrderKind::Redeem, worth, &lines)
        };
        let fees = sum(&lines, Payer::User) + sum(&lines, Payer::UserInside);
        let Ok(plan) = Plan::new(&input) else {
            prop_assert!(fees >= worth);
            return Ok(());
        };
        prop_assert_eq!(plan.amount.minor, worth - fees);
        prop_assert_eq!(plan.paid.minor, worth + sum(&lines, Payer::Institution));
        prop_assert_eq!(received(&plan, |_| true), plan.paid.minor);
        prop_assert_eq!(received(&plan, |p| matches!(p, Party::User(_))), plan.amount.minor);
        prop_assert_eq!(plan.units_minor, Some(units));
    }
}
