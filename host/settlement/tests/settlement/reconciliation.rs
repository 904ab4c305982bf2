//! Every difference with a bank's statement is a case with a state.

use qiao_banks::rules::REPAIR_PAUSES_SECS;
use qiao_settlement::{Case, CaseEnd, CaseKind, CaseState, Error, NOTE_CHARS_MAX, Reconciliation};
use qiao_tests::each_database;
use sandbox_bank::{Direction, Fault, FaultKind, Misprint, StatementLine};

use crate::world::{TOPPED_UP, World, day, river};

const TODAY: &str = "2026-11-25";

async fn reconcile(world: &World) -> Reconciliation {
    let run = world
        .settlement
        .reconcile(&world.operator, river(), day(TODAY));
    run.await.unwrap()
}

async fn cases(world: &World) -> Vec<Case> {
    let all = world.settlement.cases(&world.operator, None, None).await;
    let mut all = all.unwrap();
    all.sort_by_key(|case| case.opened_at);
    all
}

fn told(cases: &[Case]) -> Vec<(CaseKind, CaseState, i64)> {
    cases
        .iter()
        .map(|case| (case.kind, case.state, case.difference_minor()))
        .collect()
}

fn misprint(world: &World, misprint: Option<Misprint>) {
    world.bank.misprint(TODAY.parse().unwrap(), misprint);
}

/// The bank's reference of the first top-up.
fn first_reference(world: &World) -> String {
    world.bank.payments()[0].bank_reference.clone()
}

#[tokio::test]
async fn a_day_on_which_both_say_the_same_has_no_case() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.top_up("second", 700).await;
        let run = reconcile(&world).await;
        assert_eq!((run.lines, run.matched), (2, 2));
        assert_eq!(run.bank_closing, TOPPED_UP + 700);
        assert_eq!(run.books_closing, TOPPED_UP + 700);
        assert_eq!(cases(&world).await, []);
    })
    .await;
}

#[tokio::test]
async fn each_difference_opens_one_case_however_often_it_is_looked_for() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.top_up("second", 700).await;
        let mut references: Vec<(i64, String)> = world
            .bank
            .payments()
            .into_iter()
            .map(|payment| (payment.amount_minor, payment.bank_reference))
            .collect();
        references.sort();
        misprint(&world, Some(Misprint::Drop(references[1].1.clone())));
        let bank_reference = references[0].1.clone();
        let alter = Misprint::Alter {
            bank_reference,
            amount_minor: 707,
        };
        misprint(&world, Some(alter));
        let added = StatementLine {
            bank_reference: "SB-added".to_owned(),
            id: "somebody-else".to_owned(),
            direction: Direction::Credit,
            amount_minor: 5,
            currency: "CNY".to_owned(),
            booked_at: world.env.now().as_millis(),
            reference: String::new(),
        };
        misprint(&world, Some(Misprint::Add(added)));
        for _ in 0..3 {
            assert_eq!(reconcile(&world).await.matched, 0);
            let mut found = told(&cases(&world).await);
            found.sort_by_key(|(kind, _, _)| kind.name());
            let expected = [
                (CaseKind::AmountDiffers, CaseState::Open, 7),
                (CaseKind::MissingHere, CaseState::Open, -5),
                (CaseKind::MissingThere, CaseState::Open, -TOPPED_UP),
            ];
            assert_eq!(found, expected);
        }
    })
    .await;
}

#[tokio::test]
async fn a_case_closes_by_itself_when_the_statement_is_put_right() {
    each_database(|database| async move {
        let world = World::new(database).await;
        misprint(&world, Some(Misprint::Drop(first_reference(&world))));
        reconcile(&world).await;
        misprint(&world, None);
        reconcile(&world).await;
        let after = told(&cases(&world).await);
        let expected = (CaseKind::MissingThere, CaseState::Matched, -TOPPED_UP);
        assert_eq!(after, [expected]);
        // Lost again, it is the same case that opens again.
        misprint(&world, Some(Misprint::Drop(first_reference(&world))));
        reconcile(&world).await;
        let again = told(&cases(&world).await);
        assert_eq!(
            again,
            [(CaseKind::MissingThere, CaseState::Open, -TOPPED_UP)]
        );
    })
    .await;
}

