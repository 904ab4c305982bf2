//! What holds of every schedule that passes its check and of every amount.

use proptest::prelude::*;
use qiao_catalog::OrderKind;
use qiao_catalog::fee::{
    self, AgeTier, Basis, ChannelCharge, Charge, FeeError, FeeForm, FeeLine, Fees, Lot, Payer,
    Receiver, Share, Tier,
};
use qiao_model::{Channel, Day, Money, Rate, Rounding};

const ROUNDINGS: [Rounding; 4] = [
    Rounding::HalfUp,
    Rounding::HalfEven,
    Rounding::Down,
    Rounding::Up,
];
const PAYERS: [Payer; 3] = [Payer::User, Payer::UserInside, Payer::Institution];

/// Amounts of every magnitude, and those right at a bound.
fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![1..200_i64, 1..2_000_000_i64, 1..=i64::MAX]
}

fn rate(ppm_max: i64) -> impl Strategy<Value = Rate> {
    (0..=ppm_max).prop_map(Rate::from_ppm)
}

/// Tiers without a gap; `charge` makes what each one charges from its lower bound.
fn tiers<C>(charge: impl Fn(i64) -> C) -> impl Strategy<Value = Vec<Tier>>
where
    C: Strategy<Value = Charge>,
{
    prop::collection::btree_set(1..3_000_000_i64, 0..5).prop_flat_map(move |bounds| {
        let bounds: Vec<i64> = bounds.into_iter().collect();
        let froms: Vec<i64> = std::iter::once(0).chain(bounds.iter().copied()).collect();
        let charges: Vec<_> = froms.iter().map(|from| charge(*from)).collect();
        charges.prop_map(move |charges| {
            let belows = bounds.iter().copied().map(Some).chain([None]);
            let rows = froms.iter().zip(belows).zip(charges);
            rows.map(|((from, below), charge)| Tier {
                from: *from,
                below,
                charge,
            })
            .collect()
        })
    })
}

fn graduated(ppm_max: i64) -> impl Strategy<Value = FeeForm> {
    tiers(move |_| rate(ppm_max).prop_map(Charge::Rate)).prop_map(FeeForm::Graduated)
}

fn form(ppm_max: i64) -> impl Strategy<Value = FeeForm> {
    let slab = tiers(move |from| {
        prop_oneof![
            rate(ppm_max).prop_map(Charge::Rate),
            (0..=from).prop_map(Charge::Flat),
        ]
    });
    prop_oneof![
        (0..5_000_i64).prop_map(FeeForm::Flat),
        rate(ppm_max).prop_map(FeeForm::Percent),
        graduated(ppm_max),
        slab.prop_map(FeeForm::Slab),
    ]
}

fn line(form: impl Strategy<Value = FeeForm>) -> impl Strategy<Value = FeeLine> {
    let bounds = prop::option::of((0..500_i64, 0..100_000_i64));
    (
        form,
        prop::sample::select(PAYERS.to_vec()),
        prop::sample::select(ROUNDINGS.to_vec()),
        bounds,
        0..=1_000_000_i64,
    )
        .prop_map(|(form, payer, rounding, bounds, institution)| FeeLine {
            code: "fee".to_owned(),
            name: "Fee".to_owned(),
            applies_to: OrderKind::Purchase,
            payer: match form {
                FeeForm::Graduated(_) if payer == Payer::UserInside => Payer::User,
                _ => payer,
            },
            form,
            minimum: bounds.map(|(minimum, _)| minimum),
            maximum: bounds.map(|(minimum, more)| minimum + more),
            band: None,
            monotone: false,
            rounding,
            shares: [
                (Receiver::Institution, institution),
                (Receiver::Platform, 1_000_000 - institution),
            ]
            .map(|(receiver, ppm)| Share {
                receiver,
                rate: Rate::from_ppm(ppm),
            })
            .to_vec(),
        })
}

