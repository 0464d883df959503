//! Does what the machine decides: calls of the stream, the function, the
//! destination and the store, side by side. Decides nothing, and needs no
//! runtime but the one that its clock and its calls need.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use futures_util::stream::{FuturesUnordered, Stream};

use crate::clock::Clock;
use crate::configuration::{Configuration, Parameters};
use crate::destination::Destination;
use crate::machine::{Counts, Description, Done, Machine, Next, Settings, Task};
use crate::positions::{PositionError, PositionStore};
use crate::source::StreamSource;
use crate::target::Target;
use crate::trace::TraceSink;
use crate::{ApiError, Timestamp};

/// What a mapping works with.
#[derive(Clone, Debug)]
pub struct Ports<S, T, D, P, C, K> {
    /// The stream.
    pub source: S,
    /// The function.
    pub target: T,
    /// Where failure documents go.
    pub destination: D,
    /// Where positions are kept.
    pub positions: P,
    /// The time.
    pub clock: C,
    /// Who is told of each decision.
    pub trace: K,
}

/// A mapping that is run by [`run`], for those who look at it and change it.
/// Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

struct Shared {
    machine: Mutex<Machine>,
    /// Set when the machine should be asked again, with who is to be woken.
    change: Mutex<(bool, Option<Waker>)>,
}

impl Handle {
    /// Reads the positions that were kept, and makes the mapping. It runs
    /// nothing before [`run`] does.
    ///
    /// # Errors
    ///
    /// [`PositionError`] when they cannot be read.
    pub async fn open<P: PositionStore>(
        configuration: Configuration,
        settings: Settings,
        positions: &P,
        clock: &impl Clock,
    ) -> Result<Self, PositionError> {
        let stored = positions.load(&settings.uuid).await?;
        let machine = Machine::new(configuration, settings, stored, clock.now());
        Ok(Self(Arc::new(Shared { machine: Mutex::new(machine), change: Mutex::default() })))
    }

    /// Changes parameters in place, `Enabled` too.
    ///
    /// # Errors
    ///
    /// As [`Machine::update`].
    pub fn update(&self, now: Timestamp, parameters: &Parameters) -> Result<(), ApiError> {
        let result = self.machine().update(now, parameters);
        self.changed();
        result
    }

    /// Deletes the mapping; [`run`] then ends.
    pub fn delete(&self, now: Timestamp) {
        self.machine().delete(now);
        self.changed();
    }

    /// Stops the mapping: what is in flight ends, positions are kept, and
    /// [`run`] ends.
    pub fn stop(&self) {
        self.machine().stop();
        self.changed();
    }

    /// Reads all shards at once: something was written.
    pub fn poll_now(&self) {
        self.machine().poll_now();
        self.changed();
    }

    /// Tries now what waits to be tried again: what it failed of was mended.
    pub fn retry_now(&self, now: Timestamp) {
        self.machine().retry_now(now);
        self.changed();
    }

    /// The mapping as its API tells it.
    pub fn describe(&self) -> Description {
        self.machine().describe()
    }

    /// The parameters as they are.
    pub fn configuration(&self) -> Configuration {
        self.machine().configuration().clone()
    }

    /// What became of the records so far.
    pub fn counts(&self) -> Counts {
        self.machine().counts()
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.0.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> MutexGuard<'_, (bool, Option<Waker>)> {
        self.0.change.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        let waker = {
            let mut change = self.change();
            change.0 = true;
            change.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// After so many calls that ended, others on the same thread have their turn:
/// calls that end at once would otherwise keep it for as long as records come.
const CALLS_IN_A_TURN: u32 = 16;

/// Runs a mapping until it is stopped or deleted. One at a time for a handle.
///
/// To drop the future is safe, as a killed process is: what was delivered and
/// not yet written as the position is delivered again.
pub async fn run<S, T, D, P, C, K>(ports: Ports<S, T, D, P, C, K>, handle: Handle)
where
    S: StreamSource,
    T: Target,
    D: Destination,
    P: PositionStore,
    C: Clock,
    K: TraceSink,
{
    let uuid = handle.describe().uuid;
    let mut in_flight = FuturesUnordered::new();
    let mut ended: u32 = 0;
    loop {
        let (next, trace) = {
            let mut machine = handle.machine();
            (machine.next(ports.clock.now()), machine.take_trace())
        };
        trace.iter().for_each(|entry| ports.trace.entry(entry));
        match next {
            Next::Do(task) => in_flight.push(perform(&ports, &uuid, task)),
            Next::Wait(until) => {
                if let Some(done) = wait(&ports.clock, until, &mut in_flight, &handle).await {
                    handle.machine().done(ports.clock.now(), done);
                    ended = (ended + 1) % CALLS_IN_A_TURN;
                    if ended == 0 {
                        give_way().await;
                    }
                }
            }
            Next::Over => break,
        }
    }
}

/// Waits for the first of: a call that ends, the time, a change from outside.
async fn wait<F: Future<Output = Done>>(
    clock: &impl Clock,
    until: Option<Timestamp>,
    in_flight: &mut FuturesUnordered<F>,
    handle: &Handle,
) -> Option<Done> {
    let mut sleep = pin!(async {
        match until {
            Some(until) => clock.sleep_until(until).await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|cx| {
        {
            let mut change = handle.change();
            if std::mem::take(&mut change.0) {
                return Poll::Ready(None);
            }
            change.1 = Some(cx.waker().clone());
        }
        // An empty set is at its end, and is asked again once it has a call.
        if let Poll::Ready(Some(done)) = Pin::new(&mut *in_flight).poll_next(cx) {
            return Poll::Ready(Some(done));
        }
        sleep.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Lets others on the same thread have their turn.
async fn give_way() {
    let mut gave_way = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Makes one call.
async fn perform<S, T, D, P, C, K>(ports: &Ports<S, T, D, P, C, K>, uuid: &str, task: Task) -> Done
where
    S: StreamSource,
    T: Target,
    D: Destination,
    P: PositionStore,
{
    match task {
        Task::Describe { after } => Done::Described(ports.source.describe(after.as_deref()).await),
        Task::ShardIterator { shard, position } => {
            let result = ports.source.shard_iterator(&shard, &position).await;
            Done::ShardIterator { shard, result }
        }
        Task::Records { shard, iterator, limit } => {
            let result = ports.source.records(&iterator, limit).await;
            Done::Records { shard, result }
        }
        Task::Invoke { shard, lane, invocation } => {
            let answer = ports.target.invoke(&invocation).await;
            Done::Invoked { shard, lane, answer }
        }
        Task::Send { shard, lane, document } => {
            let result = ports.destination.send(&document).await;
            Done::Sent { shard, lane, result }
        }
        Task::Save { shard, position } => {
            let result = ports.positions.save(uuid, &shard, &position).await;
            Done::Saved { shard, position, result }
        }
        Task::Forget { shard } => Done::Forgotten(ports.positions.forget(uuid, &shard).await),
        Task::ForgetAll => Done::Forgotten(ports.positions.forget_all(uuid).await),
    }
}
