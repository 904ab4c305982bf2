//! What an institution's bank lends it for instant redemptions, and gets back.

use qiao_banks::{Error, NewAdvance, Routing, TransferState};
use qiao_model::{InstitutionId, Money};
use qiao_payments::{Party, Refusal};
use qiao_tests::each_database;
use sandbox_bank::{Fault, FaultKind};

use crate::world::{AT_THE_BANK, FUND_NUMBER, LENDER_NUMBER, World, river};

const FUND: InstitutionId = InstitutionId::from_u128(2);
const LINE: Party = Party::Advance(FUND);

impl World {
    fn new_advance(&self, key: &str, fen: i64) -> NewAdvance {
        NewAdvance {
            institution: FUND,
            channel: river(),
            account_number: LENDER_NUMBER.to_owned(),
            amount: Money::cny(fen),
            key: self.key(key, &format!("advance {fen}")),
        }
    }
}

#[tokio::test]
async fn a_bank_lends_by_a_debit_and_gets_back_by_a_credit() {
    each_database(|database| async move {
        let world = World::new(database).await;
        for _ in 0..2 {
            let new = world.new_advance("lend", 300_000);
            let lent = world
                .banks
                .fund_advance(&world.operator, new)
                .await
                .unwrap();
            assert_eq!(lent.standing.state, TransferState::Done);
            assert_eq!(lent.routing, Routing::Fixed);
        }
        assert_eq!(world.free(LINE).await, 300_000);
        // The bank keeps its fee.
        let kept = world.bank.custody_minor();
        assert_eq!(kept, 300_000);
        assert!(kept < AT_THE_BANK);
        let more = world.new_advance("more", 300_001);
        let refused = world.banks.return_advance(&world.operator, more).await;
        let is_short = matches!(
            refused,
            Err(Error::Payment(Refusal::InsufficientFunds { .. }))
        );
        assert!(is_short, "{refused:?}");
        let back = world.new_advance("back", 100_000);
        let back = world.banks.return_advance(&world.operator, back).await;
        assert_eq!(back.unwrap().standing.state, TransferState::Done);
        assert_eq!(world.free(LINE).await, 200_000);
        assert_eq!(world.bank.custody_minor(), kept - 100_000);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_loan_of_unknown_outcome_is_on_the_line_once_the_bank_says_so() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.bank.plan(Fault::once(FaultKind::LoseResponse));
        let new = world.new_advance("lend", 50_000);
        let lent = world
            .banks
            .fund_advance(&world.operator, new)
            .await
            .unwrap();
        assert_eq!(lent.standing.state, TransferState::Unknown);
        assert_eq!(world.free(LINE).await, 0);
        assert_eq!(world.repair_after(5).await, 1);
        assert_eq!(world.free(LINE).await, 50_000);
        assert_eq!(world.bank.payments().len(), 1);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_line_is_moved_by_operators_and_from_accounts_that_let_the_platform() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let new = || world.new_advance("lend", 100);
    let denied = world.banks.fund_advance(&world.person.permit, new()).await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    let denied = world
        .banks
        .return_advance(&world.person.permit, new())
        .await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    let longest = "1".repeat(qiao_banks::ACCOUNT_NUMBER_CHARS_MAX + 1);
    for number in ["", "12 34", &longest] {
        let account_number = number.to_owned();
        let new = NewAdvance {
            account_number,
            ..new()
        };
        let refused = world.banks.fund_advance(&world.operator, new).await;
        assert!(matches!(refused, Err(Error::AccountNumber)), "{refused:?}");
    }
    let channel = "lake".parse().unwrap();
    let refused = world
        .banks
        .fund_advance(&world.operator, NewAdvance { channel, ..new() });
    let refused = refused.await;
    assert!(
        matches!(refused, Err(Error::UnknownChannel(_))),
        "{refused:?}"
    );
    let account_number = FUND_NUMBER.to_owned();
    let new = NewAdvance {
        account_number,
        ..new()
    };
    let rejected = world
        .banks
        .fund_advance(&world.operator, new)
        .await
        .unwrap();
    assert_eq!(rejected.standing.state, TransferState::Rejected);
    assert_eq!(world.bank.custody_minor(), 0);
    assert_eq!(world.free(LINE).await, 0);
}
