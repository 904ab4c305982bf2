//! A row before and after a transaction changes it, on both engines.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use qiao_db::attest::{Attested, Before, Fact, Form, IdForm, Keeping, scan};
use qiao_db::{Db, Error, Migration};
use qiao_tests::each_database;

const MARKS: Migration = Migration {
    version: 1,
    name: "create_mark",
    sql: "create table mark (account text not null, day text not null, minor bigint, note text,
    primary key (account, day));",
    sqlite: "",
    postgres: "",
};

const ROWS: Attested = Attested {
    name: "mark",
    table: "mark",
    id: IdForm::key(2),
    fields: &[
        ("account", "account", Form::Text),
        ("day", "day", Form::Text),
        ("minor", "minor", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// What is attested of the one row of the test after a statement.
async fn fact_of(db: &Db, sql: &'static str) -> Option<Fact> {
    let mut tx = db.begin().await.unwrap();
    let row = Before::of(&mut tx, &ROWS, &["a", "today"]).await.unwrap();
    sqlx::query(sql).execute(tx.conn()).await.unwrap();
    let fact = row.fact(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    fact
}

#[tokio::test]
async fn facts_of_a_row_are_a_path_from_nothing_to_what_it_is() {
    each_database(|test| async move {
        let db = &test.db;
        db.migrate(&[&[MARKS]]).await.unwrap();
        let made = fact_of(db, "insert into mark values ('a', 'today', 5, 'x')").await;
        let made = made.unwrap();
        assert_eq!((made.id, made.before), (ROWS.id_of(&["a", "today"]), None));
        // Another row, and a column that is not attested.
        assert_eq!(
            fact_of(db, "insert into mark values ('a', 'then', 5, 'x')").await,
            None
        );
        assert_eq!(fact_of(db, "update mark set note = 'y'").await, None);
        let changed = fact_of(db, "update mark set minor = null").await.unwrap();
        assert_eq!(changed.before, Some(made.digest));
        let mut seen = Vec::new();
        let mut tx = db.begin().await.unwrap();
        let engine = tx.engine();
        scan(tx.conn(), engine, &ROWS, |row| {
            seen.push((row.text, row.id, row.digest));
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
        seen.sort();
        assert_eq!(seen[1].0, "a/today");
        assert_eq!((seen[1].1, seen[1].2), (Some(made.id), changed.digest));
    })
    .await;
}
