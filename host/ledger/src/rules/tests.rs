#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers, and a test stops when they overflow"
)]

use proptest::prelude::*;
use qiao_model::{Channel, Currency, UserId};

use super::*;
use crate::account::{AccountKind, Owner};

const CNY: Asset = Asset::Currency(Currency::CNY);

fn world() -> NewAccount {
    NewAccount::new(
        Owner::External(Channel::SANDBOX),
        AccountKind::External,
        CNY,
    )
}

fn user(number: u128) -> NewAccount {
    let owner = Owner::User(UserId::from_u128(number));
    NewAccount::new(owner, AccountKind::Available, CNY)
}

fn id(number: u128) -> TransferId {
    TransferId::from_u128(number)
}

fn transfer(
    number: u128,
    debit: NewAccount,
    credit: NewAccount,
    minor: i64,
    kind: TransferKind,
) -> NewTransfer {
    NewTransfer {
        id: id(number),
        debit,
        credit,
        minor,
        kind,
        purpose: Cow::Borrowed("test"),
        reference: "pay_test".to_owned(),
    }
}

fn posted(number: u128, debit: NewAccount, credit: NewAccount, minor: i64) -> NewTransfer {
    transfer(number, debit, credit, minor, TransferKind::Posted)
}

fn pending(number: u128, minor: i64) -> NewTransfer {
    transfer(number, user(1), user(2), minor, TransferKind::Pending)
}

fn post(number: u128, of: u128, minor: i64) -> NewTransfer {
    let kind = TransferKind::PostPending { pending: id(of) };
    transfer(number, user(1), user(2), minor, kind)
}

fn void(number: u128, of: u128, minor: i64) -> NewTransfer {
    let kind = TransferKind::VoidPending { pending: id(of) };
    transfer(number, user(1), user(2), minor, kind)
}

/// Books in which user 1 has 100 and everybody else nothing.
fn books() -> Books {
    let mut books = Books::default();
    for account in [world(), user(1), user(2), user(3)] {
        let empty = Account::new(account);
        books.accounts.insert(account.id(), empty);
    }
    let given = books.decide(&[posted(1, world(), user(1), 100)]);
    assert_eq!(given, Ok(Verdict::Accepted));
    books
}

fn balance(books: &Books, account: NewAccount) -> (i64, i64, i64) {
    let balance = books.accounts[&account.id()].totals.balance();
    (balance.posted, balance.pending_out, balance.pending_in)
}

#[test]
fn a_posted_transfer_moves_at_once() {
    let mut books = books();
    assert_eq!(
        books.decide(&[posted(2, user(1), user(2), 30)]),
        Ok(Verdict::Accepted)
    );
    assert_eq!(balance(&books, user(1)), (70, 0, 0));
    assert_eq!(balance(&books, user(2)), (30, 0, 0));
    assert_eq!(balance(&books, world()), (-100, 0, 0));
    books.assert_balanced();
}

#[test]
fn the_whole_balance_can_go_and_one_more_is_refused() {
    let mut books = books();
    let refused = books.decide(&[posted(2, user(1), user(2), 101)]);
    assert_eq!(
        refused,
        Err(Refusal::InsufficientFunds {
            account: user(1).id(),
            available: 100,
            requested: 101,
        })
    );
    assert_eq!(
        books.decide(&[posted(2, user(1), user(2), 100)]),
        Ok(Verdict::Accepted)
    );
}

#[test]
fn what_is_held_cannot_be_spent_until_it_is_voided() {
    let mut books = books();
    assert_eq!(books.decide(&[pending(2, 60)]), Ok(Verdict::Accepted));
    assert_eq!(balance(&books, user(1)), (100, 60, 0));
    assert_eq!(balance(&books, user(2)), (0, 0, 60));
    assert!(books.decide(&[posted(3, user(1), user(3), 41)]).is_err());
    // What will arrive cannot be spent either.
    assert!(books.decide(&[posted(3, user(2), user(3), 1)]).is_err());
    assert_eq!(books.decide(&[void(4, 2, 60)]), Ok(Verdict::Accepted));
    assert_eq!(balance(&books, user(1)), (100, 0, 0));
    assert_eq!(
        books.decide(&[posted(3, user(1), user(3), 100)]),
        Ok(Verdict::Accepted)
    );
}

