//! The rules of an event source mapping, as a machine that is told the time and
//! what happened.
//!
//! It calls nothing. A driver asks [`Machine::next`] what to do, does it, and
//! reports with [`Machine::done`]. What it decided stands in the trace. It
//! knows neither a runtime nor a protocol, and nothing of what is behind the
//! stream and the function.

mod context;
mod delivery;
mod description;
mod discovery;
mod lane;
mod ledger;
mod reader;
mod shard;
mod window;

use std::collections::BTreeMap;
use std::time::Duration;

pub use context::Counts;
pub use description::Description;

use crate::backoff::Dice;
use crate::configuration::{Configuration, Parameters};
use crate::destination::{DestinationError, FailureDocument};
use crate::lifecycle::{ProcessingResult, State, USER_ACTION};
use crate::positions::{Position, PositionError};
use crate::record::Filter;
use crate::source::{IteratorPosition, RecordPage, ShardPage, SourceError};
use crate::target::{Answer, Invocation};
use crate::trace::{Decision, Entry};
use crate::{ApiError, Timestamp};
use context::Context;
use discovery::Discovery;
use shard::{Shard, ShardTask};

/// What is not AWS's to set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The mapping's UUID.
    pub uuid: String,
    /// Where waits, request ids and lost answers come from: the same seed and
    /// the same events give the same run. A mapping that is started again
    /// should have another, or its request ids come again.
    pub seed: u64,
    /// How long to wait after a page without records. Default 250 ms: Lambda
    /// polls a shard about four times a second (Guide).
    pub poll_interval: Duration,
    /// Of 1,000 answers, how many the mapping takes as lost: the batch comes
    /// again although the function had it, as it may from AWS. Default 0.
    pub lose_answers_per_mille: u16,
}

impl Settings {
    /// The defaults for a mapping of that UUID.
    pub fn new(uuid: impl Into<String>, seed: u64) -> Self {
        Self { uuid: uuid.into(), seed, poll_interval: Duration::from_millis(250), lose_answers_per_mille: 0 }
    }
}

/// What a driver is to do.
#[derive(Debug)]
pub enum Next {
    /// Begin this, and ask again at once.
    Do(Task),
    /// Wait for something in flight to end, for the time that is named, or for
    /// a change from outside; then ask again.
    Wait(Option<Timestamp>),
    /// Nothing is in flight and nothing more will be: the mapping was stopped
    /// or deleted.
    Over,
}

/// One call. Its end is reported with the [`Done`] of the same name.
#[derive(Debug)]
#[allow(missing_docs, reason = "the fields are the arguments of the traits' calls")]
pub enum Task {
    /// [`crate::StreamSource::describe`].
    Describe { after: Option<String> },
    /// [`crate::StreamSource::shard_iterator`].
    ShardIterator { shard: String, position: IteratorPosition },
    /// [`crate::StreamSource::records`].
    Records { shard: String, iterator: String, limit: usize },
    /// [`crate::Target::invoke`].
    Invoke { shard: String, lane: usize, invocation: Invocation },
    /// [`crate::Destination::send`].
    Send { shard: String, lane: usize, document: FailureDocument },
    /// [`crate::PositionStore::save`].
    Save { shard: String, position: Position },
    /// [`crate::PositionStore::forget`].
    Forget { shard: String },
    /// [`crate::PositionStore::forget_all`].
    ForgetAll,
}

/// How a call ended.
#[derive(Debug)]
#[allow(missing_docs, reason = "the fields are the results of the traits' calls")]
pub enum Done {
    Described(Result<ShardPage, SourceError>),
    ShardIterator { shard: String, result: Result<String, SourceError> },
    Records { shard: String, result: Result<RecordPage, SourceError> },
    Invoked { shard: String, lane: usize, answer: Answer },
    Sent { shard: String, lane: usize, result: Result<(), DestinationError> },
    Saved { shard: String, position: Position, result: Result<(), PositionError> },
    Forgotten(Result<(), PositionError>),
}

/// A mapping.
pub struct Machine {
    rules: Configuration,
    function_arn: String,
    filter: Filter,
    settings: Settings,
    state: State,
    /// The driver was told to stop; the state stays.
    is_stopping: bool,
    result: ProcessingResult,
    last_modified: Timestamp,
    now: Timestamp,
    shards: BTreeMap<String, Shard>,
    discovery: Discovery,
    /// Shards whose positions are to be forgotten.
    to_forget: Vec<String>,
    /// Whether all positions of a deleted mapping are forgotten.
    is_forgotten: bool,
    in_flight: usize,
    dice: Dice,
    trace: Vec<Entry>,
    counts: Counts,
}

