//! The host ends at a point, and another takes over.

use qiao_banks::rules::LEASE_SECS;
use qiao_banks::{Crash, CrashPoint, Error, TransferPage, TransferState};
use qiao_tests::each_database;

use crate::world::{AT_THE_BANK, World};

const LATEST: TransferPage = TransferPage {
    before: None,
    limit: 1,
};

#[tokio::test]
async fn a_host_that_ends_at_any_point_moves_money_once() {
    for point in CrashPoint::ALL {
        each_database(|database| async move {
            let world = World::new(database).await;
            let link = world.link().await;
            world.top_up(link.id, 100_000).await;
            let permit = &world.person.permit;
            let ending = world.open("node-b", Crash::Drop(point)).await;
            let into = world.new_top_up(link.id, 10_000);
            let ended = ending.top_up(permit, into).await;
            assert!(matches!(ended, Err(Error::Crashed(at)) if at == point));
            let out = world.new_withdrawal(link.id, 30_000).await;
            let ended = ending.withdraw(permit, out).await;
            assert!(matches!(ended, Err(Error::Crashed(at)) if at == point));
            // The lease of the node that ended holds for a while.
            let done = usize::from(point == CrashPoint::AfterStore) * 2;
            assert_eq!(world.repair_after(LEASE_SECS - 1).await, 0);
            assert_eq!(world.repair_after(1).await, 2 - done);
            assert_eq!(world.balance().await, 80_000, "{point:?}");
            assert_eq!(world.at_the_bank(), AT_THE_BANK - 80_000);
            assert_eq!(world.bank.payments().len(), 3);
            world.audit().await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_node_that_starts_again_takes_its_own_back_at_once() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let permit = &world.person.permit;
        let ending = world
            .open("node-b", Crash::Drop(CrashPoint::AfterSend))
            .await;
        let new = world.new_top_up(link.id, 10_000);
        assert!(ending.top_up(permit, new).await.is_err());
        let again = world.open("node-b", Crash::Never).await;
        let transfer = &again.transfers(permit, LATEST).await.unwrap()[0];
        assert_eq!(transfer.standing.state, TransferState::Unknown);
        assert_eq!(again.repair().await.unwrap(), 1);
        assert_eq!(world.balance().await, 10_000);
        let learned = world.learned(transfer.id).await;
        assert_eq!(learned, ["query done"]);
        // The caller's key finds what it asked for.
        let found = world.banks.top_up(permit, new).await.unwrap();
        assert_eq!(found.id, transfer.id);
        world.audit().await;
    })
    .await;
}
