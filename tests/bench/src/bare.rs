use qiao_model::{Day, Money};
use qiao_runtime::{QuoteRequest, limits};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use bindings::exports::qiao::guest::orders;
use bindings::qiao::host::types;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit/0.1.0",
        world: "qiao:plugin/plugin@0.1.0",
    });
}

/// Instances that exist at once: one a thread.
const INSTANCES: u32 = 16;
/// As the host keeps them, so that the comparison is of limits and not of page faults.
const KEEP_RESIDENT_BYTES: usize = 2 << 20;
const MEMORY_RESERVATION_BYTES: u64 = 4 << 30;
const MEMORY_GUARD_BYTES: u64 = 32 << 20;

/// What wasmtime alone needs to instantiate a component and call its quote: the host's
/// pool, and no fuel, no epoch, no limiter, no host function behind an import.
pub(crate) struct Bare {
    pre: InstancePre<()>,
    orders: orders::GuestIndices,
    request: orders::QuoteRequest,
}

impl Bare {
    /// Compiles a component; imports trap when they are called.
    pub(crate) fn load(component: &[u8], request: &QuoteRequest) -> wasmtime::Result<Self> {
        let engine = engine()?;
        let component = Component::from_binary(&engine, component)?;
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component)?;
        let pre = linker.instantiate_pre(&component)?;
        Ok(Self {
            orders: orders::GuestIndices::new(&pre)?,
            request: wire_request(request),
            pre,
        })
    }

    /// The principal of a quote, in minor units.
    pub(crate) fn quote(&self) -> wasmtime::Result<i64> {
        let mut store = Store::new(self.pre.engine(), ());
        let instance = self.pre.instantiate(&mut store)?;
        let guest = self.orders.load(&mut store, &instance)?;
        let answer = guest.call_quote(&mut store, &self.request)??;
        Ok(answer.principal.minor)
    }
}

fn engine() -> wasmtime::Result<Engine> {
    let count = |each: usize| {
        u32::try_from(each)
            .unwrap_or(u32::MAX)
            .saturating_mul(INSTANCES)
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(count(limits::CORE_INSTANCES_MAX))
        .total_memories(count(limits::MEMORIES_MAX))
        .total_tables(count(limits::TABLES_MAX))
        .max_memory_size(limits::MEMORY_BYTES_MAX)
        .table_elements(limits::TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(limits::TABLE_ELEMENTS_MAX * size_of::<usize>())
        .max_unused_warm_slots(INSTANCES)
        .pagemap_scan(wasmtime::Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .max_wasm_stack(limits::STACK_BYTES_MAX)
        .memory_may_move(false)
        .memory_reservation(MEMORY_RESERVATION_BYTES)
        .memory_guard_size(MEMORY_GUARD_BYTES)
        .concurrency_support(false)
        .gc_support(false);
    Engine::new(&config)
}

fn wire_request(request: &QuoteRequest) -> orders::QuoteRequest {
    let offer = &request.offer;
    let entry = |entry: &qiao_runtime::Entry| types::Entry {
        label: entry.label.clone(),
        value: entry.value.clone(),
    };
    orders::QuoteRequest {
        offer: types::Offer {
            product: offer.product.clone(),
            kind: match offer.kind {
                qiao_catalog::OrderKind::Purchase => types::OrderKind::Purchase,
                qiao_catalog::OrderKind::Redeem => types::OrderKind::Redeem,
                qiao_catalog::OrderKind::Pay => types::OrderKind::Pay,
            },
            title: offer.title.clone(),
            amount: offer.amount.map(wire_money),
            units_minor: offer.units_minor,
            reference: offer.reference.clone(),
            facts: offer.facts.iter().map(entry).collect(),
        },
        price: request.price.map(|price| types::Price {
            day: wire_date(price.day),
            nav_e4: price.nav_e4.unsigned_abs(),
            income_per_10k_e4: price.income_per_10k_e4.map(i64::unsigned_abs),
            yield_7d_ppm: price.yield_7d_ppm.and_then(|ppm| u32::try_from(ppm).ok()),
        }),
        today: wire_date(request.today),
    }
}

fn wire_money(money: Money) -> types::Money {
    types::Money {
        minor: money.minor,
        currency: money.currency.code().to_owned(),
    }
}

fn wire_date(day: Day) -> types::Date {
    let (year, month, day) = day.parts();
    types::Date {
        year: year.unsigned_abs(),
        month: month.unsigned_abs(),
        day: day.unsigned_abs(),
    }
}
