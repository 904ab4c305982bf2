use qiao_model::{BankLinkId, BankTransferId, Channel, Money, UserId};
use qiao_payments::Party;

use super::*;
use crate::transfer::{Lease, Routing};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn transfer(purpose: Purpose, state: TransferState) -> BankTransfer {
    let id = BankTransferId::from_u128(1);
    let channel: Channel = "river".parse().unwrap();
    BankTransfer {
        id,
        purpose,
        party: Party::User(UserId::from_u128(2)),
        account_number: None,
        route: Route {
            number: 1,
            channel,
            link: Some(BankLinkId::from_u128(3)),
            amount: Money::cny(10_000),
            fee: Money::cny(10),
            payment: BankTransfer::payment_of(id, 1),
        },
        routing: Routing::Fixed,
        tried: Vec::new(),
        description: "a test".to_owned(),
        requested_at: NOW,
        standing: Standing {
            state,
            reason: None,
            bank_reference: None,
            attempt: 3,
            failures: 0,
            next_at: Some(NOW),
            lease: Some(Lease {
                node: "a".to_owned(),
                until: NOW.plus_secs(LEASE_SECS),
            }),
            booked_at: None,
            answers: 0,
            changed_at: NOW,
        },
    }
}

fn said(state: TransferState) -> Answer {
    Answer {
        state,
        bank_reference: Some("R-1".to_owned()),
        reason: (state == TransferState::Rejected).then(|| "limit".to_owned()),
        booked_at: None,
    }
}

fn answer(attempt: Option<u32>, state: TransferState) -> Change {
    Change::Answered {
        attempt,
        answer: said(state),
    }
}

fn money(purpose: Purpose, state: TransferState) -> MoneyStep {
    let transfer = transfer(purpose, TransferState::Unknown);
    decide(&transfer, &answer(None, state), NOW).unwrap().money
}

#[test]
fn money_moves_when_the_bank_says_that_it_ended_and_not_before() {
    use TransferState as S;
    for purpose in [Purpose::TopUp, Purpose::Payment] {
        assert_eq!(money(purpose, S::Done), MoneyStep::Pay);
        assert_eq!(money(purpose, S::Rejected), MoneyStep::Nothing);
        assert_eq!(money(purpose, S::Accepted), MoneyStep::Nothing);
    }
    for purpose in [Purpose::Withdrawal, Purpose::Payout] {
        assert_eq!(money(purpose, S::Done), MoneyStep::Post);
        assert_eq!(money(purpose, S::Rejected), MoneyStep::Void);
        assert_eq!(money(purpose, S::Accepted), MoneyStep::Nothing);
    }
}

#[test]
fn the_same_answer_twice_moves_money_once() {
    let mut transfer = transfer(Purpose::TopUp, TransferState::Requested);
    let done = answer(None, TransferState::Done);
    let first = decide(&transfer, &done, NOW).unwrap();
    assert_eq!((first.money, first.heard), (MoneyStep::Pay, Heard::News));
    transfer.standing = first.standing;
    let second = decide(&transfer, &done, NOW.plus_secs(9)).unwrap();
    assert_eq!(
        (second.money, second.heard),
        (MoneyStep::Nothing, Heard::Known)
    );
    assert_eq!(second.standing, transfer.standing);
}

#[test]
fn a_bank_that_contradicts_itself_moves_nothing() {
    for (before, after) in [
        (TransferState::Done, TransferState::Rejected),
        (TransferState::Rejected, TransferState::Done),
    ] {
        let transfer = transfer(Purpose::Withdrawal, before);
        let decision = decide(&transfer, &answer(None, after), NOW).unwrap();
        assert_eq!(decision.heard, Heard::Contradiction);
        assert_eq!(decision.money, MoneyStep::Nothing);
        assert_eq!(decision.standing, transfer.standing);
    }
}

#[test]
fn no_answer_is_unknown_and_never_rejected() {
    for state in [TransferState::Requested, TransferState::Unknown] {
        let transfer = transfer(Purpose::Withdrawal, state);
        let change = Change::Doubt {
            attempt: 3,
            problem: "timed out".to_owned(),
        };
        let decision = decide(&transfer, &change, NOW).unwrap();
        assert_eq!(decision.standing.state, TransferState::Unknown);
        assert_eq!(decision.money, MoneyStep::Nothing);
        assert_eq!(decision.standing.next_at, Some(NOW.plus_secs(5)));
        assert_eq!(decision.standing.lease, None);
    }
}

#[test]
fn an_accepted_transfer_stays_accepted_when_the_bank_is_silent() {
    let transfer = transfer(Purpose::TopUp, TransferState::Accepted);
    let change = Change::Doubt {
        attempt: 3,
        problem: "timed out".to_owned(),
    };
    let decision = decide(&transfer, &change, NOW).unwrap();
    assert_eq!(decision.standing.state, TransferState::Accepted);
}

#[test]
fn after_the_last_pause_a_transfer_is_stuck() {
    let mut transfer = transfer(Purpose::TopUp, TransferState::Unknown);
    for pause in REPAIR_PAUSES_SECS {
        let change = Change::Doubt {
            attempt: 3,
            problem: "timed out".to_owned(),
        };
        transfer.standing = decide(&transfer, &change, NOW).unwrap().standing;
        assert_eq!(transfer.standing.next_at, Some(NOW.plus_secs(pause)));
        assert!(!transfer.is_stuck());
    }
    let change = answer(Some(3), TransferState::Accepted);
    transfer.standing = decide(&transfer, &change, NOW).unwrap().standing;
    assert!(transfer.is_stuck());
    let late = decide(&transfer, &answer(None, TransferState::Done), NOW).unwrap();
    assert_eq!(late.money, MoneyStep::Pay, "a late success still counts");
}

