//! Each rule of the audit finds what breaks it, and names the row.

use qiao_catalog::Capture;
use qiao_model::{EventId, OrderId, PaymentId};
use qiao_tests::{each_database, tamper};

use crate::books::{audit, said};
use crate::plugin::rejected;
use crate::world::{World, buy, ticket};
use crate::{bond, instant, lots, mandates};

const DAY_SECS: i64 = 86_400;

async fn run(world: &World, statements: &[String]) {
    for sql in statements {
        tamper::run(&world.database.db, sql.clone()).await;
    }
}

async fn assert_says(world: &World, lines: &[String]) {
    let said = said(&audit(world).await);
    for line in lines {
        assert!(said.contains(line), "`{line}` is not in:\n{said}");
    }
}

async fn assert_clean(world: &World) {
    assert_eq!(said(&audit(world).await), "");
}

#[tokio::test]
async fn fees_that_are_not_the_pinned_schedules_are_named() {
    each_database(|database| async move {
        let world = &World::new(database).await;
        let order = world.order(&world.user, buy(200_000)).await.unwrap();
        assert_clean(world).await;
        for table in ["fee_schedule", "payment"] {
            tamper::disarm(&world.database.db, table).await;
        }
        let (id, fund) = (order.id, world.fund.id);
        let of_fund = format!("where product = '{fund}'");
        let rate = |from: &str, to: &str| {
            format!("update fee_schedule set lines = replace(lines, '{from}', '{to}') {of_fund}")
        };
        run(world, &[rate("13000", "14000")]).await;
        assert_says(
            world,
            &[format!("orders {id}: the fee `subscription` was charged ")],
        )
        .await;
        run(world, &[rate("14000", "13000")]).await;
        assert_clean(world).await;

        // A share that goes to somebody else than the schedule says.
        run(world, &[rate("300000", "310000"), rate("700000", "690000")]).await;
        assert_says(world, &[format!("orders {id}: the fee `subscription`")]).await;
        run(world, &[rate("310000", "300000"), rate("690000", "700000")]).await;

        run(world, &[format!("update fee_schedule set version = 7 {of_fund}")]).await;
        let gone = format!("orders {id}: version 1 of the fees of {fund} is not there");
        assert_says(world, &[gone]).await;
        run(world, &[format!("update fee_schedule set version = 1 {of_fund}")]).await;

        let payment = order.payment;
        run(
            world,
            &[format!(
                "update payment set splits = replace(splits, 'principal', 'principle') where id = '{payment}'"
            )],
        )
        .await;
        assert_says(
            world,
            &[format!("orders {id}: its payment {payment} goes to others")],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_not_its_quotes_is_named() {
    each_database(|database| async move {
        let world = &World::new(database).await;
        let order = world.order(&world.user, buy(200_000)).await.unwrap();
        tamper::disarm(&world.database.db, "orders").await;
        let id = order.id;
        for (column, broken) in [
            ("amount_minor", "amount_minor + 1"),
            ("units_minor", "units_minor + 1"),
            ("paid_minor", "paid_minor + 1"),
            ("reference", "'another'"),
        ] {
            let keep = format!("create table kept as select {column} as was from orders");
            let plant = format!("update orders set {column} = {broken}");
            run(world, &[keep, plant]).await;
            assert_says(world, &[format!("orders {id}: is")]).await;
            let said = said(&audit(world).await);
            let named = said.contains(&format!("its {column} is not its quote's"))
                || said.contains("is paid with");
            assert!(named, "{column}: {said}");
            let back = format!("update orders set {column} = (select was from kept)");
            run(world, &[back, "drop table kept".to_owned()]).await;
        }
        assert_clean(world).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_was_not_told_or_went_back_is_named() {
    each_database(|database| async move {
        let world = &World::new(database).await;
        let bought = world.order(&world.user, buy(200_000)).await.unwrap().id;
        world.plugin.will([rejected("sold out")]);
        let voided = world.order(&world.user, ticket(5_000)).await.unwrap().id;
        assert_clean(world).await;
        for table in ["orders", "event"] {
            tamper::disarm(&world.database.db, table).await;
        }
        let again = EventId::from_u128(99);
        run(
            world,
            &[
                format!("delete from event where kind = 'order.completed' and subject = '{bought}'"),
                format!(
                    "insert into event (id, kind, institution, plugin, subject, payload, created_at, fanned_out_at)
select '{again}', kind, institution, plugin, subject, payload, created_at, fanned_out_at
from event where kind = 'order.voided' and subject = '{voided}'"
                ),
            ],
        )
        .await;
        assert_says(
            world,
            &[
                format!("orders {bought}: its event `order.completed`"),
                format!("event {again}: tells of no change that there was: order.voided of {voided}"),
            ],
        )
        .await;
        // Back to where it was: its event and its payment have gone on.
        run(
            world,
            &[format!("update orders set state = 'held' where id = '{voided}'")],
        )
        .await;
        let told: EventId = voided.derive("order.voided", 0);
        assert_says(
            world,
            &[
                format!("event {told}: tells of no change that there was: order.voided of {voided}"),
                format!("orders {voided}: is Held (captured: false), its payment voided"),
                format!("orders {voided}: is as entry "),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_charge_that_made_two_orders_is_named() {
    each_database(|database| async move {
        let world = &World::new(database).await;
        let mandate = mandates::given(world, "ticket").await.id;
        mandates::charge(world, mandate, ticket(5_000), "november")
            .await
            .unwrap();
        world.orders.resume().await.unwrap();
        let second = world.order(&world.user, ticket(4_000)).await.unwrap().id;
        assert_clean(world).await;
        tamper::disarm(&world.database.db, "orders").await;
        run(
            world,
            &[format!(
                "update orders set offer_id = (select offer_id from charge) where id = '{second}'"
            )],
        )
        .await;
        assert_says(
            world,
            &[format!(
                "orders {second}: is a second order of the charge of "
            )],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn lots_that_are_not_what_their_orders_left_are_named() {
    each_database(|database| async move {
        let world = &lots::with_bond(database, Capture::OnFulfilment).await;
        let bought = world
            .order(&world.user, bond::buy(101_300))
            .await
            .unwrap()
            .id;
        world.advance_secs(10 * DAY_SECS);
        let redeemed = world
            .order(&world.user, bond::redeem(40_000))
            .await
            .unwrap()
            .id;
        assert_clean(world).await;
        for table in ["lot", "lot_use"] {
            tamper::disarm(&world.database.db, table).await;
        }
        let set = |set: &str| format!("update lot set {set} where order_id = '{bought}'");
        run(world, &[set("left_minor = left_minor + 1")]).await;
        let line = format!("lot {bought}: has 60001 left of 100000, redemptions took 40000");
        assert_says(world, &[line]).await;
        run(
            world,
            &[set("left_minor = left_minor - 1, acquired = '2026-01-01'")],
        )
        .await;
        assert_says(
            world,
            &[
                format!("lot {bought}: is not of the day and the units of its purchase"),
                format!("orders {redeemed}: took other lots than its quote was charged for"),
            ],
        )
        .await;
        let other = OrderId::from_u128(7);
        run(world, &[set(&format!("order_id = '{other}'"))]).await;
        assert_says(
            world,
            &[
                format!("lot {bought}: is not there"),
                format!("lot {other}: is of no purchase that was posted"),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn more_at_once_than_a_days_limit_is_named() {
    each_database(|database| async move {
        let world = &instant::world(database, 5_000_000).await;
        let (order, _) = world.redeemed(600_000).await;
        world.redeemed(400_000).await;
        assert_clean(world).await;
        let (user, fund) = (world.user.id, world.fund.id);
        let day = format!("instant_allowance {user}/{fund}/platform/2026-11-24: ");
        for table in ["redemption", "instant_allowance"] {
            tamper::disarm(&world.database.db, table).await;
        }
        run(
            world,
            &["update instant_allowance set minor = minor - 1".to_owned()],
        )
        .await;
        assert_says(
            world,
            &[format!("{day}counts 999999, redemptions took 1000000")],
        )
        .await;
        let of_order = format!("where order_id = '{}'", order.id);
        run(
            world,
            &[
                "update instant_allowance set minor = minor + 2".to_owned(),
                format!("update redemption set minor = minor + 1 {of_order}"),
            ],
        )
        .await;
        assert_says(
            world,
            &[
                format!("{day}1000001 were paid at once, 1000000 is the limit"),
                format!(
                    "redemption {}: is not of the person, product and amount",
                    order.id
                ),
            ],
        )
        .await;
        run(
            world,
            &[format!(
                "update redemption set ended = 'given-back' {of_order}"
            )],
        )
        .await;
        assert_says(
            world,
            &[format!("redemption {}: is given back, or is not", order.id)],
        )
        .await;
        run(
            world,
            &[format!(
                "update redemption set ended = 'repaid', repaid_at = 1 {of_order}"
            )],
        )
        .await;
        let repayment: PaymentId = order.id.derive("advance-repaid", 0);
        assert_says(
            world,
            &[format!(
                "orders {}: its payment {repayment} is not there",
                order.id
            )],
        )
        .await;
    })
    .await;
}
