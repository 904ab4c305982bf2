#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers, and a test stops when they overflow"
)]

use proptest::prelude::*;
use qiao_model::{Day, InstitutionId, PaymentId, ProductId, RefundId, UserId};

use super::refund::{Refundable, parts as refund_parts};
use super::*;
use crate::command::CreditLine;
use crate::command::NewRefund;
use crate::payment::{REFUND_DAYS_MAX, REFUNDS_MAX};
use crate::refusal::Refusal;

const USER: Party = Party::User(UserId::from_u128(1));
const FUND: InstitutionId = InstitutionId::from_u128(2);
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn split(receiver: Party, fen: i64) -> Split {
    Split {
        receiver,
        amount: Money::cny(fen),
        purpose: Cow::Borrowed("principal"),
    }
}

fn new_payment(fen: &[i64]) -> NewPayment {
    NewPayment {
        id: PaymentId::from_u128(9),
        order: None,
        institution: Some(FUND),
        payer: USER,
        method: Method::Balance,
        amount: Money::cny(fen.iter().sum()),
        splits: fen
            .iter()
            .map(|fen| split(Party::Institution(FUND), *fen))
            .collect(),
        deliveries: Vec::new(),
        description: "a test".to_owned(),
        expires_at: None,
    }
}

#[test]
fn fifty_receivers_are_accepted_and_one_more_is_not() {
    assert_eq!(check_payment(&new_payment(&[1; SPLITS_MAX])), Ok(()));
    let many = new_payment(&[1; SPLITS_MAX + 1]);
    assert_eq!(check_payment(&many), Err(Invalid::SplitCount(51)));
    let none = NewPayment {
        splits: Vec::new(),
        ..new_payment(&[1])
    };
    assert_eq!(check_payment(&none), Err(Invalid::SplitCount(0)));
}

#[test]
fn splits_that_miss_the_amount_by_one_fen_are_refused() {
    for amount in [99, 101] {
        let new = NewPayment {
            amount: Money::cny(amount),
            ..new_payment(&[60, 40])
        };
        let refused = Invalid::SplitSum {
            splits: Money::cny(100),
            amount: Money::cny(amount),
        };
        assert_eq!(check_payment(&new), Err(refused));
    }
}

#[test]
fn a_split_of_nothing_is_left_out_and_one_below_is_refused() {
    let new = new_payment(&[100, 0]);
    assert_eq!(check_payment(&new), Ok(()));
    let parts = moves(new.payer, new.amount.currency, &new.splits, &new.deliveries);
    assert_eq!(parts.len(), 1);
    let negative = new_payment(&[101, -1]);
    let refused = Invalid::Amount(Money::cny(-1).into());
    assert_eq!(check_payment(&negative), Err(refused));
}

#[test]
fn a_malformed_payment_is_refused() {
    let nothing = new_payment(&[0]);
    assert_eq!(
        check_payment(&nothing),
        Err(Invalid::Amount(Money::cny(0).into()))
    );
    let mut itself = new_payment(&[100]);
    itself.splits[0].receiver = USER;
    assert_eq!(check_payment(&itself), Err(Invalid::PaysItself(USER)));
    let mut mixed = new_payment(&[100]);
    mixed.splits[0].amount.currency = "USD".parse().unwrap();
    assert_eq!(check_payment(&mixed), Err(Invalid::NotAddable));
    let mut beyond = new_payment(&[100]);
    beyond.splits = vec![
        split(Party::Platform, i64::MAX),
        split(Party::Platform, i64::MAX),
    ];
    assert_eq!(check_payment(&beyond), Err(Invalid::NotAddable));
    let mut purpose = new_payment(&[100]);
    purpose.splits[0].purpose = Cow::Borrowed("");
    assert_eq!(check_payment(&purpose), Err(Invalid::Purpose));
    purpose.splits[0].purpose = "x".repeat(PURPOSE_BYTES_MAX + 1).into();
    assert_eq!(check_payment(&purpose), Err(Invalid::Purpose));
    let long = NewPayment {
        description: "桥".repeat(DESCRIPTION_CHARS_MAX + 1),
        ..new_payment(&[100])
    };
    assert_eq!(check_payment(&long), Err(Invalid::Description));
}

