//! One invocation, from payload to answer: the path that Lambda, the command
//! and the tests share.
//!
//! It drives [`crate::batch`] with calls of [`crate::guest`]. It speaks no
//! protocol and writes no log: what happens is told to an [`Observer`].

mod idle;
mod run;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::batch::{self, Attempts, BadDeadline, Batch, Budget, FunctionError, Outcome, Report, Terms};
use crate::event::{Event, EventError, Record};
use crate::guest::{Called, GuestError, Guests, Invocation, Loaded, PoolSize};
use crate::route::{Route, RouteError, Router, RouterError, Want};
use crate::settings::{Function, HOST_MB, Handler, InstancePer, Response};
use idle::Idle;
use run::Run;

/// The handlers of a function, ready for invocations.
pub struct Host {
    function: Function,
    router: Router,
    names: Vec<Arc<str>>,
    modules: Vec<Module>,
    guests: Guests,
    attempts: Mutex<Attempts>,
    /// How many invocations each stream had, by the index of its first handler:
    /// where the handlers of a record start from (R8).
    invocations: Vec<AtomicUsize>,
    concurrency: usize,
    /// How many instances there may be at once, in calls or waiting for one.
    instances: usize,
}

/// The most instances that an invocation keeps beyond those in calls, where the
/// function's memory is not known: each may be a gigabyte, and a batch of one
/// table seldom has more handlers that keep any.
const MOST_KEPT: usize = 64;

/// A handler's code: loaded when a record is for it, and then kept.
struct Module {
    path: PathBuf,
    loaded: OnceLock<Loaded>,
}

/// Why a host cannot be made. An init error.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The settings cannot route.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// The file of a handler's code is not there.
    #[error("handler {handler:?}: {path}: {reason}")]
    NoModule {
        /// The handler's name.
        handler: String,
        /// The file.
        path: String,
        /// The system's word for it.
        reason: String,
    },
    /// Guests cannot be run.
    #[error(transparent)]
    Guest(#[from] GuestError),
}

/// One invocation to run.
pub struct Request {
    /// The event, as JSON text.
    pub payload: String,
    /// What the guests may know of the invocation.
    pub invocation: Arc<Invocation>,
    /// When it came, in Unix milliseconds.
    pub received_ms: u64,
    /// When it ends, in Unix milliseconds.
    pub deadline_ms: Option<u64>,
    /// Give the event to this handler alone, whatever table it is of.
    pub handler: Option<String>,
    /// Answer so, whatever the settings say.
    pub response: Option<Response>,
}

/// Why the function fails without an outcome for each record. No handler has
/// run.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// R1.
    #[error(transparent)]
    Event(#[from] EventError),
    /// R5.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A handler's code cannot be loaded.
    #[error("handler {handler:?}: {error}")]
    Guest {
        /// The handler's name.
        handler: String,
        /// What is wrong.
        error: GuestError,
    },
}

impl InvokeError {
    /// The error's type, as Lambda shows it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "Gristmill.BadEvent",
            Self::Route(_) => "Gristmill.Unrouted",
            Self::Guest { .. } => "Gristmill.BadModule",
        }
    }
}

/// What became of an invocation.
pub struct Invoked {
    /// The event.
    pub event: Arc<Event>,
    /// The handlers that have its stream, in the order of the report.
    pub handlers: Vec<Arc<str>>,
    /// Each record's outcomes, and what must come again.
    pub report: Report,
    /// What to answer to Lambda.
    pub response: Result<String, FunctionError>,
    /// By handler, what its calls cost.
    pub tallies: Vec<Tally>,
    /// A deadline that was ignored.
    pub bad_deadline: Option<BadDeadline>,
    /// From receipt to answer.
    pub elapsed: Duration,
}

/// What calls cost, in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many there were.
    pub calls: u64,
    /// How many instances were made for them.
    pub instances: u64,
    /// The time that they took, with the making of instances. Of calls that ran
    /// at once, the sum.
    pub guest_time: Duration,
    /// The largest linear memory of any.
    pub peak_memory_bytes: usize,
}

impl Tally {
    fn call(&mut self, called: &Called, elapsed: Duration) {
        self.add(&Self {
            calls: 1,
            instances: u64::from(called.is_fresh),
            guest_time: elapsed,
            peak_memory_bytes: called.memory_bytes,
        });
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.instances += other.instances;
        self.guest_time += other.guest_time;
        self.peak_memory_bytes = self.peak_memory_bytes.max(other.peak_memory_bytes);
    }
}

/// Is told of each call as it ends, by whatever thread made it.
pub trait Observer: Send + Sync {
    /// A handler was called with a record.
    fn called(&self, call: &CallEnded<'_>);
}

/// A call that ended.
pub struct CallEnded<'a> {
    /// The handler's name.
    pub handler: &'a str,
    /// The record.
    pub record: Record<'a>,
    /// What the guest left: logs, prints, memory.
    pub called: &'a Called,
    /// What became of the record at this handler.
    pub outcome: &'a Outcome,
    /// How long it took, with the making of an instance if there was none.
    pub elapsed: Duration,
}

