//! One host after the other over the same file: opened, asked, broken, ended.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, bail};
use qiao_banks::Banks;
use qiao_db::{BatchOptions, Batcher, Db, Fault, Faults, OpenOptions};
use qiao_model::{Day, Env, ManualClock, Timestamp};
use qiao_payments::{PaymentMachine, Payments};
use qiao_settlement::Settlement;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::ask::{Ask, Heard, Place, Sent, StatementSums};
use crate::auditor::Tables;
use crate::banks::{Call, SimulatedBanks};
use crate::citizens::{self, Citizens};
use crate::custody::{self, Links};
use crate::drive;
use crate::payday;

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
    pub(crate) banks: Arc<SimulatedBanks>,
    links: &'static Links,
}

impl Storage {
    /// A migrated file of its own.
    pub(crate) fn new(seed: u64, citizens: &Citizens) -> anyhow::Result<Self> {
        let folder = folder()?;
        let (env, clock) = Env::fixed(BEGIN, seed);
        let faults = Faults::default();
        let empty = empty(citizens)?;
        let banks = SimulatedBanks::new(seed, clock.clone(), faults.clone());
        let storage = Self {
            folder,
            faults,
            env,
            clock,
            banks: Arc::new(banks),
            links: &empty.links,
        };
        std::fs::write(storage.file(), &empty.bytes)?;
        Ok(storage)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("qiao.db")
    }
}

pub(crate) fn folder() -> anyhow::Result<TempDir> {
    let memory = tempfile::tempdir_in(MEMORY);
    memory
        .or_else(|_| tempfile::tempdir())
        .context("a folder for the run")
}

/// A migrated file in which everybody has linked their accounts, and nothing else
/// has happened.
#[derive(Debug)]
struct Empty {
    bytes: Vec<u8>,
    links: Links,
}

/// Made once for all runs.
fn empty(citizens: &Citizens) -> anyhow::Result<&'static Empty> {
    static EMPTY: OnceLock<Empty> = OnceLock::new();
    if let Some(empty) = EMPTY.get() {
        return Ok(empty);
    }
    let folder = folder()?;
    let file = folder.path().join("qiao.db");
    let (env, clock) = Env::fixed(BEGIN, 0);
    let banks = Arc::new(SimulatedBanks::new(0, clock, Faults::default()));
    banks.heal();
    let links = runtime()?.block_on(async {
        let db = Db::open(&OpenOptions::sqlite(&file)).await?;
        let rooms = [
            qiao_auth::MIGRATIONS,
            qiao_ledger::MIGRATIONS,
            qiao_events::MIGRATIONS,
            qiao_payments::MIGRATIONS,
            qiao_banks::MIGRATIONS,
            qiao_settlement::MIGRATIONS,
        ];
        db.migrate(&rooms).await?;
        let payments = Payments::start(db.clone(), env.clone());
        let auth = citizens::auth(db.clone(), env.clone())?;
        let room = custody::open((&db, &env), &auth, &payments, &banks).await?;
        let links = custody::link_all(&room, citizens).await?;
        let settlement = payday::open((&db, &env), &auth, &payments, &room).await?;
        payday::set_terms(&settlement, citizens).await?;
        db.close().await;
        anyhow::Ok(links)
    })?;
    let bytes = std::fs::read(&file)?;
    Ok(EMPTY.get_or_init(|| Empty { bytes, links }))
}

pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .build()
        .context("a runtime for the host")
}

/// A host while it lives. Its tasks run only while it is asked, on one thread.
pub(crate) struct Life {
    batcher: Option<Batcher<PaymentMachine>>,
    payments: Option<Payments>,
    banks: Option<Banks>,
    settlement: Option<Settlement>,
    outside: Arc<SimulatedBanks>,
    links: &'static Links,
    env: Env,
    db: Option<Db>,
    runtime: Runtime,
    faults: Faults,
}

