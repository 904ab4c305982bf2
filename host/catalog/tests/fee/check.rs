//! What a schedule must be to be registered: each refusal with its place.

use qiao_catalog::OrderKind;
use qiao_catalog::fee::{
    self, Charge, FEE_CODE_CHARS_MAX, FEE_MINOR_MAX, FEE_NAME_CHARS_MAX, FeeForm, FeeLine,
    LINES_MAX, Payer, Receiver, SHARES_MAX, SHARES_OF_ORDER_MAX, Share, TIERS_MAX, Tier,
};
use qiao_model::{Rate, Rounding};

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
        shares: vec![share(Receiver::Institution, 1_000_000)],
    }
}

fn share(receiver: Receiver, ppm: i64) -> Share {
    Share {
        receiver,
        rate: Rate::from_ppm(ppm),
    }
}

fn rate(from: i64, below: Option<i64>, ppm: i64) -> Tier {
    let charge = Charge::Rate(Rate::from_ppm(ppm));
    Tier {
        from,
        below,
        charge,
    }
}

fn flat(from: i64, below: Option<i64>, minor: i64) -> Tier {
    let charge = Charge::Flat(minor);
    Tier {
        from,
        below,
        charge,
    }
}

fn percent(ppm: i64) -> FeeLine {
    line(FeeForm::Percent(Rate::from_ppm(ppm)))
}

fn slab(tiers: &[Tier]) -> FeeLine {
    line(FeeForm::Slab(tiers.to_vec()))
}

fn changed(change: impl FnOnce(&mut FeeLine)) -> FeeLine {
    let mut line = percent(10_000);
    change(&mut line);
    line
}

#[track_caller]
fn accepted(line: FeeLine) {
    assert_eq!(fee::check(&[line]), Ok(()));
}

#[track_caller]
fn refused(line: FeeLine, at: &str, cause: &str) {
    let problem = fee::check(&[line]).unwrap_err();
    assert_eq!(problem.at, at, "{problem}");
    assert!(problem.cause.contains(cause), "{problem}");
}

#[test]
fn a_product_may_be_free_of_fees() {
    assert_eq!(fee::check(&[]), Ok(()));
}

#[test]
fn tiers_begin_at_zero_follow_each_other_and_end_open() {
    accepted(slab(&[rate(0, Some(100), 9), rate(100, None, 8)]));
    let tiers = "fees.lines[0].form.tiers";
    let at = |index: usize| format!("{tiers}[{index}]");
    refused(slab(&[]), tiers, "1 to 32 tiers");
    refused(slab(&[rate(1, None, 9)]), &at(0), "a gap");
    let gap = slab(&[rate(0, Some(100), 9), rate(101, None, 8)]);
    refused(
        gap,
        &at(1),
        "a gap: no tier charges amounts from 100 below 101",
    );
    let overlap = slab(&[rate(0, Some(100), 9), rate(99, None, 8)]);
    refused(overlap, &at(1), "an overlap");
    let open = slab(&[rate(0, None, 9), rate(100, None, 8)]);
    refused(open, &at(0), "only the last tier is open");
    let closed = slab(&[rate(0, Some(100), 9), rate(100, Some(200), 8)]);
    refused(closed, &at(1), "the last tier is open");
    let empty = slab(&[rate(0, Some(0), 9), rate(0, None, 8)]);
    refused(empty, &at(0), "holds no amount");
}

#[test]
fn nothing_is_negative_and_no_rate_is_above_the_whole() {
    let form = "fees.lines[0].form";
    accepted(percent(0));
    accepted(percent(1_000_000));
    refused(percent(-1), form, "not between 0 % and 100 %");
    refused(percent(1_000_001), form, "not between 0 % and 100 %");
    accepted(line(FeeForm::Flat(0)));
    accepted(line(FeeForm::Flat(FEE_MINOR_MAX)));
    refused(line(FeeForm::Flat(-1)), form, "not between 0 and");
    refused(
        line(FeeForm::Flat(FEE_MINOR_MAX + 1)),
        form,
        "not between 0 and",
    );
    let tier = "fees.lines[0].form.tiers[0]";
    refused(slab(&[rate(0, None, 1_000_001)]), tier, "100 %");
    refused(slab(&[flat(0, None, -1)]), tier, "not between 0 and");
    let bound = FEE_MINOR_MAX;
    accepted(slab(&[rate(0, Some(bound), 1), rate(bound, None, 1)]));
    let too_far = slab(&[rate(0, Some(bound + 1), 1), rate(bound + 1, None, 1)]);
    refused(too_far, tier, "not between 0 and");
}

#[test]
fn the_rates_of_one_kind_of_order_together_are_at_most_the_whole() {
    let second = |ppm, kind| FeeLine {
        code: "second".to_owned(),
        applies_to: kind,
        ..percent(ppm)
    };
    let check = |ppm, kind| fee::check(&[percent(600_000), second(ppm, kind)]);
    assert_eq!(check(400_000, OrderKind::Pay), Ok(()));
    assert_eq!(check(1_000_000, OrderKind::Redeem), Ok(()));
    let problem = check(400_001, OrderKind::Pay).unwrap_err();
    assert_eq!(problem.at, "fees.lines");
    assert!(problem.cause.contains("above the amount"), "{problem}");
}

#[test]
fn a_flat_charge_is_not_above_the_amounts_of_its_tier() {
    let at = |from, minor| slab(&[rate(0, Some(from), 9), flat(from, None, minor)]);
    accepted(at(100, 100));
    refused(
        at(100, 101),
        "fees.lines[0].form.tiers[1]",
        "above the amounts of its tier",
    );
    let first = |minor| slab(&[flat(0, Some(100), minor), rate(100, None, 9)]);
    accepted(first(99));
    refused(
        first(100),
        "fees.lines[0].form.tiers[0]",
        "above the amounts of its tier",
    );
    accepted(slab(&[flat(0, None, 1_000)]));
}