impl Host {
    /// Prepares a function's handlers. `path_of` gives the file of a handler's
    /// precompiled code by the name in the settings.
    ///
    /// `memory_mb` is what the function has, where that is limited: by default
    /// no more calls run at once than find room in it.
    ///
    /// Loads no code: a host with 200 handlers starts as fast as one with one.
    ///
    /// # Errors
    ///
    /// Every [`HostError`] that there is.
    pub fn new(
        function: Function,
        memory_mb: Option<u32>,
        path_of: impl Fn(&str) -> PathBuf,
    ) -> Result<Self, Vec<HostError>> {
        let mut errors = Vec::new();
        let router = Router::new(&function);
        let mut modules = Vec::new();
        for handler in &function.handlers {
            let path = path_of(&handler.module);
            if let Err(error) = std::fs::metadata(&path) {
                errors.push(HostError::NoModule {
                    handler: handler.name.clone(),
                    path: path.display().to_string(),
                    reason: error.to_string(),
                });
            }
            modules.push(Module { path, loaded: OnceLock::new() });
        }
        let concurrency = default_concurrency(&function, memory_mb);
        let calls = function.streams.iter().map(|stream| stream.concurrency.unwrap_or(concurrency)).max().unwrap_or(1);
        let instances = most_instances(&function, memory_mb, calls);
        let spare = spare_memories(&function, memory_mb, instances);
        let pool = PoolSize::of(instances, spare, function.handlers.iter().map(|handler| handler.limits));
        match (router, Guests::new(pool)) {
            (Ok(router), Ok(guests)) if errors.is_empty() => Ok(Self {
                names: function.handlers.iter().map(|handler| handler.name.as_str().into()).collect(),
                router,
                modules,
                guests,
                attempts: Mutex::default(),
                invocations: function.handlers.iter().map(|_| AtomicUsize::new(0)).collect(),
                concurrency,
                instances,
                function,
            }),
            (router, guests) => {
                errors.splice(0..0, router.err().into_iter().flatten().map(HostError::from));
                errors.extend(guests.err().map(HostError::from));
                Err(errors)
            }
        }
    }

    /// How many instances, memories, tables and stacks are in use: none between
    /// invocations.
    pub fn in_use(&self) -> u64 {
        self.guests.in_use()
    }

    /// Runs one invocation.
    ///
    /// # Errors
    ///
    /// [`InvokeError`] when no handler can run. What a handler does wrong is in
    /// [`Invoked`].
    pub async fn invoke(
        self: &Arc<Self>,
        mut request: Request,
        observer: Arc<dyn Observer>,
    ) -> Result<Invoked, InvokeError> {
        let started = Instant::now();
        let event = Arc::new(Event::parse(std::mem::take(&mut request.payload))?);
        let route = match &request.handler {
            Some(handler) => self.router.route_to(&event, handler)?,
            None => self.router.route(&event)?,
        };
        let loaded = self.load(&route)?;
        let (budget, bad_deadline) = match request.deadline_ms {
            Some(deadline_ms) => Budget::new(request.received_ms, deadline_ms),
            None => (Budget::UNLIMITED, None),
        };
        let batch = Mutex::new(Batch::new(&event, &route, self.terms(&route, budget)));
        let response = request.response.unwrap_or(route.response);
        let idle = Mutex::new(Idle::new(self.instances));
        let tallies = Mutex::new(vec![Tally::default(); route.handlers.len()]);
        let run = Run {
            host: Arc::clone(self),
            request,
            started,
            event: Arc::clone(&event),
            route,
            loaded,
            batch,
            idle,
            tallies,
            observer,
        };
        let run = Arc::new(run);
        let beat = self.guests.beat();
        run.all().await;
        drop(beat);
        let (report, route, tallies) = run.over();
        let handlers: Vec<Arc<str>> = route.handlers.iter().map(|index| Arc::clone(&self.names[*index])).collect();
        let names: Vec<&str> = handlers.iter().map(|name| &**name).collect();
        let response = batch::respond(&report, &names, &event, response);
        Ok(Invoked { event, handlers, report, tallies, response, bad_deadline, elapsed: started.elapsed() })
    }

