use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use qiao_model::{Env, ReleaseId, Secret, UserId};
use qiao_registry::{Registry, Release};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, HasSelf, Instance, Linker};
use wasmtime::{Engine, Store};

use crate::bindings::v0_1_0::Plugin;
use crate::cache::{CompileCache, hex};
use crate::call::{self, Budget, Ran};
use crate::compile::{self, CompileMode};
use crate::guest::{Guest, HostSide};
use crate::loaded::{Exports, LoadError, Loaded, QuoteHistory};
use crate::ports::OrdersPort;
use crate::recorder::Recorder;
use crate::seats::Seats;
use crate::watchdog::Watchdog;
use crate::{
    ActivationError, Answer, CallError, Event, EventError, Fault, FulfilError, Fulfilment,
    Function, Invocation, JobError, JobRun, Outcome, Page, PageError, PlacedOrder, Ports,
    ReleaseRef, Submission, Visit, engine, limits, wire,
};

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
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Guest>,
    cache: CompileCache,
    compile: CompileMode,
    /// One compilation at a time: it takes every core for itself.
    compiling: tokio::sync::Mutex<()>,
    loaded: Cache<ReleaseId, Arc<Loaded>>,
    pub(crate) host: Arc<HostSide>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) recorder: Recorder,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    answered: AtomicU64,
    refused: AtomicU64,
    faulted: AtomicU64,
    quotes: AtomicU64,
    quotes_run_again: AtomicU64,
    compiled: AtomicU64,
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
        let engine = engine::running().map_err(broken)?;
        let mut linker = Linker::new(&engine);
        Plugin::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)
            .map_err(broken)?;
        let settings_hash = engine::settings_hash(&engine);
        let cores = config
            .cores
            .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
            .unwrap_or(1);
        let host = HostSide {
            seats: Seats::new(cores),
            watchdog: Watchdog::start(&engine).map_err(StartError::Watchdog)?,
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
            linker,
            engine,
        })))
    }

    /// Lets guests read orders and holdings; until then those host calls answer
    /// `unavailable`. The first connection stays.
    pub fn connect_orders(&self, orders: Arc<dyn OrdersPort>) {
        if self.0.ports.orders.set(orders).is_err() {
            tracing::warn!("the orders room was connected twice; the first one stays");
        }
    }

    /// The release, if it is ready to be called.
    #[must_use]
    pub fn loaded(&self, release: ReleaseId) -> Option<Arc<Loaded>> {
        self.0.loaded.get(&release)
    }

    /// Makes a release ready to be called. `bytes` is its component.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub async fn load(&self, release: &ReleaseRef, bytes: &[u8]) -> Result<Arc<Loaded>, LoadError> {
        if let Some(loaded) = self.loaded(release.id) {
            return Ok(loaded);
        }
        let loaded = self
            .load_with(release, bytes, Arc::clone(&self.0.ports))
            .await?;
        self.0.loaded.insert(release.id, Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Makes a release ready to be called with other ports than the host's, and does not
    /// keep it.
    pub(crate) async fn load_with(
        &self,
        release: &ReleaseRef,
        bytes: &[u8],
        ports: Arc<Ports>,
    ) -> Result<Arc<Loaded>, LoadError> {
        let component = qiao_manifest::signing_bytes(bytes)
            .map_err(|error| LoadError::NotAPlugin(error.to_string()))?;
        let digest: [u8; 32] = Sha256::digest(component).into();
        if hex(&digest) != release.digest {
            return Err(LoadError::WrongDigest);
        }
        let component = self.component(&digest, component).await?;
        let exports = Exports::find(&self.0.linker, &component)
            .map_err(|error| LoadError::NotAPlugin(format!("{error:#}")))?;
        Ok(Arc::new(Loaded {
            exports,
            ports,
            flights: self.0.host.seats.flights_of(release.plugin),
            quotes: QuoteHistory::default(),
            release: Arc::new(release.clone()),
        }))
    }

    /// The registry's release, ready to be called: its component is read when it is not yet.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub async fn ready(
        &self,
        registry: &Registry,
        release: &Release,
    ) -> Result<Arc<Loaded>, LoadError> {
        if let Some(loaded) = self.loaded(release.id) {
            return Ok(loaded);
        }
        let bytes = match registry.component_bytes(release.id).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(LoadError::NoComponent),
            Err(error) => {
                tracing::error!(release = %release.id, %error, "a component was not read");
                return Err(LoadError::NoComponent);
            }
        };
        self.load(&ReleaseRef::from(release), &bytes).await
    }

    /// Machine code from the cache, or compiled and kept there.
    async fn component(&self, digest: &[u8; 32], bytes: &[u8]) -> Result<Component, LoadError> {
        if let Some(component) = self.cached(digest) {
            return Ok(component);
        }
        let _alone = self.0.compiling.lock().await;
        if let Some(component) = self.cached(digest) {
            return Ok(component);
        }
        let code = compile::compile(&self.0.compile, bytes).await?;
        self.0.counters.compiled.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.0.cache.put(digest, &code) {
            tracing::warn!(%error, "machine code was not kept; it will be compiled again");
        }
        self.trusted(&code)
            .map_err(|error| LoadError::NotAPlugin(format!("{error:#}")))
    }

    fn cached(&self, digest: &[u8; 32]) -> Option<Component> {
        let code = self.0.cache.get(digest)?;
        match self.trusted(&code) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!("machine code of this host does not load: {error:#}");
                None
            }
        }
    }

    /// Machine code that this host made.
    #[expect(
        unsafe_code,
        reason = "the code comes from our own compiler, or from a file whose HMAC proves it"
    )]
    fn trusted(&self, code: &[u8]) -> wasmtime::Result<Component> {
        // SAFETY: `deserialize` runs whatever the bytes say. They are the output of
        // `compile::compile` in this process, or `CompileCache::get` has verified that a
        // holder of the host key wrote exactly these bytes for this engine and settings.
        unsafe { Component::deserialize(&self.0.engine, code) }
    }

    /// Registers the plugin's products and fee schedules.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn activate(&self, loaded: &Arc<Loaded>) -> Result<(), CallError<ActivationError>> {
        let release = Arc::clone(loaded);
        self.call(loaded, Function::Activate, None, move |store, instance| {
            let guest = release.exports.activation.load(&mut *store, instance)?;
            let answer = guest.call_activate(&mut *store)?;
            Ok(Ok(answer.map_err(wire::activation_error)))
        })
        .await
    }

    /// The page of a service.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn open(
        &self,
        loaded: &Arc<Loaded>,
        visit: &Visit,
    ) -> Result<Page, CallError<PageError>> {
        let release = Arc::clone(loaded);
        let user = visit.user;
        let visit = wire::visit(visit, self.subject(loaded, user));
        self.call(
            loaded,
            Function::Open,
            Some(user),
            move |store, instance| {
                let guest = release.exports.pages.load(&mut *store, instance)?;
                Ok(match guest.call_open(&mut *store, &visit)? {
                    Ok(page) => wire::page(page).map(Ok),
                    Err(error) => Ok(Err(wire::page_error(error))),
                })
            },
        )
        .await
    }

    /// The answer to a form.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn submit(
        &self,
        loaded: &Arc<Loaded>,
        submission: &Submission,
    ) -> Result<Answer, CallError<PageError>> {
        let release = Arc::clone(loaded);
        let user = submission.visit.user;
        let submission = wire::submission(submission, self.subject(loaded, user));
        self.call(
            loaded,
            Function::Submit,
            Some(user),
            move |store, instance| {
                let guest = release.exports.pages.load(&mut *store, instance)?;
                Ok(match guest.call_submit(&mut *store, &submission)? {
                    Ok(answer) => wire::answer(answer).map(Ok),
                    Err(error) => Ok(Err(wire::page_error(error))),
                })
            },
        )
        .await
    }

    /// Delivers what was ordered.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault: then the outcome is unknown.
    pub async fn fulfil(
        &self,
        loaded: &Arc<Loaded>,
        order: &PlacedOrder,
    ) -> Result<Fulfilment, CallError<FulfilError>> {
        let release = Arc::clone(loaded);
        let user = order.user;
        let order = wire::placed_order(order, self.subject(loaded, user));
        self.call(
            loaded,
            Function::Fulfil,
            Some(user),
            move |store, instance| {
                let guest = release.exports.orders.load(&mut *store, instance)?;
                Ok(match guest.call_fulfil(&mut *store, &order)? {
                    Ok(answer) => wire::fulfilment(answer).map(Ok),
                    Err(error) => Ok(Err(wire::fulfil_error(error))),
                })
            },
        )
        .await
    }

    /// Undoes what `fulfil` may have begun.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault: then the outcome is unknown.
    pub async fn cancel(
        &self,
        loaded: &Arc<Loaded>,
        order: &PlacedOrder,
    ) -> Result<(), CallError<FulfilError>> {
        let release = Arc::clone(loaded);
        let user = order.user;
        let order = wire::placed_order(order, self.subject(loaded, user));
        self.call(
            loaded,
            Function::Cancel,
            Some(user),
            move |store, instance| {
                let guest = release.exports.orders.load(&mut *store, instance)?;
                let answer = guest.call_cancel(&mut *store, &order)?;
                Ok(Ok(answer.map_err(wire::fulfil_error)))
            },
        )
        .await
    }

    /// Runs a job.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn run_job(
        &self,
        loaded: &Arc<Loaded>,
        run: &JobRun,
    ) -> Result<(), CallError<JobError>> {
        let release = Arc::clone(loaded);
        let run = wire::job_run(run);
        self.call(loaded, Function::Job, None, move |store, instance| {
            let guest = release.exports.jobs.load(&mut *store, instance)?;
            let answer = guest.call_run(&mut *store, &run)?;
            Ok(Ok(answer.map_err(wire::job_error)))
        })
        .await
    }

    /// Tells the plugin what happened.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn handle_event(
        &self,
        loaded: &Arc<Loaded>,
        event: &Event,
    ) -> Result<(), CallError<EventError>> {
        let release = Arc::clone(loaded);
        let user = event.happening.user();
        let event = wire::event(event, self.subject(loaded, user));
        self.call(
            loaded,
            Function::Event,
            Some(user),
            move |store, instance| {
                let guest = release.exports.events.load(&mut *store, instance)?;
                let answer = guest.call_handle(&mut *store, &event)?;
                Ok(Ok(answer.map_err(wire::event_error)))
            },
        )
        .await
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
        Stats {
            answered: read(&counters.answered),
            refused: read(&counters.refused),
            faulted: read(&counters.faulted),
            quotes: read(&counters.quotes),
            quotes_run_again: read(&counters.quotes_run_again),
            compiled: read(&counters.compiled),
            records_dropped: self.0.recorder.dropped(),
        }
    }

    /// Runs a call on a guest thread when it is its turn, and records how it ended.
    async fn call<R, E>(
        &self,
        loaded: &Arc<Loaded>,
        function: Function,
        user: Option<UserId>,
        call: impl FnOnce(&mut Store<Guest>, &Instance) -> wasmtime::Result<Checked<R, E>>
        + Send
        + 'static,
    ) -> Result<R, CallError<E>>
    where
        R: Send + 'static,
        E: std::error::Error + Send + 'static,
    {
        let ran = self.run_on_guest_thread(loaded, function, user, call).await;
        let Some(ran) = ran else {
            return Err(CallError::Unavailable);
        };
        self.settle(loaded, function, ran)
    }

    /// The call on a guest thread; none when the host has no room for it.
    pub(crate) async fn run_on_guest_thread<R: Send + 'static>(
        &self,
        loaded: &Arc<Loaded>,
        function: Function,
        user: Option<UserId>,
        call: impl FnOnce(&mut Store<Guest>, &Instance) -> wasmtime::Result<R> + Send + 'static,
    ) -> Option<Ran<R>> {
        let seats = &self.0.host.seats;
        let flight = seats.take_off(&loaded.flights).await.ok()?;
        let seat = seats.sit().await.ok()?;
        let host = Arc::clone(&self.0.host);
        let release = Arc::clone(loaded);
        let thread = tokio::task::spawn_blocking(move || {
            let budget = Budget::of(function);
            let ran = call::run(&host, &release, &budget, user, Some(seat), call);
            drop(flight);
            ran
        });
        match thread.await {
            Ok(ran) => Some(ran),
            Err(error) => {
                let release = loaded.release.id;
                tracing::error!(%release, %function, %error, "a guest thread ended early");
                None
            }
        }
    }

    /// From what ran to what the caller gets, with the record of it.
    pub(crate) fn settle<R, E: std::error::Error>(
        &self,
        loaded: &Loaded,
        function: Function,
        ran: Ran<Checked<R, E>>,
    ) -> Result<R, CallError<E>> {
        let answer = match ran.answer {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(refusal))) => Err(CallError::Guest(refusal)),
            Ok(Err(fault)) | Err(fault) => Err(CallError::Trap(fault)),
        };
        let outcome = match &answer {
            Ok(_) => Outcome::Answered,
            Err(CallError::Guest(refusal)) => Outcome::Refused(refusal.to_string()),
            Err(CallError::Trap(fault)) => Outcome::Faulted(fault.clone()),
            Err(CallError::Unavailable) => return answer,
        };
        let counters = &self.0.counters;
        let counter = match &outcome {
            Outcome::Answered => &counters.answered,
            Outcome::Refused(_) => &counters.refused,
            Outcome::Faulted(_) => &counters.faulted,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.0.recorder.record(Invocation {
            id: self.0.env.id(),
            plugin: loaded.release.plugin,
            release: loaded.release.id,
            function,
            outcome,
            fuel: ran.fuel,
            memory_bytes: u64::try_from(ran.memory_bytes).unwrap_or(u64::MAX),
            host_calls: ran.host_calls,
            duration_us: u64::try_from(ran.duration.as_micros()).unwrap_or(u64::MAX),
            at: self.0.env.now(),
            log: ran.log,
        });
        answer
    }

    /// Counts a quote that went well: it leaves no record.
    pub(crate) fn count_quote(&self, loaded: &Loaded) {
        loaded.quotes.count();
        self.0.counters.answered.fetch_add(1, Ordering::Relaxed);
        self.0.counters.quotes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_quote_run_again(&self) {
        self.0
            .counters
            .quotes_run_again
            .fetch_add(1, Ordering::Relaxed);
    }

    fn subject(&self, loaded: &Loaded, user: UserId) -> String {
        let institution = loaded.release.institution;
        loaded.ports.gate.subject(institution, user)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("stats", &self.stats())
            .finish()
    }
}

/// A guest's answer after it was checked: the outer error is a fault of the guest, the
/// inner one its typed refusal.
pub(crate) type Checked<R, E> = Result<Result<R, E>, Fault>;
