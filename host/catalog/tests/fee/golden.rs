//! The purchase fees of fund 002338, to the fen at every boundary.
//!
//! `golden/*.sheet.csv` is the fund's published sheet; `golden/*.fees.csv` was
//! computed apart from this code, with decimal arithmetic: net = amount / (1 +
//! rate) rounded half up to the fen, fee = amount - net.

use qiao_catalog::OrderKind;
use qiao_catalog::fee::{self, Charge, FeeForm, FeeLine, Payer, Receiver, Share, Tier};
use qiao_model::{Currency, Money, Rate, Rounding};

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

fn check(sheet: &str, fees: &str) {
    let lines = [purchase_fee(sheet)];
    fee::check(&lines).unwrap();
    let mut rows = 0;
    for row in rows_of(fees) {
        let [amount, fee, net] = row[..] else {
            panic!("{row:?} has three columns");
        };
        let charged = fee::charge(&lines, OrderKind::Purchase, money(amount)).unwrap();
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
    FeeLine {
        code: "purchase-fee".to_owned(),
        name: "申购费".to_owned(),
        applies_to: OrderKind::Purchase,
        payer: Payer::UserInside,
        form: FeeForm::Slab(tiers.collect()),
        minimum: None,
        maximum: None,
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
    let (whole, tenths) = percent.split_once('.').unwrap();
    let whole: i64 = whole.parse().unwrap();
    let tenths: i64 = tenths.parse().unwrap();
    Rate::from_ppm(whole * 10_000 + tenths * 1_000)
}
