use qiao_model::{Currency, InstitutionId, OrderId, Scope};
use qiao_payments::{AccountKind, Command, NewPayment, Party, StatementOf, holdings_in};
use qiao_tests::each_database;

use crate::access::Callers;
use crate::world::{FUND, World, post};

#[tokio::test]
async fn an_institution_sees_its_payments_page_by_page_and_what_it_earned() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let mut made = Vec::new();
        for fen in 1..=5 {
            world.clock.advance_millis(1);
            let new = NewPayment {
                order: Some(OrderId::from_u128(u128::try_from(fen).unwrap())),
                ..world.new_payment(&[
                    (Party::Institution(FUND), fen * 100, "principal"),
                    (Party::Revenue(FUND), fen, "fee"),
                ])
            };
            made.push(new.id);
            world.payment(Command::Pay(new)).await;
        }
        let system = world.system(Scope::PaymentsRead);
        let page = |before| world.payments.of_institution(&system, FUND, before, 2);
        let first = page(None).await.unwrap();
        let second = page(first.next).await.unwrap();
        let third = page(second.next).await.unwrap();
        assert_eq!(third.next, None);
        let mut seen: Vec<_> = [first, second, third]
            .into_iter()
            .flat_map(|page| page.payments)
            .map(|payment| payment.id)
            .collect();
        seen.reverse();
        assert_eq!(seen, made);

        let summary = world
            .payments
            .institution_summary(&system, FUND)
            .await
            .unwrap();
        assert_eq!(summary.len(), 1);
        assert_eq!(summary[0].currency, Currency::CNY);
        assert_eq!(summary[0].settlement.posted, 1_500);
        assert_eq!(summary[0].revenue_received, 15);
        let order = OrderId::from_u128(3);
        let payment = world.payments.of_order(&system, order).await.unwrap();
        assert_eq!(payment.map(|payment| payment.id), Some(made[2]));
    })
    .await;
}

#[tokio::test]
async fn a_person_reads_their_balances_and_statement() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let callers = Callers::new(&world).await;
        let user = callers.user;
        world.top_up(user, 5_000).await;
        let new = NewPayment {
            payer: Party::User(user),
            ..world.new_payment(&[
                (Party::Institution(FUND), 900, "principal"),
                (Party::Platform, 100, "fee"),
            ])
        };
        let id = new.id;
        world.payment(Command::Hold(new)).await;
        let permit = &callers.account;
        let balances = world.payments.balances(permit, user).await.unwrap();
        assert_eq!(balances.len(), 1);
        assert_eq!(balances[0].kind, AccountKind::Available);
        assert_eq!(balances[0].balance.available(), 4_000);
        let cny = Currency::CNY;
        let balance = world.payments.balance(permit, user, cny).await.unwrap();
        assert_eq!(balance, balances[0].balance);
        world.payment(post(id)).await;

        let of = StatementOf::User(user, cny);
        let page = world
            .payments
            .statement(permit, of, None, 10)
            .await
            .unwrap();
        let lines: Vec<_> = page
            .lines
            .iter()
            .map(|line| (line.transfer.purpose.as_str(), line.change, line.balance))
            .collect();
        assert_eq!(
            lines,
            [
                ("fee", -100, 4_000),
                ("principal", -900, 4_100),
                ("fee", 0, 5_000),
                ("principal", 0, 5_000),
                ("top-up", 5_000, 5_000),
            ]
        );
        let of_line = page.lines[0].payment.as_ref().map(|payment| payment.id);
        assert_eq!(of_line, Some(id));
        let mut tx = world.db.begin_snapshot().await.unwrap();
        let held = holdings_in(&mut tx, permit, user).await.unwrap();
        assert!(held.is_empty());
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_person_paid_an_institution_when_their_money_moved_to_it() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let user = Callers::new(&world).await.user;
        world.top_up(user, 5_000).await;
        let system = world.system(Scope::PaymentsRead);
        let last = |institution| world.payments.last_paid(&system, (user, institution), 60);
        assert_eq!(last(FUND).await.unwrap(), None);
        let new = NewPayment {
            payer: Party::User(user),
            ..world.new_payment(&[(Party::Institution(FUND), 900, "principal")])
        };
        let id = new.id;
        world.payment(Command::Hold(new)).await;
        assert_eq!(last(FUND).await.unwrap(), None, "held is not paid");
        world.clock.advance_millis(1);
        let paid = world.env.now();
        world.payment(post(id)).await;
        world.clock.advance_millis(59_999);
        assert_eq!(last(FUND).await.unwrap(), Some(paid));
        let other = InstitutionId::from_u128(0x99);
        assert_eq!(last(other).await.unwrap(), None);
        world.clock.advance_millis(1);
        assert_eq!(last(FUND).await.unwrap(), None, "longer ago");
    })
    .await;
}
