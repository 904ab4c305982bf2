//! The database's own promises, on both engines.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and starts tasks"
)]

use qiao_db::{BatchOptions, Batcher, Db, Error, Machine, Migration, Tx, WriteRows};
use qiao_tests::each_database;
use serde::Serialize;

const COUNTER: Migration = Migration {
    version: 1,
    name: "create_counter",
    sql: "create table counter (name text primary key, total bigint not null check (total >= 0));",
    sqlite: "create trigger counter_is_kept before delete on counter begin select raise(abort, 'kept'); end;",
    postgres: "create function keep() returns trigger language plpgsql as $$ begin raise exception 'kept'; end; $$;
create trigger counter_is_kept before delete on counter for each row execute function keep();",
};

async fn total(db: &Db, name: &str) -> Option<i64> {
    sqlx::query_scalar("select total from counter where name = $1")
        .bind(name)
        .fetch_optional(db.reads())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_migration_runs_once_and_may_not_change() {
    each_database(|test| async move {
        test.db.migrate(&[&[COUNTER]]).await.unwrap();
        test.db.migrate(&[&[COUNTER]]).await.unwrap();
        let changed = Migration {
            sql: "select 1;",
            ..COUNTER
        };
        let error = test.db.migrate(&[&[changed]]).await.unwrap_err();
        assert!(
            matches!(error, Error::MigrationChanged { version: 1, .. }),
            "{error}"
        );
        let error = test.db.migrate(&[]).await.unwrap_err();
        assert!(matches!(error, Error::MigrationUnknown(1)), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing() {
    each_database(|test| async move {
        let broken = Migration {
            version: 2,
            name: "broken",
            sql: "create table half (id bigint); select nonsense from nowhere;",
            sqlite: "",
            postgres: "",
        };
        assert!(test.db.migrate(&[&[COUNTER, broken]]).await.is_err());
        test.db.migrate(&[&[COUNTER]]).await.unwrap();
        let half = sqlx::query("select id from half")
            .fetch_optional(test.db.reads())
            .await;
        assert!(half.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    each_database(|test| async move {
        test.db.migrate(&[&[COUNTER]]).await.unwrap();
        let mut tx = test.db.begin().await.unwrap();
        sqlx::query("insert into counter values ('a', 1)")
            .execute(tx.conn())
            .await
            .unwrap();
        drop(tx);
        let mut tx = test.db.begin().await.unwrap();
        sqlx::query("insert into counter values ('b', 1)")
            .execute(tx.conn())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(total(&test.db, "a").await, None);
        assert_eq!(total(&test.db, "b").await, Some(1));
        let refused = sqlx::query("delete from counter")
            .execute(test.db.reads())
            .await;
        assert!(refused.unwrap_err().to_string().contains("kept"));
    })
    .await;
}

#[tokio::test]
async fn an_address_that_is_no_database_is_refused() {
    let error = Db::open(&qiao_db::OpenOptions::postgres("mysql://x/y"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Address(_)), "{error}");
}

/// Adds to a counter, refuses odd numbers, and breaks the schema when told to.
struct Adder;

enum Add {
    Number(i64),
    Breaking,
}

#[derive(Debug, PartialEq)]
enum Added {
    Total(i64),
    Refused,
}

impl Machine for Adder {
    type Command = Add;
    type Outcome = Added;

    async fn run<'a>(&'a self, tx: &'a mut Tx, commands: &'a [Add]) -> Result<Vec<Added>, Error> {
        let mut total: i64 = sqlx::query_scalar("select total from counter where name = 'n'")
            .fetch_one(tx.conn())
            .await?;
        let mut outcomes = Vec::new();
        for command in commands {
            outcomes.push(match command {
                Add::Number(n) if n % 2 == 1 => Added::Refused,
                Add::Number(n) => {
                    total += n;
                    Added::Total(total)
                }
                Add::Breaking => {
                    total = -1_000_000;
                    Added::Total(total)
                }
            });
        }
        sqlx::query("update counter set total = $1 where name = 'n'")
            .bind(total)
            .execute(tx.conn())
            .await?;
        Ok(outcomes)
    }
}

#[tokio::test]
async fn a_batch_answers_each_caller_and_one_bad_command_fails_alone() {
    each_database(|test| async move {
        test.db.migrate(&[&[COUNTER]]).await.unwrap();
        sqlx::query("insert into counter values ('n', 0)")
            .execute(test.db.reads())
            .await
            .unwrap();
        let batcher = Batcher::start(test.db.clone(), Adder, BatchOptions::default());
        let callers = (0..100).map(|n| {
            let batcher = batcher.clone();
            async move {
                match n {
                    50 => batcher.submit(Add::Breaking).await,
                    n => batcher.submit(Add::Number(n)).await,
                }
            }
        });
        let mut tasks = tokio::task::JoinSet::new();
        for (n, caller) in callers.enumerate() {
            tasks.spawn(async move { (n, caller.await) });
        }
        while let Some(done) = tasks.join_next().await {
            let (n, outcome) = done.unwrap();
            match (n, outcome) {
                (50, outcome) => {
                    assert!(matches!(outcome, Err(Error::Constraint(_))), "{outcome:?}");
                }
                (n, Ok(Added::Refused)) => assert_eq!(n % 2, 1),
                (_, Ok(Added::Total(total))) => assert!(total >= 0),
                (n, Err(error)) => panic!("{n}: {error}"),
            }
        }
        let even: i64 = (0..100).filter(|n| n % 2 == 0 && *n != 50).sum();
        assert_eq!(total(&test.db, "n").await, Some(even));
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_its_command() {
    each_database(|test| async move {
        test.db.migrate(&[&[COUNTER]]).await.unwrap();
        sqlx::query("insert into counter values ('n', 0)")
            .execute(test.db.reads())
            .await
            .unwrap();
        let batcher = Batcher::start(test.db.clone(), Adder, BatchOptions::default());
        let gone = batcher.clone();
        let caller = tokio::spawn(async move { gone.submit(Add::Number(2)).await });
        tokio::task::yield_now().await;
        caller.abort();
        let last = batcher.submit(Add::Number(4)).await.unwrap();
        assert!(
            last == Added::Total(6) || last == Added::Total(4),
            "{last:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_committed_is_there_after_opening_again() {
    each_database(|test| async move {
        test.db.migrate(&[&[COUNTER]]).await.unwrap();
        let mut tx = test.db.begin().await.unwrap();
        sqlx::query("insert into counter values ('kept', 7)")
            .execute(tx.conn())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        test.db.close().await;
        let again = Db::open(&test.options).await.unwrap();
        assert_eq!(total(&again, "kept").await, Some(7));
    })
    .await;
}

#[derive(Serialize)]
struct CounterRow {
    name: String,
    total: u32,
}

const SET_COUNTERS: WriteRows = WriteRows {
    sqlite: [
        "insert into counter (name, total)",
        "on conflict (name) do update set total = excluded.total",
    ],
    postgres: "insert into counter (name, total)
select name, total from json_to_recordset($1::json) as x(name text, total bigint)
on conflict (name) do update set total = excluded.total",
};

#[tokio::test]
async fn rows_of_any_number_are_written_once() {
    each_database(|test| async move {
        test.db.migrate(&[&[COUNTER]]).await.unwrap();
        for count in [0, 1, 2, 3, 48, 49, 193, 255, 256, 257, 700] {
            let rows: Vec<CounterRow> = (0..count)
                .map(|number| CounterRow {
                    name: format!("'{number}"),
                    total: count,
                })
                .collect();
            let mut tx = test.db.begin().await.unwrap();
            let written = tx.write_rows(&SET_COUNTERS, &rows).await.unwrap();
            assert_eq!(written, u64::from(count));
            let sums: (i64, i64) = sqlx::query_as(
                "select count(*), cast(coalesce(min(total), 0) as bigint) from counter",
            )
            .fetch_one(tx.conn())
            .await
            .unwrap();
            assert_eq!(sums, (i64::from(count), i64::from(count)));
            tx.commit().await.unwrap();
        }
    })
    .await;
}

/// Lets a future go on so often, then drops it wherever it is.
async fn give_up_after(polls: usize, unit: impl Future) {
    let mut unit = std::pin::pin!(unit);
    for _ in 0..polls {
        if futures_util::poll!(unit.as_mut()).is_ready() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_micros(200)).await;
    }
}

#[tokio::test]
async fn a_transaction_that_was_given_up_while_it_began_leaves_nothing_open() {
    each_database(|test| async move {
        test.db.migrate(&[&[COUNTER]]).await.unwrap();
        for polls in 0..12 {
            give_up_after(polls, test.db.begin_snapshot()).await;
            give_up_after(polls, test.db.begin()).await;
            // Wherever they were left, the same connections serve whoever is next.
            let name = format!("after {polls}");
            let insert = sqlx::query("insert into counter (name, total) values ($1, 1)");
            let mut tx = test.db.begin().await.unwrap();
            insert.bind(&name).execute(tx.conn()).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(total(&test.db, &name).await, Some(1), "{name}");
        }
    })
    .await;
}