#[test]
fn a_delivery_moves_units_between_two_accounts() {
    let units = |minor| Amount {
        minor,
        asset: Asset::Units(ProductId::from_u128(5)),
    };
    let delivery = |amount| Delivery {
        from: Account::Issuance,
        to: Account::Holding(UserId::from_u128(1)),
        amount,
    };
    let with = |deliveries| NewPayment {
        deliveries,
        ..new_payment(&[100])
    };
    assert_eq!(check_payment(&with(vec![delivery(units(1))])), Ok(()));
    for amount in [units(0), units(-1), Money::cny(100).into()] {
        let refused = Err(Invalid::Delivery(amount));
        assert_eq!(check_payment(&with(vec![delivery(amount)])), refused);
    }
    let nowhere = Delivery {
        to: Account::Issuance,
        ..delivery(units(1))
    };
    let refused = Err(Invalid::Delivery(units(1)));
    assert_eq!(check_payment(&with(vec![nowhere])), refused);
    let many = vec![delivery(units(1)); DELIVERIES_MAX + 1];
    assert_eq!(
        check_payment(&with(many)),
        Err(Invalid::DeliveryCount(DELIVERIES_MAX + 1))
    );
}

fn posted(fen: &[i64]) -> Payment {
    payment(&new_payment(fen), PaymentState::Posted, NOW)
}

fn refund(fen: i64) -> NewRefund {
    NewRefund {
        id: RefundId::from_u128(1),
        payment: PaymentId::from_u128(9),
        amount: Money::cny(fen),
        reason: "a test".to_owned(),
    }
}

fn parts(payment: &Payment, returned: &[i64], fen: i64) -> Result<Vec<i64>, Refusal> {
    let of = Refundable {
        payment,
        returned,
        refunds: 0,
    };
    refund_parts(of, &refund(fen), NOW)
}

#[test]
fn a_refund_takes_from_every_split_by_largest_remainder() {
    let payment = posted(&[700, 200, 100]);
    assert_eq!(parts(&payment, &[0, 0, 0], 1_000), Ok(vec![700, 200, 100]));
    assert_eq!(parts(&payment, &[0, 0, 0], 10), Ok(vec![7, 2, 1]));
    // 0.7, 0.2 and 0.1 of a fen: it comes from the largest remainder.
    assert_eq!(parts(&payment, &[0, 0, 0], 1), Ok(vec![1, 0, 0]));
    // 2.1, 0.6, 0.3.
    assert_eq!(parts(&payment, &[0, 0, 0], 3), Ok(vec![2, 1, 0]));
    // Only what is left of a split counts.
    let partly = Payment {
        refunded: Money::cny(900),
        ..payment
    };
    assert_eq!(parts(&partly, &[700, 150, 50], 100), Ok(vec![0, 50, 50]));
}

#[test]
fn more_than_what_is_left_is_not_refunded() {
    let payment = Payment {
        refunded: Money::cny(30),
        state: PaymentState::PartlyRefunded,
        ..posted(&[100])
    };
    assert_eq!(parts(&payment, &[30], 70), Ok(vec![70]));
    let refused = Refusal::ExceedsRefundable {
        payment: payment.id,
        refundable: Money::cny(70),
        requested: Money::cny(71),
    };
    assert_eq!(parts(&payment, &[30], 71), Err(refused));
    let nothing = Invalid::Amount(Money::cny(0).into());
    assert_eq!(parts(&payment, &[30], 0), Err(nothing.into()));
}

#[test]
fn only_what_was_posted_is_refunded() {
    for state in [PaymentState::Held, PaymentState::Voided] {
        let payment = Payment {
            state,
            ..posted(&[100])
        };
        let refused = Refusal::WrongState {
            payment: payment.id,
            state,
        };
        assert_eq!(parts(&payment, &[0], 1), Err(refused));
    }
}

