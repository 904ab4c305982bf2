//! The audit names the row of a payment whose byte was changed.

use qiao_db::Db;
use qiao_db::attest::Attested;
use qiao_ledger::audit::{Report, check_books, check_journal};
use qiao_payments::{Command, IdempotencyKey, NewPayment};
use qiao_tests::{each_database, tamper};

use crate::giver::Person;
use crate::world::{USER, World, issue, post};

/// A top-up, a payment that is refunded in two parts, one that is held, one
/// captured in part, one voided, and a refusal; some under keys.
pub(crate) async fn busy(db: Db) -> World {
    let world = World::new(db).await;
    world.top_up(USER, 500_000).await;
    let key = |key: &str| IdempotencyKey::new("client test", key, b"request").unwrap();
    let bought = NewPayment {
        deliveries: vec![issue(98_500)],
        ..world.purchase()
    };
    let id = bought.id;
    world
        .run_keyed(Command::Hold(bought), key("hold"))
        .await
        .unwrap();
    world.clock.advance_millis(1_000);
    world.payment(post(id)).await;
    for (name, fen) in [("first", 40), ("second", 60)] {
        world.clock.advance_millis(1_000);
        let refund = Command::Refund(world.refund(id, fen));
        world.run_keyed(refund, key(name)).await.unwrap();
    }
    world.payment(Command::Hold(world.purchase())).await;
    let part = world.purchase();
    let (id, amount) = (part.id, part.amount);
    world.payment(Command::Hold(part)).await;
    let capture = Command::Post {
        payment: id,
        amount: Some(qiao_model::Money::new(amount.minor / 2, amount.currency)),
    };
    world.payment(capture).await;
    let voided = world.purchase();
    let id = voided.id;
    world.payment(Command::Hold(voided)).await;
    world.run(Command::Void { payment: id }).await.unwrap();
    let refused = world.run_keyed(post(id), key("refused")).await;
    refused.unwrap_err();
    world
}

pub(crate) async fn audit(world: &World) -> Report {
    let rooms = [
        qiao_ledger::ATTESTED,
        qiao_events::ATTESTED,
        qiao_payments::ATTESTED,
    ];
    let attested: Vec<Attested> = rooms.concat();
    let mut report = Report::of(world.env.now());
    let mut tx = world.db.begin_snapshot().await.unwrap();
    check_journal(&mut tx, &attested, &[], &mut report)
        .await
        .unwrap();
    check_books(&mut tx, &mut report).await.unwrap();
    qiao_payments::audit::check_payments(&mut tx, &mut report)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    report
}

pub(crate) fn said(report: &Report) -> String {
    let lines: Vec<String> = report.findings().iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[tokio::test]
async fn what_payments_wrote_passes_the_audit() {
    each_database(|database| async move {
        let world = busy(database.db).await;
        assert_eq!(said(&audit(&world).await), "");
    })
    .await;
}

#[tokio::test]
async fn one_changed_byte_of_any_column_names_its_row() {
    each_database(|database| async move {
        let world = &busy(database.db).await;
        let person = Person::new(world).await;
        let mandate = person.give(person.mandate(5)).await.id;
        person.run(person.charge(mandate, 700)).await.unwrap();
        let taken_back = world.payments.revoke_mandate(&person.permit, mandate);
        taken_back.await.unwrap();
        let tables: [(&str, &str, &[&str]); 5] = [
            ("payment", "id", &[]),
            ("payment_refund", "id", &[]),
            ("payment_idempotency", "digest", &[]),
            ("event", "id", &["fanned_out_at"]),
            ("mandate", "id", &[]),
        ];
        for (table, key, free) in tables {
            tamper::each_column(&world.db, table, key, free, |tampered| async move {
                let report = audit(world).await;
                let named = report.findings().iter().any(|finding| {
                    finding.table == table
                        && (finding.row == tampered.row || finding.row == tampered.row_now)
                });
                assert!(named, "{table} {tampered:?}: {}", said(&report));
            })
            .await;
            assert_eq!(said(&audit(world).await), "", "{table} is set back");
        }
    })
    .await;
}

#[tokio::test]
async fn a_row_of_a_payment_that_is_taken_out_is_named() {
    each_database(|database| async move {
        let world = busy(database.db).await;
        for (table, key) in [
            ("payment_refund", "id"),
            ("payment_idempotency", "digest"),
            ("event", "id"),
        ] {
            tamper::disarm(&world.db, table).await;
            let select = format!("select {key} from {table} order by {key} desc limit 1");
            let row: String = sqlx::query_scalar(sqlx::AssertSqlSafe(select))
                .fetch_one(world.db.reads())
                .await
                .unwrap();
            tamper::run(
                &world.db,
                format!("delete from {table} where {key} = '{row}'"),
            )
            .await;
            let report = audit(&world).await;
            let named = report
                .findings()
                .iter()
                .any(|f| f.table == table && f.row == row);
            assert!(named, "{table} {row}: {}", said(&report));
        }
    })
    .await;
}

#[tokio::test]
async fn answers_and_events_that_were_forgotten_in_time_are_not_missed() {
    each_database(|database| async move {
        let world = busy(database.db).await;
        world.clock.advance_millis(200 * 86_400_000);
        assert!(world.payments.sweep().await.unwrap() > 0);
        tamper::run(&world.db, "delete from event".to_owned()).await;
        assert_eq!(said(&audit(&world).await), "");
    })
    .await;
}
