//! Plugins' daily jobs.

use std::sync::Arc;

use qiao_orders::{Crash, DailyJob, JOB_PAUSES_SECS, Serving};
use qiao_runtime::{CallError, JobError};
use qiao_tests::each_database;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::plugin::{NEIGHBOUR, PLUGIN};
use crate::world::{World, day};

/// A job at 16:00 of a plugin that has been there for a month; it is 10:00.
async fn world_with_job(database: qiao_tests::TestDatabase) -> World {
    let world = World::new(database).await;
    let job = DailyJob {
        serving: world.plugin.now_serving().unwrap(),
        name: "daily-yield".to_owned(),
        minute_of_day: 16 * 60,
        since: day(22).plus_days(-30).start(),
    };
    world.plugin.has_jobs(vec![job]);
    world
}

fn days_run(world: &World) -> Vec<String> {
    let runs = world.plugin.seen().runs;
    runs.iter().map(|run| run.day.to_string()).collect()
}

#[tokio::test]
async fn a_job_runs_once_a_day_at_its_time() {
    each_database(|database| async move {
        let world = world_with_job(database).await;
        assert_eq!(world.orders.run_due_jobs().await.unwrap(), 1);
        assert_eq!(world.orders.run_due_jobs().await.unwrap(), 0);
        world.advance_secs(6 * 3600 - 1);
        assert_eq!(world.orders.run_due_jobs().await.unwrap(), 0);
        world.advance_secs(1);
        let other = world.open("node-b", Crash::Never).await;
        let (first, second) = tokio::join!(world.orders.run_due_jobs(), other.run_due_jobs());
        assert_eq!(first.unwrap() + second.unwrap(), 1);
        // Of the days that no host was up, the newest alone.
        world.advance_secs(5 * 86_400);
        assert_eq!(other.run_due_jobs().await.unwrap(), 1);
        assert_eq!(days_run(&world), ["2026-11-21", "2026-11-22", "2026-11-27"]);
        let run = &world.plugin.seen().runs[1];
        assert_eq!(run.due_at, day(22).start().plus_secs(16 * 3600));
    })
    .await;
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_later_and_given_up_at_last() {
    each_database(|database| async move {
        let world = world_with_job(database).await;
        let failed = || Err(CallError::Guest(JobError::Failed("no feed".to_owned())));
        world
            .plugin
            .will_run((0..=JOB_PAUSES_SECS.len()).map(|_| failed()));
        world.advance_secs(6 * 3600);
        assert_eq!(world.orders.run_due_jobs().await.unwrap(), 1);
        for pause in JOB_PAUSES_SECS.iter().take(3) {
            world.advance_secs(pause - 1);
            assert_eq!(world.orders.run_due_jobs().await.unwrap(), 0);
            world.advance_secs(1);
            assert_eq!(world.orders.run_due_jobs().await.unwrap(), 1);
        }
        assert_eq!(
            world
                .count("job_run where state = 'waiting' and attempts = 4")
                .await,
            1
        );
        world
            .plugin
            .will_run([Err(CallError::Guest(JobError::UnknownJob("x".to_owned())))]);
        for pause in JOB_PAUSES_SECS.iter().skip(3) {
            world.advance_secs(*pause);
            world.orders.run_due_jobs().await.unwrap();
        }
        assert_eq!(world.orders.run_due_jobs().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_job_whose_host_ended_is_run_again() {
    each_database(|database| async move {
        let mut world = world_with_job(database).await;
        world.orders.run_due_jobs().await.unwrap();
        // As if the host had ended before the run did.
        let mut tx = world.database.db.begin().await.unwrap();
        let until = world.env.now().plus_secs(60).as_millis();
        sqlx::query(
            "update job_run set state = 'running', lease_node = 'node-a', lease_until = $1",
        )
        .bind(until)
        .execute(tx.conn())
        .await
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            world.orders.run_due_jobs().await.unwrap(),
            0,
            "somebody has it"
        );
        world.restart(Crash::Never).await;
        assert_eq!(world.orders.run_due_jobs().await.unwrap(), 1);
        assert_eq!(
            world
                .count("job_run where state = 'done' and attempts = 2")
                .await,
            1
        );
    })
    .await;
}

#[tokio::test]
async fn a_job_that_hangs_keeps_no_other_plugins_job_waiting() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let own = world.plugin.now_serving().unwrap();
        let job = |plugin| DailyJob {
            serving: Serving {
                plugin,
                ..own.clone()
            },
            name: "daily-yield".to_owned(),
            minute_of_day: 16 * 60,
            since: day(22).plus_days(-30).start(),
        };
        world.plugin.has_jobs(vec![job(PLUGIN), job(NEIGHBOUR)]);
        let until = Arc::new(Notify::new());
        world.plugin.hangs(Some(until.clone()));
        let mut running = JoinSet::new();
        let orders = world.orders.clone();
        running.spawn(async move { orders.run_due_jobs().await });
        // Either of the two may be asked first.
        while world.plugin.seen().runs.len() < 2
            || world.count("job_run where state = 'done'").await < 1
        {
            tokio::task::yield_now().await;
        }
        until.notify_waiters();
        let ran = running.join_next().await.unwrap().unwrap();
        assert_eq!(ran.unwrap(), 2);
    })
    .await;
}
