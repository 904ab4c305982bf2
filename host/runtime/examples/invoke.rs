//! What one quote costs, beside a bare instantiate-and-call of the same component.
//! `make bench BENCH=invoke` is the measurement; this is for looking at the hot path alone.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement for developers"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use qiao_auth::keys::{KeyKind, generate_key};
use qiao_auth::{Auth, AuthConfig};
use qiao_catalog::OrderKind;
use qiao_model::{Env, InstitutionId, Money, PluginId, ReleaseId, Secret, Timestamp};
use qiao_runtime::sandbox::Sandbox;
use qiao_runtime::{CompileMode, Offer, QuoteRequest, ReleaseRef, Runtime, RuntimeConfig};
use wasmtime::component::{Component, InstancePre, Linker};

mod bare {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit/0.1.0",
        world: "qiao:plugin/plugin@0.1.0",
    });
}
use bare::exports::qiao::guest::orders as wit;

const CALLS: usize = 20_000;

#[tokio::main]
async fn main() {
    let bytes = qiao_tests::guests::component("money-fund");
    let request = request();
    let (pre, indices) = bare_component(&bytes);
    let wit_request = wit_request();
    let bare = || {
        let mut store = wasmtime::Store::new(pre.engine(), ());
        let instance = pre.instantiate(&mut store).unwrap();
        let guest = indices.load(&mut store, &instance).unwrap();
        guest.call_quote(&mut store, &wit_request).unwrap().unwrap();
    };
    let runtime = runtime().await;
    let release = ReleaseRef {
        id: ReleaseId::from_u128(1),
        plugin: PluginId::from_u128(1),
        institution: InstitutionId::from_u128(1),
        digest: qiao_manifest::digest(&bytes).unwrap(),
        scopes: [].into_iter().collect(),
        egress: Vec::new(),
    };
    let loaded = runtime.load(&release, &bytes).await.unwrap();
    println!(
        "fuel of a quote: {}",
        runtime.quote(&loaded, &request).await.unwrap().fuel
    );
    for round in 0..3 {
        println!("round {round}");
        report("bare", &mut times(bare));
        report(
            "quote_blocking",
            &mut times(|| {
                runtime.quote_blocking(&loaded, &request).unwrap();
            }),
        );
        let mut asynchronous = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let start = Instant::now();
            runtime.quote(&loaded, &request).await.unwrap();
            asynchronous.push(start.elapsed());
        }
        report("quote", &mut asynchronous);
        let mut handed = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let (runtime, loaded, request) = (runtime.clone(), loaded.clone(), request.clone());
            let start = Instant::now();
            tokio::task::spawn_blocking(move || runtime.quote_blocking(&loaded, &request))
                .await
                .unwrap()
                .unwrap();
            handed.push(start.elapsed());
        }
        report("quote by spawn_blocking", &mut handed);
        for threads in [1, 2] {
            let (rate, cpu_us, waits) = run_on(threads, || {
                runtime.quote_blocking(&loaded, &request).unwrap();
            });
            println!(
                "  {threads} threads: {rate:.0}/s, {cpu_us:.2} us of CPU and {waits:.4} waits a call"
            );
        }
    }
}

fn times(mut call: impl FnMut()) -> Vec<Duration> {
    (0..CALLS)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect()
}

fn report(name: &str, times: &mut [Duration]) {
    times.sort();
    let at = |share: usize| times[times.len() * share / 100];
    println!("  {name}: p50 {:?} p99 {:?}", at(50), at(99));
}

/// Calls a second, CPU time of a call and how often it waited for another thread: the last
/// two say on a busy machine too whether threads stand in each other's way.
fn run_on(threads: usize, call: impl Fn() + Sync) -> (f64, f64, f64) {
    let start = Instant::now();
    let used: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let run = || {
            let before = (cpu_ns(), waits());
            (0..CALLS).for_each(|_| call());
            (cpu_ns() - before.0, waits() - before.1)
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let calls = (threads * CALLS) as f64;
    let cpu: u64 = used.iter().map(|(cpu, _)| cpu).sum();
    let waits: u64 = used.iter().map(|(_, waits)| waits).sum();
    let rate = calls / start.elapsed().as_secs_f64();
    (rate, cpu as f64 / 1_000.0 / calls, waits as f64 / calls)
}

fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn waits() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

fn bare_component(bytes: &[u8]) -> (InstancePre<()>, wit::GuestIndices) {
    let mut pool = wasmtime::PoolingAllocationConfig::new();
    pool.max_memory_size(32 << 20)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(80_000)
        .pagemap_scan(wasmtime::Enabled::Auto);
    let mut config = wasmtime::Config::new();
    config
        .allocation_strategy(wasmtime::InstanceAllocationStrategy::Pooling(pool))
        .concurrency_support(false);
    let engine = wasmtime::Engine::new(&config).unwrap();
    let component = Component::new(&engine, bytes).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let pre = linker.instantiate_pre(&component).unwrap();
    let indices = wit::GuestIndices::new(&pre).unwrap();
    (pre, indices)
}

async fn runtime() -> Runtime {
    let database = qiao_tests::sqlite().await;
    database.db.migrate(&[qiao_auth::MIGRATIONS]).await.unwrap();
    let (env, _) = Env::fixed(Timestamp::from_millis(1_790_000_000_000), 1);
    let config = AuthConfig {
        issuer: "http://localhost".to_owned(),
        audience: "http://localhost".to_owned(),
        signing_key_pem: generate_key(KeyKind::Ed25519).unwrap().0,
        pepper: Secret::new([1; 32]),
    };
    let auth = Auth::open(database.db.clone(), env.clone(), config).unwrap();
    let config = RuntimeConfig {
        env,
        cache_folder: database.folder.path().join("cache"),
        host_key: Secret::new([1; 32]),
        compile: CompileMode::InProcess,
        cores: None,
    };
    Runtime::new(config, Sandbox::default().ports(Arc::new(auth), None)).unwrap()
}

fn request() -> QuoteRequest {
    QuoteRequest {
        offer: Offer {
            product: "steady-money".to_owned(),
            kind: OrderKind::Purchase,
            title: "Steady Money Fund".to_owned(),
            amount: Some(Money::cny(100_000)),
            units_minor: None,
            reference: String::new(),
            facts: Vec::new(),
        },
        price: None,
        today: "2026-11-22".parse().unwrap(),
    }
}

fn wit_request() -> wit::QuoteRequest {
    wit::QuoteRequest {
        offer: wit::Offer {
            product: "steady-money".to_owned(),
            kind: wit::OrderKind::Purchase,
            title: "Steady Money Fund".to_owned(),
            amount: Some(wit::Money {
                minor: 100_000,
                currency: "CNY".to_owned(),
            }),
            units_minor: None,
            reference: String::new(),
            facts: Vec::new(),
        },
        price: None,
        today: wit::Date {
            year: 2026,
            month: 11,
            day: 22,
        },
    }
}
