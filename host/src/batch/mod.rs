//! What runs when, what became of it, and the answer: the rules R2, R4 and R6
//! to R12 as a machine that is told the time and what happened.
//!
//! It calls nothing. A driver asks [`Batch::next`] what to do, does it, and
//! reports with [`Batch::ended`]; [`Batch::report`] closes the books. It knows
//! neither WASM nor Lambda's protocol.

mod answer;
mod attempts;
mod outcome;
mod time;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

pub use answer::{Answer, FunctionError, respond};
pub use attempts::Attempts;
pub use outcome::{LimitKind, NotRun, Outcome};
pub use time::{BadDeadline, Budget, RESERVE};

use crate::event::{Event, ItemKey};
use crate::route::{Route, Want};
use crate::settings::Order;

/// An invocation's records on their way through the handlers.
pub struct Batch {
    /// By record, then by handler: what became of it, [`NOT_YET`] at first.
    outcomes: Vec<Vec<Outcome>>,
    /// The calls to make, in the order of hand-out: by record, then by handler
    /// as rotated.
    tasks: Vec<Task>,
    lanes: Vec<VecDeque<usize>>,
    /// The first task of every lane that is free.
    ready: BinaryHeap<Reverse<usize>>,
    /// By record, the position of the one that it repeats.
    repeats: Vec<usize>,
    terms: Terms,
    /// The lowest record that a handler is to be called with.
    lowest: Option<usize>,
    in_flight: usize,
    tried: bool,
}

struct Task {
    position: usize,
    /// Into the route's handlers.
    handler: usize,
    lane: usize,
    /// While the call runs, whether its limit is the handler's own.
    running: Option<IsTimeout>,
}

/// A record that was not called yet. If it stays so, there was no time.
const NOT_YET: Outcome = Outcome::NotRun(NotRun::Deadline);

/// Whether a call's limit is the handler's timeout, and not what is left of the
/// invocation.
type IsTimeout = bool;

/// How an invocation is run.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Each handler's timeout, in the order of the route's handlers.
    pub timeouts: Vec<Duration>,
    /// Calls in flight at once, at least 1 (R7).
    pub concurrency: usize,
    /// The time of the invocation.
    pub budget: Budget,
    /// A count of invocations: where the handlers of a record start from (R8).
    pub rotation: usize,
}

/// What a driver is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make this call, and ask again at once.
    Call(Call),
    /// Wait for a call in flight to end, and ask again.
    Wait,
    /// Nothing is in flight and nothing more will run.
    Over,
}

/// One call of one handler with one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    task: usize,
    /// The record, as a position in [`Event::records`].
    pub position: usize,
    /// The handler, as an index into [`Route::handlers`].
    pub handler: usize,
    /// Stop the call after this time and report [`Ended::OutOfTime`].
    pub limit: Duration,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The handler succeeded.
    Done,
    /// The handler asked for another delivery.
    Retry(String),
    /// The handler said that it will never go better.
    Rejected(String),
    /// The guest trapped.
    Trapped(String),
    /// The guest passed a limit.
    Limit(LimitKind, String),
    /// The call was stopped after [`Call::limit`].
    OutOfTime,
}

impl Batch {
    /// Plans an invocation.
    pub fn new(event: &Event, route: &Route, terms: Terms) -> Self {
        let handlers = route.handlers.len();
        let rotation = terms.rotation;
        let mut batch = Self {
            outcomes: Vec::with_capacity(event.len()),
            tasks: Vec::new(),
            lanes: Vec::new(),
            ready: BinaryHeap::new(),
            repeats: repeats(event),
            terms,
            lowest: None,
            in_flight: 0,
            tried: false,
        };
        let mut lanes = Lanes { order: route.order, by_key: HashMap::new() };
        let mut barrier = false;
        for (position, wants) in route.wants.iter().enumerate() {
            let is_repeat = batch.repeats[position] != position;
            // A repeat shares the outcome of what it repeats, and raises no
            // barrier of its own.
            let malformed = !is_repeat && wants.iter().any(|want| matches!(want, Want::Malformed(_)));
            let mut wanted = false;
            let decided = wants.iter().map(|want| match want {
                _ if is_repeat => NOT_YET,
                _ if barrier => Outcome::NotRun(NotRun::Barrier),
                Want::Malformed(reason) => Outcome::Malformed(reason.clone()),
                // The record is malformed for another handler: a barrier
                // in every lane, this one too.
                Want::Run if malformed => Outcome::NotRun(NotRun::Barrier),
                Want::Filtered => Outcome::Filtered,
                Want::Run => {
                    wanted = true;
                    NOT_YET
                }
            });
            batch.outcomes.push(decided.collect());
            if wanted {
                let rotated = (0..handlers).map(|handler| (handler + rotation % handlers) % handlers);
                for handler in rotated.filter(|handler| wants[*handler] == Want::Run) {
                    let lane = lanes.lane(event, position, handler);
                    batch.add(position, handler, lane);
                }
            }
            barrier = barrier || malformed;
        }
        batch.lowest = batch.tasks.first().map(|task| task.position);
        batch.ready = batch.lanes.iter().filter_map(|lane| lane.front().copied()).map(Reverse).collect();
        batch
    }

    fn add(&mut self, position: usize, handler: usize, lane: usize) {
        if lane == self.lanes.len() {
            self.lanes.push(VecDeque::new());
        }
        self.lanes[lane].push_back(self.tasks.len());
        self.tasks.push(Task { position, handler, lane, running: None });
    }