#[test]
fn a_post_for_less_releases_the_rest() {
    let mut books = books();
    assert_eq!(books.decide(&[pending(2, 60)]), Ok(Verdict::Accepted));
    assert_eq!(books.decide(&[post(3, 2, 45)]), Ok(Verdict::Accepted));
    assert_eq!(balance(&books, user(1)), (55, 0, 0));
    assert_eq!(balance(&books, user(2)), (45, 0, 0));
    books.assert_balanced();
}

#[test]
fn a_pending_transfer_is_resolved_once() {
    let mut books = books();
    assert_eq!(books.decide(&[pending(2, 60)]), Ok(Verdict::Accepted));
    assert_eq!(books.decide(&[post(3, 2, 60)]), Ok(Verdict::Accepted));
    let resolved = Refusal::AlreadyResolved {
        pending: id(2),
        by: id(3),
    };
    assert_eq!(books.decide(&[post(4, 2, 60)]), Err(resolved.clone()));
    assert_eq!(books.decide(&[void(4, 2, 60)]), Err(resolved));
    assert_eq!(books.decide(&[post(3, 2, 60)]), Ok(Verdict::Existing));
}

#[test]
fn a_resolution_that_does_not_fit_is_refused() {
    let mut books = books();
    assert_eq!(books.decide(&[pending(2, 60)]), Ok(Verdict::Accepted));
    let mismatch = |transfer| {
        Err(Refusal::PendingMismatch {
            transfer: id(transfer),
            pending: id(2),
        })
    };
    assert_eq!(books.decide(&[post(3, 2, 61)]), mismatch(3));
    assert_eq!(books.decide(&[void(3, 2, 59)]), mismatch(3));
    let elsewhere = NewTransfer {
        credit: user(3),
        ..post(3, 2, 60)
    };
    assert_eq!(books.decide(&[elsewhere]), mismatch(3));
    assert_eq!(
        books.decide(&[post(3, 9, 1)]),
        Err(Refusal::UnknownPending(id(9)))
    );
    assert_eq!(
        books.decide(&[post(3, 1, 1)]),
        Err(Refusal::NotPending(id(1)))
    );
    assert_eq!(balance(&books, user(1)), (100, 60, 0));
}

#[test]
fn a_group_is_accepted_or_refused_as_one() {
    let mut books = books();
    let before = (books.accounts.clone(), books.transfers.len());
    let group = [
        posted(2, user(1), user(2), 40),
        pending(3, 10),
        post(4, 3, 10),
        posted(5, user(3), user(1), 1),
    ];
    assert_eq!(
        books.decide(&group),
        Err(Refusal::InsufficientFunds {
            account: user(3).id(),
            available: 0,
            requested: 1,
        })
    );
    assert_eq!((books.accounts.clone(), books.transfers.len()), before);
    assert_eq!(books.made, [id(1)]);
    assert!(books.resolutions.is_empty());
    assert_eq!(books.decide(&group[..3]), Ok(Verdict::Accepted));
    assert_eq!(balance(&books, user(2)), (50, 0, 0));
}

#[test]
fn a_group_can_spend_what_its_earlier_transfers_bring() {
    let mut books = books();
    let group = [
        posted(2, user(1), user(2), 100),
        posted(3, user(2), user(3), 100),
        posted(4, user(3), user(1), 100),
    ];
    assert_eq!(books.decide(&group), Ok(Verdict::Accepted));
    assert_eq!(balance(&books, user(1)), (100, 0, 0));
    books.assert_balanced();
}

