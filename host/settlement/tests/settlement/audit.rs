//! The audit names the row of settlement whose byte was changed, and each payout
//! and closed day that the statements do not bear out.

use qiao_ledger::audit::Report;
use qiao_model::{EventId, PayoutId};
use qiao_payments::Party;
use qiao_tests::{each_database, tamper};
use sandbox_bank::Misprint;

use crate::world::{FUND, World, day, river, said};

const NINE: i64 = 9 * 60;
const TODAY: &str = "2026-11-25";

/// Two days' payouts and a day that was reconciled, with a case.
async fn busy(world: &World) {
    world.terms(1, 0).await;
    world
        .pay(&[
            (Party::Institution(FUND), 98_500, "principal"),
            (Party::Revenue(FUND), 1_200, "purchase-fee"),
            (Party::Platform, 300, "platform-fee"),
        ])
        .await;
    world.work("2026-11-26", NINE).await;
    world.pay_fund(5_000).await;
    // Not on the next day, so that no changed byte makes it another payout's day.
    world.work("2026-11-30", NINE).await;
    let reference = world.bank.payments()[0].bank_reference.clone();
    let misprint = Misprint::Drop(reference);
    world.bank.misprint(TODAY.parse().unwrap(), Some(misprint));
    for _ in 0..2 {
        world.clock.advance_millis(1_000);
        let run = world
            .settlement
            .reconcile(&world.operator, river(), day(TODAY));
        run.await.unwrap();
        // The second time the bank has the line again.
        world.bank.misprint(TODAY.parse().unwrap(), None);
    }
}

fn assert_says(report: &Report, line: &str) {
    let said = said(report);
    assert!(said.contains(line), "`{line}` is not in:\n{said}");
}

#[tokio::test]
async fn one_changed_byte_of_any_column_names_its_row() {
    each_database(|database| async move {
        let world = &World::new(database).await;
        busy(world).await;
        assert_eq!(said(&world.report().await), "");
        let tables: [(&str, &str, &[&str]); 6] = [
            // When terms were looked at, and who drives a payout, moves no money.
            ("settlement_terms", "institution_id", &["planned_day"]),
            (
                "payout",
                "id",
                &["attempts", "next_at", "lease_node", "lease_until"],
            ),
            ("settlement_close", "account_id/day", &[]),
            ("bank_statement_line", "channel/day/bank_reference", &[]),
            ("reconciliation", "channel/day", &[]),
            ("reconciliation_case", "id", &[]),
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
async fn payouts_that_the_statement_does_not_bear_out_are_named() {
    each_database(|database| async move {
        let world = &World::new(database).await;
        busy(world).await;
        let payouts = world.payouts().await;
        let last = payouts.last().unwrap();
        let (id, transfer) = (last.id, last.bank_transfer());
        let account = last.source.party(FUND).account(last.amount.currency).id();
        for table in ["payout", "settlement_close", "bank_transfer", "event"] {
            tamper::disarm(&world.db, table).await;
        }
        let of_close = format!("account_id = '{account}' and day = '{}'", last.through);
        let told: EventId = id.derive("payout.paid", 0);
        let other = PayoutId::from_u128(7);
        for (plant, lines, undo) in [
            (
                format!("update payout set minor = minor + 1 where id = '{id}'"),
                vec![
                    format!("payout {id}: its bank transfer carries another amount"),
                    format!("payout {id}: with it 103501 are paid out of {account}, which had 103500 by that day"),
                ],
                format!("update payout set minor = minor - 1 where id = '{id}'"),
            ),
            (
                format!("update payout set state = 'rejected' where id = '{id}'"),
                vec![
                    format!("payout {id}: is rejected, its bank transfer {transfer} is done"),
                    format!("payout {id}: its event `payout.rejected`"),
                    format!("event {told}: tells of no change that there was"),
                ],
                format!("update payout set state = 'paid' where id = '{id}'"),
            ),
            (
                format!("update payout set id = '{other}' where id = '{id}'"),
                vec![format!("bank_transfer {transfer}: pays out what no payout is")],
                format!("update payout set id = '{id}' where id = '{other}'"),
            ),
            (
                format!("update settlement_close set credits = credits - 1 where {of_close}"),
                vec![
                    format!("settlement_close {account}/{}: sums to ", last.through),
                    format!("payout {id}: with it 103500 are paid out"),
                ],
                format!("update settlement_close set credits = credits + 1 where {of_close}"),
            ),
            (
                format!("update settlement_close set day = '2026-10-01' where {of_close}"),
                vec![format!("payout {id}: pays a day that was not closed")],
                format!("update settlement_close set day = '{}' where day = '2026-10-01'", last.through),
            ),
            (
                format!("delete from event where id = '{told}'"),
                vec![format!("payout {id}: its event `payout.paid`")],
                "update payout set state = state".to_owned(),
            ),
        ] {
            tamper::run(&world.db, plant).await;
            let report = world.report().await;
            for line in lines {
                assert_says(&report, &line);
            }
            tamper::run(&world.db, undo).await;
        }
        tamper::run(
            &world.db,
            "delete from bank_statement_line where withdrawn_at is null".to_owned(),
        )
        .await;
        let line = format!("reconciliation {}/{TODAY}: counts ", river());
        assert_says(&world.report().await, &line);
    })
    .await;
}
