//! Engines that differ in one setting, and the stores that guests run in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gristmill_host::guest::PoolSize;
use gristmill_host::guest::compile::{self, NATIVE_TARGET};
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, UpdateDeadline};

use crate::bindings::resources::gristmill::design::records;
use crate::state::State;

/// How often the epoch is advanced: as often as in the host.
const BEAT: Duration = Duration::from_millis(5);

/// After so much fuel a guest yields: a few milliseconds of work.
const FUEL_BETWEEN_YIELDS: u64 = 10_000_000;

/// How guests are made to yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// They are not.
    None,
    /// The host's way.
    Epochs,
    /// After so much work.
    Fuel,
}

/// An engine with a linker, and how its guests are interrupted.
pub(crate) struct Embedding {
    engine: Engine,
    linker: Linker<State>,
    interruption: Interruption,
}

/// The host's settings, for the baseline of the machine's architecture, and
/// without its pool.
pub(crate) fn settings() -> Config {
    let mut config = compile::settings();
    config.target(NATIVE_TARGET).unwrap();
    config
}

/// The host's pool, for so many instances at once of handlers with the default
/// limits.
pub(crate) fn pool(instances: usize) -> PoolingAllocationConfig {
    compile::pool(PoolSize::of(instances, 0, []))
}

impl Embedding {
    /// The host's engine, for so many instances at once.
    pub(crate) fn of_the_host(instances: usize) -> Self {
        Self::pooled(settings(), pool(instances), Interruption::Epochs)
    }

    /// An engine with a pool.
    pub(crate) fn pooled(mut config: Config, pool: PoolingAllocationConfig, interruption: Interruption) -> Self {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        Self::new(config, interruption)
    }

    /// An engine with these settings, but for what the interruption needs.
    pub(crate) fn new(mut config: Config, interruption: Interruption) -> Self {
        config.epoch_interruption(interruption == Interruption::Epochs);
        config.consume_fuel(interruption == Interruption::Fuel);
        let engine = Engine::new(&config).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        records::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).unwrap();
        Self { engine, linker, interruption }
    }

    /// Compiles a component.
    pub(crate) fn ready(&self, component: &[u8]) -> InstancePre<State> {
        self.linker.instantiate_pre(&Component::new(&self.engine, component).unwrap()).unwrap()
    }

    /// Compiles a component for calls without async.
    pub(crate) fn ready_without_async(&self, component: &[u8]) -> InstancePre<State> {
        let mut linker = Linker::new(&self.engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        records::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).unwrap();
        linker.instantiate_pre(&Component::new(&self.engine, component).unwrap()).unwrap()
    }

    /// A store for async calls.
    pub(crate) fn store(&self) -> Store<State> {
        let mut store = Store::new(&self.engine, State::default());
        match self.interruption {
            Interruption::None => {}
            Interruption::Epochs => {
                // As the host does, but that no time runs out.
                store.epoch_deadline_callback(|_| {
                    Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
                });
                store.set_epoch_deadline(1);
            }
            Interruption::Fuel => {
                store.set_fuel(u64::MAX).unwrap();
                store.fuel_async_yield_interval(Some(FUEL_BETWEEN_YIELDS)).unwrap();
            }
        }
        store
    }

    /// A store for calls without async: nothing yields.
    pub(crate) fn store_without_async(&self) -> Store<State> {
        let mut store = Store::new(&self.engine, State::default());
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(1)));
        store.set_epoch_deadline(1);
        store
    }
}

/// A thread that advances the epochs of engines until this is dropped.
pub(crate) struct Beat {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Beat {
    /// Of the engines of these embeddings.
    pub(crate) fn of<'a>(embeddings: impl IntoIterator<Item = &'a Embedding>) -> Self {
        let engines: Vec<Engine> = embeddings.into_iter().map(|embedding| embedding.engine.clone()).collect();
        let is_over = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            while !own.load(Ordering::Relaxed) {
                thread::sleep(BEAT);
                engines.iter().for_each(Engine::increment_epoch);
            }
        });
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // It ends by itself; whether it panicked does not matter any more.
        drop(self.thread.take().map(JoinHandle::join));
    }
}