#[test]
fn a_payment_is_refunded_within_a_year_and_fifty_times() {
    let payment = posted(&[100]);
    let at = |refunds, now| {
        let of = Refundable {
            payment: &payment,
            returned: &[0],
            refunds,
        };
        refund_parts(of, &refund(1), now)
    };
    assert!(at(REFUNDS_MAX - 1, NOW).is_ok());
    let refused = Refusal::TooManyRefunds(payment.id);
    assert_eq!(at(REFUNDS_MAX, NOW), Err(refused));
    let last_day = NOW.day().plus_days(REFUND_DAYS_MAX);
    let end = last_day.plus_days(1).start();
    assert!(at(0, end.plus_millis(-1)).is_ok());
    assert_eq!(at(0, end), Err(Refusal::RefundTooLate(payment.id)));
}

#[test]
fn a_holder_has_one_credit_id_for_a_day_and_product() {
    let day: Day = "2026-11-22".parse().unwrap();
    let credit = |product, day, minor| Credit {
        product: ProductId::from_u128(product),
        day,
        lines: vec![CreditLine {
            user: UserId::from_u128(1),
            minor,
        }],
    };
    let id = |credit: &Credit| credit_transfers(credit)[0].id;
    assert_eq!(id(&credit(1, day, 5)), id(&credit(1, day, 6)));
    assert_ne!(id(&credit(1, day, 5)), id(&credit(2, day, 5)));
    assert_ne!(id(&credit(1, day, 5)), id(&credit(1, day.plus_days(1), 5)));
    assert!(credit_transfers(&credit(1, day, 0)).is_empty());
    assert!(check_credit(&credit(1, day, -1)).is_err());
    let lines = |count| Credit {
        lines: vec![credit(1, day, 1).lines[0]; count],
        ..credit(1, day, 1)
    };
    assert_eq!(check_credit(&lines(CREDIT_LINES_MAX)), Ok(()));
    for count in [0, CREDIT_LINES_MAX + 1] {
        let refused = Err(Invalid::CreditLines(count));
        assert_eq!(check_credit(&lines(count)), refused);
    }
}

proptest! {
    #[test]
    fn a_capture_of_any_size_gives_each_split_its_share_and_releases_the_rest(
        splits in prop::collection::vec(0..100_000_i64, 1..SPLITS_MAX),
        size in 1..5_000_000_i64,
    ) {
        prop_assume!(splits.iter().sum::<i64>() > 0);
        let new = new_payment(&splits);
        let held = payment(&new, PaymentState::Held, NOW);
        let captured = Money::cny(size.min(new.amount.minor));
        let shares = captured_parts(&new.splits, captured.minor);
        prop_assert_eq!(shares.iter().sum::<i64>(), captured.minor);
        prop_assert!(shares.iter().zip(&splits).all(|(share, split)| share <= split));
        let group = capture(&held, captured);
        prop_assert_eq!(group.len(), splits.iter().filter(|split| **split > 0).count());
        let posted = group.iter().filter(|t| matches!(t.kind, TransferKind::PostPending { .. }));
        prop_assert_eq!(posted.map(|t| t.minor).sum::<i64>(), captured.minor);
    }

    #[test]
    fn refunds_of_any_sizes_give_back_each_split_exactly(
        splits in prop::collection::vec(0..100_000_i64, 1..SPLITS_MAX),
        sizes in prop::collection::vec(1..1_000_000_i64, 1..20),
    ) {
        prop_assume!(splits.iter().sum::<i64>() > 0);
        let mut payment = posted(&splits);
        let mut returned = vec![0; splits.len()];
        for size in sizes.into_iter().chain([i64::MAX]) {
            let left = payment.amount.minor - payment.refunded.minor;
            if left == 0 {
                break;
            }
            let fen = size.min(left);
            let parts = parts(&payment, &returned, fen).unwrap();
            prop_assert_eq!(parts.iter().sum::<i64>(), fen);
            for (index, part) in parts.iter().enumerate() {
                prop_assert!(*part >= 0);
                returned[index] += part;
                prop_assert!(returned[index] <= splits[index]);
            }
            payment.refunded = Money::cny(payment.refunded.minor + fen);
        }
        prop_assert_eq!(returned, splits);
    }
}
