//! Surcharges of payments through a bank channel.

use qiao_catalog::OrderKind;
use qiao_catalog::fee::{self, Basis, CHANNELS_MAX, Charge, Fees};
use qiao_model::Money;

use crate::line::{by_channel, percent, rate};

fn pay(channel: Option<&str>, fen: i64) -> Fees {
    let mut base = percent(1_000);
    base.code = "base".to_owned();
    let lines = [
        base,
        by_channel(&[("river", rate(6_000)), ("north", Charge::Flat(200))]),
    ];
    fee::check(&lines).unwrap();
    let basis = Basis {
        channel: channel.map(|code| code.parse().unwrap()),
        ..Basis::new(OrderKind::Pay, Money::cny(fen))
    };
    fee::charge(&lines, &basis).unwrap()
}

fn fees(channel: Option<&str>) -> Vec<i64> {
    let fees = pay(channel, 100_000);
    fees.lines.iter().map(|line| line.amount.minor).collect()
}

#[test]
fn a_surcharge_is_of_its_channels_alone() {
    assert_eq!(fees(Some("river")), [100, 600]);
    assert_eq!(fees(Some("north")), [100, 200]);
    assert_eq!(
        fees(Some("south")),
        [100],
        "another channel has no such line"
    );
    assert_eq!(fees(None), [100], "nor has the balance");
}

#[test]
fn a_surcharge_names_each_channel_once_and_its_most_channels_and_not_one_more() {
    let channels = |count: usize| {
        let codes: Vec<String> = (0..count).map(|index| format!("bank-{index}")).collect();
        let charges: Vec<_> = codes.iter().map(|code| (code.as_str(), rate(1))).collect();
        fee::check(&[by_channel(&charges)])
    };
    assert_eq!(channels(CHANNELS_MAX), Ok(()));
    for count in [0, CHANNELS_MAX + 1] {
        let problem = channels(count).unwrap_err();
        assert_eq!(problem.at, "fees.lines[0].form.channels");
    }
    let twice = by_channel(&[("river", rate(1)), ("river", rate(2))]);
    let problem = fee::check(&[twice]).unwrap_err();
    assert_eq!(problem.at, "fees.lines[0].form.channels[1]");
    let too_much = by_channel(&[("river", rate(1_000_001))]);
    assert!(fee::check(&[too_much]).is_err());
}

#[test]
fn the_dearest_channel_counts_towards_the_whole() {
    let mut base = percent(600_000);
    base.code = "base".to_owned();
    let with = |ppm| {
        let surcharge = by_channel(&[("river", rate(1)), ("north", rate(ppm))]);
        fee::check(&[base.clone(), surcharge])
    };
    assert_eq!(with(400_000), Ok(()));
    assert!(with(400_001).is_err());
}
