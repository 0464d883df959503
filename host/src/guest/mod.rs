//! Calls one handler with one record, in an instance of its own or in one that
//! an earlier call of the invocation has left.
//!
//! Only this room knows wasmtime. It knows neither batches nor answers: a call
//! goes in, what became of it comes out, and whatever the guest did wrong is
//! data.

mod bindings;
mod call;
#[cfg(feature = "compile")]
pub mod compile;
mod engine;
mod epoch;
#[cfg(feature = "compile")]
mod functions;
mod limits;
mod output;
mod state;

use std::path::Path;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker, Type};

use bindings::StreamHandlerPre;
use bindings::gristmill::events::{invocation, log, types};
pub use call::{Call, Called, Instance};
pub use engine::PoolSize;
pub use epoch::Beat;
pub use output::{Gap, LogLevel, LogLine};
pub use state::Invocation;
use state::State;

/// Runs guests. One for a process: it holds the pool and the linker.
pub struct Guests {
    engine: wasmtime::Engine,
    linker: Linker<State>,
    ticker: epoch::Ticker,
}

/// Why guests cannot be run, or a component cannot be loaded. The host's or
/// the package's fault, and not that of a record.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    /// The engine could not be made.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// The file of a module cannot be read, or is not code that this host
    /// runs.
    #[error("{path}: not code that this host runs: {reason}")]
    Load {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A component is not a handler.
    #[error("not a handler of gristmill:events/stream-handler@0.1.0: {0}")]
    NotAHandler(String),
}

/// A handler that is ready to be instantiated. Cheap to clone.
#[derive(Clone)]
pub struct Loaded {
    pre: StreamHandlerPre<State>,
}

/// What a component imports and exports, by name and version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interfaces {
    /// For example `gristmill:events/log@0.1.0`.
    pub imports: Vec<String>,
    /// For example `gristmill:events/handler@0.1.0`.
    pub exports: Vec<String>,
    /// The functions of the imported interfaces, for example
    /// `[method]stream-record.keys`.
    pub functions: Vec<String>,
}