#[test]
fn the_same_id_and_content_again_changes_nothing() {
    let mut books = books();
    let group = [
        posted(2, user(1), user(2), 30),
        posted(3, user(1), user(3), 10),
    ];
    assert_eq!(books.decide(&group), Ok(Verdict::Accepted));
    assert_eq!(books.decide(&group), Ok(Verdict::Existing));
    assert_eq!(balance(&books, user(1)), (60, 0, 0));
}

#[test]
fn the_same_id_with_any_other_content_is_refused() {
    let mut books = books();
    let first = posted(2, user(1), user(2), 30);
    assert_eq!(
        books.decide(std::slice::from_ref(&first)),
        Ok(Verdict::Accepted)
    );
    let others = [
        posted(2, user(1), user(2), 31),
        posted(2, user(1), user(3), 30),
        posted(2, user(2), user(1), 30),
        NewTransfer {
            kind: TransferKind::Pending,
            ..first.clone()
        },
        NewTransfer {
            purpose: Cow::Borrowed("other"),
            ..first.clone()
        },
        NewTransfer {
            reference: "pay_other".to_owned(),
            ..first.clone()
        },
    ];
    for other in others {
        assert_eq!(
            books.decide(std::slice::from_ref(&other)),
            Err(Refusal::IdConflict(id(2))),
            "{other:?}"
        );
    }
    // A group of which only a part is there is another group.
    let longer = [first, posted(3, user(1), user(2), 1)];
    assert_eq!(books.decide(&longer), Err(Refusal::IdConflict(id(2))));
    // An id twice in one group.
    let twice = [
        posted(4, user(1), user(2), 1),
        posted(4, user(1), user(2), 1),
    ];
    assert_eq!(books.decide(&twice), Err(Refusal::IdConflict(id(4))));
    assert_eq!(balance(&books, user(1)), (70, 0, 0));
}

#[test]
fn a_malformed_transfer_is_refused() {
    let mut books = books();
    let fund = Asset::Units(qiao_model::ProductId::from_u128(1));
    let units = NewAccount::new(
        Owner::User(UserId::from_u128(1)),
        AccountKind::Holding,
        fund,
    );
    let empty = Account::new(units);
    books.accounts.insert(units.id(), empty);
    for minor in [0, -1, i64::MIN] {
        assert_eq!(
            books.decide(&[posted(2, user(1), user(2), minor)]),
            Err(Refusal::NotPositive(id(2)))
        );
    }
    assert_eq!(
        books.decide(&[posted(2, user(1), user(1), 1)]),
        Err(Refusal::SameAccount(id(2)))
    );
    assert_eq!(
        books.decide(&[posted(2, user(1), units, 1)]),
        Err(Refusal::MixedAssets(id(2)))
    );
    assert_eq!(books.decide(&[]), Err(Refusal::GroupSize(0)));
    let many = vec![posted(2, user(1), user(2), 1); GROUP_TRANSFERS_MAX + 1];
    assert_eq!(books.decide(&many), Err(Refusal::GroupSize(many.len())));
}

#[test]
fn a_balance_beyond_64_bits_is_refused() {
    let mut books = books();
    assert_eq!(
        books.decide(&[posted(2, world(), user(1), i64::MAX)]),
        Err(Refusal::Overflow(world().id()))
    );
    let rest = i64::MAX - 100;
    assert_eq!(
        books.decide(&[posted(2, world(), user(1), rest)]),
        Ok(Verdict::Accepted)
    );
    assert_eq!(
        books.decide(&[posted(3, world(), user(2), 1)]),
        Err(Refusal::Overflow(world().id()))
    );
    books.assert_balanced();
}

#[test]
fn each_transfer_names_the_one_before_it_on_both_accounts() {
    let mut books = books();
    let group = [
        posted(2, user(1), user(2), 30),
        posted(3, user(2), user(3), 5),
    ];
    assert_eq!(books.decide(&group), Ok(Verdict::Accepted));
    let record = &books.transfers[&id(3)];
    assert_eq!(record.debit_previous, Some(id(2)));
    assert_eq!(record.credit_previous, None);
    assert_eq!((record.debit_balance, record.credit_balance), (25, 5));
    assert_eq!(books.transfers[&id(2)].debit_previous, Some(id(1)));
}

