//! Every way a bank can fail, and that none of them moves money twice or loses it.

use qiao_banks::rules::REPAIR_PAUSES_SECS;
use qiao_banks::{BankTransfer, TransferState};
use qiao_payments::Party;
use qiao_tests::each_database;
use sandbox_bank::{Fault, FaultKind};

use crate::world::{AT_THE_BANK, World};

/// A top-up and a withdrawal of 100.00 each, with a fault at their sending. The
/// balance is 1,000.00 before.
async fn both_ways(world: &World, fault: &Fault) -> [BankTransfer; 2] {
    let link = world.link().await;
    world.top_up(link.id, 100_000).await;
    world.bank.plan(fault.clone());
    let into = world.top_up(link.id, 10_000).await;
    world.bank.plan(fault.clone());
    let out = world.withdraw(link.id, 10_000).await;
    [into, out]
}

fn states(transfers: &[BankTransfer; 2]) -> [TransferState; 2] {
    [transfers[0].standing.state, transfers[1].standing.state]
}

/// Both are done and moved once each.
async fn assert_done_once(world: &World, transfers: &[BankTransfer; 2]) {
    for transfer in transfers {
        assert_eq!(world.state(transfer.id).await, TransferState::Done);
    }
    assert_eq!(world.balance().await, 100_000);
    assert_eq!(world.at_the_bank(), AT_THE_BANK - 100_000);
    assert_eq!(world.bank.payments().len(), 3);
    world.audit().await;
}

#[tokio::test]
async fn a_time_out_before_the_effect_is_unknown_and_sent_again_under_the_same_id() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let fault = Fault::once(FaultKind::TimeOutBefore).delayed_ms(5_000);
        let transfers = both_ways(&world, &fault).await;
        assert_eq!(states(&transfers), [TransferState::Unknown; 2]);
        assert_eq!(world.balance().await, 90_000, "the withdrawal stays held");
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[0]).await, 2);
        assert_done_once(&world, &transfers).await;
        let learned = world.learned(transfers[0].id).await;
        assert_eq!(learned, ["send no-answer", "query not-found", "send done"]);
    })
    .await;
}

#[tokio::test]
async fn a_time_out_after_the_effect_is_unknown_until_the_bank_is_asked() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let fault = Fault::once(FaultKind::TimeOutAfter).delayed_ms(5_000);
        let transfers = both_ways(&world, &fault).await;
        assert_eq!(states(&transfers), [TransferState::Unknown; 2]);
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[0]).await, 2);
        assert_done_once(&world, &transfers).await;
        let learned = world.learned(transfers[0].id).await;
        assert_eq!(learned, ["send no-answer", "query done"]);
    })
    .await;
}

#[tokio::test]
async fn a_lost_response_is_unknown_until_the_bank_is_asked() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let transfers = both_ways(&world, &Fault::once(FaultKind::LoseResponse)).await;
        assert_eq!(states(&transfers), [TransferState::Unknown; 2]);
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[0]).await, 2);
        assert_done_once(&world, &transfers).await;
    })
    .await;
}

#[tokio::test]
async fn an_unavailable_bank_is_unknown_and_never_rejected() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let transfers = both_ways(&world, &Fault::once(FaultKind::Unavailable)).await;
        assert_eq!(states(&transfers), [TransferState::Unknown; 2]);
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[0]).await, 2);
        assert_done_once(&world, &transfers).await;
    })
    .await;
}

#[tokio::test]
async fn a_late_payment_that_was_absent_before_has_one_effect() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let fault = Fault::once(FaultKind::Late).delayed_ms(20_000);
        let transfers = both_ways(&world, &fault).await;
        assert_eq!(states(&transfers), [TransferState::Unknown; 2]);
        // The bank says 404 and takes the same id again: it has it, and is not done.
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[0]).await, 2);
        for transfer in &transfers {
            assert_eq!(world.state(transfer.id).await, TransferState::Accepted);
        }
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[1]).await, 2);
        assert_done_once(&world, &transfers).await;
    })
    .await;
}

