//! The engine: one function for the host and for the tools, so that what one
//! compiles the other loads.

use std::num::NonZeroUsize;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, WasmBacktraceDetails,
};

use crate::settings::Limits;

/// A component has one memory as a rule. Four leaves room for adapters and
/// for libraries with a memory of their own.
pub(super) const MEMORIES_PER_CALL: u32 = 4;

const MIB: usize = 1 << 20;

/// What the pool must hold at once. Its slots are address space until they
/// are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSize {
    /// Instances: one for each call in flight, and those that wait for another.
    pub instances: u32,
    /// Memories to be kept beyond those of instances, so that a handler whose
    /// turn comes again finds its own: putting another's image into a memory
    /// costs more than a small call.
    pub spare_memories: u32,
    /// The largest of each limit over all handlers.
    pub limits: Limits,
}

impl PoolSize {
    /// The pool for these handlers, of which each instance may be.
    pub fn of(instances: usize, spare_memories: usize, limits: impl IntoIterator<Item = Limits>) -> Self {
        // No smaller than the defaults: a handler's own lower limit is the
        // store's to hold, where passing it is an outcome and no load error.
        let limits = limits.into_iter().fold(Limits::default(), |most, limits| Limits {
            memory_mb: most.memory_mb.max(limits.memory_mb),
            table_elements: most.table_elements.max(limits.table_elements),
            instances: most.instances.max(limits.instances),
            ..most
        });
        let number = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
        Self { instances: number(instances).max(1), spare_memories: number(spare_memories), limits }
    }
}

/// An engine that runs what it is given, in a pool.
///
/// # Errors
///
/// When the machine cannot reserve the pool's address space.
pub(super) fn to_run(pool: PoolSize) -> Result<Engine> {
    let mut config = shared();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(pool)));
    Engine::new(&config)
}

/// An engine that compiles for the baseline of an architecture (a target
/// triple), so that the code runs on every machine of it. `functions` are those
/// that need not be compiled.
///
/// # Errors
///
/// When the compiler does not know the target.
#[cfg(feature = "compile")]
pub(super) fn to_compile(target: &str, functions: Option<std::sync::Arc<dyn wasmtime::CacheStore>>) -> Result<Engine> {
    let mut config = shared();
    config.target(target)?;
    if let Some(functions) = functions {
        config.enable_incremental_compilation(functions)?;
    }
    Engine::new(&config)
}

/// Everything that compiled code depends on, and what both engines share.
pub(super) fn shared() -> Config {
    let mut config = Config::new();
    // Guests yield and look at their time on epochs. Fuel costs about the same,
    // and measures work where the limit is a time (ADR 0003).
    config.epoch_interruption(true);
    // 4 GiB of address space for each memory in place of bounds checks, which
    // cost 1.1 to 1.3 times (ADR 0010).
    config.memory_reservation(4 << 30);
    config.memory_guard_size(32 << 20);
    config.memory_init_cow(true);
    // A replay of a record gives the same bits on every machine, for nothing
    // measurable (WASMTIME-FACTS). Code compiled without is not refused on
    // loading, so what is kept is also keyed by our own settings.
    // A setting of the compiler: without one there is no such method.
    #[cfg(feature = "compile")]
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    // Language runtimes recurse deeply; half of the stack is left to the host
    // calls that run on it.
    config.max_wasm_stack(MIB);
    config.async_stack_size(2 * MIB);
    config.wasm_backtrace_max_frames(NonZeroUsize::new(20));
    // The default asks an environment variable.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config
}

pub(super) fn pooling(PoolSize { instances, spare_memories, limits }: PoolSize) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances);
    pool.total_core_instances(instances.saturating_mul(limits.instances));
    pool.total_tables(instances.saturating_mul(limits.instances));
    let memories = instances.saturating_mul(MEMORIES_PER_CALL).saturating_add(spare_memories);
    pool.total_memories(memories);
    pool.max_unused_warm_slots(memories);
    // A store keeps its stack from one call to the next.
    pool.total_stacks(instances);
    pool.max_core_instances_per_component(limits.instances);
    pool.max_tables_per_component(limits.instances);
    pool.max_memories_per_component(MEMORIES_PER_CALL);
    // Each is a few pointers for each function or global of a guest. The
    // largest language runtimes need some 300 KiB.
    pool.max_component_instance_size(4 * MIB);
    pool.max_core_instance_size(4 * MIB);
    pool.table_elements(limits.table_elements as usize);
    pool.max_memory_size(limits.memory_mb as usize * MIB);
    // What a slot keeps from one instance to the next, zeroed by hand: with the
    // page-map scan only what was touched, without it the lowest part, which
    // holds the stack and the first of the heap (WASMTIME-FACTS).
    pool.linear_memory_keep_resident(MIB);
    pool.table_keep_resident(64 << 10);
    pool.pagemap_scan(Enabled::Auto);
    pool
}