/// Lends the parts of a machine to a [`Context`], beside its shards.
macro_rules! context {
    ($machine:ident) => {
        Context {
            now: $machine.now,
            rules: &$machine.rules,
            function_arn: &$machine.function_arn,
            filter: &$machine.filter,
            settings: &$machine.settings,
            runs: $machine.state.runs() && !$machine.is_stopping,
            dice: &mut $machine.dice,
            trace: &mut $machine.trace,
            counts: &mut $machine.counts,
            result: &mut $machine.result,
            wake: None,
        }
    };
}

impl Machine {
    /// A mapping that begins where it was left: `positions` are what its store
    /// has, none at first.
    pub fn new(
        rules: Configuration,
        settings: Settings,
        positions: BTreeMap<String, Position>,
        now: Timestamp,
    ) -> Self {
        let mut machine = Self {
            function_arn: rules.function_arn(),
            filter: Filter::new(&rules.filter_criteria),
            dice: Dice::new(settings.seed),
            rules,
            settings,
            state: State::Creating,
            is_stopping: false,
            result: ProcessingResult::NoRecords,
            last_modified: now,
            now,
            shards: BTreeMap::new(),
            discovery: Discovery::new(positions),
            to_forget: Vec::new(),
            is_forgotten: false,
            in_flight: 0,
            trace: Vec::new(),
            counts: Counts::default(),
        };
        machine.note_state();
        if !machine.rules.enabled {
            machine.set_state(State::Disabled);
        }
        machine
    }

    /// What to do now.
    pub fn next(&mut self, now: Timestamp) -> Next {
        self.tell_time(now);
        loop {
            let runs = self.state.runs() && !self.is_stopping;
            let mut cx = context!(self);
            let mut task = None;
            if runs {
                self.discovery.start_shards(&mut self.shards, &mut cx);
                task = self.discovery.next(&mut cx).map(|after| Task::Describe { after });
            }
            for (id, shard) in &mut self.shards {
                if task.is_some() {
                    break;
                }
                let before = shard.stage;
                task = shard.next(&mut cx).map(|task| task_of(id, task));
                // Its children are looked for, and started.
                if before != shard.stage || shard.take_lost() {
                    self.discovery.hurry();
                }
            }
            let wake = cx.wake;
            if task.is_none() {
                task = self.to_forget.pop().map(|shard| Task::Forget { shard });
            }
            if let Some(task) = task {
                self.in_flight += 1;
                return Next::Do(task);
            }
            match (runs, wake) {
                (true, Some(wake)) if wake <= self.now => {}
                (true, wake) => return Next::Wait(wake),
                (false, wake) if self.in_flight > 0 || !self.shards.values().all(Shard::is_at_rest) => {
                    return Next::Wait(wake);
                }
                (false, _) => {
                    if let Some(next) = self.rest() {
                        return next;
                    }
                }
            }
        }
    }

    /// All is at rest; what comes of it.
    fn rest(&mut self) -> Option<Next> {
        self.shards.values_mut().for_each(Shard::rest);
        match self.state {
            State::Deleting if !self.is_forgotten => {
                self.is_forgotten = true;
                self.in_flight += 1;
                Some(Next::Do(Task::ForgetAll))
            }
            State::Deleting => Some(Next::Over),
            State::Disabling => {
                self.set_state(State::Disabled);
                None
            }
            State::Disabled | State::Creating | State::Enabling | State::Enabled => {
                Some(if self.is_stopping { Next::Over } else { Next::Wait(None) })
            }
        }
    }

    /// Takes note of how a call ended.
    pub fn done(&mut self, now: Timestamp, done: Done) {
        self.tell_time(now);
        self.in_flight = self.in_flight.saturating_sub(1);
        match done {
            Done::Described(result) => {
                let mut cx = context!(self);
                self.discovery.described(result, &mut self.shards, &mut self.to_forget, &mut cx);
                if self.discovery.is_complete() && matches!(self.state, State::Creating | State::Enabling) {
                    self.set_state(State::Enabled);
                }
            }
            Done::ShardIterator { shard, result } => {
                if let Some(shard) = self.shards.get_mut(&shard) {
                    shard.got_iterator(result, &mut context!(self));
                }
            }
            Done::Records { shard, result } => {
                if let Some(shard) = self.shards.get_mut(&shard) {
                    shard.got_page(result, &mut context!(self));
                }
            }
            Done::Invoked { shard, lane, answer } => {
                if let Some(shard) = self.shards.get_mut(&shard) {
                    shard.answered(lane, &answer, &mut context!(self));
                }
            }
            Done::Sent { shard, lane, result } => {
                if let Some(shard) = self.shards.get_mut(&shard) {
                    shard.sent(lane, result, &mut context!(self));
                }
            }
            Done::Saved { shard, position, result } => {
                if let Some(shard) = self.shards.get_mut(&shard) {
                    shard.saved(position, result, &mut context!(self));
                }
            }
            // A position too many does no harm.
            Done::Forgotten(_) => {}
        }
    }

