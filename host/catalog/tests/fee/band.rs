//! Fees that a plugin proposes.

use qiao_catalog::OrderKind;
use qiao_catalog::fee::{self, Band, Basis, Charge, FeeError, FeeLine, Proposal};
use qiao_model::Money;

use crate::line::{percent, rate};

fn banded(least: Charge, most: Charge) -> FeeLine {
    FeeLine {
        band: Some(Band { least, most }),
        ..percent(10_000)
    }
}

fn pay(line: &FeeLine, proposals: &[(&str, i64)], fen: i64) -> Result<i64, FeeError> {
    let proposal = |(code, minor): &(&str, i64)| Proposal {
        code: (*code).to_owned(),
        minor: *minor,
    };
    let proposals: Vec<_> = proposals.iter().map(proposal).collect();
    let basis = Basis {
        proposals: &proposals,
        ..Basis::new(OrderKind::Pay, Money::cny(fen))
    };
    fee::charge(std::slice::from_ref(line), &basis).map(|fees| fees.total().minor)
}

#[test]
fn a_proposal_inside_its_band_is_the_fee_and_outside_it_is_refused() {
    // 0.5 % to 1.5 % of 999.99: 499.995 rounded up to 5.00, 1499.985 down to 14.99.
    let line = banded(rate(5_000), rate(15_000));
    fee::check(std::slice::from_ref(&line)).unwrap();
    let proposed = |minor| pay(&line, &[("fee", minor)], 99_999);
    assert_eq!(
        pay(&line, &[], 99_999),
        Ok(1_000),
        "the form, without a proposal"
    );
    assert_eq!(proposed(500), Ok(500));
    assert_eq!(proposed(1_499), Ok(1_499));
    for minor in [499, 1_500, 0, -1] {
        let outside = FeeError::OutsideBand {
            code: "fee".to_owned(),
            proposed: Money::cny(minor),
            least: Money::cny(500),
            most: Money::cny(1_499),
        };
        assert_eq!(proposed(minor), Err(outside));
    }
}

#[test]
fn a_flat_band_does_not_follow_the_amount() {
    let line = banded(Charge::Flat(0), Charge::Flat(300));
    for fen in [300, 1_000_000] {
        assert_eq!(pay(&line, &[("fee", 300)], fen), Ok(300));
        assert_eq!(pay(&line, &[("fee", 0)], fen), Ok(0));
        assert!(pay(&line, &[("fee", 301)], fen).is_err());
    }
}

#[test]
fn the_refusal_names_line_proposal_and_band() {
    let line = banded(rate(5_000), rate(15_000));
    let refusal = pay(&line, &[("fee", 2_000)], 100_000).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "the fee `fee` is proposed at 20.00 CNY, outside its band of 5.00 CNY to 15.00 CNY"
    );
}

#[test]
fn a_line_without_a_band_or_of_another_order_or_twice_cannot_be_proposed() {
    let not = |code: &str| Err(FeeError::NotProposable(code.to_owned()));
    assert_eq!(
        pay(&percent(10_000), &[("fee", 1_000)], 100_000),
        not("fee")
    );
    let line = banded(rate(0), rate(15_000));
    assert_eq!(pay(&line, &[("other", 1)], 100_000), not("other"));
    assert_eq!(pay(&line, &[("fee", 1), ("fee", 1)], 100_000), not("fee"));
    let mut redemption = line;
    redemption.applies_to = OrderKind::Redeem;
    assert_eq!(pay(&redemption, &[("fee", 1)], 100_000), not("fee"));
}

#[test]
fn a_band_is_two_rates_or_two_amounts_in_order() {
    let check = |least, most| fee::check(&[banded(least, most)]);
    assert_eq!(check(rate(5), rate(5)), Ok(()));
    assert_eq!(check(Charge::Flat(5), Charge::Flat(5)), Ok(()));
    let refused = |least, most, at: &str| {
        assert_eq!(check(least, most).unwrap_err().at, at);
    };
    let band = "fees.lines[0].band";
    refused(rate(6), rate(5), band);
    refused(Charge::Flat(6), Charge::Flat(5), band);
    refused(rate(0), Charge::Flat(5), band);
    refused(rate(-1), rate(5), "fees.lines[0].band.least");
    refused(rate(0), rate(1_000_001), "fees.lines[0].band.most");
}

#[test]
fn the_most_of_a_band_counts_towards_the_whole() {
    let mut base = percent(600_000);
    base.code = "base".to_owned();
    let with = |ppm| fee::check(&[base.clone(), banded(rate(0), rate(ppm))]);
    assert_eq!(with(400_000), Ok(()));
    assert!(with(400_001).is_err());
}
