//! One node at a time drives a row, on both engines.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use qiao_db::{Claim, Db, Leases, Migration};
use qiao_model::Timestamp;
use qiao_tests::each_database;
use sqlx::Row;

const JOBS: Migration = Migration {
    version: 1,
    name: "create_job",
    sql: "create table job (id text primary key, tries bigint not null, next_at bigint,
    lease_node text, lease_until bigint);
insert into job values ('a', 0, 10, null, null), ('b', 0, 20, null, null), ('c', 0, null, null, null);",
    sqlite: "",
    postgres: "",
};

const LEASES: Leases = Leases {
    table: "job",
    attempts: "tries",
    columns: "id, tries",
};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// What a node claims at a time for ten milliseconds: the id and which try it is.
async fn claimed(db: &Db, node: &str, now: i64, limit: usize) -> Vec<(String, i64)> {
    let claim = Claim {
        node,
        now: at(now),
        until: at(now + 10),
        limit,
    };
    let mut tx = db.begin().await.unwrap();
    let rows = LEASES.claim(&mut tx, &claim).await.unwrap();
    tx.commit().await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn tries(id: &str, tries: i64) -> Vec<(String, i64)> {
    vec![(id.to_owned(), tries)]
}

#[tokio::test]
async fn a_due_row_is_claimed_by_one_until_its_lease_runs_out() {
    each_database(|test| async move {
        let db = &test.db;
        db.migrate(&[&[JOBS]]).await.unwrap();
        assert!(!LEASES.is_any_due(db, at(9)).await.unwrap());
        assert!(LEASES.is_any_due(db, at(10)).await.unwrap());
        assert_eq!(claimed(db, "one", 10, 9).await, tries("a", 1));
        assert!(!LEASES.is_any_due(db, at(19)).await.unwrap());
        assert_eq!(claimed(db, "two", 19, 9).await, []);
        // The lease of the first has run out, and the second is due too.
        assert_eq!(claimed(db, "two", 20, 1).await, tries("a", 2));
        assert_eq!(claimed(db, "one", 20, 9).await, tries("b", 1));
        let mut tx = db.begin().await.unwrap();
        LEASES.release(&mut tx, "two").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(claimed(db, "one", 21, 9).await, tries("a", 3));
    })
    .await;
}
