//! What an operator sees and does.

use qiao_banks::rules::REPAIR_PAUSES_SECS;
use qiao_banks::{BankTransfer, Error, TransferPage, TransferState, Verdict};
use qiao_tests::each_database;
use sandbox_bank::{Fault, FaultKind};

use crate::world::{World, river};

const PAGE: TransferPage = TransferPage {
    before: None,
    limit: 50,
};

/// A withdrawal of 100.00 of 1,000.00 that the bank never answers about.
async fn stuck(world: &World) -> BankTransfer {
    let link = world.link().await;
    world.top_up(link.id, 100_000).await;
    let fault = Fault {
        count: 11,
        ..Fault::once(FaultKind::Unavailable)
    };
    world.bank.plan(fault);
    let transfer = world.withdraw(link.id, 10_000).await;
    for pause in REPAIR_PAUSES_SECS {
        world.repair_after(pause).await;
    }
    let stored = world.stored(transfer.id).await;
    assert!(stored.is_stuck());
    stored
}

#[tokio::test]
async fn a_stuck_transfer_is_shown_with_its_evidence_and_asked_about_again() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let transfer = stuck(&world).await;
        let open = world.banks.open_transfers(&world.operator, PAGE).await;
        assert_eq!(open.unwrap(), std::slice::from_ref(&transfer));
        assert_eq!(world.evidence(transfer.id).await.len(), 21);
        let again = world.banks.ask_again(&world.operator, transfer.id).await;
        assert!(again.unwrap());
        let twice = world.banks.ask_again(&world.operator, transfer.id).await;
        assert!(!twice.unwrap(), "it is due");
        assert_eq!(world.banks.repair().await.unwrap(), 1);
        assert_eq!(world.state(transfer.id).await, TransferState::Done);
        assert_eq!(world.balance().await, 90_000);
        let open = world.banks.open_transfers(&world.operator, PAGE).await;
        assert_eq!(open.unwrap(), []);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn an_operator_decides_a_stuck_transfer_with_a_reason_that_is_audited() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let transfer = stuck(&world).await;
        let operator = &world.operator;
        let silent = world
            .banks
            .decide(operator, transfer.id, Verdict::Rejected, " ")
            .await;
        assert!(matches!(silent, Err(Error::Reason(_))), "{silent:?}");
        let why = "letter of the bank of 2026-11-27";
        let decided = world
            .banks
            .decide(operator, transfer.id, Verdict::Rejected, why)
            .await
            .unwrap();
        assert_eq!(decided.standing.state, TransferState::Rejected);
        assert_eq!(world.balance().await, 100_000);
        let audit = world
            .auth
            .audit_of(operator, &transfer.id.to_string())
            .await;
        let audit = audit.unwrap();
        assert_eq!(audit[0].detail, format!("rejected: {why}"));
        let rows = audit.len();
        let decide = async |verdict, why| {
            let banks = &world.banks;
            banks.decide(operator, transfer.id, verdict, why).await
        };
        let again = decide(Verdict::Rejected, why).await.unwrap();
        assert_eq!(again, decided);
        assert_eq!(world.balance().await, 100_000);
        let done = Verdict::Done {
            bank_reference: "SB-77".to_owned(),
        };
        for (verdict, why) in [(Verdict::Rejected, "another letter"), (done, why)] {
            let other = decide(verdict, why).await;
            assert!(matches!(other, Err(Error::NotStuck { .. })), "{other:?}");
        }
        let audit = world
            .auth
            .audit_of(operator, &transfer.id.to_string())
            .await;
        assert_eq!(audit.unwrap().len(), rows);
    })
    .await;
}

#[tokio::test]
async fn an_operator_who_says_done_posts_the_hold() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let transfer = stuck(&world).await;
        let done = Verdict::Done {
            bank_reference: "SB-77".to_owned(),
        };
        let decided = world
            .banks
            .decide(&world.operator, transfer.id, done, "seen")
            .await;
        let standing = decided.unwrap().standing;
        assert_eq!(standing.state, TransferState::Done);
        assert_eq!(standing.bank_reference.as_deref(), Some("SB-77"));
        assert_eq!(world.balance().await, 90_000);
        let decide = async |bank_reference: &str| {
            let bank_reference = bank_reference.to_owned();
            let done = Verdict::Done { bank_reference };
            let (banks, operator) = (&world.banks, &world.operator);
            banks.decide(operator, transfer.id, done, "seen").await
        };
        assert_eq!(decide("SB-77").await.unwrap().standing, standing);
        let other = decide("SB-78").await;
        assert!(matches!(other, Err(Error::NotStuck { .. })), "{other:?}");
        assert_eq!(world.balance().await, 90_000);
    })
    .await;
}

#[tokio::test]
async fn what_the_worker_still_asks_about_is_not_decided_by_hand() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let link = world.link().await;
    world.bank.plan(Fault::once(FaultKind::LoseResponse));
    let transfer = world.top_up(link.id, 10_000).await;
    let decided = world
        .banks
        .decide(
            &world.operator,
            transfer.id,
            Verdict::Rejected,
            "impatience",
        )
        .await;
    assert!(
        matches!(decided, Err(Error::NotStuck { .. })),
        "{decided:?}"
    );
    let again = world.banks.ask_again(&world.operator, transfer.id).await;
    assert!(!again.unwrap());
}

#[tokio::test]
async fn a_paused_channel_begins_nothing_and_ends_what_it_began() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.bank.plan(Fault::once(FaultKind::LoseResponse));
        let transfer = world.top_up(link.id, 10_000).await;
        let operator = &world.operator;
        world
            .banks
            .pause_channel(operator, river(), "upkeep")
            .await
            .unwrap();
        let twice = world.banks.pause_channel(operator, river(), "upkeep").await;
        assert!(
            matches!(twice, Err(Error::ChannelSoAlready(_))),
            "{twice:?}"
        );
        let permit = &world.person.permit;
        let refused = world
            .banks
            .top_up(permit, world.new_top_up(link.id, 1))
            .await;
        assert!(matches!(refused, Err(Error::NoRoute)), "{refused:?}");
        let session = world.person.session;
        let refused = world.banks.begin_link(permit, session, river(), "").await;
        assert!(matches!(refused, Err(Error::NoRoute)), "{refused:?}");
        assert_eq!(world.repair_after(5).await, 1);
        assert_eq!(world.state(transfer.id).await, TransferState::Done);
        // A restart of the host does not resume it.
        let again = world.open("node-b", qiao_banks::Crash::Never).await;
        let channel = again.channel(river()).await.unwrap();
        assert_eq!(channel.paused_because.as_deref(), Some("upkeep"));
        world.banks.resume_channel(operator, river()).await.unwrap();
        world.top_up(link.id, 1).await;
    })
    .await;
}

#[tokio::test]
async fn transfers_that_have_not_ended_are_counted_by_state() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let link = world.link().await;
    world.top_up(link.id, 10_000).await;
    world.bank.plan(Fault::once(FaultKind::LoseResponse));
    world.top_up(link.id, 10_000).await;
    let counts = world.banks.open_counts().await.unwrap();
    let expected = [
        (TransferState::Requested, 0),
        (TransferState::Unknown, 1),
        (TransferState::Accepted, 0),
    ];
    assert_eq!(counts, expected);
}