fn age_tiers() -> impl Strategy<Value = Vec<AgeTier>> {
    let bounds = prop::collection::btree_set(1..400_u32, 0..5);
    (bounds, prop::collection::vec(rate(200_000), 6)).prop_map(|(bounds, rates)| {
        let froms = std::iter::once(0).chain(bounds.iter().copied());
        let belows = bounds.iter().copied().map(Some).chain([None]);
        let rows = froms.zip(belows).zip(rates);
        rows.map(|((from_days, below_days), rate)| AgeTier {
            from_days,
            below_days,
            rate,
        })
        .collect()
    })
}

fn surcharge() -> impl Strategy<Value = FeeForm> {
    let charge = prop_oneof![
        rate(200_000).prop_map(Charge::Rate),
        (0..1_000_i64).prop_map(Charge::Flat),
    ];
    charge.prop_map(|charge| {
        FeeForm::ByChannel(vec![ChannelCharge {
            channel: Channel::SANDBOX,
            charge,
        }])
    })
}

/// A redemption's lines: of the amount, by holding days, by channel.
fn redemption_lines() -> impl Strategy<Value = Vec<FeeLine>> {
    let back_load = line(age_tiers().prop_map(FeeForm::BackLoad));
    (line(form(200_000)), back_load, line(surcharge())).prop_map(|lines| {
        let lines = [
            ("fee", lines.0),
            ("back-load", lines.1),
            ("surcharge", lines.2),
        ];
        let redemption = |(code, line): (&str, FeeLine)| FeeLine {
            code: code.to_owned(),
            applies_to: OrderKind::Redeem,
            ..line
        };
        lines.map(redemption).to_vec()
    })
}

/// Up to four lines whose rates together are at most the whole.
fn lines() -> impl Strategy<Value = Vec<FeeLine>> {
    prop::collection::vec(line(form(250_000)), 0..=4).prop_map(|mut lines| {
        for (index, line) in lines.iter_mut().enumerate() {
            line.code = format!("fee-{index}");
        }
        lines
    })
}

fn purchase(lines: &[FeeLine], minor: i64) -> Result<Fees, FeeError> {
    fee::charge(lines, &Basis::new(OrderKind::Purchase, Money::cny(minor)))
}

fn bare(form: FeeForm, payer: Payer, rounding: Rounding) -> FeeLine {
    FeeLine {
        code: "fee".to_owned(),
        name: "Fee".to_owned(),
        applies_to: OrderKind::Purchase,
        payer,
        form,
        minimum: None,
        maximum: None,
        band: None,
        monotone: false,
        rounding,
        shares: vec![Share {
            receiver: Receiver::Platform,
            rate: Rate::ONE,
        }],
    }
}