    /// How many calls can be in flight at once: no more than there are lanes.
    pub fn most_in_flight(&self) -> usize {
        self.terms.concurrency.max(1).min(self.lanes.len())
    }

    /// What to do now. `now` counts from the receipt of the invocation.
    pub fn next(&mut self, now: Duration) -> Next {
        // R8: at least one is always tried.
        let may_start = !self.tried || !self.terms.budget.is_over(now);
        if may_start
            && self.in_flight < self.terms.concurrency.max(1)
            && let Some(Reverse(task)) = self.ready.pop()
        {
            let Task { position, handler, ref mut running, .. } = self.tasks[task];
            let limit = self.terms.budget.limit(now, self.terms.timeouts[handler]);
            *running = Some(limit.is_timeout);
            self.tried = true;
            self.in_flight += 1;
            return Next::Call(Call { task, position, handler, limit: limit.time });
        }
        if self.in_flight > 0 { Next::Wait } else { Next::Over }
    }

    /// What becomes of the record of a call that ended so. The call counts as in
    /// flight until [`Batch::ended`] is told: what is done with the outcome
    /// before is done before the next record of the lane runs.
    pub fn outcome(&self, call: Call, ended: Ended) -> Outcome {
        let Task { position, running, .. } = self.tasks[call.task];
        let is_timeout = running == Some(true);
        match ended {
            Ended::Done => Outcome::Done,
            Ended::Retry(text) => Outcome::Retry(text),
            Ended::Rejected(text) => Outcome::Rejected(text),
            Ended::Trapped(text) => Outcome::Trapped(text),
            Ended::Limit(kind, text) => Outcome::Limit(kind, text),
            // A record that had the invocation's whole time and was cut would
            // be cut for ever if that did not count.
            Ended::OutOfTime if is_timeout || Some(position) == self.lowest => Outcome::TimedOut,
            Ended::OutOfTime => Outcome::NotRun(NotRun::Deadline),
        }
    }

    /// Takes note of a call's outcome, and lets its lane go on or closes it.
    pub fn ended(&mut self, call: Call, outcome: Outcome) {
        let Task { position, handler, lane, ref mut running } = self.tasks[call.task];
        assert!(running.take().is_some(), "a call ends once, and only after it was handed out");
        let goes_on = !outcome.must_come_again();
        self.outcomes[position][handler] = outcome;
        self.in_flight -= 1;
        let waiting = &mut self.lanes[lane];
        waiting.pop_front();
        if goes_on {
            self.ready.extend(waiting.front().copied().map(Reverse));
        } else {
            for task in std::mem::take(waiting) {
                let Task { position, handler, .. } = self.tasks[task];
                self.outcomes[position][handler] = Outcome::NotRun(NotRun::Behind);
            }
        }
    }

    /// Closes the books on the event that was planned: what has no outcome by
    /// now was not run.
    pub fn report(mut self, event: &Event) -> Report {
        for (position, &original) in self.repeats.iter().enumerate() {
            if position != original {
                self.outcomes[position] = self.outcomes[original].clone();
            }
        }
        let answer = Answer::of(event, &self.outcomes);
        Report { outcomes: self.outcomes, answer }
    }
}

/// What became of an invocation.
#[derive(Clone, Debug)]
pub struct Report {
    /// By record (in the order of [`Event::records`]), then by handler (in the
    /// order of [`Route::handlers`]).
    pub outcomes: Vec<Vec<Outcome>>,
    /// What to answer.
    pub answer: Answer,
}

impl Report {
    /// How many records had which outcome at a handler, by [`Outcome::kind`].
    pub fn counts(&self, handler: usize) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for row in &self.outcomes {
            *counts.entry(row[handler].kind()).or_default() += 1;
        }
        counts
    }
}

/// By record, the position of the first one with the same eventID and sequence
/// number: its own, unless it repeats another (R2).
fn repeats(event: &Event) -> Vec<usize> {
    let mut repeats: Vec<usize> = Vec::with_capacity(event.len());
    // The records of one number stand together. A map, because a hostile event
    // could have one number throughout; empty, because the usual one has none
    // twice.
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut previous = None;
    let mut first_of_number = 0;
    for (position, record) in event.records().enumerate() {
        let number = record.sequence_number();
        if previous.replace(number) != Some(number) {
            seen.clear();
            first_of_number = position;
            repeats.push(position);
            continue;
        }
        if let (true, Some(id)) = (seen.is_empty(), event.record(first_of_number).event_id()) {
            seen.insert(id, first_of_number);
        }
        let first = record.event_id().map_or(position, |id| *seen.entry(id).or_insert(position));
        repeats.push(first);
    }
    repeats
}

/// Lanes by what makes them (R6).
struct Lanes<'e> {
    order: Order,
    by_key: HashMap<(usize, Option<&'e ItemKey>), usize>,
}

impl<'e> Lanes<'e> {
    fn lane(&mut self, event: &'e Event, position: usize, handler: usize) -> usize {
        let item = match self.order {
            Order::Item => event.record(position).item(),
            Order::Shard => None,
        };
        let next = self.by_key.len();
        *self.by_key.entry((handler, item)).or_insert(next)
    }
}

#[cfg(test)]
mod tests;
