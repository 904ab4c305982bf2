use std::sync::{Arc, Barrier};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use hdrhistogram::Histogram;
use qiao_auth::keys::{KeyKind, generate_key};
use qiao_auth::{Auth, AuthConfig};
use qiao_catalog::{OrderKind, Price};
use qiao_model::{Env, InstitutionId, Money, PluginId, ReleaseId, Scope};
use qiao_runtime::sandbox::Sandbox;
use qiao_runtime::{
    CompileMode, Entry, Loaded, Offer, QuoteRequest, ReleaseRef, Runtime, RuntimeConfig,
};
use qiao_tests::TestDatabase;
use tokio::runtime::Handle;

use crate::bare::Bare;
use crate::report::{Report, Row, micros};

/// For so long it is one side's turn; then the other's, so that a machine that gets slower
/// or faster does so for both.
const TURN: Duration = Duration::from_millis(200);
/// The slowest call that is told apart: ten seconds.
const SLOWEST_NANOS: u64 = 10_000_000_000;
/// One in so many quotes may be run again because the machine was busy.
const RUN_AGAIN_ONE_IN: u64 = 100;

/// A quote in a fresh instance with every limit on, against a bare wasmtime call.
pub(crate) fn run(report: &mut Report, measure: Duration, tokio: &Handle) -> anyhow::Result<()> {
    let component = qiao_tests::guests::component("money-fund");
    let env = qiao::host_env();
    let request = request(&env)?;
    let host = tokio.block_on(Host::start(env, &component, request.clone()))?;
    // An engine for each thread, as the host has one for each core.
    let bare = [
        Bare::load(&component, &request).map_err(broken)?,
        Bare::load(&component, &request).map_err(broken)?,
    ];
    let expected = request.offer.amount.map(|amount| amount.minor);
    ensure!(
        expected == Some(bare[0].quote().map_err(broken)?) && expected == Some(host.quote()?),
        "the two sides answer differently"
    );
    together(&[&host, &host])?;
    together(&[&bare[0], &bare[1]])?;
    let (mut one, mut two) = (Turns::new()?, Turns::new()?);
    let (mut bare_one, mut bare_two) = (Turns::new()?, Turns::new()?);
    let turns = measure.as_millis() / TURN.as_millis();
    for _ in 0..turns.max(1) {
        one.add(&together(&[&host])?)?;
        bare_one.add(&together(&[&bare[0]])?)?;
        two.add(&together(&[&host, &host])?)?;
        bare_two.add(&together(&[&bare[0], &bare[1]])?)?;
    }
    host.check_inline()?;
    let row = Row::new(
        "invoke",
        "quote, against bare wasmtime",
        "us/call",
        one.p50_us(),
    );
    report.add(row.against(bare_one.p50_us()).timed(&one.nanos));
    // The machine's own limit stands in the row: more than bare wasmtime nothing can do.
    let bare = bare_two.rate() / bare_one.rate();
    let case = format!("quote, 2 threads against 1 (bare {bare:.2})");
    let row = Row::new("invoke", case, "calls/s", two.rate());
    report.add(row.against(one.rate()).timed(&two.nanos));
    Ok(())
}

/// What is compared.
trait Side: Sync {
    /// Calls until the turn is over; gives the time of each call.
    fn turn(&self) -> anyhow::Result<Turn>;
}

/// One side's turn.
struct Turn {
    nanos: Histogram<u64>,
    begun: Instant,
    last: Instant,
}

impl Turn {
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    fn begin() -> anyhow::Result<Self> {
        let begun = Instant::now();
        Ok(Self {
            nanos: histogram()?,
            begun,
            last: begun,
        })
    }

    /// Counts the call that ended now; whether the turn goes on.
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    fn called(&mut self) -> bool {
        let now = Instant::now();
        let nanos = now.duration_since(self.last).as_nanos();
        self.nanos
            .saturating_record(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.last = now;
        now.duration_since(self.begun) < TURN
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    fn rate(&self) -> f64 {
        self.nanos.len() as f64 / self.last.duration_since(self.begun).as_secs_f64()
    }
}

fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, SLOWEST_NANOS, 3)?)
}

/// One turn of a thread for each, at once.
fn together(threads: &[&impl Side]) -> anyhow::Result<Vec<Turn>> {
    let start = Barrier::new(threads.len());
    std::thread::scope(|scope| {
        let start = &start;
        let running: Vec<_> = threads
            .iter()
            .map(|side| {
                scope.spawn(move || {
                    start.wait();
                    side.turn()
                })
            })
            .collect();
        let ended = running.into_iter().map(ScopedJoinHandle::join);
        ended
            .map(|turn| turn.map_err(|_| anyhow!("a bench thread panicked"))?)
            .collect()
    })
}

/// All turns of one side.
struct Turns {
    rates: Vec<f64>,
    nanos: Histogram<u64>,
}

