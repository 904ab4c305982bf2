use sha2::{Digest, Sha256};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
};

use crate::limits;

/// The engine that code was compiled with: code of another one is compiled again.
pub(crate) const ENGINE_VERSION: &str = concat!("wasmtime ", "48");

/// Instances that exist at once: calls in flight, and quotes, of which at most one a
/// core runs (no machine this is meant for has more cores than that).
const INSTANCES: usize = limits::CALLS_IN_FLIGHT_MAX + 128;
/// What stays mapped of a memory when its instance is gone, so that the next one does
/// not fault the same pages in again.
const KEEP_RESIDENT_BYTES: usize = 2 << 20;
/// Address space of a memory: every 32-bit address is inside, so no bounds check is compiled.
const MEMORY_RESERVATION_BYTES: u64 = 4 << 30;
/// What follows a memory, so that an access with an offset faults as well.
const MEMORY_GUARD_BYTES: u64 = 32 << 20;

/// The engine that runs guests: instances come from a pool.
pub(crate) fn running() -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count(INSTANCES))
        .total_core_instances(count(INSTANCES * limits::CORE_INSTANCES_MAX))
        .total_memories(count(INSTANCES * limits::MEMORIES_MAX))
        .total_tables(count(INSTANCES * limits::TABLES_MAX))
        .max_core_instances_per_component(count(limits::CORE_INSTANCES_MAX))
        .max_memories_per_component(count(limits::MEMORIES_MAX))
        .max_tables_per_component(count(limits::TABLES_MAX))
        .max_memories_per_module(count(limits::MEMORIES_MAX))
        .max_tables_per_module(count(limits::TABLES_MAX))
        .max_memory_size(limits::MEMORY_BYTES_MAX)
        .table_elements(limits::TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(limits::TABLE_ELEMENTS_MAX * size_of::<usize>())
        .max_unused_warm_slots(count(limits::CALLS_IN_FLIGHT_MAX))
        .pagemap_scan(Enabled::Auto);
    let mut config = code();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// The engine of the compile child: the same code, and no pool, so that it fits into a
/// small address space.
pub(crate) fn compiling() -> wasmtime::Result<Engine> {
    Engine::new(&code())
}

/// Everything that decides what code is made of a component and what it may do.
fn code() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(limits::STACK_BYTES_MAX)
        .memory_init_cow(true)
        .memory_may_move(false)
        .memory_reservation(MEMORY_RESERVATION_BYTES)
        .memory_guard_size(MEMORY_GUARD_BYTES)
        .guard_before_linear_memory(true)
        .concurrency_support(false)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // The host turns a fault into a sentence; native unwinders have no use for it.
        .native_unwind_info(false)
        .wasm_component_model(true)
        .wasm_reference_types(true)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_simd(true)
        .wasm_relaxed_simd(true)
        .wasm_tail_call(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_extended_const(true)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .wasm_function_references(false)
        .wasm_gc(false)
        .wasm_exceptions(false)
        .wasm_threads(false)
        .wasm_shared_everything_threads(false)
        .shared_memory(false)
        .wasm_component_model_error_context(false)
        .wasm_component_model_gc(false)
        .wasm_component_model_memory64(false)
        .gc_support(false);
    config
}

/// A hash of every setting that machine code depends on.
pub(crate) fn settings_hash(engine: &Engine) -> [u8; 32] {
    struct Sha256Hasher(Sha256);
    impl std::hash::Hasher for Sha256Hasher {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut hasher = Sha256Hasher(Sha256::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
    hasher.0.finalize().into()
}

fn count(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_child_compiles_for_the_engine_that_runs() {
        let running = running().unwrap();
        let compiling = compiling().unwrap();
        assert_eq!(settings_hash(&running), settings_hash(&compiling));
    }

    #[test]
    fn proposals_that_are_off_are_refused() {
        let engine = compiling().unwrap();
        for (what, module) in [
            ("memory64", "(component (core module (memory i64 1)))"),
            ("threads", "(component (core module (memory 1 1 shared)))"),
            ("exceptions", "(component (core module (tag)))"),
            ("gc", "(component (core module (type (struct))))"),
            (
                "externref",
                "(component (core module (func (param externref))))",
            ),
            (
                "multi-memory",
                "(component (core module (memory 1) (memory 1)))",
            ),
            (
                "tail calls",
                "(component (core module (func return_call 0)))",
            ),
            ("async", "(component (type (stream u8)))"),
        ] {
            let bytes = wat::parse_str(module).unwrap();
            assert!(engine.precompile_component(&bytes).is_err(), "{what}");
        }
    }
}
