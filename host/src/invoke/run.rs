//! The calls of one invocation: as many at once as [`crate::batch`] allows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use super::idle::Idle;
use super::{CallEnded, Host, Observer, Request, Tally};
use crate::batch::{self, Batch, Ended, Next, Outcome, Report};
use crate::event::{Event, Record};
use crate::guest::{Call, Loaded};
use crate::route::Route;
use crate::settings::InstancePer;

/// An invocation while its calls run. Shared by those that make them.
pub(super) struct Run {
    pub(super) host: Arc<Host>,
    pub(super) request: Request,
    pub(super) started: Instant,
    pub(super) event: Arc<Event>,
    pub(super) route: Route,
    /// The code of the route's handlers; none of one that wants no record.
    pub(super) loaded: Vec<Option<Loaded>>,
    pub(super) batch: Mutex<Batch>,
    pub(super) idle: Mutex<Idle>,
    /// By handler of the route.
    pub(super) tallies: Mutex<Vec<Tally>>,
    pub(super) observer: Arc<dyn Observer>,
}

impl Run {
    /// Makes all calls.
    ///
    /// Each worker makes one call after another. The end of a call frees one
    /// other call at most, and its worker goes on with that. So a worker that
    /// finds nothing to do is not needed any more, and none ever waits. The
    /// first is this task: with one call at a time nothing is spawned.
    pub(super) async fn all(self: &Arc<Self>) {
        let workers = lock(&self.batch).most_in_flight();
        let mut others = JoinSet::new();
        for _ in 1..workers {
            let run = Arc::clone(self);
            others.spawn(async move { run.work().await });
        }
        self.work().await;
        while let Some(joined) = others.join_next().await {
            if let Err(error) = joined {
                // A panic of ours, as guests cannot make one. The next
                // invocation needs the others' places in the pool.
                others.shutdown().await;
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }

    async fn work(&self) {
        loop {
            let now = Instant::now();
            let next = lock(&self.batch).next(now - self.started);
            match next {
                Next::Call(call) => self.call(call, now).await,
                Next::Wait | Next::Over => return,
            }
        }
    }

    async fn call(&self, call: batch::Call, started: Instant) {
        let handler = self.route.handlers[call.handler];
        let Some(code) = &self.loaded[call.handler] else {
            unreachable!("only a handler that wants a record is called, and those were loaded")
        };
        let used = lock(&self.idle).borrow(handler);
        let (mut called, left) = self.host.guests.call(code, used, self.guest_call(call, handler, started)).await;
        lock(&self.idle).give_back(handler, left);
        let elapsed = started.elapsed();
        lock(&self.tallies)[call.handler].call(&called, elapsed);
        let ended = std::mem::replace(&mut called.ended, Ended::Done);
        let outcome = lock(&self.batch).outcome(call, ended);
        let record = self.event.record(call.position);
        self.note_attempt(handler, record, &outcome);
        self.observer.called(&CallEnded {
            handler: &self.host.names[handler],
            record,
            called: &called,
            outcome: &outcome,
            elapsed,
        });
        // Not before it was told: the next record of the item may run at once,
        // and what it says comes after.
        lock(&self.batch).ended(call, outcome);
    }

    fn guest_call(&self, call: batch::Call, handler: usize, started: Instant) -> Call {
        let record = self.event.record(call.position);
        let attempts = lock(&self.host.attempts);
        let attempt =
            attempts.upcoming(handler, record.event_id().unwrap_or_default(), record.sequence_number().as_str());
        let end = started + call.limit;
        let end_ms = u64::try_from((end - self.started).as_millis()).ok();
        Call {
            event: Arc::clone(&self.event),
            position: call.position,
            name: Arc::clone(&self.host.names[handler]),
            invocation: Arc::clone(&self.request.invocation),
            attempt,
            deadline_ms: end_ms.and_then(|ms| self.request.received_ms.checked_add(ms)),
            limits: self.host.function.handlers[handler].limits,
            end,
            keep: self.host.function.handlers[handler].instance_per == InstancePer::Invocation,
        }
    }

    fn note_attempt(&self, handler: usize, record: Record<'_>, outcome: &Outcome) {
        if outcome.is_attempt() && outcome.must_come_again() {
            let (event_id, number) = (record.event_id().unwrap_or_default(), record.sequence_number().as_str());
            lock(&self.host.attempts).failed(handler, event_id, number);
        }
    }

    /// What became of the invocation, once all calls are over.
    pub(super) fn over(self: Arc<Self>) -> (Report, Route, Vec<Tally>) {
        let Some(Self { batch, event, route, tallies, .. }) = Arc::into_inner(self) else {
            unreachable!("every worker was waited for, and its part of this is gone")
        };
        let tallies = tallies.into_inner().unwrap_or_else(PoisonError::into_inner);
        (batch.into_inner().unwrap_or_else(PoisonError::into_inner).report(&event), route, tallies)
    }
}

/// Nothing of ours panics while it holds one of these.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