    fn terms(&self, route: &Route, budget: Budget) -> Terms {
        let timeout =
            |handler: &usize| Duration::from_millis(self.function.handlers[*handler].limits.timeout_ms.into());
        let first = route.handlers.first();
        Terms {
            timeouts: route.handlers.iter().map(timeout).collect(),
            concurrency: route.concurrency.unwrap_or(self.concurrency),
            budget,
            rotation: first.map_or(0, |first| self.invocations[*first].fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Loads the code that the route will call, before any handler runs.
    fn load(&self, route: &Route) -> Result<Vec<Option<Loaded>>, InvokeError> {
        let wanted = |at: usize| route.wants.iter().any(|wants| wants[at] == Want::Run);
        let load = |(at, &handler): (usize, &usize)| {
            if !wanted(at) {
                return Ok(None);
            }
            let module = &self.modules[handler];
            if let Some(loaded) = module.loaded.get() {
                return Ok(Some(loaded.clone()));
            }
            match self.guests.load(&module.path) {
                Ok(loaded) => Ok(Some(module.loaded.get_or_init(|| loaded).clone())),
                Err(error) => Err(InvokeError::Guest { handler: self.names[handler].to_string(), error }),
            }
        };
        route.handlers.iter().enumerate().map(load).collect()
    }
}

/// R7: one call for each vCPU, and no more than the memory has room for.
fn default_concurrency(function: &Function, memory_mb: Option<u32>) -> usize {
    let vcpus = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    vcpus.min(room(function, memory_mb))
}

/// How many instances the memory has room for, when each of them is of the
/// handler that may use the most. One at least: something is always tried.
fn room(function: &Function, memory_mb: Option<u32>) -> usize {
    let largest = function.handlers.iter().map(|handler| handler.limits.memory_mb).max().unwrap_or(1).max(1);
    memory_mb.map_or(usize::MAX, |mb| (mb.saturating_sub(HOST_MB) / largest).max(1) as usize)
}

/// How many instances there may be at once: one for each call, and those that
/// wait for their next record, as far as the memory has room. For each handler
/// that keeps them these are as many as it has calls, of the stream with the
/// most.
fn most_instances(function: &Function, memory_mb: Option<u32>, calls: usize) -> usize {
    let of = |stream: &str| {
        let keeps = |handler: &&Handler| handler.stream == stream && handler.instance_per == InstancePer::Invocation;
        function.handlers.iter().filter(keeps).count()
    };
    let handlers = function.streams.iter().map(|stream| of(&stream.name)).max().unwrap_or(0);
    let kept = handlers.saturating_mul(calls).min(MOST_KEPT);
    calls.max(calls.saturating_add(kept).min(room(function, memory_mb)))
}

/// How many memories beyond those of the instances may stay warm: one for each
/// handler, as far as the function's memory has room when every instance uses
/// all that it may, and each of these keeps a MiB.
fn spare_memories(function: &Function, memory_mb: Option<u32>, instances: usize) -> usize {
    let largest = function.handlers.iter().map(|handler| handler.limits.memory_mb as usize).max().unwrap_or(0);
    let used = (HOST_MB as usize).saturating_add(instances.saturating_mul(largest));
    let room = memory_mb.map_or(usize::MAX, |mb| (mb as usize).saturating_sub(used));
    function.handlers.len().min(MOST_KEPT).min(room)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Limits, Order, Source, Stream};

    fn function(instance_per: InstancePer, memory_mb: u32) -> Function {
        let handler = |name: &str, instance_per, memory_mb| Handler {
            name: name.to_owned(),
            stream: "s".to_owned(),
            module: String::new(),
            filters: Vec::new(),
            instance_per,
            limits: Limits { memory_mb, ..Limits::default() },
        };
        let stream = Stream {
            name: "s".to_owned(),
            source: Source::Table("t".to_owned()),
            response: Response::Partial,
            order: Order::Item,
            concurrency: None,
        };
        let handlers = vec![handler("a", instance_per, 1), handler("b", instance_per, memory_mb)];
        Function { streams: vec![stream], handlers }
    }

    #[test]
    fn r07_no_more_calls_run_at_once_than_the_memory_holds() {
        let function = |memory_mb| function(InstancePer::Record, memory_mb);
        let vcpus = default_concurrency(&function(64), None);
        assert!(vcpus >= 1);
        assert_eq!(default_concurrency(&function(64), Some(128)), 1);
        assert_eq!(default_concurrency(&function(4_095), Some(128)), 1, "one is always tried");
        assert_eq!(default_concurrency(&function(1), Some(10_240)), vcpus);
        assert_eq!(default_concurrency(&function(64), Some(168)), vcpus.min(2));
    }

    #[test]
    fn instances_are_kept_for_their_handlers_and_no_more_than_the_memory_holds() {
        let most = |instance_per, memory_mb| most_instances(&function(instance_per, 64), memory_mb, 2);
        assert_eq!(most(InstancePer::Record, None), 2, "one for each call");
        assert_eq!(most(InstancePer::Invocation, None), 2 + 2 * 2, "and two for each of two handlers");
        assert_eq!(most(InstancePer::Invocation, Some(40 + 3 * 64)), 3);
        assert_eq!(most(InstancePer::Invocation, Some(128)), 2, "calls come first");
        let many = Function {
            handlers: vec![function(InstancePer::Invocation, 1).handlers[0].clone(); 1_000],
            ..function(InstancePer::Record, 1)
        };
        assert_eq!(most_instances(&many, None, 2), 2 + MOST_KEPT);
    }
}