#[test]
fn graduated_tiers_charge_rates_and_are_not_paid_out_of_the_principal() {
    let graduated = |tiers: &[Tier]| line(FeeForm::Graduated(tiers.to_vec()));
    let tiers = [rate(0, Some(100), 9), rate(100, None, 8)];
    accepted(graduated(&tiers));
    let with_flat = graduated(&[rate(0, Some(100), 9), flat(100, None, 8)]);
    refused(
        with_flat,
        "fees.lines[0].form.tiers[1]",
        "a graduated tier charges a rate",
    );
    let mut inside = graduated(&tiers);
    inside.payer = Payer::UserInside;
    refused(inside, "fees.lines[0].form", "out of the principal");
}

#[test]
fn a_minimum_is_not_above_its_maximum() {
    let bounds = |minimum, maximum| {
        changed(|line| {
            line.minimum = minimum;
            line.maximum = maximum;
        })
    };
    accepted(bounds(Some(5), Some(5)));
    refused(
        bounds(Some(6), Some(5)),
        "fees.lines[0].minimum",
        "above the maximum",
    );
    refused(
        bounds(Some(-1), None),
        "fees.lines[0].minimum",
        "not between 0 and",
    );
    refused(
        bounds(None, Some(-1)),
        "fees.lines[0].maximum",
        "not between 0 and",
    );
}

#[test]
fn shares_name_each_receiver_once_and_sum_to_the_whole() {
    let at = "fees.lines[0].shares";
    let with = |shares: &[Share]| changed(|line| line.shares = shares.to_vec());
    let institution = |ppm| share(Receiver::Institution, ppm);
    let platform = |ppm| share(Receiver::Platform, ppm);
    accepted(with(&[institution(700_000), platform(300_000)]));
    refused(with(&[]), at, "1 to 50 shares");
    refused(with(&[institution(999_999)]), at, "sum to 999999");
    refused(
        with(&[institution(700_000), platform(300_001)]),
        at,
        "sum to 1000001",
    );
    let twice = with(&[institution(500_000), institution(500_000)]);
    refused(twice, "fees.lines[0].shares[1]", "named twice");
    let negative = with(&[institution(1_000_000), platform(-1)]);
    refused(negative, "fees.lines[0].shares[1]", "between 0 % and 100 %");
    refused(
        with(&[institution(0); SHARES_MAX + 1]),
        at,
        "1 to 50 shares",
    );
}

#[test]
fn codes_are_unique_and_texts_are_within_their_limits() {
    let code = |text: String| changed(|line| line.code = text);
    accepted(code("c".repeat(FEE_CODE_CHARS_MAX)));
    refused(
        code("c".repeat(FEE_CODE_CHARS_MAX + 1)),
        "fees.lines[0].code",
        "32",
    );
    refused(code(String::new()), "fees.lines[0].code", "1 to 32");
    refused(code("Fee".to_owned()), "fees.lines[0].code", "a-z");
    let name = |text: String| changed(|line| line.name = text);
    accepted(name("费".repeat(FEE_NAME_CHARS_MAX)));
    refused(
        name("费".repeat(FEE_NAME_CHARS_MAX + 1)),
        "fees.lines[0].name",
        "64",
    );
    refused(name(" ".to_owned()), "fees.lines[0].name", "64");
    let problem = fee::check(&[percent(1), percent(1)]).unwrap_err();
    assert_eq!(problem.at, "fees.lines[1].code");
}

#[test]
fn a_schedule_has_its_most_lines_and_tiers_and_not_one_more() {
    let lines = |count: usize| -> Vec<FeeLine> {
        let number = |index| changed(|line| line.code = format!("fee-{index}"));
        (0..count).map(number).collect()
    };
    assert_eq!(fee::check(&lines(LINES_MAX)), Ok(()));
    assert_eq!(
        fee::check(&lines(LINES_MAX + 1)).unwrap_err().at,
        "fees.lines"
    );
    let tiers = |count: i64| {
        let tier = |index| rate(index, (index + 1 < count).then_some(index + 1), 9);
        slab(&(0..count).map(tier).collect::<Vec<_>>())
    };
    let most = i64::try_from(TIERS_MAX).unwrap();
    accepted(tiers(most));
    refused(tiers(most + 1), "fees.lines[0].form.tiers", "1 to 32");
}

#[test]
fn the_lines_of_one_order_have_its_most_shares_and_not_one_more() {
    let shares = |count: usize| -> Vec<Share> {
        let each = 1_000_000 / i64::try_from(count).unwrap();
        let mut shares: Vec<_> = Receiver::ALL[..count]
            .iter()
            .map(|receiver| share(*receiver, each))
            .collect();
        let rest = 1_000_000 - each * i64::try_from(count - 1).unwrap();
        shares[0].rate = Rate::from_ppm(rest);
        shares
    };
    let lines = |last: usize| -> Vec<FeeLine> {
        let counts = [5, 5, 5, 5, 5, 5, 5, 5, 5, last];
        let line = |(index, count): (usize, usize)| FeeLine {
            code: format!("fee-{index}"),
            shares: shares(count),
            ..percent(1)
        };
        counts.into_iter().enumerate().map(line).collect()
    };
    assert_eq!(45 + 4, SHARES_OF_ORDER_MAX);
    assert_eq!(fee::check(&lines(4)), Ok(()));
    let problem = fee::check(&lines(5)).unwrap_err();
    assert!(problem.cause.contains("more than 49 shares"), "{problem}");
}
