//! The audit on real databases, both engines: it passes what the ledger wrote
//! and names the row whose byte was changed.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::borrow::Cow;

use qiao_db::{BatchOptions, Batcher, Db};
use qiao_ledger::audit::{Report, check_books, check_journal};
use qiao_ledger::{
    ATTESTED, AccountKind, Head, Ledger, LedgerMachine, MIGRATIONS, NewAccount, NewTransfer, Owner,
    TransferKind,
};
use qiao_model::{Asset, Channel, Currency, Env, Timestamp, TransferId, UserId};
use qiao_tests::{each_database, tamper};

const CNY: Asset = Asset::Currency(Currency::CNY);

fn user(number: u128) -> NewAccount {
    let owner = Owner::User(UserId::from_u128(number));
    NewAccount::new(owner, AccountKind::Available, CNY)
}

fn transfer(number: u128, from: NewAccount, to: NewAccount, minor: i64) -> NewTransfer {
    NewTransfer {
        id: TransferId::from_u128(number),
        debit: from,
        credit: to,
        minor,
        kind: TransferKind::Posted,
        purpose: Cow::Borrowed("test"),
        reference: format!("pay_{number}"),
    }
}

/// Top-ups, a payment, a hold that stands, one posted in part, and one voided.
async fn books(db: &Db) {
    db.migrate(&[MIGRATIONS]).await.unwrap();
    let (env, _) = Env::fixed(Timestamp::from_millis(1_790_000_000_000), 1);
    let batcher = Batcher::start(db.clone(), LedgerMachine::new(env), BatchOptions::default());
    let sandbox = Owner::External(Channel::SANDBOX);
    let world = NewAccount::new(sandbox, AccountKind::External, CNY);
    let hold = |number| NewTransfer {
        kind: TransferKind::Pending,
        ..transfer(number, user(1), user(2), 100)
    };
    let resolve = |number, minor, kind| NewTransfer {
        kind,
        ..transfer(number, user(1), user(2), minor)
    };
    let pending = TransferId::from_u128;
    let groups = [
        vec![transfer(1, world, user(1), 1_000)],
        vec![
            transfer(2, world, user(2), 500),
            transfer(3, user(1), user(3), 50),
        ],
        vec![hold(4)],
        vec![hold(5)],
        vec![hold(6)],
        vec![resolve(
            7,
            30,
            TransferKind::PostPending {
                pending: pending(5),
            },
        )],
        vec![resolve(
            8,
            100,
            TransferKind::VoidPending {
                pending: pending(6),
            },
        )],
        vec![transfer(9, user(2), user(3), 7)],
    ];
    for group in groups {
        batcher.submit(group).await.unwrap().unwrap();
    }
}

async fn audit(db: &Db, expected: &[Head]) -> Report {
    let mut report = Report::of(Timestamp::from_millis(1_790_000_000_000));
    let mut tx = db.begin_snapshot().await.unwrap();
    check_journal(&mut tx, ATTESTED, expected, &mut report)
        .await
        .unwrap();
    check_books(&mut tx, &mut report).await.unwrap();
    tx.commit().await.unwrap();
    report
}

