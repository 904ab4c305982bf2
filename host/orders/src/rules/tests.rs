use proptest::prelude::*;

use super::*;
use crate::order::{Lease, STATES};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn standing(state: OrderState) -> Standing {
    let capture = match state {
        OrderState::Held | OrderState::Unknown | OrderState::Voided => Captured::No,
        OrderState::Paid | OrderState::Completed | OrderState::Refunded => Captured::Yes,
    };
    Standing {
        state,
        capture,
        attempt: 1,
        failures: 0,
        next_at: Some(NOW),
        lease: Some(Lease {
            node: "a".to_owned(),
            until: NOW.plus_secs(LEASE_SECS),
        }),
        problem: None,
        receipt: None,
        posted_at: (capture == Captured::Yes).then_some(NOW),
        returned_at: None,
        changed_at: NOW,
    }
}

fn captured_unknown() -> Standing {
    Standing {
        capture: Captured::Yes,
        posted_at: Some(NOW),
        ..standing(OrderState::Unknown)
    }
}

fn receipt() -> Receipt {
    Receipt {
        number: "R-1".to_owned(),
        entries: Vec::new(),
    }
}

fn changes() -> Vec<Change> {
    vec![
        Change::Capture,
        Change::Complete(receipt()),
        Change::Wait(5),
        Change::Reject("sold out".to_owned()),
        Change::Doubt("no answer".to_owned()),
        Change::Cancelled,
        Change::CancelFailed,
    ]
}

/// The state and the money step that a change leads to; none when it is refused.
type Outcome = Option<(OrderState, MoneyStep)>;

fn check(from: &Standing, change: &Change) -> Outcome {
    decide(from, 1, change, NOW)
        .ok()
        .map(|d| (d.standing.state, d.money))
}

#[test]
fn every_state_and_change_has_its_one_outcome() {
    use MoneyStep::{Nothing, Post, Refund, Void};
    use OrderState::{Completed, Held, Paid, Refunded, Unknown, Voided};
    let table: [(Standing, [Outcome; 7]); 7] = [
        (
            standing(Held),
            [
                Some((Paid, Post)),
                Some((Completed, Post)),
                Some((Held, Nothing)),
                Some((Voided, Void)),
                Some((Unknown, Nothing)),
                None,
                None,
            ],
        ),
        (
            standing(Paid),
            [
                Some((Paid, Nothing)),
                Some((Completed, Nothing)),
                Some((Paid, Nothing)),
                Some((Refunded, Refund)),
                Some((Unknown, Nothing)),
                None,
                None,
            ],
        ),
        (
            standing(Unknown),
            [
                None,
                Some((Completed, Post)),
                Some((Unknown, Nothing)),
                Some((Voided, Void)),
                Some((Unknown, Nothing)),
                None,
                None,
            ],
        ),
        (
            captured_unknown(),
            [
                None,
                Some((Completed, Nothing)),
                Some((Unknown, Nothing)),
                Some((Refunded, Refund)),
                Some((Unknown, Nothing)),
                None,
                None,
            ],
        ),
        (
            standing(Completed),
            [
                None,
                Some((Completed, Nothing)),
                None,
                None,
                None,
                None,
                None,
            ],
        ),
        (
            standing(Voided),
            [
                None,
                None,
                None,
                Some((Voided, Nothing)),
                None,
                Some((Voided, Nothing)),
                Some((Voided, Nothing)),
            ],
        ),
        (
            standing(Refunded),
            [
                None,
                None,
                None,
                Some((Refunded, Nothing)),
                None,
                Some((Refunded, Nothing)),
                Some((Refunded, Nothing)),
            ],
        ),
    ];
    for (from, outcomes) in table {
        for (change, outcome) in changes().iter().zip(outcomes) {
            assert_eq!(check(&from, change), outcome, "{:?} {change:?}", from.state);
        }
    }
}

#[test]
fn an_answer_of_an_earlier_attempt_decides_nothing() {
    let now = Standing {
        attempt: 2,
        ..standing(OrderState::Held)
    };
    for change in changes() {
        let refused = decide(&now, 1, &change, NOW);
        assert_eq!(
            refused,
            Err(Refusal::Overtaken {
                attempt: 1,
                current: 2
            })
        );
    }
}

