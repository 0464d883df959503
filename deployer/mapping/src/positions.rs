//! How far a mapping has come, and where that is kept.

use std::collections::BTreeMap;
use std::future::Future;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Keeps positions, so that they survive restarts.
///
/// A position is written after what is before it was done and before anything
/// after it is delivered. What was delivered and not yet written is delivered
/// again: at least once.
pub trait PositionStore: Send + Sync {
    /// All positions of a mapping, by shard.
    ///
    /// # Errors
    ///
    /// [`PositionError`]: the mapping does not start.
    fn load(&self, mapping: &str) -> impl Future<Output = Result<BTreeMap<String, Position>, PositionError>> + Send;

    /// Replaces a shard's position; must be durable when it returns.
    ///
    /// # Errors
    ///
    /// [`PositionError`]: the shard waits and the mapping writes again.
    fn save(
        &self,
        mapping: &str,
        shard: &str,
        position: &Position,
    ) -> impl Future<Output = Result<(), PositionError>> + Send;

    /// Forgets a shard that has left the stream.
    ///
    /// # Errors
    ///
    /// [`PositionError`]; the mapping goes on, since a position too many does
    /// no harm.
    fn forget(&self, mapping: &str, shard: &str) -> impl Future<Output = Result<(), PositionError>> + Send;

    /// Forgets a mapping that was deleted.
    ///
    /// # Errors
    ///
    /// [`PositionError`]; the mapping goes on.
    fn forget_all(&self, mapping: &str) -> impl Future<Output = Result<(), PositionError>> + Send;
}

/// How far a shard is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "position", rename_all = "kebab-case")]
pub enum Position {
    /// Nothing yet: all of it is to come.
    TrimHorizon,
    /// Nothing yet, and what was written before this time is not wanted.
    Latest {
        /// When the mapping began, in milliseconds.
        since_ms: Timestamp,
    },
    /// All up to a record.
    After {
        /// That record's number.
        sequence_number: String,
        /// The tumbling window that is open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<Window>,
    },
    /// All of a shard that is closed: its children may be read.
    Finished,
}

/// A tumbling window that is open, and what the function has made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its start: a multiple of its length.
    pub start_ms: Timestamp,
    /// Its end, the start of the next.
    pub end_ms: Timestamp,
    /// The state that the last answer carried: JSON text, as it came.
    pub state: String,
    /// The last record that was delivered in it.
    pub last_sequence_number: String,
}

/// A position could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the position store failed: {0}")]
pub struct PositionError(
    /// Why.
    pub String,
);
