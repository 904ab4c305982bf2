//! What the bank says by itself.

use qiao_banks::rules::REPAIR_PAUSES_SECS;
use qiao_banks::{ANSWERS_KEPT_MAX, CallbackHeaders, Error, TransferState};
use qiao_events::sign_webhook;
use qiao_model::{BankTransferId, Channel};
use qiao_tests::each_database;
use sandbox_bank::{Fault, FaultKind};
use serde_json::json;

use crate::world::{World, river};

/// The bank calls with this body, signed as it does.
async fn calls(world: &World, code: Channel, body: &str) -> Result<(), Error> {
    let key = qiao_banks::callback_key(sandbox_bank::WEBHOOK_SECRET_DEFAULT).unwrap();
    let now = world.env.now();
    let signature = sign_webhook(&key, "msg_1", now, body.as_bytes());
    let headers = CallbackHeaders {
        id: "msg_1",
        timestamp: &now.as_secs().to_string(),
        signature: &signature,
    };
    world.banks.callback(code, headers, body.as_bytes()).await
}

fn says(id: BankTransferId, state: &str) -> String {
    json!({
        "id": id.to_string(),
        "bank_reference": "SB-1",
        "state": state,
        "reason": (state == "rejected").then_some("limit"),
        "booked_at": null,
    })
    .to_string()
}

#[tokio::test]
async fn a_callback_ends_what_was_unknown_and_its_duplicate_changes_nothing() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.bank.plan(Fault::once(FaultKind::LoseResponse));
        let transfer = world.top_up(link.id, 10_000).await;
        assert_eq!(transfer.standing.state, TransferState::Unknown);
        for _ in 0..3 {
            calls(&world, river(), &says(transfer.id, "done"))
                .await
                .unwrap();
            assert_eq!(world.balance().await, 10_000);
        }
        assert_eq!(world.state(transfer.id).await, TransferState::Done);
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[0]).await, 0);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_callback_that_is_faster_than_the_answer_has_one_effect() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let fault = Fault::once(FaultKind::TimeOutAfter).delayed_ms(300);
        world.bank.plan(fault);
        let new = world.new_top_up(link.id, 10_000);
        let permit = &world.person.permit;
        let (transfer, ()) = tokio::join!(world.banks.top_up(permit, new), async {
            let id = loop {
                if let Some(payment) = world.bank.payments().first() {
                    break payment.id.parse().unwrap();
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            };
            calls(&world, river(), &says(id, "done")).await.unwrap();
        });
        assert_eq!(transfer.unwrap().standing.state, TransferState::Done);
        assert_eq!(world.balance().await, 10_000);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_late_rejection_by_callback_gives_the_hold_back() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.top_up(link.id, 10_000).await;
        let fault = Fault::once(FaultKind::TimeOutBefore).delayed_ms(5_000);
        world.bank.plan(fault);
        let transfer = world.withdraw(link.id, 4_000).await;
        assert_eq!(world.balance().await, 6_000);
        calls(&world, river(), &says(transfer.id, "rejected"))
            .await
            .unwrap();
        assert_eq!(world.balance().await, 10_000);
    })
    .await;
}

#[tokio::test]
async fn a_bank_that_contradicts_itself_leaves_the_books_and_the_evidence() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let transfer = world.top_up(link.id, 10_000).await;
        calls(&world, river(), &says(transfer.id, "rejected"))
            .await
            .unwrap();
        assert_eq!(world.state(transfer.id).await, TransferState::Done);
        assert_eq!(world.balance().await, 10_000);
        let learned = world.learned(transfer.id).await;
        assert_eq!(learned, ["send done", "callback rejected"]);
    })
    .await;
}

#[tokio::test]
async fn evidence_is_kept_up_to_its_limit_and_the_bank_heard_beyond_it() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let link = world.link().await;
    let fault = Fault::once(FaultKind::AcceptOnly).delayed_ms(864_000_000);
    world.bank.plan(fault);
    let transfer = world.top_up(link.id, 10_000).await;
    for _ in 0..ANSWERS_KEPT_MAX {
        calls(&world, river(), &says(transfer.id, "accepted"))
            .await
            .unwrap();
    }
    let kept = world.evidence(transfer.id).await.len();
    assert_eq!(u32::try_from(kept), Ok(ANSWERS_KEPT_MAX));
    calls(&world, river(), &says(transfer.id, "done"))
        .await
        .unwrap();
    assert_eq!(world.state(transfer.id).await, TransferState::Done);
}

#[tokio::test]
async fn a_callback_that_is_not_the_banks_is_refused() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let link = world.link().await;
    world.bank.plan(Fault::once(FaultKind::LoseResponse));
    let transfer = world.top_up(link.id, 10_000).await;
    let body = says(transfer.id, "done");
    let unsigned = CallbackHeaders::default();
    let refused = world
        .banks
        .callback(river(), unsigned, body.as_bytes())
        .await;
    assert!(
        matches!(refused, Err(Error::BadSignature(_))),
        "{refused:?}"
    );
    let nowhere: Channel = "nowhere".parse().unwrap();
    let refused = calls(&world, nowhere, &body).await;
    assert!(
        matches!(refused, Err(Error::UnknownChannel(_))),
        "{refused:?}"
    );
    let stranger = says(BankTransferId::from_u128(9), "done");
    let refused = calls(&world, river(), &stranger).await;
    assert!(
        matches!(refused, Err(Error::UnknownTransfer(_))),
        "{refused:?}"
    );
    for body in ["", "{}", &says(transfer.id, "perhaps")] {
        let refused = calls(&world, river(), body).await;
        assert!(matches!(refused, Err(Error::BadCallback)), "{refused:?}");
    }
    assert_eq!(world.balance().await, 0);
}
