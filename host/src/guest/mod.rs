//! Calls one handler with one record, in an instance of its own.
//!
//! Only this room knows wasmtime. It knows neither batches nor answers: a call
//! goes in, what became of it comes out, and whatever the guest did wrong is
//! data.

mod bindings;
#[cfg(feature = "compile")]
pub mod compile;
mod engine;
mod epoch;
mod limits;
mod output;
mod state;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker, Type};
use wasmtime::{Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;

use bindings::gristmill::events::types::Failure;
use bindings::gristmill::events::{invocation, log, types};
use bindings::{StreamHandler, StreamHandlerPre};
pub use engine::PoolSize;
use limits::Exceeded;
pub use output::{Gap, LogLevel, LogLine};
pub use state::Invocation;
use state::{CallContext, State};

use crate::batch::{Ended, LimitKind};
use crate::event::Event;
use crate::settings::Limits;

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
        })
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

    /// Calls a handler with a record, in a fresh instance.
    ///
    /// Ends after `call.limit` whatever the guest does: it yields on epochs,
    /// and waits for nothing that cannot be left.
    pub async fn call(&self, handler: &Loaded, call: Call) -> Called {
        let Call { event, position, name, invocation, attempt, deadline_ms, limits, limit } = call;
        let context = CallContext { invocation, handler: name, attempt, deadline_ms };
        let mut store = Store::new(&self.engine, State::new(&limits, context));
        store.limiter(|state| &mut state.limiter);
        // A store without a deadline traps at once (WASMTIME-FACTS).
        store.set_epoch_deadline(1);
        // A plain yield puts the call back in tokio's queue at once, and tokio
        // looks at its timers only every 61 polls: a timeout would be late by
        // as many beats. So the time is looked at here, and `yield_now` waits
        // until the timers have had their turn.
        let end = Instant::now() + limit;
        store.epoch_deadline_callback(move |_| match Instant::now() >= end {
            true => Err(OutOfTime.into()),
            false => Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))),
        });
        store.set_hostcall_fuel((limits.host_call_mb as usize) << 20);
        store.set_max_component_handles(limits.handles as usize);

        let beat = self.ticker.beat();
        let ended = match tokio::time::timeout(limit, run(&mut store, handler, event, position)).await {
            Err(_elapsed) => Ended::OutOfTime,
            Ok(Ok(Ok(()))) => Ended::Done,
            Ok(Ok(Err(Failure::Retry(text)))) => Ended::Retry(bounded(text, limits.failure_kb)),
            Ok(Ok(Err(Failure::Reject(text)))) => Ended::Rejected(bounded(text, limits.failure_kb)),
            Ok(Err(error)) => classify(&error, limits.failure_kb),
        };
        drop(beat);
        let memory_bytes = store.data().limiter.memory_bytes();
        let state = store.into_data();
        let (log, log_gap) = state.log.into_lines();
        let (stdout, stdout_gap) = state.stdout.take();
        let (stderr, stderr_gap) = state.stderr.take();
        Called { ended, memory_bytes, log, log_gap, stdout, stdout_gap, stderr, stderr_gap }
    }
}

/// What a handler exports.
pub const HANDLER: &str = "gristmill:events/handler@0.1.0";

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

async fn run(
    store: &mut Store<State>,
    handler: &Loaded,
    event: Arc<Event>,
    position: usize,
) -> wasmtime::Result<Result<(), Failure>> {
    let instance: StreamHandler = handler.pre.instantiate_async(&mut *store).await?;
    let record = store.data_mut().lend(event, position)?;
    let rep = record.rep();
    let result = instance.gristmill_events_handler().call_handle(&mut *store, record).await;
    store.data_mut().take_back(rep);
    result
}

/// One call to make.
pub struct Call {
    /// The event.
    pub event: Arc<Event>,
    /// The record, as a position in [`Event::records`].
    pub position: usize,
    /// The handler's name.
    pub name: Arc<str>,
    /// What the guest may know.
    pub invocation: Arc<Invocation>,
    /// R15.
    pub attempt: u32,
    /// When the call will be stopped, in Unix milliseconds.
    pub deadline_ms: Option<u64>,
    /// What the guest may use.
    pub limits: Limits,
    /// How long the call may take.
    pub limit: Duration,
}

/// What became of a call.
#[derive(Debug)]
pub struct Called {
    /// How it ended.
    pub ended: Ended,
    /// The peak of the guest's linear memory.
    pub memory_bytes: usize,
    /// What it logged.
    pub log: Vec<LogLine>,
    /// What is missing of that.
    pub log_gap: Option<Gap>,
    /// What it printed, in lines.
    pub stdout: Vec<String>,
    /// What is missing of that.
    pub stdout_gap: Option<Gap>,
    /// What it printed as errors, in lines.
    pub stderr: Vec<String>,
    /// What is missing of that.
    pub stderr_gap: Option<Gap>,
}

/// A guest computed for longer than its call may take.
#[derive(Debug, thiserror::Error)]
#[error("out of time")]
struct OutOfTime;

/// From the error of a call to what the guest did.
fn classify(error: &wasmtime::Error, failure_kb: u32) -> Ended {
    let text = || bounded(format!("{error:#}"), failure_kb);
    if error.downcast_ref::<OutOfTime>().is_some() {
        return Ended::OutOfTime;
    }
    if let Some(Exceeded { kind, text }) = error.downcast_ref() {
        return Ended::Limit(*kind, text.clone());
    }
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return Ended::Trapped(format!("the handler called exit({status})"));
    }
    if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        return Ended::Limit(LimitKind::Stack, text());
    }
    if matches!(error.downcast_ref(), Some(wasmtime::component::ResourceTableError::Full)) {
        return Ended::Limit(LimitKind::Handles, text());
    }
    // These have no public type. A test holds the texts.
    let root = error.root_cause().to_string();
    let kinds = [
        ("fuel allocated for hostcalls has been exhausted", LimitKind::HostCalls),
        ("store handle limit exceeded", LimitKind::Handles),
        ("resource limit exceeded", LimitKind::Instances),
    ];
    match kinds.iter().find(|(phrase, _)| root.contains(phrase)) {
        Some((_, kind)) => Ended::Limit(*kind, text()),
        None => Ended::Trapped(text()),
    }
}

/// The start of a text, with the number of bytes that are missing.
fn bounded(text: String, most_kb: u32) -> String {
    let most = (most_kb as usize) << 10;
    if text.len() <= most {
        return text;
    }
    let cut = text.floor_char_boundary(most);
    format!("{}… ({} bytes left out)", &text[..cut], text.len() - cut)
}
