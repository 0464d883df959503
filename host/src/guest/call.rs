//! One call: a record into an instance, and what became of it.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::{Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;

use super::bindings::StreamHandler;
use super::bindings::gristmill::events::types::Failure;
use super::limits::Exceeded;
use super::output::{Gap, LogLine};
use super::state::{CallContext, Invocation, State};
use super::{Guests, Loaded};
use crate::batch::{Ended, LimitKind};
use crate::event::Event;
use crate::settings::Limits;

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
    /// When the call is stopped.
    pub end: Instant,
    /// Whether the instance is kept for another call.
    pub keep: bool,
}

/// What became of a call.
#[derive(Debug)]
pub struct Called {
    /// How it ended.
    pub ended: Ended,
    /// Whether an instance was made for it.
    pub is_fresh: bool,
    /// The peak of the guest's linear memory. In an instance that was used
    /// before, the peak of all its calls.
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

/// An instance that a call has left in order: for another call of the same
/// handler and invocation.
pub struct Instance {
    store: Store<State>,
    handler: StreamHandler,
    /// Records whose handles the guest has kept.
    kept_records: u32,
}

impl Instance {
    /// Whether another call finds room in it.
    ///
    /// A guest that is garbage-collected may never drop a handle, a record's or
    /// another, and what it allocates may be garbage that it keeps. Then a
    /// record would pass a limit by what others left. So an instance is renewed
    /// when half of its handles or three quarters of its memory are in use.
    fn has_room(&mut self, limits: &Limits) -> bool {
        let memory_most = u64::from(limits.memory_mb) << 20;
        let state = self.store.data_mut();
        let handles = self.kept_records as usize + state.handles();
        handles < limits.handles as usize / 2 && state.limiter.memory_bytes() as u64 <= memory_most / 4 * 3
    }
}

impl Guests {
    /// Calls a handler with a record, in `used` or else in a fresh instance.
    /// Gives the instance back when it is in order and has room for another
    /// call. A trap, a limit or a timeout ends it.
    ///
    /// Ends at `call.end` whatever the guest does: it yields on epochs
    /// while a [`Guests::beat`] is held, and waits for nothing that cannot be
    /// left.
    pub async fn call(&self, handler: &Loaded, used: Option<Instance>, call: Call) -> (Called, Option<Instance>) {
        let Call { event, position, name, invocation, attempt, deadline_ms, limits, end, keep } = call;
        let context = CallContext { invocation, handler: name, attempt, deadline_ms, end };
        let is_fresh = used.is_none();
        let (mut store, instance, mut kept_records) = match used {
            Some(Instance { mut store, handler, kept_records }) => {
                store.data_mut().renew(context, &limits);
                (store, Some(handler), kept_records)
            }
            None => (self.store(context, &limits), None, 0),
        };
        // A store without a deadline traps at once (WASMTIME-FACTS).
        store.set_epoch_deadline(1);
        let mut made = None;
        let ran = tokio::time::timeout_at(end.into(), async {
            let instance = match instance {
                Some(instance) => instance,
                None => handler.pre.instantiate_async(&mut store).await?,
            };
            let instance = made.insert(instance);
            let record = store.data_mut().lend(event, position)?;
            let rep = record.rep();
            let result = instance.gristmill_events_handler().call_handle(&mut store, record).await;
            kept_records += u32::from(store.data_mut().take_back(rep));
            result
        })
        .await;
        // What the guest says of the record leaves the instance in order.
        let (ended, is_usable) = match ran {
            Err(_elapsed) => (Ended::OutOfTime, false),
            Ok(Ok(Ok(()))) => (Ended::Done, true),
            Ok(Ok(Err(Failure::Retry(text)))) => (Ended::Retry(bounded(text, limits.failure_kb)), true),
            Ok(Ok(Err(Failure::Reject(text)))) => (Ended::Rejected(bounded(text, limits.failure_kb)), true),
            Ok(Err(error)) => (classify(&error, limits.failure_kb), false),
        };
        let state = store.data_mut();
        let memory_bytes = state.limiter.memory_bytes();
        let (log, log_gap) = state.log.take();
        let (stdout, stdout_gap) = state.stdout.take();
        let (stderr, stderr_gap) = state.stderr.take();
        let called = Called { ended, is_fresh, memory_bytes, log, log_gap, stdout, stdout_gap, stderr, stderr_gap };
        let left = made.filter(|_| is_usable && keep).map(|handler| Instance { store, handler, kept_records });
        (called, left.and_then(|mut instance| instance.has_room(&limits).then_some(instance)))
    }

    fn store(&self, context: CallContext, limits: &Limits) -> Store<State> {
        let mut store = Store::new(&self.engine, State::new(context, limits));
        store.limiter(|state| &mut state.limiter);
        // A plain yield puts the call back in tokio's queue at once, and tokio
        // looks at its timers only every 61 polls: a timeout would be late by
        // as many beats. So the time is looked at here, and `yield_now` waits
        // until the timers have had their turn.
        store.epoch_deadline_callback(|store| match Instant::now() >= store.data().end() {
            true => Err(OutOfTime.into()),
            false => Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))),
        });
        store.set_hostcall_fuel((limits.host_call_mb as usize) << 20);
        store.set_max_component_handles(limits.handles as usize);
        store
    }
}

/// A guest computed for longer than its call may take.
#[derive(Debug, thiserror::Error)]
#[error("out of time")]
struct OutOfTime;

/// From the error of a call to what the guest did.
fn classify(error: &wasmtime::Error, failure_kb: u32) -> Ended {
    let text = || bounded(told(error), failure_kb);
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

/// An error's text and those around it, the innermost first: what went wrong, and
/// then where, which is many lines.
fn told(error: &wasmtime::Error) -> String {
    let mut texts: Vec<String> = error.chain().map(ToString::to_string).collect();
    texts.reverse();
    texts.join("; ")
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