impl Turns {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            rates: Vec::new(),
            nanos: histogram()?,
        })
    }

    fn add(&mut self, threads: &[Turn]) -> anyhow::Result<()> {
        self.rates.push(threads.iter().map(Turn::rate).sum());
        for turn in threads {
            self.nanos.add(&turn.nanos)?;
        }
        Ok(())
    }

    /// Calls per second of all threads, in the turn that nine of ten are not better than:
    /// in most others, something else had a core of a busy machine.
    fn rate(&mut self) -> f64 {
        self.rates.sort_by(f64::total_cmp);
        self.rates
            .get(self.rates.len() * 9 / 10)
            .copied()
            .unwrap_or(0.0)
    }

    fn p50_us(&self) -> f64 {
        micros(self.nanos.value_at_quantile(0.5))
    }
}

/// The runtime of a host, over rooms in memory and a real gate.
struct Host {
    runtime: Runtime,
    loaded: Arc<Loaded>,
    request: QuoteRequest,
    tokio: Handle,
    _database: TestDatabase,
}

impl Host {
    async fn start(env: Env, component: &[u8], request: QuoteRequest) -> anyhow::Result<Self> {
        let database = qiao_tests::sqlite().await;
        let (signing_key_pem, _) = generate_key(KeyKind::Ed25519)?;
        let config = AuthConfig {
            issuer: "http://localhost".to_owned(),
            audience: "http://localhost".to_owned(),
            signing_key_pem,
            pepper: env.secret(),
        };
        let auth = Auth::open(database.db.clone(), env.clone(), config)?;
        let config = RuntimeConfig {
            cache_folder: database.folder.path().to_path_buf(),
            host_key: env.secret(),
            compile: CompileMode::InProcess,
            cores: None,
            env,
        };
        let runtime = Runtime::new(config, Sandbox::default().ports(Arc::new(auth), None))?;
        let loaded = runtime.load(&release(component)?, component).await?;
        Ok(Self {
            runtime,
            loaded,
            request,
            tokio: Handle::current(),
            _database: database,
        })
    }

    /// The principal of a quote, in minor units.
    fn quote(&self) -> anyhow::Result<i64> {
        let quoted = self
            .tokio
            .block_on(self.runtime.quote(&self.loaded, &self.request))?;
        Ok(quoted.quote.principal.minor)
    }

    /// Fails when it was not the quick way that was measured.
    fn check_inline(&self) -> anyhow::Result<()> {
        let stats = self.runtime.stats();
        ensure!(
            stats.quotes_run_again < stats.quotes / RUN_AGAIN_ONE_IN,
            "{} of {} quotes outgrew the inline budget: they were not measured as they are served",
            stats.quotes_run_again,
            stats.quotes
        );
        Ok(())
    }
}

impl Side for Host {
    fn turn(&self) -> anyhow::Result<Turn> {
        // One `block_on` for all calls: a request is in the runtime already.
        self.tokio.block_on(async {
            let mut turn = Turn::begin()?;
            loop {
                self.runtime.quote(&self.loaded, &self.request).await?;
                if !turn.called() {
                    return Ok(turn);
                }
            }
        })
    }
}

impl Side for Bare {
    fn turn(&self) -> anyhow::Result<Turn> {
        let mut turn = Turn::begin()?;
        loop {
            self.quote().map_err(broken)?;
            if !turn.called() {
                return Ok(turn);
            }
        }
    }
}

fn broken(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("bare wasmtime failed: {error:#}")
}

/// A purchase of 1,000.00 CNY, as the fund offers it.
fn request(env: &Env) -> anyhow::Result<QuoteRequest> {
    let day = env.today();
    Ok(QuoteRequest {
        offer: Offer {
            product: "steady-money".to_owned(),
            kind: OrderKind::Purchase,
            title: "Buy Steady Money Fund".to_owned(),
            amount: Some(Money::cny(100_000)),
            units_minor: None,
            reference: String::new(),
            facts: vec![Entry {
                label: "Confirmation".to_owned(),
                value: "at once, at the newest NAV".to_owned(),
            }],
        },
        price: Some(Price {
            day,
            nav_e4: 10_000,
            income_per_10k_e4: Some(5_014),
            yield_7d_ppm: Some(18_300),
        }),
        today: day,
    })
}

fn release(component: &[u8]) -> anyhow::Result<ReleaseRef> {
    let (manifest, _) = qiao_manifest::extract(component)?;
    let scopes = manifest.scopes.keys();
    Ok(ReleaseRef {
        id: ReleaseId::from_u128(1),
        plugin: PluginId::from_u128(2),
        institution: InstitutionId::from_u128(3),
        digest: qiao_manifest::digest(component)?,
        scopes: scopes
            .map(|scope| scope.as_str().parse::<Scope>())
            .collect::<Result<_, _>>()?,
        egress: manifest.egress,
    })
}
