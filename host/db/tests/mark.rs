//! A mark differs after any commit, whoever made it.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use qiao_db::{Db, OpenOptions};

async fn execute(db: &Db, sql: &'static str) {
    let mut tx = db.begin().await.unwrap();
    sqlx::query(sql).execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn count(db: &Db) -> i64 {
    let count = sqlx::query_scalar("select count(*) from note");
    count.fetch_one(db.reads()).await.unwrap()
}

const ADD: &str = "insert into note (text) values ('x')";

#[tokio::test]
async fn a_mark_differs_after_a_commit_and_after_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let options = OpenOptions::sqlite(folder.path().join("qiao.db"));
    let db = Db::open(&options).await.unwrap();
    execute(&db, "create table note (text text not null)").await;
    let mut seen = vec![db.mark().unwrap()];

    assert_eq!(count(&db).await, 0);
    let mut tx = db.begin().await.unwrap();
    sqlx::query(ADD).execute(tx.conn()).await.unwrap();
    assert_eq!(db.mark(), seen.last().copied(), "not committed");
    tx.rollback().await.unwrap();
    assert_eq!(db.mark(), seen.last().copied(), "never committed");

    execute(&db, ADD).await;
    seen.push(db.mark().unwrap());
    let other = Db::open(&options).await.unwrap();
    assert_eq!(count(&other).await, 1);
    assert_eq!(db.mark(), seen.last().copied(), "somebody reads");
    for _ in 0..20 {
        execute(&other, ADD).await;
        seen.push(db.mark().unwrap());
    }
    // The log begins anew.
    let copied = sqlx::query("pragma wal_checkpoint(restart)");
    copied.execute(db.reads()).await.unwrap();
    for _ in 0..20 {
        execute(&db, ADD).await;
        seen.push(other.mark().unwrap());
    }
    for (index, mark) in seen.iter().enumerate() {
        assert!(
            !seen[..index].contains(mark),
            "mark {index} was there before"
        );
    }
}

#[tokio::test]
async fn a_mark_is_read_anew_when_the_last_connection_took_the_index_away() {
    let folder = tempfile::tempdir().unwrap();
    let options = OpenOptions::sqlite(folder.path().join("qiao.db"));
    let db = Db::open(&options).await.unwrap();
    execute(&db, "create table note (text text not null)").await;
    let before = db.mark().unwrap();
    db.close().await;
    assert_eq!(db.mark(), None, "there is no index");
    let other = Db::open(&options).await.unwrap();
    execute(&other, ADD).await;
    assert_ne!(db.mark(), Some(before));
    assert_eq!(db.mark(), other.mark());
}

#[tokio::test]
async fn postgres_has_no_mark() {
    let test = qiao_tests::postgres().await;
    assert_eq!(test.db.mark(), None);
}
