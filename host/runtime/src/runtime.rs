use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use qiao_model::{Env, ReleaseId, Secret};
use quick_cache::sync::Cache;

use crate::cache::CompileCache;
use crate::compile::CompileMode;
use crate::guest::HostSide;
use crate::lane::{Lane, Lanes};
use crate::loaded::Loaded;
use crate::ports::OrdersPort;
use crate::recorder::Recorder;
use crate::seats::Seats;
use crate::watchdog::Watchdog;
use crate::{Invocation, Ports, engine, limits};

/// What a runtime needs beside its ports.
pub struct RuntimeConfig {
    /// Time and chance, for records alone: a guest gets neither.
    pub env: Env,
    /// Where machine code is kept.
    pub cache_folder: PathBuf,
    /// What authenticates the machine code that this host made.
    pub host_key: Secret<[u8; 32]>,
    /// Where components are compiled.
    pub compile: CompileMode,
    /// Guests that run at once; one per core of the machine when none.
    pub cores: Option<usize>,
}

/// Runs plugins. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) env: Env,
    pub(crate) lanes: Lanes<Arc<Lane>>,
    pub(crate) cache: CompileCache,
    pub(crate) compile: CompileMode,
    /// One compilation at a time: it takes every core for itself.
    pub(crate) compiling: tokio::sync::Mutex<()>,
    pub(crate) loaded: Cache<ReleaseId, Arc<Loaded>>,
    pub(crate) host: Arc<HostSide>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) recorder: Recorder,
    pub(crate) counters: Counters,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) answered: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) faulted: AtomicU64,
    pub(crate) quotes_run_again: AtomicU64,
    pub(crate) compiled: AtomicU64,
}

/// What a runtime has done since its start, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Calls with an answer, quotes included.
    pub answered: u64,
    /// Calls with a typed refusal.
    pub refused: u64,
    /// Calls that trapped or overran a limit.
    pub faulted: u64,
    /// Quotes among them.
    pub quotes: u64,
    /// Quotes that outgrew the inline budget and ran again on a guest thread.
    pub quotes_run_again: u64,
    /// Components compiled, so not found in the cache.
    pub compiled: u64,
    /// Records of invocations that were dropped because the queue was full.
    pub records_dropped: u64,
}

/// The runtime did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The engine does not work on this machine.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// The watchdog's thread did not start.
    #[error("the watchdog does not start")]
    Watchdog(#[source] std::io::Error),
}

impl Runtime {
    /// Starts a runtime; called inside the tokio runtime whose IO host calls wait for.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn new(config: RuntimeConfig, ports: Ports) -> Result<Self, StartError> {
        let broken = |error: wasmtime::Error| StartError::Engine(format!("{error:#}"));
        let cores = config
            .cores
            .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
            .unwrap_or(1);
        let lanes = Lanes::start(cores).map_err(broken)?;
        let settings_hash = engine::settings_hash(&lanes.first().engine);
        let host = HostSide {
            seats: Seats::new(cores),
            watchdog: Watchdog::start(lanes.iter().map(|lane| &lane.engine))
                .map_err(StartError::Watchdog)?,
            tokio: tokio::runtime::Handle::current(),
        };
        Ok(Self(Arc::new(Inner {
            env: config.env,
            cache: CompileCache::new(config.cache_folder, config.host_key, settings_hash),
            compile: config.compile,
            compiling: tokio::sync::Mutex::default(),
            loaded: Cache::new(limits::LOADED_RELEASES_MAX),
            host: Arc::new(host),
            ports: Arc::new(ports),
            recorder: Recorder::default(),
            counters: Counters::default(),
            lanes,
        })))
    }

    /// Lets guests read orders and holdings; until then those host calls answer
    /// `unavailable`. The first connection stays.
    pub fn connect_orders(&self, orders: Arc<dyn OrdersPort>) {
        if self.0.ports.orders.set(orders).is_err() {
            tracing::warn!("the orders room was connected twice; the first one stays");
        }
    }

    /// Takes the oldest records that wait, for whoever has no database to write them to.
    #[must_use]
    pub fn take_invocations(&self) -> Vec<Invocation> {
        self.0.recorder.take()
    }

    /// What was done since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let counters = &self.0.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let quotes = self.0.lanes.iter().map(|lane| lane.quotes()).sum();
        Stats {
            answered: read(&counters.answered) + quotes,
            refused: read(&counters.refused),
            faulted: read(&counters.faulted),
            quotes,
            quotes_run_again: read(&counters.quotes_run_again),
            compiled: read(&counters.compiled),
            records_dropped: self.0.recorder.dropped(),
        }
    }

    pub(crate) fn count_quote_run_again(&self) {
        self.0
            .counters
            .quotes_run_again
            .fetch_add(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("stats", &self.stats())
            .finish()
    }
}
