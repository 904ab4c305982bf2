use qiao_model::{Day, Timestamp};

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRun {
    /// The job's name in the manifest.
    pub name: String,
    /// The day in Asia/Shanghai that it is the run of.
    pub day: Day,
    /// When it was due.
    pub due_at: Timestamp,
}

/// Why the run failed; the host tries again with back-off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// No job of that name.
    #[error("there is no job `{0}`")]
    UnknownJob(String),
    /// Something failed, in a sentence for the author.
    #[error("the job failed: {0}")]
    Failed(String),
}

/// Why the event was not taken; the host tries again with back-off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Something failed, in a sentence for the author.
    #[error("the event was not taken: {0}")]
    Failed(String),
}
