use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use qiao_model::{Day, PluginId, Timestamp};
use qiao_runtime::{CallError, JobError, JobRun};

use crate::error::Error;
use crate::fulfiller::DailyJob;
use crate::orders::Orders;
use crate::store::jobs as store;

/// How long a node may run a job before another takes it. Longer than the
/// longest call of a plugin (see `qiao_runtime::limits`).
pub const JOB_LEASE_SECS: i64 = 120;
/// Plugins whose jobs run beside each other, at most.
pub const JOBS_AT_ONCE: usize = 16;
/// Pauses between tries of a run that failed; after the last it stays failed
/// until the next day's run.
pub const JOB_PAUSES_SECS: [i64; 8] = [10, 30, 60, 300, 900, 3_600, 7_200, 14_400];

impl Orders {
    /// Worker step: runs each plugin's jobs that are due. A job runs once for a
    /// day, at its time in Asia/Shanghai or as soon after as a host is up; of
    /// missed days the newest alone. The jobs of one plugin run one after the other
    /// and those of different plugins beside each other, [`JOBS_AT_ONCE`] at most.
    /// Gives how many ran.
    ///
    /// # Errors
    /// The plugins could not be looked up, or the database failed; the jobs that it
    /// did not fail for have run.
    pub async fn run_due_jobs(&self) -> Result<usize, Error> {
        let mut by_plugin: BTreeMap<PluginId, Vec<DailyJob>> = BTreeMap::new();
        for job in self.inner().plugins.jobs().await? {
            by_plugin.entry(job.serving.plugin).or_default().push(job);
        }
        let runs = by_plugin.into_values().map(|jobs| self.run_each(jobs));
        let mut runs = stream::iter(runs).buffer_unordered(JOBS_AT_ONCE);
        let (mut ran, mut first_error) = (0, None);
        while let Some((of_plugin, error)) = runs.next().await {
            ran += of_plugin;
            first_error = first_error.or(error);
        }
        first_error.map_or(Ok(ran), Err)
    }

    /// Runs a plugin's jobs; one that the database failed for keeps no other waiting.
    async fn run_each(&self, jobs: Vec<DailyJob>) -> (usize, Option<Error>) {
        let (mut ran, mut first_error) = (0, None);
        for job in jobs {
            match self.run_if_due(&job).await {
                Ok(did_run) => ran += usize::from(did_run),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        (ran, first_error)
    }

    async fn run_if_due(&self, job: &DailyJob) -> Result<bool, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        let Some((day, due_at)) = newest_due(job, now) else {
            return Ok(false);
        };
        let run = store::Run {
            plugin: job.serving.plugin,
            job: &job.name,
            day,
        };
        if store::is_over(&inner.db, &run, now).await? {
            return Ok(false);
        }
        let lease = store::JobLease {
            node: &inner.node,
            now,
            until: now.plus_secs(JOB_LEASE_SECS),
        };
        let Some(attempt) = store::claim(&inner.db, &run, &lease).await? else {
            return Ok(false);
        };
        let called = inner.plugins.run_job(
            &job.serving,
            JobRun {
                name: job.name.clone(),
                day,
                due_at,
            },
        );
        let end = end_of(called.await, attempt, inner.env.now());
        if let store::End::Waiting { problem, .. } | store::End::Failed { problem } = &end {
            tracing::warn!(plugin.id = %run.plugin, job = run.job, day = %day, attempt, problem, "a job failed");
        }
        store::finish(&inner.db, &run, attempt, &end, inner.env.now()).await?;
        Ok(true)
    }
}

/// The newest day whose run is due, and when it was due; none before the job's first.
fn newest_due(job: &DailyJob, now: Timestamp) -> Option<(Day, Timestamp)> {
    let today = now.day();
    let day = match now.minute_of_day() >= job.minute_of_day {
        true => today,
        false => today.plus_days(-1),
    };
    let due_at = day.start().plus_secs(i64::from(job.minute_of_day) * 60);
    (due_at >= job.since).then_some((day, due_at))
}

fn end_of(called: Result<(), CallError<JobError>>, attempt: u32, now: Timestamp) -> store::End {
    let Err(error) = called else {
        return store::End::Done;
    };
    let problem = error.to_string();
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    match (error, JOB_PAUSES_SECS.get(index)) {
        (CallError::Guest(JobError::UnknownJob(_)), _) | (_, None) => {
            store::End::Failed { problem }
        }
        (_, Some(pause)) => store::End::Waiting {
            problem,
            next_at: now.plus_secs(*pause),
        },
    }
}

#[cfg(test)]
mod tests {
    use qiao_model::Id;

    use super::*;
    use crate::fulfiller::Serving;

    fn due(now: &str, minute_of_day: u16, since: &str) -> Option<String> {
        let at = |text: &str| {
            let (day, minutes) = text.split_once(' ').unwrap();
            let day: Day = day.parse().unwrap();
            day.start().plus_secs(minutes.parse::<i64>().unwrap() * 60)
        };
        let job = DailyJob {
            serving: Serving {
                plugin: Id::from_u128(1),
                institution: Id::from_u128(2),
                release: Id::from_u128(3),
                digest: String::new(),
                developer: None,
            },
            name: "daily".to_owned(),
            minute_of_day,
            since: at(since),
        };
        newest_due(&job, at(now)).map(|(day, due_at)| {
            assert_eq!(due_at.minute_of_day(), minute_of_day);
            day.to_string()
        })
    }

    #[test]
    fn a_job_is_due_from_its_minute_on_and_only_its_newest_day() {
        let long_ago = "2026-01-01 0";
        let at = |minutes: &str| due(&format!("2026-11-22 {minutes}"), 960, long_ago);
        assert_eq!(at("959").as_deref(), Some("2026-11-21"));
        assert_eq!(at("960").as_deref(), Some("2026-11-22"));
        assert_eq!(at("1439").as_deref(), Some("2026-11-22"));
    }

    #[test]
    fn what_was_due_before_the_plugin_was_there_is_not_missed() {
        let since = "2026-11-22 961";
        assert_eq!(due("2026-11-22 962", 960, since), None);
        assert_eq!(due("2026-11-23 959", 960, since), None);
        assert_eq!(
            due("2026-11-23 960", 960, since).as_deref(),
            Some("2026-11-23")
        );
        assert_eq!(
            due("2026-11-22 961", 961, since).as_deref(),
            Some("2026-11-22")
        );
    }

    #[test]
    fn a_failing_run_waits_longer_each_time_and_then_fails() {
        let now = Timestamp::from_millis(0);
        let failed = || Err(CallError::Guest(JobError::Failed("no".to_owned())));
        for (attempt, pause) in (1..).zip(JOB_PAUSES_SECS) {
            let end = end_of(failed(), attempt, now);
            let store::End::Waiting { next_at, .. } = end else {
                panic!("attempt {attempt} ends it")
            };
            assert_eq!(next_at, now.plus_secs(pause));
        }
        let last = u32::try_from(JOB_PAUSES_SECS.len()).unwrap() + 1;
        assert!(matches!(
            end_of(failed(), last, now),
            store::End::Failed { .. }
        ));
        let unknown = Err(CallError::Guest(JobError::UnknownJob("x".to_owned())));
        assert!(matches!(end_of(unknown, 1, now), store::End::Failed { .. }));
        assert!(matches!(end_of(Ok(()), 1, now), store::End::Done));
    }
}