impl Guests {
    /// Makes the engine and the linker.
    ///
    /// # Errors
    ///
    /// [`GuestError::Engine`]
    pub fn new(pool: PoolSize) -> Result<Self, GuestError> {
        let failed = |error: wasmtime::Error| GuestError::Engine(format!("{error:#}"));
        let engine = engine::to_run(pool).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(failed)?;
        types::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).map_err(failed)?;
        invocation::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).map_err(failed)?;
        log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).map_err(failed)?;
        let ticker = epoch::Ticker::start(engine.clone()).map_err(|error| GuestError::Engine(error.to_string()))?;
        Ok(Self { engine, linker, ticker })
    }

    /// Maps a file of precompiled code.
    ///
    /// The file must come from the package beside `bootstrap` or from the
    /// user's own cache, and must never be rewritten: see the safety comment.
    ///
    /// # Errors
    ///
    /// - [`GuestError::Load`] when the file is not there, is cut short, or was
    ///   compiled by another wasmtime or with other settings.
    /// - [`GuestError::NotAHandler`] when the component exports or imports
    ///   something else.
    pub fn load(&self, precompiled: &Path) -> Result<Loaded, GuestError> {
        self.ready(&self.map(precompiled)?)
    }

    fn map(&self, precompiled: &Path) -> Result<Component, GuestError> {
        // SAFETY: `deserialize_file` asks that the file was made by wasmtime
        // and is not changed while it is mapped. Every caller passes a path
        // that it made from a digest, in a folder that only the deployment or
        // the user writes to: the package beside `bootstrap` (read-only on
        // Lambda) or the 0700 cache (`compile::Cache`, which writes under a
        // temporary name, renames, and never rewrites). No path of a manifest
        // gets here. wasmtime itself refuses other versions and settings.
        #[allow(unsafe_code)]
        let component = unsafe { Component::deserialize_file(&self.engine, precompiled) };
        component
            .map_err(|error| GuestError::Load { path: precompiled.display().to_string(), reason: format!("{error:#}") })
    }

    /// What the component of a file of precompiled code imports and exports, by
    /// the names of its interfaces. Such as [`Guests::load`] refuses, too.
    ///
    /// The same care is due as for [`Guests::load`].
    ///
    /// # Errors
    ///
    /// [`GuestError::Load`]
    pub fn describe(&self, precompiled: &Path) -> Result<Interfaces, GuestError> {
        let component = self.map(precompiled)?;
        let ty = component.component_type();
        Ok(Interfaces {
            imports: ty.imports(&self.engine).map(|(name, _)| name.to_owned()).collect(),
            exports: ty.exports(&self.engine).map(|(name, _)| name.to_owned()).collect(),
            functions: imported_functions(&self.engine, &component),
        })
    }

    /// How many instances, memories, tables and stacks of the pool are in use:
    /// none between invocations.
    pub fn in_use(&self) -> u64 {
        self.engine.pooling_allocator_metrics().map_or(0, |pool| {
            let parts = [pool.component_instances(), pool.core_instances(), pool.stacks() as u64];
            parts.iter().sum::<u64>() + (pool.memories() + pool.tables()) as u64
        })
    }

    /// Lets guests yield, and their time run out, until the guard is dropped.
    /// Held for an invocation: waking the thread costs more than many a call.
    pub fn beat(&self) -> Beat {
        self.ticker.beat()
    }

    fn ready(&self, component: &Component) -> Result<Loaded, GuestError> {
        let failed = |error: wasmtime::Error| GuestError::NotAHandler(format!("{error:#}"));
        let pre = self.linker.instantiate_pre(component).map_err(failed)?;
        // The imports were checked with their types; of the export, wasmtime
        // checks the type only once there is an instance.
        if !exports_handle(&self.engine, component) {
            let reason = format!("it does not export {HANDLER} with handle: func(record) -> result<_, failure>");
            return Err(GuestError::NotAHandler(reason));
        }
        Ok(Loaded { pre: StreamHandlerPre::new(pre).map_err(failed)? })
    }
}

/// What a handler exports.
pub const HANDLER: &str = "gristmill:events/handler@0.1.0";

fn imported_functions(engine: &wasmtime::Engine, component: &Component) -> Vec<String> {
    let mut functions = Vec::new();
    for (_, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else { continue };
        let is_function = |item: &ComponentItem| matches!(item, ComponentItem::ComponentFunc(_));
        let of_it = interface.exports(engine).filter(|(_, export)| is_function(&export.ty));
        functions.extend(of_it.map(|(name, _)| name.to_owned()));
    }
    functions
}

/// Whether a component exports the contract's function, with its type.
fn exports_handle(engine: &wasmtime::Engine, component: &Component) -> bool {
    let ty = component.component_type();
    let Some(ComponentItem::ComponentInstance(handler)) = ty.get_export(engine, HANDLER).map(|export| export.ty) else {
        return false;
    };
    let Some(ComponentItem::ComponentFunc(handle)) = handler.get_export(engine, "handle").map(|export| export.ty)
    else {
        return false;
    };
    let takes: Vec<Type> = handle.params().map(|(_, ty)| ty).collect();
    let gives: Vec<Type> = handle.results().collect();
    let is_failure = |ty: Type| match ty {
        Type::Variant(failure) => {
            let cases: Vec<_> = failure.cases().map(|case| (case.name.to_owned(), case.ty)).collect();
            cases == [("retry".to_owned(), Some(Type::String)), ("reject".to_owned(), Some(Type::String))]
        }
        _ => false,
    };
    match (takes.as_slice(), gives.as_slice()) {
        ([Type::Own(_)], [Type::Result(result)]) => result.ok().is_none() && result.err().is_some_and(is_failure),
        _ => false,
    }
}
