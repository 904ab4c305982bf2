//! Whose permit opens what.

use qiao_auth::Permit;
use qiao_banks::{Error, NewPayIn, NewPayout, TransferPage, Verdict};
use qiao_model::{BankTransferId, InstitutionId, Money, Scope};
use qiao_payments::Party;

use crate::world::{World, river};

const PAGE: TransferPage = TransferPage {
    before: None,
    limit: 10,
};

fn assert_denied<T: std::fmt::Debug>(refused: Result<T, Error>) {
    let is_denied = matches!(refused, Err(Error::Denied(_) | Error::NotOwner { .. }));
    assert!(is_denied, "{refused:?}");
}

#[tokio::test]
async fn links_and_transfers_are_a_persons_own() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let link = world.link().await;
    let transfer = world.top_up(link.id, 10_000).await;
    let other = world.sign_up("wang").await;
    assert_eq!(world.banks.links(&other.permit).await.unwrap(), []);
    let seen = world.banks.transfer(&other.permit, transfer.id).await;
    assert_eq!(seen.unwrap(), None);
    let unlinked = world.banks.unlink(&other.permit, link.id).await;
    assert!(matches!(unlinked, Err(Error::UnknownLink(_))));
    let foreign = world
        .banks
        .top_up(&other.permit, world.new_top_up(link.id, 1))
        .await;
    assert!(matches!(foreign, Err(Error::UnknownLink(_))));
}

#[tokio::test]
async fn nobody_but_a_person_acts_for_a_person() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let link = world.link().await;
    let session = world.person.session;
    for permit in [&world.operator, &world.system(Scope::PaymentsWrite)] {
        let banks = &world.banks;
        assert_denied(banks.links(permit).await);
        assert_denied(banks.transfers(permit, PAGE).await);
        assert_denied(banks.begin_link(permit, session, river(), "").await);
        assert_denied(banks.unlink(permit, link.id).await);
        assert_denied(banks.top_up(permit, world.new_top_up(link.id, 1)).await);
        let out = world.new_withdrawal(link.id, 1).await;
        assert_denied(banks.withdraw(permit, out).await);
    }
}

#[tokio::test]
async fn money_leaves_only_with_the_persons_own_fresh_pin() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let link = world.link().await;
    world.top_up(link.id, 10_000).await;
    let other = world.sign_up("wang").await;
    let out = world.new_withdrawal(link.id, 1).await;
    let foreign = world.banks.withdraw(&other.permit, out).await;
    assert!(matches!(foreign, Err(Error::PinForeign)), "{foreign:?}");
    let stale = world.new_withdrawal(link.id, 1).await;
    world.clock.advance_millis(120_000);
    let stale = world.banks.withdraw(&world.person.permit, stale).await;
    assert!(matches!(stale, Err(Error::PinForeign)), "{stale:?}");
    let new = NewPayIn {
        link: link.id,
        amount: Money::cny(1),
        pin: world.pin().await,
        key: world.key("k", "r"),
    };
    let foreign = world.banks.pay_in(&other.permit, new).await;
    assert!(matches!(foreign, Err(Error::PinForeign)), "{foreign:?}");
}

fn payout(world: &World, from: Party) -> NewPayout {
    NewPayout {
        id: world.env.id(),
        from,
        account_number: "6222029900000001".to_owned(),
        amount: Money::cny(1),
        description: String::new(),
    }
}

#[tokio::test]
async fn payouts_are_the_hosts_own_job_and_never_from_a_person() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let fund = Party::Institution(InstitutionId::from_u128(2));
    for permit in [&world.operator, &world.person.permit] {
        assert_denied(world.banks.pay_out(permit, payout(&world, fund)).await);
    }
    let reads = world.system(Scope::PaymentsRead);
    assert_denied(world.banks.pay_out(&reads, payout(&world, fund)).await);
    let writes = world.system(Scope::PaymentsWrite);
    let user = Party::User(world.person.user);
    assert_denied(world.banks.pay_out(&writes, payout(&world, user)).await);
}

#[tokio::test]
async fn channels_evidence_and_custody_are_for_operators() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let id = BankTransferId::from_u128(1);
    let writes = world.system(Scope::PaymentsWrite);
    let permits: [&Permit; 2] = [&world.person.permit, &writes];
    for permit in permits {
        let banks = &world.banks;
        assert_denied(banks.pause_channel(permit, river(), "x").await);
        assert_denied(banks.resume_channel(permit, river()).await);
        assert_denied(banks.open_transfers(permit, PAGE).await);
        assert_denied(banks.evidence(permit, id).await);
        assert_denied(banks.ask_again(permit, id).await);
        assert_denied(banks.decide(permit, id, Verdict::Rejected, "x").await);
        assert_denied(banks.custody(permit, river()).await);
        let day = world.env.today();
        assert_denied(banks.statement(permit, river(), day).await);
        assert_denied(banks.booked(permit, river(), day, None).await);
    }
}
