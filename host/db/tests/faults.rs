//! What the database promises when something breaks.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use qiao_db::{
    BatchOptions, Batcher, BatcherHealth, Db, Error, Fault, Faults, Machine, Migration, Tx,
};
use qiao_tests::each_database;
use sqlx::Row;

const NOTE: Migration = Migration {
    version: 1,
    name: "create_note",
    sql: "create table note (id bigint primary key, text text not null);",
    sqlite: "",
    postgres: "",
};

/// Writes notes, each once; a note of nothing breaks its invariant.
struct Notes;

impl Machine for Notes {
    type Command = (i64, String);
    type Outcome = bool;

    async fn run<'a>(
        &'a self,
        tx: &'a mut Tx,
        notes: &'a [(i64, String)],
    ) -> Result<Vec<bool>, Error> {
        let mut outcomes = Vec::new();
        for (id, text) in notes {
            assert!(!text.is_empty(), "a note says something");
            let done = sqlx::query(
                "insert into note (id, text) values ($1, $2) on conflict (id) do nothing",
            )
            .bind(id)
            .bind(text)
            .execute(tx.conn())
            .await?;
            outcomes.push(done.rows_affected() == 1);
        }
        Ok(outcomes)
    }
}

fn note(id: i64, text: &str) -> (i64, String) {
    (id, text.to_owned())
}

async fn notes(db: &Db) -> Vec<i64> {
    let rows = sqlx::query("select id from note order by id");
    let rows = rows.fetch_all(db.reads()).await.unwrap();
    rows.iter().map(|row| row.get("id")).collect()
}

/// The same database, which breaks as planned.
async fn breaking(
    test: &qiao_tests::TestDatabase,
    reconnects_max: u32,
) -> (Batcher<Notes>, Faults) {
    test.db.migrate(&[&[NOTE]]).await.unwrap();
    let faults = Faults::default();
    let db = Db::open(&test.options.clone().faults(faults.clone()))
        .await
        .unwrap();
    let options = BatchOptions {
        reconnects_max,
        ..BatchOptions::default()
    };
    (Batcher::start(db, Notes, options), faults)
}

#[tokio::test]
async fn a_machine_that_panics_loses_its_batch_and_not_its_batcher() {
    each_database(|test| async move {
        let (batcher, _) = breaking(&test, 0).await;
        let mut tasks = tokio::task::JoinSet::new();
        for id in 0..20 {
            let batcher = batcher.clone();
            let text = if id == 7 { "" } else { "hello" };
            tasks.spawn(async move { (id, batcher.submit(note(id, text)).await) });
        }
        for (id, outcome) in tasks.join_all().await {
            match outcome {
                Err(Error::Panicked(message)) => {
                    assert_eq!(id, 7);
                    assert!(message.contains("says something"), "{message}");
                }
                outcome => assert!(outcome.unwrap(), "{id}"),
            }
        }
        assert_eq!(notes(&test.db).await.len(), 19);
        let BatcherHealth { is_running, panics } = batcher.health();
        assert!(is_running && panics >= 1, "{panics} panics");
        assert!(batcher.submit(note(7, "after all")).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_ends_between_two_statements_leaves_nothing() {
    each_database(|test| async move {
        let (batcher, faults) = breaking(&test, 0).await;
        faults.plan(Fault::PanicAfter(0));
        let error = batcher.submit(note(1, "one")).await.unwrap_err();
        assert!(matches!(error, Error::Panicked(_)), "{error}");
        assert!(notes(&test.db).await.is_empty());
        assert!(batcher.submit(note(1, "one")).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_found_by_running_the_batch_again() {
    each_database(|test| async move {
        let (batcher, faults) = breaking(&test, 1).await;
        faults.plan(Fault::AnswerLost);
        assert!(
            !batcher.submit(note(1, "one")).await.unwrap(),
            "it was there"
        );
        faults.plan(Fault::CommitLost);
        assert!(batcher.submit(note(2, "two")).await.unwrap());
        faults.plan(Fault::CommitBusy);
        assert!(batcher.submit(note(3, "three")).await.unwrap());
        assert_eq!(notes(&test.db).await, [1, 2, 3]);
    })
    .await;
}

#[tokio::test]
async fn when_no_connection_helps_the_outcome_is_unknown_and_not_failed() {
    each_database(|test| async move {
        let (batcher, faults) = breaking(&test, 1).await;
        faults.plan(Fault::AnswerLost);
        faults.plan(Fault::CommitLost);
        let error = batcher.submit(note(1, "one")).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable(_)), "{error}");
        assert_eq!(notes(&test.db).await, [1]);
        assert!(!batcher.submit(note(1, "one")).await.unwrap(), "one effect");
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_refuses_the_commit_and_nothing_is_written() {
    each_database(|test| async move {
        let (batcher, faults) = breaking(&test, 0).await;
        faults.plan(Fault::CommitFull);
        let error = batcher.submit(note(1, "one")).await.unwrap_err();
        assert!(matches!(error, Error::Full(_)), "{error}");
        assert!(notes(&test.db).await.is_empty());
        assert!(batcher.submit(note(1, "one")).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_full_file_refuses_writes_until_there_is_room_again() {
    let test = qiao_tests::sqlite().await;
    test.db.migrate(&[&[NOTE]]).await.unwrap();
    let db = Db::open(&test.options.clone().size_max_mib(1))
        .await
        .unwrap();
    let batcher = Batcher::start(db.clone(), Notes, BatchOptions::default());
    let page = "x".repeat(100_000);
    let mut written = 0;
    let error = loop {
        match batcher.submit(note(written, &page)).await {
            Ok(is_new) => assert!(is_new),
            Err(error) => break error,
        }
        written += 1;
        assert!(written < 20, "the quota holds");
    };
    assert!(matches!(error, Error::Full(_)), "{error:?}");
    for _ in 0..3 {
        let again = batcher.submit(note(written, &page)).await.unwrap_err();
        assert!(matches!(again, Error::Full(_)), "{again:?}");
    }
    assert_eq!(notes(&db).await.len(), usize::try_from(written).unwrap());
    assert!(
        batcher.submit(note(1_000, "small")).await.is_ok(),
        "what fits is written"
    );

    let mut tx = db.begin().await.unwrap();
    sqlx::raw_sql("pragma max_page_count = 100000")
        .execute(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(batcher.submit(note(written, &page)).await.unwrap());
    let check: String = sqlx::query_scalar("pragma integrity_check")
        .fetch_one(db.reads())
        .await
        .unwrap();
    assert_eq!(check, "ok");
}
