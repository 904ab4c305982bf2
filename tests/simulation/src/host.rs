//! One host after the other over the same file: opened, asked, broken, ended.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use qiao_db::{BatchOptions, Batcher, Db, Fault, Faults, OpenOptions};
use qiao_model::{Env, ManualClock, Timestamp};
use qiao_payments::{PaymentMachine, Payments};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::ask::{Heard, Sent};
use crate::auditor::Tables;
use crate::drive;

/// When a run begins.
const BEGIN: Timestamp = Timestamp::from_millis(1_790_000_000_000);
/// How often a host tries another connection: once, so that a run can lose both.
const RECONNECTS_MAX: u32 = 1;
/// Memory where the machine has such a folder: a simulated disk need not be one.
const MEMORY: &str = "/dev/shm";

/// What outlives a host: its file, its clock, and what will break.
#[derive(Debug)]
pub(crate) struct Storage {
    folder: TempDir,
    pub(crate) faults: Faults,
    pub(crate) env: Env,
    pub(crate) clock: Arc<ManualClock>,
}

impl Storage {
    /// A migrated file of its own.
    pub(crate) fn new(seed: u64) -> anyhow::Result<Self> {
        let folder = folder()?;
        let (env, clock) = Env::fixed(BEGIN, seed);
        let storage = Self {
            folder,
            faults: Faults::default(),
            env,
            clock,
        };
        std::fs::write(storage.file(), empty()?)?;
        Ok(storage)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("qiao.db")
    }
}

fn folder() -> anyhow::Result<TempDir> {
    let memory = tempfile::tempdir_in(MEMORY);
    memory
        .or_else(|_| tempfile::tempdir())
        .context("a folder for the run")
}

/// The bytes of a migrated file without rows, made once for all runs.
fn empty() -> anyhow::Result<&'static [u8]> {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(bytes) = EMPTY.get() {
        return Ok(bytes);
    }
    let folder = folder()?;
    let file = folder.path().join("qiao.db");
    runtime()?.block_on(async {
        let db = Db::open(&OpenOptions::sqlite(&file)).await?;
        let rooms = [
            qiao_ledger::MIGRATIONS,
            qiao_events::MIGRATIONS,
            qiao_payments::MIGRATIONS,
        ];
        db.migrate(&rooms).await?;
        db.close().await;
        anyhow::Ok(())
    })?;
    let bytes = std::fs::read(&file)?;
    Ok(EMPTY.get_or_init(|| bytes))
}

fn runtime() -> anyhow::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .build()
        .context("a runtime for the host")
}

/// A host while it lives. Its tasks run only while it is asked, on one thread.
#[derive(Debug)]
pub(crate) struct Life {
    batcher: Option<Batcher<PaymentMachine>>,
    db: Option<Db>,
    runtime: Runtime,
    faults: Faults,
    env: Env,
}

impl Life {
    /// Opens the file.
    pub(crate) fn begin(storage: &Storage) -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let options = OpenOptions::sqlite(storage.file())
            .connections_max(1)
            .faults(storage.faults.clone());
        let db = runtime.block_on(Db::open(&options))?;
        let batcher = {
            let _inside = runtime.enter();
            let options = BatchOptions {
                reconnects_max: RECONNECTS_MAX,
                ..BatchOptions::default()
            };
            Batcher::start(
                db.clone(),
                PaymentMachine::new(storage.env.clone()),
                options,
            )
        };
        Ok(Self {
            batcher: Some(batcher),
            db: Some(db),
            runtime,
            faults: storage.faults.clone(),
            env: storage.env.clone(),
        })
    }

    /// Hands the requests in at once, while storage meets the faults; none when
    /// the host ended under them.
    pub(crate) fn run(
        &self,
        sent: &[Sent],
        faults: &[Fault],
    ) -> anyhow::Result<Option<Vec<Heard>>> {
        for fault in faults {
            self.faults.plan(*fault);
        }
        let commands = sent.iter().map(drive::command);
        let commands = commands.collect::<anyhow::Result<Vec<_>>>()?;
        let batcher = self.batcher.clone().context("the host lives")?;
        let answers = async move {
            let outcomes = batcher.submit_all(commands).await;
            outcomes.into_iter().map(drive::heard).collect::<Vec<_>>()
        };
        let heard = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.faults.died() => None,
                heard = answers => Some(heard),
            }
        });
        self.faults.clear();
        Ok(heard)
    }

    /// Forgets the answers of old keys.
    pub(crate) fn sweep(&self) -> anyhow::Result<()> {
        let db = self.db.clone().context("the host lives")?;
        let swept = async { Payments::start(db, self.env.clone()).sweep().await };
        self.runtime.block_on(swept)?;
        Ok(())
    }

    /// Reads the tables; with `recount`, every account again from its transfers.
    pub(crate) fn tables(&self, recount: bool) -> anyhow::Result<Tables> {
        let db = self.db.as_ref().context("the host lives")?;
        self.runtime.block_on(async {
            let mut tables = Tables::read(db.reads()).await?;
            if recount {
                tables.recount(db.reads()).await?;
            }
            Ok(tables)
        })
    }
}

impl Drop for Life {
    /// Ends without a word, in the middle of whatever it did.
    fn drop(&mut self) {
        let _inside = self.runtime.enter();
        self.batcher = None;
        self.db = None;
    }
}