impl Life {
    /// Opens the file.
    pub(crate) fn begin(storage: &Storage) -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let options = OpenOptions::sqlite(storage.file())
            .connections_max(1)
            .faults(storage.faults.clone());
        let db = runtime.block_on(Db::open(&options))?;
        let (batcher, payments) = {
            let _inside = runtime.enter();
            let options = BatchOptions {
                reconnects_max: RECONNECTS_MAX,
                ..BatchOptions::default()
            };
            let machine = PaymentMachine::new(storage.env.clone());
            let batcher = Batcher::start(db.clone(), machine, options);
            (batcher, Payments::start(db.clone(), storage.env.clone()))
        };
        let env = &storage.env;
        let (banks, settlement) = runtime.block_on(async {
            let auth = citizens::auth(db.clone(), env.clone())?;
            let banks = custody::open((&db, env), &auth, &payments, &storage.banks).await?;
            let settlement = payday::open((&db, env), &auth, &payments, &banks).await?;
            anyhow::Ok((banks, settlement))
        })?;
        Ok(Self {
            batcher: Some(batcher),
            payments: Some(payments),
            banks: Some(banks),
            settlement: Some(settlement),
            outside: storage.banks.clone(),
            links: storage.links,
            env: storage.env.clone(),
            db: Some(db),
            runtime,
            faults: storage.faults.clone(),
        })
    }

    /// Hands the requests in at once, while storage meets the faults; none when
    /// the host ended under them.
    pub(crate) fn run(
        &self,
        sent: &[Sent],
        faults: &[Fault],
    ) -> anyhow::Result<Option<Vec<Heard>>> {
        let commands = sent.iter().map(drive::command);
        let commands = commands.collect::<anyhow::Result<Vec<_>>>()?;
        let batcher = self.batcher.clone().context("the host lives")?;
        let answers = async move {
            let outcomes = batcher.submit_all(commands).await;
            outcomes.into_iter().map(drive::heard).collect::<Vec<_>>()
        };
        Ok(self.until_it_ends(faults, answers))
    }

    /// Serves one request that is no part of a batch; none when the host ended
    /// under it.
    pub(crate) fn run_alone(
        &self,
        sent: &Sent,
        faults: &[Fault],
        citizens: &Citizens,
    ) -> anyhow::Result<Option<Heard>> {
        let payments = self.payments.as_ref().context("the host lives")?;
        Ok(match &sent.ask {
            Ask::Give(permission) => {
                let citizen = citizens.citizen(permission.user)?;
                let pin = citizens.pin(citizen)?;
                let new = drive::new_mandate(permission);
                let given = async {
                    let given = payments.give_mandate(&citizen.permit, new, &pin).await;
                    drive::heard_of_mandate(given)
                };
                self.until_it_ends(faults, given)
            }
            Ask::Revoke { mandate, user } => {
                let permit = &citizens.citizen(*user)?.permit;
                let revoked = async {
                    let revoked = payments.revoke_mandate(permit, *mandate).await;
                    drive::heard_of_mandate(revoked)
                };
                self.until_it_ends(faults, revoked)
            }
            Ask::Bank(ask) => {
                let request = custody::request(ask, sent, (citizens, self.links))?;
                let asked = custody::ask(self.banks()?, request, citizens);
                self.until_it_ends(faults, asked).transpose()?
            }
            ask => bail!("{ask:?} is served in a batch"),
        })
    }

    /// A bank calls; gives whether the host lives on.
    pub(crate) fn call(&self, call: &Call, faults: &[Fault]) -> anyhow::Result<bool> {
        let called = custody::call(self.banks()?, &self.env, call);
        Ok(self.until_it_ends(faults, called).is_some())
    }

    /// The worker asks the banks about what is due; gives about how many it asked,
    /// and none when the host ended meanwhile.
    pub(crate) fn repair(&self, faults: &[Fault]) -> anyhow::Result<Option<usize>> {
        let repaired = self.banks()?.repair();
        // Whoever is in the way, or breaks, is met again at the next call.
        let repaired = self.until_it_ends(faults, repaired);
        Ok(repaired.map(|asked| asked.unwrap_or(1)))
    }

    /// Looks who is to be paid today; gives whether it is known now.
    pub(crate) fn plan_payouts(&self, faults: &[Fault]) -> anyhow::Result<Option<bool>> {
        let planned = self.settlement()?.plan_payouts();
        let planned = self.until_it_ends(faults, planned);
        Ok(planned.map(|planned| planned.is_ok()))
    }

    /// Asks the banks for payouts that are due; gives for how many, and none when
    /// the host ended meanwhile.
    pub(crate) fn drive_payouts(&self, faults: &[Fault]) -> anyhow::Result<Option<usize>> {
        let driven = self.settlement()?.drive_payouts();
        let driven = self.until_it_ends(faults, driven);
        Ok(driven.map(|driven| driven.unwrap_or(1)))
    }

    /// A statement over some days, and what its lines sum to.
    pub(crate) fn statement(
        &self,
        citizens: &Citizens,
        (of, days): (Place, (Day, Day)),
    ) -> anyhow::Result<(StatementSums, i64)> {
        let statement = payday::statement(self.settlement()?, citizens, (of, days));
        self.runtime.block_on(statement)
    }

    fn settlement(&self) -> anyhow::Result<&Settlement> {
        self.settlement.as_ref().context("the host lives")
    }

    fn banks(&self) -> anyhow::Result<&Banks> {
        self.banks.as_ref().context("the host lives")
    }

    /// Waits for what the host does while storage meets the faults; none when it ends.
    fn until_it_ends<T>(&self, faults: &[Fault], work: impl Future<Output = T>) -> Option<T> {
        for fault in faults {
            self.faults.plan(*fault);
        }
        let done = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.faults.died() => None,
                () = self.outside.host_ends() => None,
                done = work => Some(done),
            }
        });
        self.faults.clear();
        done
    }

    /// Forgets the answers of old keys.
    pub(crate) fn sweep(&self) -> anyhow::Result<()> {
        let payments = self.payments.as_ref().context("the host lives")?;
        self.runtime.block_on(payments.sweep())?;
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
        self.settlement = None;
        self.banks = None;
        self.payments = None;
        self.db = None;
    }
}
