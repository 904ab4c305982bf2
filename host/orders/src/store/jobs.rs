//! Runs of plugins' jobs: one row for a plugin, job and day.

use qiao_db::{Db, Error};
use qiao_model::{Day, PluginId, Timestamp};
use sqlx::Row;

// A run that failed waits until `next_at`; one whose node ended has lost its lease.
const CLAIM: &str = "insert into job_run (plugin_id, job, day, state, attempts, lease_node, lease_until, changed_at)
values ($1, $2, $3, 'running', 1, $4, $5, $6)
on conflict (plugin_id, job, day) do update
set state = 'running', attempts = job_run.attempts + 1, next_at = null,
    lease_node = excluded.lease_node, lease_until = excluded.lease_until,
    changed_at = excluded.changed_at
where job_run.state in ('running', 'waiting')
    and (job_run.lease_until is null or job_run.lease_until <= excluded.changed_at)
    and (job_run.next_at is null or job_run.next_at <= excluded.changed_at)
returning attempts";

// As the condition of CLAIM.
const IS_OVER: &str = "select 1 from job_run
where plugin_id = $1 and job = $2 and day = $3
    and (state in ('done', 'failed') or lease_until > $4 or next_at > $4)";

const FINISH: &str = "update job_run
set state = $5, next_at = $6, problem = $7, lease_node = null, lease_until = null, changed_at = $8
where plugin_id = $1 and job = $2 and day = $3 and attempts = $4 and state = 'running'";

/// One run of a job.
pub(crate) struct Run<'a> {
    pub(crate) plugin: PluginId,
    pub(crate) job: &'a str,
    pub(crate) day: Day,
}

/// Who runs it, and until when nobody else does.
pub(crate) struct JobLease<'a> {
    pub(crate) node: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
}

/// How a try ended.
#[derive(Debug)]
pub(crate) enum End {
    Done,
    Waiting { problem: String, next_at: Timestamp },
    Failed { problem: String },
}

/// Whether a run is done, given up, not due or somebody else's: a worker with
/// nothing to do asks this and writes nothing.
pub(crate) async fn is_over(db: &Db, run: &Run<'_>, now: Timestamp) -> Result<bool, Error> {
    let found = sqlx::query(IS_OVER)
        .bind(run.plugin.to_string())
        .bind(run.job)
        .bind(run.day.to_string())
        .bind(now.as_millis())
        .fetch_optional(db.reads())
        .await?;
    Ok(found.is_some())
}

/// Begins a try, unless it is done, given up, not due or somebody else's; gives
/// the number of the try.
pub(crate) async fn claim(
    db: &Db,
    run: &Run<'_>,
    lease: &JobLease<'_>,
) -> Result<Option<u32>, Error> {
    let mut tx = db.begin().await?;
    let row = sqlx::query(CLAIM)
        .bind(run.plugin.to_string())
        .bind(run.job)
        .bind(run.day.to_string())
        .bind(lease.node)
        .bind(lease.until.as_millis())
        .bind(lease.now.as_millis())
        .fetch_optional(tx.conn())
        .await?;
    tx.commit().await?;
    let Some(row) = row else { return Ok(None) };
    let attempts: i64 = row.try_get("attempts")?;
    let number = u32::try_from(attempts);
    number
        .map(Some)
        .map_err(|_| Error::corrupt("job attempts", attempts.to_string()))
}

/// Notes how a try ended, if it still is the one that is on.
pub(crate) async fn finish(
    db: &Db,
    run: &Run<'_>,
    attempt: u32,
    end: &End,
    now: Timestamp,
) -> Result<(), Error> {
    let (state, next_at, problem) = match end {
        End::Done => ("done", None, None),
        End::Waiting { problem, next_at } => {
            ("waiting", Some(next_at.as_millis()), Some(problem.as_str()))
        }
        End::Failed { problem } => ("failed", None, Some(problem.as_str())),
    };
    let mut tx = db.begin().await?;
    sqlx::query(FINISH)
        .bind(run.plugin.to_string())
        .bind(run.job)
        .bind(run.day.to_string())
        .bind(i64::from(attempt))
        .bind(state)
        .bind(next_at)
        .bind(problem)
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    tx.commit().await
}