#[derive(Clone, Debug)]
enum Step {
    Move(TransferKind, usize, usize, i64),
    Resolve(usize, i64, Resolution),
    Repeat(usize),
}

#[derive(Clone, Copy, Debug)]
enum Resolution {
    Post,
    Void,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(TransferKind::Posted), Just(TransferKind::Pending)];
    let resolution = prop_oneof![Just(Resolution::Post), Just(Resolution::Void)];
    prop_oneof![
        4 => (kind, 0..4_usize, 0..4_usize, -1..80_i64)
            .prop_map(|(kind, from, to, minor)| Step::Move(kind, from, to, minor)),
        3 => (any::<prop::sample::Index>(), 0..80_i64, resolution)
            .prop_map(|(of, minor, how)| Step::Resolve(of.index(64), minor, how)),
        1 => any::<prop::sample::Index>().prop_map(|of| Step::Repeat(of.index(64))),
    ]
}

/// An auditor that shares no code with the rules: it adds up what was accepted.
fn audit(books: &Books, accepted: &[NewTransfer]) {
    let mut sum = 0_i64;
    for account in [world(), user(1), user(2), user(3)] {
        let (mut posted, mut held) = (0_i64, 0_i64);
        for transfer in accepted {
            let resolved = accepted
                .iter()
                .any(|t| t.kind.resolves() == Some(transfer.id));
            let moves = matches!(
                transfer.kind,
                TransferKind::Posted | TransferKind::PostPending { .. }
            );
            if moves && transfer.debit == account {
                posted -= transfer.minor;
            }
            if moves && transfer.credit == account {
                posted += transfer.minor;
            }
            let holds = transfer.kind == TransferKind::Pending && !resolved;
            if holds && transfer.debit == account {
                held += transfer.minor;
            }
        }
        let found = balance(books, account);
        assert_eq!((found.0, found.1), (posted, held), "{account:?}");
        if account != world() {
            assert!(posted - held >= 0, "{account:?} fell below its floor");
        }
        sum += posted;
    }
    assert_eq!(sum, 0);
    books.assert_balanced();
}

proptest! {
    #[test]
    fn whatever_is_sent_the_books_add_up(groups in prop::collection::vec(prop::collection::vec(step(), 1..4), 1..40)) {
        let mut books = books();
        let mut accepted = vec![posted(1, world(), user(1), 100)];
        let accounts = [world(), user(1), user(2), user(3)];
        let mut number = 1;
        for steps in groups {
            let mut group = Vec::new();
            for step in steps {
                number += 1;
                group.push(match step {
                    Step::Move(kind, from, to, minor) => {
                        transfer(number, accounts[from], accounts[to], minor, kind)
                    }
                    Step::Resolve(of, minor, how) => {
                        let of = accepted[of % accepted.len()].clone();
                        let kind = match how {
                            Resolution::Post => TransferKind::PostPending { pending: of.id },
                            Resolution::Void => TransferKind::VoidPending { pending: of.id },
                        };
                        let minor = match how {
                            Resolution::Post => minor.min(of.minor),
                            Resolution::Void => of.minor,
                        };
                        transfer(number, of.debit, of.credit, minor, kind)
                    }
                    Step::Repeat(of) => accepted[of % accepted.len()].clone(),
                });
            }
            let before = books.accounts.clone();
            match books.decide(&group) {
                Ok(Verdict::Accepted) => accepted.extend(group),
                Ok(Verdict::Existing) | Err(_) => prop_assert_eq!(&books.accounts, &before),
            }
            audit(&books, &accepted);
        }
        prop_assert_eq!(books.made.len(), accepted.len());
    }
}