#[test]
fn a_call_without_an_answer_is_repeated_with_growing_pauses_and_then_left_to_the_operator() {
    let mut now = standing(OrderState::Held);
    for pause in RETRY_PAUSES_SECS {
        let doubt = Change::Doubt("timeout".to_owned());
        now = decide(&now, 1, &doubt, NOW).unwrap().standing;
        assert_eq!(now.next_at, Some(NOW.plus_secs(pause)));
        assert_eq!(now.lease, None);
        assert_eq!(now.state, OrderState::Unknown);
    }
    let last = decide(&now, 1, &Change::Doubt("timeout".to_owned()), NOW).unwrap();
    assert_eq!(last.standing.next_at, None);
    assert_eq!(last.standing.state, OrderState::Unknown);
    assert_eq!(last.money, MoneyStep::Nothing);
}

#[test]
fn a_pending_order_is_asked_again_within_bounds() {
    for (asked, pause) in [
        (0, PENDING_SECS_MIN),
        (90, 90),
        (u32::MAX, PENDING_SECS_MAX),
    ] {
        let decision = decide(&standing(OrderState::Paid), 1, &Change::Wait(asked), NOW);
        let after = decision.unwrap().standing;
        assert_eq!(after.next_at, Some(NOW.plus_secs(pause)));
        assert_eq!(after.failures, 0);
    }
}

#[test]
fn a_rejected_order_keeps_its_lease_until_cancel_is_done() {
    let rejected = decide(
        &standing(OrderState::Held),
        1,
        &Change::Reject("sold out".to_owned()),
        NOW,
    );
    let rejected = rejected.unwrap().standing;
    assert!(rejected.lease.is_some());
    assert_eq!(rejected.next_at, Some(NOW));
    assert_eq!(rejected.problem.as_deref(), Some("sold out"));
    let done = decide(&rejected, 1, &Change::Cancelled, NOW)
        .unwrap()
        .standing;
    assert_eq!((done.lease, done.next_at), (None, None));
}

fn any_change() -> impl Strategy<Value = Change> {
    let of_money = [Change::SetAside, Change::Short("too little".to_owned())];
    proptest::sample::select([changes(), of_money.to_vec()].concat())
}

proptest! {
    #[test]
    fn no_sequence_of_changes_takes_a_state_back_or_moves_money_twice(
        changes in proptest::collection::vec(any_change(), 0..30),
    ) {
        let mut now = standing(OrderState::Held);
        let (mut posts, mut returns) = (0, 0);
        for change in changes {
            let Ok(decision) = decide(&now, 1, &change, NOW) else { continue };
            prop_assert!(rank(decision.standing.state) >= rank(now.state));
            if is_final(now.state) {
                prop_assert_eq!(decision.standing.state, now.state);
            }
            match decision.money {
                MoneyStep::Nothing => {}
                MoneyStep::SetAside => prop_assert_eq!(now.state, OrderState::Held),
                MoneyStep::Post => posts += 1,
                MoneyStep::Void => { prop_assert_eq!(posts, 0); returns += 1; }
                MoneyStep::Refund => { prop_assert_eq!(posts, 1); returns += 1; }
            }
            now = decision.standing;
        }
        prop_assert!(posts <= 1 && returns <= 1);
        if now.state == OrderState::Completed {
            prop_assert_eq!((posts, returns), (1, 0));
        }
    }
}

#[test]
fn every_state_survives_its_name() {
    for state in STATES {
        assert_eq!(
            crate::order::state_from_name(state_name(state)),
            Some(state)
        );
    }
    assert_eq!(crate::order::state_from_name("failed"), None);
}

#[test]
fn only_a_held_order_sets_money_aside_or_waits_for_it() {
    let short = || Change::Short("too little".to_owned());
    for state in STATES {
        let held = state == OrderState::Held;
        let expected = |money| held.then_some((OrderState::Held, money));
        let standing = standing(state);
        assert_eq!(
            check(&standing, &Change::SetAside),
            expected(MoneyStep::SetAside)
        );
        assert_eq!(check(&standing, &short()), expected(MoneyStep::Nothing));
    }
    let waits = decide(&standing(OrderState::Held), 1, &short(), NOW).unwrap();
    let waits = waits.standing;
    assert_eq!(waits.next_at, Some(NOW.plus_secs(SHORT_PAUSE_SECS)));
    assert_eq!((&waits.lease, waits.failures), (&None, 0));
    assert_eq!(waits.problem.as_deref(), Some("too little"));
    let funded = decide(&waits, 1, &Change::SetAside, NOW).unwrap();
    assert_eq!(funded.standing.problem, None);
}
