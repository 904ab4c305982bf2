//! Money that institutions are owed.

use qiao_banks::rules::REPAIR_PAUSES_SECS;
use qiao_banks::{BankTransfer, Error, NewPayout, TransferState};
use qiao_model::{InstitutionId, Money, Scope};
use qiao_payments::{Party, Refusal};
use qiao_tests::each_database;
use sandbox_bank::{Fault, FaultKind};

use crate::world::{COST, World, channel};

const FUND: InstitutionId = InstitutionId::from_u128(2);
const NUMBER: &str = "6222029900000001";

fn payout(world: &World, fen: i64) -> NewPayout {
    NewPayout {
        id: world.env.id(),
        from: Party::Institution(FUND),
        account_number: NUMBER.to_owned(),
        amount: Money::cny(fen),
        description: "Payout of 2026-11-27".to_owned(),
    }
}

/// The fund is owed 500.00 on the books, and the bank keeps it.
async fn owe(world: &World) {
    let link = world.link().await;
    world.top_up(link.id, 50_000).await;
    let payment = qiao_payments::NewPayment {
        id: world.env.id(),
        order: None,
        institution: Some(FUND),
        payer: Party::User(world.person.user),
        method: qiao_payments::Method::Balance,
        amount: Money::cny(50_000),
        splits: vec![qiao_payments::Split {
            receiver: Party::Institution(FUND),
            amount: Money::cny(50_000),
            purpose: "principal".into(),
        }],
        deliveries: Vec::new(),
        description: "a test".to_owned(),
        expires_at: None,
    };
    let permit = &world.person.permit;
    world.payments.pay(permit, payment, None).await.unwrap();
}

async fn pay_out(world: &World, new: &NewPayout) -> Result<BankTransfer, Error> {
    let system = world.system(Scope::PaymentsWrite);
    world.banks.pay_out(&system, new.clone()).await
}

fn at_the_bank(world: &World) -> i64 {
    world.bank.account(NUMBER).unwrap().balance_minor
}

#[tokio::test]
async fn a_payout_leaves_the_books_whole_and_its_fee_is_out_of_it() {
    each_database(|database| async move {
        let world = World::with(database, |bank| vec![channel("river", bank, COST)]).await;
        owe(&world).await;
        let new = payout(&world, 50_000);
        let paid = pay_out(&world, &new).await.unwrap();
        assert_eq!(paid.standing.state, TransferState::Done);
        // 0.10 and 0.1 % of 500.00.
        assert_eq!(paid.route.fee, Money::cny(60));
        assert_eq!(world.free(Party::Institution(FUND)).await, 0);
        assert_eq!(at_the_bank(&world), 49_940);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn the_same_payout_again_moves_nothing_and_another_under_its_id_is_refused() {
    each_database(|database| async move {
        let world = World::new(database).await;
        owe(&world).await;
        let new = payout(&world, 20_000);
        let first = pay_out(&world, &new).await.unwrap();
        assert_eq!(pay_out(&world, &new).await.unwrap(), first);
        let other = NewPayout {
            amount: Money::cny(20_001),
            ..new.clone()
        };
        let refused = pay_out(&world, &other).await;
        assert!(matches!(refused, Err(Error::Conflict(id)) if id == new.id));
        assert_eq!(at_the_bank(&world), 20_000);
    })
    .await;
}

#[tokio::test]
async fn a_payout_of_an_unknown_outcome_stays_held_until_the_bank_tells() {
    each_database(|database| async move {
        let world = World::new(database).await;
        owe(&world).await;
        world.bank.plan(Fault::once(FaultKind::LoseResponse));
        let new = payout(&world, 50_000);
        let transfer = pay_out(&world, &new).await.unwrap();
        assert_eq!(transfer.standing.state, TransferState::Unknown);
        assert_eq!(world.free(Party::Institution(FUND)).await, 0);
        assert_eq!(world.posted(Party::Institution(FUND)).await, 50_000);
        assert_eq!(world.repair_after(REPAIR_PAUSES_SECS[0]).await, 1);
        let again = pay_out(&world, &new).await.unwrap();
        assert_eq!(again.standing.state, TransferState::Done);
        assert_eq!(world.posted(Party::Institution(FUND)).await, 0);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_payout_to_no_account_waits_for_an_operator_and_is_not_sent() {
    each_database(|database| async move {
        let world = World::new(database).await;
        owe(&world).await;
        let new = NewPayout {
            account_number: "6222020000000000".to_owned(),
            ..payout(&world, 50_000)
        };
        let transfer = pay_out(&world, &new).await.unwrap();
        assert_eq!(transfer.standing.state, TransferState::Requested);
        let reason = transfer.standing.reason.as_deref();
        assert_eq!(reason, Some("bank_refused"));
        assert_eq!(world.learned(transfer.id).await, ["send refused"]);
        assert_eq!(world.bank.payments().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn more_than_is_owed_is_not_paid_out() {
    each_database(|database| async move {
        let world = World::new(database).await;
        owe(&world).await;
        let refused = pay_out(&world, &payout(&world, 50_001)).await;
        let is_short = matches!(
            refused,
            Err(Error::Payment(Refusal::InsufficientFunds { .. }))
        );
        assert!(is_short, "{refused:?}");
    })
    .await;
}