fn said(report: &Report) -> String {
    let lines: Vec<String> = report.findings().iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[tokio::test]
async fn what_the_ledger_wrote_passes() {
    each_database(|database| async move {
        books(&database.db).await;
        let heads = Ledger::new(database.db.clone()).heads().await.unwrap();
        assert_eq!(heads.len(), 1);
        assert_eq!((heads[0].chain, heads[0].seq), (1, 8));
        let report = audit(&database.db, &heads).await;
        assert_eq!(said(&report), "");
        assert_eq!(report.entries, 8);
    })
    .await;
}

#[tokio::test]
async fn empty_books_pass() {
    each_database(|database| async move {
        database.db.migrate(&[MIGRATIONS]).await.unwrap();
        let heads = Ledger::new(database.db.clone()).heads().await.unwrap();
        assert!(audit(&database.db, &heads).await.is_clean());
    })
    .await;
}

#[tokio::test]
async fn one_changed_byte_of_any_column_names_its_row() {
    each_database(|database| async move {
        let db = &database.db;
        books(db).await;
        let tables = [
            ("ledger_transfer", "id"),
            ("ledger_account", "id"),
            ("ledger_journal", "seq"),
            ("ledger_chain", "chain"),
        ];
        for (table, key) in tables {
            tamper::each_column(db, table, key, &[], |tampered| async move {
                let report = audit(db, &[]).await;
                let row = |row: &str| match table {
                    "ledger_journal" => format!("1:{row}"),
                    _ => row.to_owned(),
                };
                let (before, now) = (row(&tampered.row), row(&tampered.row_now));
                let named = report.findings().iter().any(|finding| {
                    finding.table == table && (finding.row == before || finding.row == now)
                        || finding.problem.contains(&before)
                });
                assert!(named, "{table} {tampered:?}: {}", said(&report));
            })
            .await;
            assert_eq!(said(&audit(db, &[]).await), "", "{table} is set back");
        }
    })
    .await;
}

#[tokio::test]
async fn a_transfer_taken_out_or_put_in_is_named() {
    each_database(|database| async move {
        let db = &database.db;
        books(db).await;
        tamper::disarm(db, "ledger_transfer").await;
        let ninth = TransferId::from_u128(9);
        let copy = format!(
            "insert into ledger_transfer select '{}', kind, debit_account, credit_account, minor,
pending_id, purpose, reference, debit_previous, credit_previous, debit_balance, credit_balance, at
from ledger_transfer where id = '{ninth}'",
            TransferId::from_u128(10)
        );
        tamper::run(db, copy).await;
        let report = said(&audit(db, &[]).await);
        let smuggled = TransferId::from_u128(10);
        assert!(
            report.contains(&format!(
                "ledger_transfer {smuggled}: is not in the journal"
            )),
            "{report}"
        );
        tamper::run(
            db,
            format!("delete from ledger_transfer where id in ('{ninth}', '{smuggled}')"),
        )
        .await;
        let report = said(&audit(db, &[]).await);
        assert!(
            report.contains(&format!(
                "ledger_transfer {ninth}: is gone; entry 1:8 has it"
            )),
            "{report}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_last_batch_taken_away_whole_is_noticed_by_who_noted_the_head() {
    each_database(|database| async move {
        let db = &database.db;
        books(db).await;
        let heads = Ledger::new(db.clone()).heads().await.unwrap();
        let ninth = TransferId::from_u128(9);
        for table in ["ledger_transfer", "ledger_account", "ledger_journal", "ledger_chain"] {
            tamper::disarm(db, table).await;
        }
        let undo = [
            format!("update ledger_account set credits = credits - 7, transfers = transfers - 1, last_transfer = (select credit_previous from ledger_transfer where id = '{ninth}') where id = '{}'", user(3).id()),
            format!("update ledger_account set debits = debits - 7, transfers = transfers - 1, last_transfer = (select debit_previous from ledger_transfer where id = '{ninth}') where id = '{}'", user(2).id()),
            format!("delete from ledger_transfer where id = '{ninth}'"),
            "delete from ledger_journal where seq = 8".to_owned(),
        ];
        for sql in undo {
            tamper::run(db, sql).await;
        }
        let report = said(&audit(db, &[]).await);
        assert_eq!(report, "ledger_chain 1: its entries after 1:7 are gone");
        tamper::run(
            db,
            "update ledger_chain set seq = 7, hash = (select hash from ledger_journal where seq = 7)"
                .to_owned(),
        )
        .await;
        assert_eq!(said(&audit(db, &[]).await), "", "no chain proves its own end");
        let report = said(&audit(db, &heads).await);
        assert_eq!(report, "ledger_journal 1:8: is gone, though it was expected");
    })
    .await;
}

#[tokio::test]
async fn an_entry_rewritten_with_a_good_hash_breaks_the_next_one() {
    each_database(|database| async move {
        let db = &database.db;
        books(db).await;
        let heads = Ledger::new(db.clone()).heads().await.unwrap();
        tamper::disarm(db, "ledger_journal").await;
        let other = "0".repeat(63) + "1";
        tamper::run(
            db,
            format!("update ledger_journal set hash = '{other}' where seq = 3"),
        )
        .await;
        let report = said(&audit(db, &heads).await);
        assert!(
            report.contains("ledger_journal 1:3: its hash is not the hash"),
            "{report}"
        );
        assert!(
            report.contains("ledger_journal 1:4: does not follow the hash of entry 1:3"),
            "{report}"
        );
    })
    .await;
}

#[tokio::test]
async fn batches_that_write_at_once_take_chains_of_their_own() {
    let database = qiao_tests::postgres().await;
    let db = &database.db;
    db.migrate(&[MIGRATIONS]).await.unwrap();
    let sandbox = Owner::External(Channel::SANDBOX);
    let world = NewAccount::new(sandbox, AccountKind::External, CNY);
    let fund = |number| vec![transfer(number, world, user(number), 10)];
    let env = || Env::fixed(Timestamp::from_millis(1_790_000_000_000), 1).0;
    let batcher = || {
        Batcher::start(
            db.clone(),
            LedgerMachine::new(env()),
            BatchOptions::default(),
        )
    };
    batcher().submit(fund(1)).await.unwrap().unwrap();
    // While a transaction holds the first chain, a batch takes another.
    let mut holder = db.begin().await.unwrap();
    let locked: i64 =
        sqlx::query_scalar("select chain from ledger_chain where chain = 1 for update")
            .fetch_one(holder.conn())
            .await
            .unwrap();
    assert_eq!(locked, 1);
    batcher().submit(fund(2)).await.unwrap().unwrap();
    holder.rollback().await.unwrap();
    let heads = Ledger::new(db.clone()).heads().await.unwrap();
    let seqs: Vec<(i64, i64)> = heads.iter().map(|head| (head.chain, head.seq)).collect();
    assert_eq!(seqs, [(1, 1), (2, 1)]);
    assert_eq!(said(&audit(db, &heads).await), "");
}