#[tokio::test]
async fn an_accepted_payment_is_asked_for_until_it_is_done() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let fault = Fault::once(FaultKind::AcceptOnly).delayed_ms(19_000);
        let transfers = both_ways(&world, &fault).await;
        assert_eq!(states(&transfers), [TransferState::Accepted; 2]);
        assert_eq!(world.balance().await, 90_000, "nothing arrived yet");
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[0]).await, 2);
        assert_eq!(world.state(transfers[0].id).await, TransferState::Accepted);
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[1]).await, 2);
        assert_done_once(&world, &transfers).await;
    })
    .await;
}

#[tokio::test]
async fn a_rejection_gives_a_held_withdrawal_back() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let transfers = both_ways(&world, &Fault::once(FaultKind::Reject)).await;
        assert_eq!(states(&transfers), [TransferState::Rejected; 2]);
        assert_eq!(transfers[0].standing.reason.as_deref(), Some("limit"));
        assert_eq!(world.balance().await, 100_000);
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[0]).await, 0);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_bank_that_stays_silent_leaves_it_stuck_and_the_money_held() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.top_up(link.id, 100_000).await;
        let fault = Fault {
            count: 1_000,
            ..Fault::once(FaultKind::Unavailable)
        };
        world.bank.plan(fault);
        let transfer = world.withdraw(link.id, 10_000).await;
        for pause in REPAIR_PAUSES_SECS {
            assert!(!world.stored(transfer.id).await.is_stuck());
            assert_eq!(world.repair_after(pause - 1).await, 0, "{pause}");
            assert_eq!(world.repair_after(1).await, 1, "{pause}");
        }
        let stored = world.stored(transfer.id).await;
        assert!(stored.is_stuck());
        assert_eq!(stored.standing.state, TransferState::Unknown);
        assert_eq!(world.repair_after(864_000).await, 0);
        assert_eq!(world.balance().await, 90_000);
        let user = Party::User(world.person.user);
        assert_eq!(world.posted(user).await, 100_000, "held, not gone");
    })
    .await;
}

#[tokio::test]
async fn a_bank_that_cannot_be_reached_ends_a_persons_transfer_at_once() {
    each_database(|database| async move {
        let mut world = World::new(database).await;
        let link = world.link().await;
        world.top_up(link.id, 100_000).await;
        let other = crate::world::open_bank(&world.clock).await;
        // The bank takes no new connection.
        drop(std::mem::replace(&mut world.bank, other));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let banks = world.open("node-b", qiao_banks::Crash::Never).await;
        let new = world.new_withdrawal(link.id, 10_000).await;
        let transfer = banks.withdraw(&world.person.permit, new).await.unwrap();
        assert_eq!(transfer.standing.state, TransferState::Rejected);
        let reason = transfer.standing.reason.as_deref();
        assert_eq!(reason, Some("bank_unreachable"));
        assert_eq!(
            world.balance().await,
            100_000,
            "nothing was sent: the hold is back"
        );
        assert_eq!(world.learned(transfer.id).await, ["send unreachable"]);
    })
    .await;
}

#[tokio::test]
async fn a_link_that_expires_while_the_outcome_is_unknown_is_waited_out() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.top_up(link.id, 100_000).await;
        let fault = Fault::once(FaultKind::TimeOutBefore).delayed_ms(5_000);
        world.bank.plan(fault);
        let transfer = world.withdraw(link.id, 10_000).await;
        world.bank.revoke_grants();
        // Never heard of, and cannot be sent again; something may be on its way yet.
        for pause in &REPAIR_PAUSES_SECS[..4] {
            assert_eq!(world.repair_after(*pause).await, 1);
            assert_eq!(world.state(transfer.id).await, TransferState::Unknown);
        }
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[4]).await, 1);
        assert_eq!(world.state(transfer.id).await, TransferState::Rejected);
        assert_eq!(world.balance().await, 100_000);
        world.audit().await;
    })
    .await;
}
