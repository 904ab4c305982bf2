//! The audit names the transfer, answer or link whose byte was changed, and each
//! transfer that does not agree with its payments.

use qiao_tests::{each_database, tamper};
use sandbox_bank::{Fault, FaultKind};

use crate::world::{World, said};

/// A top-up, a withdrawal, one that the bank gives no answer to, and a link that ended.
async fn busy(world: &World) {
    let link = world.link().await;
    world.top_up(link.id, 100_000).await;
    world.withdraw(link.id, 30_000).await;
    world.bank.plan(Fault::once(FaultKind::Unavailable));
    world.withdraw(link.id, 1_000).await;
    world
        .banks
        .unlink(&world.person.permit, link.id)
        .await
        .unwrap();
}

#[tokio::test]
async fn one_changed_byte_of_any_column_names_its_row() {
    each_database(|database| async move {
        let world = &World::new(database).await;
        busy(world).await;
        assert_eq!(said(&world.report().await), "");
        let tables: [(&str, &str, &[&str]); 3] = [
            // Who asks the bank moves no money.
            (
                "bank_transfer",
                "id",
                &[
                    "attempt",
                    "failures",
                    "next_at",
                    "lease_node",
                    "lease_until",
                ],
            ),
            ("bank_answer", "transfer_id/number", &[]),
            // The tokens are sealed, and no part of what is attested.
            (
                "bank_link",
                "id",
                &[
                    "sealed_access",
                    "sealed_refresh",
                    "token_expires_at",
                    "refreshing_until",
                ],
            ),
        ];
        for (table, key, free) in tables {
            tamper::each_column(&world.db, table, key, free, |tampered| async move {
                let report = world.report().await;
                let named = report.findings().iter().any(|finding| {
                    finding.table == table
                        && (finding.row == tampered.row || finding.row == tampered.row_now)
                });
                assert!(named, "{table} {tampered:?}: {}", said(&report));
            })
            .await;
            assert_eq!(said(&world.report().await), "", "{table} is set back");
        }
    })
    .await;
}

#[tokio::test]
async fn a_transfer_that_does_not_agree_with_its_payment_is_named() {
    each_database(|database| async move {
        let world = &World::new(database).await;
        let link = world.link().await;
        let into = world.top_up(link.id, 100_000).await;
        let out = world.withdraw(link.id, 30_000).await;
        assert_eq!(said(&world.report().await), "");
        tamper::disarm(&world.db, "bank_transfer").await;
        tamper::disarm(&world.db, "bank_answer").await;
        let paid = (into.route.payment, out.route.payment);
        for (change, line) in [
            (
                format!("update bank_transfer set state = 'rejected' where id = '{}'", into.id),
                format!("bank_transfer {}: its payment {} is posted, it must be not there", into.id, paid.0),
            ),
            (
                format!("update bank_transfer set state = 'unknown' where id = '{}'", out.id),
                format!("bank_transfer {}: its payment {} is posted, it must be held", out.id, paid.1),
            ),
            (
                format!("update bank_transfer set state = 'done', amount_minor = amount_minor + 1 where id = '{}'", out.id),
                format!("bank_transfer {}: moves 30001, its payment {} moves 30000", out.id, paid.1),
            ),
            (
                format!("delete from bank_answer where transfer_id = '{}'", out.id),
                format!("bank_transfer {}: counts {} answers, there are 0", out.id, out.standing.answers),
            ),
        ] {
            tamper::run(&world.db, change).await;
            let said = said(&world.report().await);
            assert!(said.contains(&line), "`{line}` is not in:\n{said}");
        }
    })
    .await;
}