    /// Changes parameters in place. What is being delivered goes on under the
    /// new ones; what waits is judged by a new filter.
    ///
    /// # Errors
    ///
    /// As [`Configuration::changed`], and [`ApiError::ResourceInUse`] when the
    /// mapping is being deleted. Nothing has changed then.
    pub fn update(&mut self, now: Timestamp, parameters: &Parameters) -> Result<(), ApiError> {
        if self.state == State::Deleting {
            return Err(ApiError::ResourceInUse(self.settings.uuid.clone()));
        }
        let changed = self.rules.changed(parameters)?;
        self.tell_time(now);
        let names = self.rules.different(&changed);
        if names.is_empty() {
            return Ok(());
        }
        let filter_changes = changed.filter_criteria != self.rules.filter_criteria;
        self.rules = changed;
        self.function_arn = self.rules.function_arn();
        self.last_modified = self.now;
        self.note(Decision::Updated { parameters: names });
        if filter_changes {
            self.filter = Filter::new(&self.rules.filter_criteria);
            let mut cx = context!(self);
            self.shards.values_mut().for_each(|shard| shard.judge_again(&mut cx));
        }
        match (self.rules.enabled, self.state) {
            (true, State::Disabling | State::Disabled) => {
                self.discovery.begin_again();
                self.set_state(State::Enabling);
            }
            (false, State::Creating | State::Enabling | State::Enabled) => self.set_state(State::Disabling),
            (true, State::Creating | State::Enabling | State::Enabled | State::Deleting)
            | (false, State::Disabling | State::Disabled | State::Deleting) => {}
        }
        Ok(())
    }

    /// Deletes the mapping: what is in flight ends, and its positions are
    /// forgotten.
    pub fn delete(&mut self, now: Timestamp) {
        self.tell_time(now);
        if self.state != State::Deleting {
            self.set_state(State::Deleting);
        }
    }

    /// Stops the machine: what is in flight ends, the positions stay, and the
    /// state stays what it is.
    pub fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// Reads all shards now, in place of at the end of the polling interval:
    /// for those who know that something was written.
    pub fn poll_now(&mut self) {
        self.shards.values_mut().for_each(Shard::hurry);
    }

    /// Tries now what waits to be tried again: for those who know that what it
    /// failed of was mended. Retries are spent as they would have been.
    pub fn retry_now(&mut self, now: Timestamp) {
        self.tell_time(now);
        let mut cx = context!(self);
        self.shards.values_mut().for_each(|shard| shard.retry_now(&mut cx));
    }

    /// What became of the records so far, since the machine was made.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The parameters as they are.
    pub fn configuration(&self) -> &Configuration {
        &self.rules
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// The decisions since the last call.
    pub fn take_trace(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.trace)
    }

    /// A clock that is set back must not make anything wait for the time that
    /// it had: what waits is due now.
    fn tell_time(&mut self, now: Timestamp) {
        if now < self.now {
            self.discovery.hurry();
            self.shards.values_mut().for_each(|shard| shard.set_back(now));
        }
        self.now = now;
    }

    fn note(&mut self, decision: Decision) {
        self.trace.push(Entry { at_ms: self.now, decision });
    }

    fn set_state(&mut self, state: State) {
        self.state = state;
        self.note_state();
    }

    fn note_state(&mut self) {
        self.note(Decision::State { state: self.state, reason: USER_ACTION.to_owned() });
    }
}

fn task_of(shard: &str, task: ShardTask) -> Task {
    let shard = shard.to_owned();
    match task {
        ShardTask::ShardIterator(position) => Task::ShardIterator { shard, position },
        ShardTask::Records(iterator, limit) => Task::Records { shard, iterator, limit },
        ShardTask::Invoke { lane, invocation } => Task::Invoke { shard, lane, invocation },
        ShardTask::Send { lane, document } => Task::Send { shard, lane, document },
        ShardTask::Save(position) => Task::Save { shard, position },
    }
}
