use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Retryable};
use crate::open::Db;
use crate::tx::Tx;

/// Commands of one batch at most.
pub const BATCH_COMMANDS_MAX: usize = 2_048;
/// Commands that may wait; the next caller waits for a place.
pub const QUEUE_COMMANDS_MAX: usize = 8_192;
/// How often a batch waits for its turn, while more commands come with each.
const GATHER_TURNS_MAX: usize = 16;
/// How often a batch that met a busy database is tried in all.
const BATCH_TRIES_MAX: u32 = 10;
/// How often a batch whose connection broke is tried on another one: more often
/// than a pool has connections that a restarted server left behind.
pub const RECONNECTS_MAX: u32 = 32;
/// Milliseconds between two tries at most.
const PAUSE_MS_MAX: u64 = 64;

/// Rules over batches of commands: load what the batch touches, decide each
/// command by itself and in order, store the outcome, all with a few set-based
/// statements.
pub trait Machine: Send + Sync + 'static {
    /// What a caller asks for. Doing it twice has one effect.
    type Command: Send + Sync + 'static;
    /// What the caller is told: accepted or refused.
    type Outcome: Send + 'static;

    /// Runs a batch inside a transaction that the batcher commits. Gives one
    /// outcome for each command, in order.
    ///
    /// # Errors
    /// The database failed; then nothing of the batch remains.
    fn run<'a>(
        &'a self,
        tx: &'a mut Tx,
        commands: &'a [Self::Command],
    ) -> impl Future<Output = Result<Vec<Self::Outcome>, Error>> + Send + 'a;
}

/// How a batcher works.
#[derive(Clone, Copy, Debug)]
pub struct BatchOptions {
    /// Commands of one batch at most.
    pub commands_max: usize,
    /// How often a batch is tried again after its connection broke.
    pub reconnects_max: u32,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            commands_max: BATCH_COMMANDS_MAX,
            reconnects_max: RECONNECTS_MAX,
        }
    }
}

/// How a batcher is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatcherHealth {
    /// Whether its worker takes commands.
    pub is_running: bool,
    /// Batches that ended with a panic since it started: each is a broken
    /// invariant, and none of them is written.
    pub panics: u64,
}

struct Waiting<M: Machine> {
    command: M::Command,
    answer: oneshot::Sender<Result<M::Outcome, Error>>,
}

/// Group commit: takes every command that waits, runs them as one batch in one
/// transaction, commits once, and then answers every caller. A caller that goes
/// away does not stop its command, and a machine that panics does not stop the
/// worker: what it did is undone and its callers hear [`Error::Panicked`].
pub struct Batcher<M: Machine> {
    queue: mpsc::Sender<Waiting<M>>,
    panics: Arc<AtomicU64>,
}

impl<M: Machine> Batcher<M> {
    /// Starts the one worker of this batcher; it ends when the last handle is dropped.
    #[expect(
        clippy::disallowed_methods,
        reason = "the worker outlives any caller, so that a dropped request cannot stop a batch"
    )]
    pub fn start(db: Db, machine: M, options: BatchOptions) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_COMMANDS_MAX);
        let panics = Arc::new(AtomicU64::new(0));
        let worker = Worker {
            db,
            machine: Arc::new(machine),
            options,
            panics: panics.clone(),
        };
        tokio::spawn(worker.run(waiting));
        Self { queue, panics }
    }

    /// Hands a command in and waits until its batch is committed.
    ///
    /// # Errors
    /// The database failed. After [`Error::Unreachable`] the effect is unknown:
    /// hand the same command in again.
    pub async fn submit(&self, command: M::Command) -> Result<M::Outcome, Error> {
        let (answer, outcome) = oneshot::channel();
        let waiting = Waiting { command, answer };
        self.queue.send(waiting).await.map_err(|_| Error::Stopped)?;
        outcome.await.map_err(|_| Error::Stopped)?
    }

    /// Hands many commands in at once, so that they share batches, and waits for
    /// the outcome of each, in order. Each can fail as in [`Batcher::submit`].
    pub async fn submit_all(&self, commands: Vec<M::Command>) -> Vec<Result<M::Outcome, Error>> {
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            let (answer, outcome) = oneshot::channel();
            let sent = self.queue.send(Waiting { command, answer }).await;
            answers.push(sent.map(|()| outcome).map_err(|_| Error::Stopped));
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            outcomes.push(match answer {
                Ok(outcome) => outcome.await.unwrap_or(Err(Error::Stopped)),
                Err(error) => Err(error),
            });
        }
        outcomes
    }

    /// How this batcher is.
    #[must_use]
    pub fn health(&self) -> BatcherHealth {
        BatcherHealth {
            is_running: !self.queue.is_closed(),
            panics: self.panics.load(Ordering::Relaxed),
        }
    }
}