proptest! {
    #[test]
    fn a_redemption_of_any_lots_by_any_channel_sums_exactly(
        lines in redemption_lines(),
        lots in prop::collection::vec((0..500_i64, 1..1_000_000_000_i64), 1..6),
        by_bank in any::<bool>(),
        minor in 1..=1_000_000_000_000_i64,
    ) {
        prop_assert_eq!(fee::check(&lines), Ok(()));
        let today = Day::new(2026, 11, 27).unwrap();
        let lot = |(days, units_minor): &(i64, i64)| Lot {
            acquired: today.plus_days(-days),
            units_minor: *units_minor,
        };
        let lots: Vec<Lot> = lots.iter().map(lot).collect();
        let ages = fee::ages(&lines, &lots, today);
        let units: i64 = ages.iter().map(|aged| aged.units_minor).sum();
        prop_assert_eq!(units, lots.iter().map(|lot| lot.units_minor).sum::<i64>());
        let basis = Basis {
            channel: by_bank.then_some(Channel::SANDBOX),
            ages: &ages,
            ..Basis::new(OrderKind::Redeem, Money::cny(minor))
        };
        let Ok(fees) = fee::charge(&lines, &basis) else {
            // Flat charges and minimums of a small amount.
            return Ok(());
        };
        prop_assert_eq!(fees.lines.len(), if by_bank { 3 } else { 2 });
        let mut total = 0;
        for charged in &fees.lines {
            prop_assert!(charged.amount.minor >= 0);
            let shares: i64 = charged.shares.iter().map(|(_, share)| share.minor).sum();
            prop_assert_eq!(shares, charged.amount.minor);
            total += charged.amount.minor;
        }
        prop_assert!(total <= minor);
        prop_assert_eq!(fees.total().minor, total);
    }

    #[test]
    fn fees_are_never_negative_nor_above_the_amount_and_every_sum_is_exact(
        lines in lines(),
        minor in amount(),
    ) {
        prop_assert_eq!(fee::check(&lines), Ok(()));
        let fees = match purchase(&lines, minor) {
            Ok(fees) => fees,
            Err(FeeError::AboveAmount { minor: fee, .. }) => {
                prop_assert!(fee > i128::from(minor));
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert_eq!(fees.lines.len(), lines.len());
        let mut total = 0;
        for charged in &fees.lines {
            prop_assert!(charged.amount.minor >= 0);
            let shares: i64 = charged.shares.iter().map(|(_, share)| share.minor).sum();
            prop_assert_eq!(shares, charged.amount.minor);
            prop_assert!(charged.shares.iter().all(|(_, share)| share.minor >= 0));
            total += charged.amount.minor;
        }
        prop_assert!(total <= minor);
        prop_assert_eq!(fees.total().minor, total);
        let by_payer = [fees.on_top(), fees.inside(), fees.from_institution()];
        prop_assert_eq!(by_payer.iter().map(|money| money.minor).sum::<i64>(), total);
        let by_receiver = [Receiver::Institution, Receiver::Platform].map(|r| fees.to(r).minor);
        prop_assert_eq!(by_receiver.iter().sum::<i64>(), total);
    }

    #[test]
    fn only_flat_fees_and_minimums_can_be_above_an_amount(
        form in graduated(1_000_000),
        ppm in 0..=1_000_000_i64,
        payer in prop::sample::select(PAYERS.to_vec()),
        rounding in prop::sample::select(ROUNDINGS.to_vec()),
        minor in amount(),
    ) {
        prop_assert!(purchase(&[bare(form, Payer::User, rounding)], minor).is_ok());
        let percent = FeeForm::Percent(Rate::from_ppm(ppm));
        prop_assert!(purchase(&[bare(percent, payer, rounding)], minor).is_ok());
    }

    #[test]
    fn a_graduated_fee_never_falls_when_the_amount_grows(
        line in line(graduated(1_000_000)),
        one in amount(),
        other in amount(),
    ) {
        let lines = [line];
        let less = purchase(&lines, one.min(other));
        if let (Ok(less), Ok(more)) = (less, purchase(&lines, one.max(other))) {
            prop_assert!(less.total().minor <= more.total().minor);
        }
    }

    #[test]
    fn a_front_load_is_its_rate_of_the_net_amount(
        ppm in 0..=1_000_000_i64,
        minor in amount(),
    ) {
        let percent = FeeForm::Percent(Rate::from_ppm(ppm));
        let line = bare(percent, Payer::UserInside, Rounding::HalfUp);
        let fee = purchase(&[line], minor).unwrap().inside().minor;
        let net = i128::from(minor) - i128::from(fee);
        // |net - minor / (1 + rate)| is at most a half.
        let error = net * (1_000_000 + i128::from(ppm)) - i128::from(minor) * 1_000_000;
        prop_assert!(2 * error.abs() <= 1_000_000 + i128::from(ppm));
    }

    #[test]
    fn a_line_is_never_outside_its_bounds(line in line(form(250_000)), minor in amount()) {
        let (minimum, maximum) = (line.minimum.unwrap_or(0), line.maximum.unwrap_or(i64::MAX));
        if let Ok(fees) = purchase(&[line], minor) {
            prop_assert!((minimum..=maximum).contains(&fees.total().minor));
        }
    }
}
