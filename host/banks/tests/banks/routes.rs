//! Several channels: the cheapest that works, and another only when the first
//! certainly moved nothing.

use qiao_banks::{BankTransfer, Error, NewPayIn, NewPayout, NewTopUp, Routing, TransferState};
use qiao_model::{Channel, InstitutionId, Money, Scope};
use qiao_payments::{Party, PaymentState};
use qiao_tests::{TestDatabase, each_database};
use sandbox_bank::{Bank, Fault, FaultKind};

use crate::world::{COST, World, channel, open_bank, river};

const FUND: InstitutionId = InstitutionId::from_u128(2);

fn lake() -> Channel {
    "lake".parse().unwrap()
}

/// Two banks: river costs something, lake nothing.
async fn two_banks(database: TestDatabase) -> (World, Bank) {
    let clock = std::sync::Arc::new(qiao_model::ManualClock::at(
        qiao_model::Timestamp::from_millis(1_790_000_000_000),
    ));
    let other = open_bank(&clock).await;
    let world = World::with(database, |bank| {
        let free = channel("lake", &other, qiao_banks::Cost::FREE);
        vec![channel("river", bank, COST), free]
    })
    .await;
    (world, other)
}

async fn top_up_anyhow(world: &World, fen: i64) -> BankTransfer {
    let new = NewTopUp {
        link: None,
        ..world.new_top_up(qiao_model::BankLinkId::from_u128(0), fen)
    };
    world.banks.top_up(&world.person.permit, new).await.unwrap()
}

#[tokio::test]
async fn without_a_named_account_the_cheapest_channel_carries_it() {
    each_database(|database| async move {
        let (world, lake_bank) = two_banks(database).await;
        world.link_at(river()).await;
        let cheap = world.link_at(lake()).await;
        let transfer = top_up_anyhow(&world, 10_000).await;
        assert_eq!(transfer.route.channel, lake());
        assert_eq!(transfer.route.link, Some(cheap.id));
        assert_eq!(transfer.routing, Routing::Free);
        assert_eq!(lake_bank.custody_minor(), 10_000);
        world
            .banks
            .pause_channel(&world.operator, lake(), "upkeep")
            .await
            .unwrap();
        let transfer = top_up_anyhow(&world, 10_000).await;
        assert_eq!(transfer.route.channel, river());
    })
    .await;
}

#[tokio::test]
async fn an_unknown_outcome_never_falls_to_another_channel() {
    each_database(|database| async move {
        let (world, lake_bank) = two_banks(database).await;
        world.link_at(river()).await;
        world.link_at(lake()).await;
        lake_bank.plan(Fault::once(FaultKind::LoseResponse));
        let transfer = top_up_anyhow(&world, 10_000).await;
        assert_eq!(transfer.standing.state, TransferState::Unknown);
        assert_eq!(transfer.route.channel, lake());
        assert_eq!(world.bank.payments().len(), 0);
        assert_eq!(world.repair_after(5).await, 1);
        assert_eq!(world.balance().await, 10_000);
        assert_eq!(world.bank.payments().len(), 0);
    })
    .await;
}

/// The fund is owed 500.00 on the books; both banks keep enough.
async fn owe(world: &World) -> NewPayout {
    let link = world.link_at(river()).await;
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
    NewPayout {
        id: world.env.id(),
        from: Party::Institution(FUND),
        account_number: "6222029900000001".to_owned(),
        amount: Money::cny(50_000),
        description: "Payout".to_owned(),
    }
}

#[tokio::test]
async fn a_payout_that_its_channel_rejects_goes_by_the_next_with_a_hold_of_its_own() {
    each_database(|database| async move {
        let (world, lake_bank) = two_banks(database).await;
        let new = owe(&world).await;
        lake_bank.plan(Fault::once(FaultKind::Reject));
        let system = world.system(Scope::PaymentsWrite);
        let paid = world.banks.pay_out(&system, new).await.unwrap();
        assert_eq!(paid.standing.state, TransferState::Done);
        assert_eq!(paid.route.channel, river());
        assert_eq!(paid.route.number, 2);
        assert_eq!(paid.tried, [lake()]);
        assert_eq!(paid.route.fee, Money::cny(60));
        let account = world.bank.account("6222029900000001").unwrap();
        assert_eq!(account.balance_minor, 49_940);
        assert_eq!(lake_bank.custody_minor(), 0);
        let learned = world.learned(paid.id).await;
        assert_eq!(learned, ["send rejected", "send done"]);
        let first = paid.id.derive("bank transfer", 1);
        let reads = world.system(Scope::PaymentsRead);
        let first = world.payments.get(&reads, first).await.unwrap().unwrap();
        assert_eq!(first.state, PaymentState::Voided);
        assert_eq!(world.posted(Party::Institution(FUND)).await, 0);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_payout_that_cannot_be_sent_goes_by_the_next_channel() {
    each_database(|database| async move {
        let (world, lake_bank) = two_banks(database).await;
        let new = owe(&world).await;
        // The bank takes no new connection.
        drop(lake_bank);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let banks = world.open("node-b", qiao_banks::Crash::Never).await;
        let system = world.system(Scope::PaymentsWrite);
        let paid = banks.pay_out(&system, new).await.unwrap();
        assert_eq!(paid.standing.state, TransferState::Done);
        assert_eq!(paid.route.channel, river());
        let learned = world.learned(paid.id).await;
        assert_eq!(learned, ["send unreachable", "send done"]);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_payment_names_its_account_and_goes_by_no_other_channel() {
    each_database(|database| async move {
        let (world, lake_bank) = two_banks(database).await;
        let dear = world.link_at(river()).await;
        world.link_at(lake()).await;
        let permit = &world.person.permit;
        let expected = world
            .banks
            .expected_pay_in(permit, dear.id, Money::cny(10_000));
        let expected = expected.await.unwrap();
        let pay_in = async |key: &str| {
            let new = NewPayIn {
                link: dear.id,
                amount: Money::cny(10_000),
                pin: world.pin().await,
                key: world.key(key, "checkout"),
            };
            world.banks.pay_in(permit, new).await
        };
        let paid = pay_in("first").await.unwrap();
        assert_eq!(paid.routing, Routing::Fixed);
        assert_eq!(
            (expected.channel, expected.amount, expected.fee),
            (paid.route.channel, paid.route.amount, paid.route.fee)
        );
        world.bank.plan(Fault::once(FaultKind::Reject));
        let rejected = pay_in("second").await.unwrap();
        assert_eq!(rejected.standing.state, TransferState::Rejected);
        let upkeep = world
            .banks
            .pause_channel(&world.operator, river(), "upkeep");
        upkeep.await.unwrap();
        let refused = pay_in("third").await;
        assert!(matches!(refused, Err(Error::NoRoute)), "{refused:?}");
        let expected = world
            .banks
            .expected_pay_in(permit, dear.id, Money::cny(10_000));
        let expected = expected.await;
        assert!(matches!(expected, Err(Error::NoRoute)), "{expected:?}");
        assert_eq!(lake_bank.custody_minor(), 0, "the other bank was not asked");
        assert_eq!(world.balance().await, 10_000);
        world.audit().await;
    })
    .await;
}