impl<M: Machine> Clone for Batcher<M> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            panics: self.panics.clone(),
        }
    }
}

impl<M: Machine> fmt::Debug for Batcher<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batcher")
    }
}

struct Worker<M> {
    db: Db,
    machine: Arc<M>,
    options: BatchOptions,
    panics: Arc<AtomicU64>,
}

impl<M: Machine> Worker<M> {
    async fn run(self, mut queue: mpsc::Receiver<Waiting<M>>) {
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, self.options.commands_max).await > 0 {
            self.gather(&mut queue, &mut batch).await;
            let (commands, answers): (Vec<_>, Vec<_>) =
                batch.drain(..).map(|w| (w.command, w.answer)).unzip();
            let outcomes = self.run_batch(&commands).await;
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // A caller that went away does not hear its outcome.
                drop(answer.send(outcome));
            }
        }
    }

    /// Lets whoever is about to hand a command in do so first: a batch costs nearly
    /// the same for one command and for sixty.
    async fn gather(&self, queue: &mut mpsc::Receiver<Waiting<M>>, batch: &mut Vec<Waiting<M>>) {
        for _ in 0..GATHER_TURNS_MAX {
            let before = batch.len();
            tokio::task::yield_now().await;
            while batch.len() < self.options.commands_max
                && let Ok(waiting) = queue.try_recv()
            {
                batch.push(waiting);
            }
            if batch.len() == before {
                return;
            }
        }
    }

    /// Runs the batch; when the schema refuses it or the machine panics, each
    /// command alone, so that one bad command fails by itself.
    async fn run_batch(&self, commands: &[M::Command]) -> Vec<Result<M::Outcome, Error>> {
        match self.run_with_retries(commands).await {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(Error::Constraint(_) | Error::Sqlx(_) | Error::Panicked(_))
                if commands.len() > 1 =>
            {
                let mut outcomes = Vec::with_capacity(commands.len());
                for command in commands {
                    let alone = self.run_with_retries(std::slice::from_ref(command)).await;
                    outcomes.push(alone.and_then(|mut one| one.pop().ok_or(Error::Stopped)));
                }
                outcomes
            }
            Err(error) => {
                tracing::warn!(%error, commands = commands.len(), "a batch failed");
                commands.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    async fn run_with_retries(&self, commands: &[M::Command]) -> Result<Vec<M::Outcome>, Error> {
        let (mut tries, mut reconnects) = (1, 0);
        loop {
            let failed = match self.run_once(commands).await {
                Err(error) if error.is_retryable() && tries < BATCH_TRIES_MAX => {
                    tries += 1;
                    tries
                }
                // Whether the commit took effect is unknown, and the commands are
                // idempotent: running them again makes it known.
                Err(error)
                    if error.is_broken_connection() && reconnects < self.options.reconnects_max =>
                {
                    reconnects += 1;
                    reconnects
                }
                outcome => return outcome,
            };
            let pause_ms = PAUSE_MS_MAX.min(1 << failed.min(u64::BITS - 1));
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        }
    }

    async fn run_once(&self, commands: &[M::Command]) -> Result<Vec<M::Outcome>, Error> {
        let mut tx = self.db.begin().await?;
        let ran = caught(self.machine.run(&mut tx, commands)).await;
        // Dropped without a commit, the transaction rolls back.
        let outcomes = match ran {
            Ok(outcomes) => outcomes?,
            Err(message) => {
                self.panics.fetch_add(1, Ordering::Relaxed);
                tracing::error!(message, commands = commands.len(), "a batch panicked");
                return Err(Error::Panicked(message));
            }
        };
        assert_eq!(
            outcomes.len(),
            commands.len(),
            "a machine gives one outcome for each command"
        );
        tx.commit().await?;
        Ok(outcomes)
    }
}

/// Runs the future to its end or to its panic, whose message it gives. After a
/// panic nothing of the future is used again.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(message_of(panic.as_ref()))),
        }
    })
    .await
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
