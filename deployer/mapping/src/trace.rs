//! Every decision of a mapping, for tests and for people.
//!
//! Entries are data: a sink gets them in the order of the decisions and may
//! write them as JSON lines. They hold sequence numbers, and never an image or
//! a key.

use serde::Serialize;

use crate::Timestamp;
use crate::configuration::StartingPosition;
use crate::lifecycle::State;
use crate::positions::Position;

/// Takes entries as they are made.
pub trait TraceSink: Send + Sync {
    /// Takes one. Must not block for long: the mapping waits for it.
    fn entry(&self, entry: &Entry);
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: Timestamp,
    /// What was decided.
    #[serde(flatten)]
    pub decision: Decision,
}

impl Entry {
    /// The entry as one line of JSON, without the line's end.
    pub fn to_json_line(&self) -> String {
        // Only maps with keys that are no strings cannot be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A run of records in a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// The shard.
    pub shard: String,
    /// Which of the shard's lanes, below the ParallelizationFactor.
    pub lane: usize,
    /// The request id of its invokes.
    pub request_id: String,
    /// The records' sequence numbers, in order.
    pub sequence_numbers: Vec<String>,
}

/// What was decided, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are named for what they are")]
pub enum Decision {
    /// The mapping is in another state.
    State { state: State, reason: String },
    /// Its parameters were changed in place.
    Updated { parameters: Vec<String> },
    /// A shard was found.
    ShardFound { shard: String, parent: Option<String> },
    /// A shard is read, its parent being done or gone.
    ShardStarted { shard: String, from: Position },
    /// A shard was read to its end and is done.
    ShardFinished { shard: String },
    /// A shard has left the stream.
    ShardGone { shard: String },
    /// An iterator was asked for.
    Iterator { shard: String, r#type: &'static str, sequence_number: Option<String>, why: IteratorWhy },
    /// Records came.
    Read { shard: String, sequence_numbers: Vec<String> },
    /// Records that were read before, or that stand before the start.
    Skipped { shard: String, sequence_numbers: Vec<String>, why: SkipWhy },
    /// Records that the filter declines: they are done.
    Filtered { shard: String, sequence_numbers: Vec<String> },
    /// A record on which the filter cannot be evaluated: it is delivered.
    FilterUnreadable { shard: String, sequence_number: String, reason: String },
    /// A call of the stream failed.
    SourceFailed { shard: Option<String>, call: &'static str, error: String, again_at_ms: Timestamp },
    /// The function was invoked.
    Invoked {
        #[serde(flatten)]
        batch: Batch,
        why: InvokeWhy,
        /// Which invoke of this batch it is, from 1.
        invoke: u32,
        payload_bytes: usize,
    },
    /// What the answer meant.
    Answered { shard: String, lane: usize, request_id: String, meaning: Meaning, reason: String },
    /// The same batch comes again, with the same request id, at that time.
    Waits { shard: String, lane: usize, request_id: String, why: WaitWhy, until_ms: Timestamp },
    /// It comes now, because whoever runs the mapping has asked for that.
    RetryNow { shard: String, lane: usize, request_id: String },
    /// A failed batch was split.
    Bisected { shard: String, lane: usize, request_id: String, left: Vec<String>, right: Vec<String> },
    /// All before a record is done, and a new batch begins with it.
    CutAt { shard: String, lane: usize, request_id: String, sequence_number: String },
    /// Records are given up, at the destination if there is one.
    GivenUp {
        #[serde(flatten)]
        batch: Batch,
        condition: Condition,
        destination: Option<String>,
        key: Option<String>,
    },
    /// The destination has the document.
    Sent { shard: String, lane: usize, request_id: String },
    /// The destination has not; the document is sent again.
    SendFailed { shard: String, lane: usize, request_id: String, error: String, again_at_ms: Timestamp },
    /// A tumbling window has had its final invoke.
    WindowClosed { shard: String, start_ms: Timestamp, end_ms: Timestamp, early: bool },
    /// A batch was put back before it was done, because the mapping stops.
    PutBack { shard: String, lane: usize, request_id: String },
    /// The position was written.
    Checkpoint { shard: String, position: Position },
    /// It was not; nothing of the shard goes on before it is.
    CheckpointFailed { shard: String, error: String, again_at_ms: Timestamp },
}

/// Why an iterator was needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IteratorWhy {
    /// The shard is read for the first time, or again after a pause.
    Start,
    /// The last one has expired.
    Expired,
    /// The position has left the stream.
    Trimmed,
}

/// Why a record was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipWhy {
    /// It was read before.
    Repeated,
    /// It is older than the mapping, which began with LATEST.
    BeforeLatest,
}

/// Why the function was invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvokeWhy {
    /// A new batch.
    NewBatch,
    /// What is left from the record that the answer named.
    Suffix,
    /// The first half of a batch that failed.
    LeftHalf,
    /// The second half.
    RightHalf,
    /// What is left of a batch after records that were too old.
    Remainder,
    /// The same batch, after a failure: a retry was spent.
    Retry,
    /// The same batch, after a throttle, a lost permission or a lost answer: no
    /// retry was spent.
    Again,
    /// A window's end, without records.
    WindowEnd,
}

/// What an answer meant (AWS-FACTS, The response).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// All records are done.
    Success,
    /// Those before the one that is named are done.
    Partial,
    /// None is done.
    Failure,
    /// Throttled: nothing ran.
    Throttled,
    /// Not allowed: nothing ran.
    PermissionLost,
    /// The function ran, and the mapping takes it that it never heard of it:
    /// delivery twice, on request.
    Lost,
}

/// What a batch waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitWhy {
    /// A retry, which it spends.
    Retry,
    /// The end of a throttle.
    Throttled,
    /// A permission.
    PermissionLost,
    /// The answer was lost on request.
    Lost,
}

/// Why records were given up: the `condition` of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Condition {
    /// All tries are used up.
    RetryAttemptsExhausted,
    /// The record is too old.
    RecordAgeExceeded,
}

impl StartingPosition {
    pub(crate) fn position(self, now: Timestamp) -> Position {
        match self {
            Self::TrimHorizon => Position::TrimHorizon,
            Self::Latest => Position::Latest { since_ms: now },
        }
    }
}
