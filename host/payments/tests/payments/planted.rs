//! Each rule of the audit finds what breaks it, and names the row.

use qiao_db::Db;
use qiao_ledger::audit::Report;
use qiao_model::{EventId, InstitutionId, RefundId, UserId};
use qiao_tests::{each_database, tamper};

use crate::audit::{audit, busy, said};
use crate::giver::Person;
use crate::world::World;

async fn text(db: &Db, sql: String) -> String {
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(db.reads())
        .await
        .unwrap()
}

fn assert_says(report: &Report, line: &str) {
    let said = said(report);
    assert!(said.contains(line), "`{line}` is not in:\n{said}");
}

#[tokio::test]
async fn a_change_that_was_not_told_or_told_twice_is_named() {
    each_database(|database| async move {
        let world = &busy(database.db).await;
        let person = Person::new(world).await;
        let mandate = person.give(person.mandate(5)).await.id;
        let db = &world.db;
        let held = text(db, "select id from payment where state = 'held'".to_owned()).await;
        let posted = "select subject from event where kind = 'payment.posted' limit 1";
        let posted = text(db, posted.to_owned()).await;
        let refund = text(db, "select id from payment_refund limit 1".to_owned()).await;
        let of_refund: EventId =
            (refund.parse::<RefundId>().unwrap()).derive("payment.refunded", 0);
        assert_eq!(said(&audit(world).await), "");

        let again = EventId::from_u128(99);
        for sql in [
            format!("delete from event where kind = 'payment.held' and subject = '{held}'"),
            format!("delete from event where kind = 'mandate.given' and subject = '{mandate}'"),
            format!("update event set subject = '{held}' where id = '{of_refund}'"),
            format!(
                "insert into event (id, kind, institution, plugin, subject, payload, created_at, fanned_out_at)
select '{again}', kind, institution, plugin, subject, payload, created_at, fanned_out_at
from event where kind = 'payment.posted' and subject = '{posted}'"
            ),
        ] {
            tamper::run(db, sql).await;
        }
        let report = audit(world).await;
        for line in [
            format!("payment {held}: its event `payment.held`"),
            format!("mandate {mandate}: its event `mandate.given`"),
            format!("event {of_refund}: is not the `payment.refunded of "),
            format!("event {again}: tells of no change that there was: payment.posted of {posted}"),
        ] {
            assert_says(&report, &line);
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_whose_effect_is_not_there_or_went_back_is_named() {
    each_database(|database| async move {
        let world = &busy(database.db).await;
        let db = &world.db;
        let of_refund = "from payment_idempotency where answer like '%rfd_%' limit 1";
        let key = text(db, format!("select digest {of_refund}")).await;
        let refund = text(db, "select id from payment_refund order by id limit 1".to_owned()).await;
        let key_of = |refund: &str| {
            format!("select digest from payment_idempotency where answer like '%{refund}%'")
        };
        let named = text(db, key_of(&refund)).await;
        for table in ["payment_idempotency", "payment"] {
            tamper::disarm(db, table).await;
        }
        let other = RefundId::from_u128(5);
        let lost = format!(
            "update payment_idempotency set answer = replace(answer, '{refund}', '{other}') where digest = '{named}'"
        );
        tamper::run(db, lost).await;
        let report = audit(world).await;
        assert_says(
            &report,
            &format!("payment_idempotency {named}: answers with {other}, which "),
        );

        let back = "update payment set state = 'held', captured = 0, refunded = 0, refunds = 0, returned = '[0,0,0]'
where state = 'refunded' or state = 'partly-refunded'";
        tamper::run(db, back.to_owned()).await;
        let report = audit(world).await;
        assert_says(&report, &format!("payment_idempotency {key}: answers that "));
        assert_says(&report, "tells of no change that there was: payment.posted of pay_");
    })
    .await;
}

#[tokio::test]
async fn what_a_mandate_does_not_allow_is_named() {
    each_database(|database| async move {
        let world = &World::new(database.db).await;
        let person = Person::new(world).await;
        let id = person.give(person.mandate(5)).await.id;
        for fen in [1_000, 600] {
            person.run(person.charge(id, fen)).await.unwrap();
        }
        assert_eq!(said(&audit(world).await), "");
        let db = &world.db;
        tamper::disarm(db, "mandate").await;
        let payee = InstitutionId::from_u128(77);
        let user = UserId::from_u128(77);
        for (column, broken, line) in [
            (
                "per_payment",
                "999".to_owned(),
                "took 1000, it allows 999 at once",
            ),
            (
                "per_day",
                "1599".to_owned(),
                "makes 1600 in its day, the mandate allows 1599",
            ),
            (
                "per_month",
                "1599".to_owned(),
                "makes 1600 in its month, the mandate allows 1599",
            ),
            (
                "count_max",
                "1".to_owned(),
                "allows 1 payments, there are 2",
            ),
            (
                "payees",
                format!("'[\"{payee}\"]'"),
                "was paid to nobody whom it names",
            ),
            ("user_id", format!("'{user}'"), "was not paid by its giver"),
            (
                "currency",
                "'USD'".to_owned(),
                "is in a currency that it does not allow",
            ),
            (
                "expires_at",
                "created_at".to_owned(),
                "was made after its end",
            ),
            (
                "used_minor",
                "1599".to_owned(),
                "says 2 payments of 1599, there are 2 of 1600",
            ),
        ] {
            let keep = format!("create table kept as select {column} as was from mandate");
            tamper::run(db, keep).await;
            tamper::run(db, format!("update mandate set {column} = {broken}")).await;
            let report = audit(world).await;
            let said = said(&report);
            let of_mandate = format!("mandate {id}: ");
            let found = said
                .lines()
                .any(|found| found.starts_with(&of_mandate) && found.ends_with(line));
            assert!(found, "{column}: {said}");
            let back =
                format!("update mandate set {column} = (select was from kept); drop table kept");
            tamper::run(db, back).await;
        }
        assert_eq!(said(&audit(world).await), "");
    })
    .await;
}