#[tokio::test]
async fn a_line_that_turns_up_on_the_next_statement_closes_the_case() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let transfer = world.bank.payments()[0].id.clone();
        misprint(&world, Some(Misprint::Drop(first_reference(&world))));
        reconcile(&world).await;
        let late = StatementLine {
            bank_reference: first_reference(&world),
            id: transfer,
            direction: Direction::Debit,
            amount_minor: TOPPED_UP,
            currency: "CNY".to_owned(),
            booked_at: world.env.now().as_millis(),
            reference: String::new(),
        };
        let next = day(TODAY).plus_days(1);
        let printed = next.to_string().parse().unwrap();
        world.bank.misprint(printed, Some(Misprint::Add(late)));
        let run = world.settlement.reconcile(&world.operator, river(), next);
        assert_eq!(run.await.unwrap().matched, 1);
        assert_eq!(cases(&world).await[0].state, CaseState::Matched);
        reconcile(&world).await;
        assert_eq!(cases(&world).await[0].state, CaseState::Matched);
    })
    .await;
}

#[tokio::test]
async fn a_top_up_whose_answer_was_lost_is_missing_here_until_it_is_repaired() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.bank.plan(Fault::once(FaultKind::LoseResponse));
        world.top_up("lost", 900).await;
        reconcile(&world).await;
        let open = [(CaseKind::MissingHere, CaseState::Open, 900)];
        assert_eq!(told(&cases(&world).await), open);
        world.clock.advance_millis(REPAIR_PAUSES_SECS[0] * 1000);
        world.banks.repair().await.unwrap();
        let run = reconcile(&world).await;
        assert_eq!((run.lines, run.matched), (2, 2));
        let matched = [(CaseKind::MissingHere, CaseState::Matched, 900)];
        assert_eq!(told(&cases(&world).await), matched);
    })
    .await;
}

#[tokio::test]
async fn an_operator_ends_a_case_once_and_with_a_note() {
    each_database(|database| async move {
        let world = World::new(database).await;
        misprint(&world, Some(Misprint::Drop(first_reference(&world))));
        reconcile(&world).await;
        let id = cases(&world).await[0].id;
        let (room, operator) = (&world.settlement, &world.operator);
        let long = "x".repeat(NOTE_CHARS_MAX + 1);
        for note in ["", "  ", &long] {
            let refused = room.end_case(operator, id, CaseEnd::Explained, note).await;
            assert!(matches!(refused, Err(Error::Note(NOTE_CHARS_MAX))));
        }
        let longest = "x".repeat(NOTE_CHARS_MAX);
        let ended = room
            .end_case(operator, id, CaseEnd::Explained, &longest)
            .await;
        let ended = ended.unwrap();
        assert_eq!(ended.state, CaseState::Explained);
        assert_eq!(ended.note.as_deref(), Some(longest.as_str()));
        assert_eq!(ended.actor, Some(operator.actor().to_string()));
        let again = room.end_case(operator, id, CaseEnd::WrittenOff, "no").await;
        assert!(matches!(
            again,
            Err(Error::CaseOver {
                state: CaseState::Explained,
                ..
            })
        ));
        let unknown = world.env.id();
        let missing = room
            .end_case(operator, unknown, CaseEnd::Explained, "no")
            .await;
        assert!(matches!(missing, Err(Error::UnknownCase(_))));
        // Looked for again, it stays as the operator left it.
        reconcile(&world).await;
        assert_eq!(cases(&world).await[0].state, CaseState::Explained);
        let open = room.cases(operator, Some(CaseState::Open), None).await;
        assert_eq!(open.unwrap(), []);
        let audit = world
            .auth
            .audit_of(operator, &id.to_string())
            .await
            .unwrap();
        assert_eq!(audit[0].action, "settlement.end-case");
    })
    .await;
}
