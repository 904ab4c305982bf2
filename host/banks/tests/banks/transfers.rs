//! Money in and out when everybody answers.

use qiao_banks::{Error, NewPayIn, NewTopUp, TransferPage, TransferState};
use qiao_model::Money;
use qiao_payments::{Method, Party, PaymentState, Refusal};
use qiao_tests::each_database;

use crate::world::{AT_THE_BANK, COST, World, channel, river};

#[tokio::test]
async fn a_top_up_debits_the_bank_and_fills_the_balance() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let transfer = world.top_up(link.id, 300_000).await;
        assert_eq!(transfer.standing.state, TransferState::Done);
        assert_eq!(world.balance().await, 300_000);
        assert_eq!(world.at_the_bank(), AT_THE_BANK - 300_000);
        let system = world.system(qiao_model::Scope::PaymentsRead);
        let payment = world.payments.get(&system, transfer.route.payment).await;
        let payment = payment.unwrap().unwrap();
        let method = Method::Bank {
            link: link.id,
            channel: river(),
        };
        assert_eq!(payment.method, method, "the choice is on the payment");
        assert_eq!(payment.payer, Party::Bank(river()));
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_withdrawal_is_held_and_posted_when_the_bank_is_done() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.top_up(link.id, 300_000).await;
        let transfer = world.withdraw(link.id, 120_000).await;
        assert_eq!(transfer.standing.state, TransferState::Done);
        assert_eq!(world.balance().await, 180_000);
        assert_eq!(world.at_the_bank(), AT_THE_BANK - 180_000);
        let system = world.system(qiao_model::Scope::PaymentsRead);
        let payment = world.payments.get(&system, transfer.route.payment).await;
        assert_eq!(payment.unwrap().unwrap().state, PaymentState::Posted);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_channel_that_costs_gets_its_fee_on_top() {
    each_database(|database| async move {
        let world = World::with(database, |bank| vec![channel("river", bank, COST)]).await;
        let link = world.link().await;
        // 0.10 and 0.1 % of 3,000.00.
        let into = world.top_up(link.id, 300_000).await;
        assert_eq!(into.route.fee, Money::cny(310));
        assert_eq!(world.balance().await, 300_000);
        assert_eq!(world.at_the_bank(), AT_THE_BANK - 300_310);
        assert_eq!(world.free(Party::Channel(river())).await, 310);
        let out = world.withdraw(link.id, 100_000).await;
        assert_eq!(out.route.fee, Money::cny(110));
        assert_eq!(world.balance().await, 199_890);
        assert_eq!(world.free(Party::Channel(river())).await, 420);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_withdrawal_beyond_the_balance_is_refused_and_not_asked_of_the_bank() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.top_up(link.id, 10_000).await;
        let new = world.new_withdrawal(link.id, 10_001).await;
        let refused = world.banks.withdraw(&world.person.permit, new).await;
        let is_short = matches!(
            refused,
            Err(Error::Payment(Refusal::InsufficientFunds { .. }))
        );
        assert!(is_short, "{refused:?}");
        assert_eq!(world.bank.payments().len(), 1);
        world.withdraw(link.id, 10_000).await;
        assert_eq!(world.balance().await, 0);
    })
    .await;
}

#[tokio::test]
async fn one_key_makes_one_transfer() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let new = world.new_top_up(link.id, 5_000);
        let permit = &world.person.permit;
        let first = world.banks.top_up(permit, new).await.unwrap();
        let again = world.banks.top_up(permit, new).await.unwrap();
        assert_eq!(first, again);
        assert_eq!(world.balance().await, 5_000);
        let reused = NewTopUp {
            key: world.key("k", "one"),
            ..new
        };
        world.banks.top_up(permit, reused).await.unwrap();
        let other = NewTopUp {
            key: world.key("k", "another"),
            ..new
        };
        let refused = world.banks.top_up(permit, other).await;
        let is_reused = matches!(refused, Err(Error::Payment(Refusal::KeyReused)));
        assert!(is_reused, "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn one_key_sent_to_two_nodes_at_once_makes_one_transfer() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let other = world.open("node-b", qiao_banks::Crash::Never).await;
        let new = world.new_top_up(link.id, 5_000);
        let permit = &world.person.permit;
        // The key is in flight on the payments of this process: one may be refused.
        let both = tokio::join!(world.banks.top_up(permit, new), other.top_up(permit, new));
        let made = [both.0, both.1].into_iter().filter(Result::is_ok).count();
        assert!(made >= 1);
        assert_eq!(world.balance().await, 5_000);
        assert_eq!(world.bank.payments().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn money_from_the_bank_for_an_order_arrives_in_the_balance() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let new = NewPayIn {
            link: link.id,
            amount: Money::cny(20_000),
            pin: world.pin().await,
            key: world.key("pay", "checkout"),
        };
        let paid = world.banks.pay_in(&world.person.permit, new).await.unwrap();
        assert_eq!(paid.standing.state, TransferState::Done);
        assert_eq!(paid.purpose.name(), "bank-payment");
        assert_eq!(world.balance().await, 20_000);
    })
    .await;
}

#[tokio::test]
async fn an_amount_below_a_fen_or_beyond_every_limit_is_refused() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let link = world.link().await;
    let permit = &world.person.permit;
    let nothing = world
        .banks
        .top_up(permit, world.new_top_up(link.id, 0))
        .await;
    let is_invalid = matches!(nothing, Err(Error::Payment(Refusal::Invalid(_))));
    assert!(is_invalid, "{nothing:?}");
    let beyond = world.new_top_up(link.id, 5_000_001);
    let beyond = world.banks.top_up(permit, beyond).await;
    assert!(matches!(beyond, Err(Error::NoRoute)), "{beyond:?}");
    assert_eq!(world.bank.payments().len(), 0);
}

#[tokio::test]
async fn what_the_bank_rejects_moves_nothing() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        // The bank has 10,000.00 of theirs.
        let transfer = world.top_up(link.id, AT_THE_BANK + 1).await;
        assert_eq!(transfer.standing.state, TransferState::Rejected);
        let reason = transfer.standing.reason.as_deref();
        assert_eq!(reason, Some("insufficient_funds"));
        assert_eq!(world.balance().await, 0);
        world.top_up(link.id, 10_000).await;
        world.bank.set_closed(crate::world::NUMBER, true);
        let transfer = world.withdraw(link.id, 4_000).await;
        assert_eq!(transfer.standing.state, TransferState::Rejected);
        assert_eq!(world.balance().await, 10_000, "the hold is released");
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_person_sees_their_transfers_newest_first_page_by_page() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let mut made = Vec::new();
        for fen in [100, 200, 300] {
            world.clock.advance_millis(1);
            made.push(world.top_up(link.id, fen).await.id);
        }
        let page = |before| TransferPage { before, limit: 2 };
        let permit = &world.person.permit;
        let first = world.banks.transfers(permit, page(None)).await.unwrap();
        let ids: Vec<_> = first.iter().map(|transfer| transfer.id).collect();
        assert_eq!(ids, [made[2], made[1]]);
        let rest = world
            .banks
            .transfers(permit, page(Some(made[1])))
            .await
            .unwrap();
        assert_eq!(rest.len(), 1);
    })
    .await;
}
