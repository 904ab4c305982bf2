//! The fees of fund 002338, to the fen at every boundary.
//!
//! `golden/*.sheet.csv` is the fund's published sheet; the other files were
//! computed apart from this code, with decimals and fractions. Purchases: net =
//! amount / (1 + rate) rounded half up to the fen, fee = amount - net.
//! Redemptions: each lot's part of the proceeds at the rate of its age, summed
//! exactly and rounded half up once. Accrued fees: a day's fee is what the exact
//! sum since the first day grew by, in whole fen.

use qiao_catalog::OrderKind;
use qiao_catalog::fee::{
    self, AgeTier, Basis, Charge, FeeForm, FeeLine, Lot, NetAssetValue, Payer, Receiver, Share,
    Tier,
};
use qiao_model::{Currency, Day, Money, Rate, Rounding};

#[test]
fn purchases_of_fund_002338_in_its_open_period() {
    check(
        include_str!("golden/fund-002338-open.sheet.csv"),
        include_str!("golden/fund-002338-open.fees.csv"),
    );
}

#[test]
fn purchases_of_fund_002338_in_its_subscription_period() {
    check(
        include_str!("golden/fund-002338-subscription.sheet.csv"),
        include_str!("golden/fund-002338-subscription.fees.csv"),
    );
}

#[test]
fn redemptions_of_fund_002338_by_holding_days() {
    let lines = [redemption_fee(include_str!(
        "golden/fund-002338-redemption.sheet.csv"
    ))];
    fee::check(&lines).unwrap();
    let today = Day::new(2026, 11, 27).unwrap();
    let mut rows = 0;
    for row in rows_of(include_str!("golden/fund-002338-redemption.fees.csv")) {
        let [lots, amount, fee, proceeds] = row[..] else {
            panic!("{row:?} has four columns");
        };
        let lots: Vec<Lot> = lots.split('|').map(|lot| lot_of(lot, today)).collect();
        let ages = fee::ages(&lines, &lots, today);
        let basis = Basis {
            ages: &ages,
            ..Basis::new(OrderKind::Redeem, money(amount))
        };
        let charged = fee::charge(&lines, &basis).unwrap();
        assert_eq!(charged.inside(), money(fee), "fee of {row:?}");
        let left = charged.principal.minus(charged.inside()).unwrap();
        assert_eq!(left, money(proceeds), "proceeds of {row:?}");
        rows += 1;
    }
    assert_eq!(rows, 51, "no row of the file is left out");
}

#[test]
fn a_year_of_accrued_fees_of_fund_002338() {
    let sheet: Vec<_> = rows_of(include_str!("golden/fund-002338-accrued.sheet.csv")).collect();
    let rates = [0, 1].map(|fee: usize| rate(sheet[fee][1].strip_suffix(" %").unwrap()));
    let mut carried = [0; 2];
    let mut rows = 0;
    for row in rows_of(include_str!("golden/fund-002338-accrued.days.csv")) {
        let [day, units, nav, management, custody] = row[..] else {
            panic!("{row:?} has five columns");
        };
        let value = NetAssetValue {
            units_minor: money(units).minor,
            nav_e4: nav.replace('.', "").parse().unwrap(),
            currency: Currency::CNY,
        };
        for (fee, expected) in [management, custody].into_iter().enumerate() {
            let accrued = fee::accrue(rates[fee], value, 1, carried[fee]).unwrap();
            assert_eq!(
                accrued.minor,
                money(expected).minor,
                "{day}, {}",
                sheet[fee][0]
            );
            carried[fee] = accrued.carried;
        }
        rows += 1;
    }
    assert_eq!(rows, 365, "no day of the file is left out");
}

fn check(sheet: &str, fees: &str) {
    let lines = [purchase_fee(sheet)];
    fee::check(&lines).unwrap();
    let mut rows = 0;
    for row in rows_of(fees) {
        let [amount, fee, net] = row[..] else {
            panic!("{row:?} has three columns");
        };
        let charged = fee::charge(&lines, &Basis::new(OrderKind::Purchase, money(amount))).unwrap();
        assert_eq!(charged.inside(), money(fee), "fee of {amount}");
        let left = charged.principal.minus(charged.inside()).unwrap();
        assert_eq!(left, money(net), "net of {amount}");
        assert_eq!(charged.on_top(), Money::cny(0));
        rows += 1;
    }
    assert_eq!(rows, 22, "no row of the file is left out");
}

fn purchase_fee(sheet: &str) -> FeeLine {
    let tiers = rows_of(sheet).map(|row| {
        let [from, below, charge] = row[..] else {
            panic!("{row:?} has three columns");
        };
        Tier {
            from: money(from).minor,
            below: (!below.is_empty()).then(|| money(below).minor),
            charge: match charge.strip_suffix(" %") {
                Some(percent) => Charge::Rate(rate(percent)),
                None => Charge::Flat(money(charge).minor),
            },
        }
    });
    let form = FeeForm::Slab(tiers.collect());
    inside(OrderKind::Purchase, form)
}

fn redemption_fee(sheet: &str) -> FeeLine {
    let tiers = rows_of(sheet).map(|row| {
        let [from, below, percent] = row[..] else {
            panic!("{row:?} has three columns");
        };
        AgeTier {
            from_days: from.parse().unwrap(),
            below_days: (!below.is_empty()).then(|| below.parse().unwrap()),
            rate: rate(percent.strip_suffix(" %").unwrap()),
        }
    });
    let form = FeeForm::BackLoad(tiers.collect());
    inside(OrderKind::Redeem, form)
}

/// `180:1000.00`: 1,000.00 units that were acquired 180 days ago.
fn lot_of(text: &str, today: Day) -> Lot {
    let (days, units) = text.split_once(':').unwrap();
    Lot {
        acquired: today.plus_days(-days.parse::<i64>().unwrap()),
        units_minor: money(units).minor,
    }
}

/// A fee that the user pays out of the amount, all of it for the institution.
fn inside(applies_to: OrderKind, form: FeeForm) -> FeeLine {
    FeeLine {
        code: "fee".to_owned(),
        name: "费用".to_owned(),
        applies_to,
        payer: Payer::UserInside,
        form,
        minimum: None,
        maximum: None,
        band: None,
        monotone: false,
        rounding: Rounding::HalfUp,
        shares: vec![Share {
            receiver: Receiver::Institution,
            rate: Rate::ONE,
        }],
    }
}

fn rows_of(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().skip(1).map(|line| line.split(',').collect())
}

fn money(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

/// `1.3` is 13,000 ppm: a percent has four decimals of a million.
fn rate(percent: &str) -> Rate {
    let (whole, decimals) = percent.split_once('.').unwrap();
    let digits = format!("{whole}{decimals:0<4}");
    Rate::from_ppm(digits.parse().unwrap())
}