#[test]
fn what_was_never_sent_is_rejected_and_a_payout_is_tried_again() {
    let change = Change::NotSent {
        attempt: 3,
        reason: "unreachable".to_owned(),
    };
    let of_person = transfer(Purpose::Withdrawal, TransferState::Requested);
    let decision = decide(&of_person, &change, NOW).unwrap();
    assert_eq!(decision.standing.state, TransferState::Rejected);
    assert_eq!(decision.money, MoneyStep::Void);
    let payout = transfer(Purpose::Payout, TransferState::Requested);
    let decision = decide(&payout, &change, NOW).unwrap();
    assert_eq!(decision.standing.state, TransferState::Requested);
    assert_eq!(decision.standing.next_at, Some(NOW.plus_secs(5)));
}

#[test]
fn what_may_have_been_sent_before_is_not_rejected_because_this_attempt_was_not() {
    let transfer = transfer(Purpose::TopUp, TransferState::Unknown);
    let change = Change::NotSent {
        attempt: 3,
        reason: "unreachable".to_owned(),
    };
    let decision = decide(&transfer, &change, NOW).unwrap();
    assert_eq!(decision.standing.state, TransferState::Unknown);
}

#[test]
fn an_absent_transfer_is_given_up_after_a_quarter_of_an_hour_and_not_before() {
    let transfer = transfer(Purpose::Withdrawal, TransferState::Unknown);
    let change = Change::Absent {
        attempt: 3,
        reason: "link_expired".to_owned(),
    };
    let before = decide(&transfer, &change, NOW.plus_millis(ABSENT_SECS * 1000 - 1)).unwrap();
    assert_eq!(before.standing.state, TransferState::Unknown);
    let after = decide(&transfer, &change, NOW.plus_secs(ABSENT_SECS)).unwrap();
    assert_eq!(after.standing.state, TransferState::Rejected);
    assert_eq!(after.money, MoneyStep::Void);
}

#[test]
fn an_attempt_that_is_over_says_nothing_and_a_callback_always_counts() {
    let transfer = transfer(Purpose::TopUp, TransferState::Unknown);
    let changes = [
        answer(Some(2), TransferState::Done),
        Change::Doubt {
            attempt: 2,
            problem: String::new(),
        },
        Change::NotSent {
            attempt: 2,
            reason: String::new(),
        },
        Change::Reroute {
            attempt: 2,
            route: Box::new(transfer.route.clone()),
        },
    ];
    for change in &changes {
        let overtaken = Refusal::Overtaken {
            attempt: 2,
            current: 3,
        };
        assert_eq!(decide(&transfer, change, NOW), Err(overtaken));
    }
    assert!(decide(&transfer, &answer(None, TransferState::Done), NOW).is_ok());
}

#[test]
fn a_new_route_begins_anew_and_moves_the_hold() {
    for (purpose, money) in [
        (Purpose::TopUp, MoneyStep::Nothing),
        (Purpose::Payout, MoneyStep::Move),
    ] {
        let transfer = transfer(purpose, TransferState::Unknown);
        let route = Route {
            number: 2,
            payment: BankTransfer::payment_of(transfer.id, 2),
            ..transfer.route.clone()
        };
        let change = Change::Reroute {
            attempt: 3,
            route: Box::new(route.clone()),
        };
        let decision = decide(&transfer, &change, NOW).unwrap();
        assert_eq!(decision.money, money);
        assert_eq!(decision.route.as_ref(), Some(&route));
        assert_eq!(decision.standing.state, TransferState::Requested);
        assert!(decision.standing.lease.is_some());
    }
}

/// A batch whose commit took effect while its answer was lost is run again.
#[test]
fn a_new_route_that_is_taken_already_moves_nothing() {
    for purpose in Purpose::ALL {
        let mut transfer = transfer(purpose, TransferState::Requested);
        transfer.route.number = 2;
        for number in [1, 2] {
            let route = Route {
                number,
                payment: BankTransfer::payment_of(transfer.id, number),
                ..transfer.route.clone()
            };
            let change = Change::Reroute {
                attempt: 3,
                route: Box::new(route),
            };
            let decision = decide(&transfer, &change, NOW).unwrap();
            assert_eq!(decision.money, MoneyStep::Nothing);
            assert_eq!(decision.route, None);
            assert_eq!(decision.heard, Heard::Known);
            assert_eq!(decision.standing, transfer.standing);
        }
    }
}

#[test]
fn no_change_takes_a_state_back() {
    for state in TransferState::ALL {
        for purpose in Purpose::ALL {
            let transfer = transfer(purpose, state);
            let attempt = 3;
            let text = || String::from("x");
            let mut changes = vec![
                Change::Doubt {
                    attempt,
                    problem: text(),
                },
                Change::NotSent {
                    attempt,
                    reason: text(),
                },
                Change::Absent {
                    attempt,
                    reason: text(),
                },
            ];
            for said in [
                TransferState::Accepted,
                TransferState::Done,
                TransferState::Rejected,
            ] {
                changes.push(answer(None, said));
                changes.push(answer(Some(attempt), said));
            }
            for change in &changes {
                // `decide` asserts it; what it refuses changes nothing.
                drop(decide(&transfer, change, NOW.plus_secs(ABSENT_SECS)));
            }
        }
    }
}
