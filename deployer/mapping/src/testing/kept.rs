//! Destination, positions and trace in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::lock;
use crate::destination::{Destination, DestinationError, FailureDocument};
use crate::positions::{Position, PositionError, PositionStore};
use crate::trace::{Decision, Entry, TraceSink};

/// Keeps the documents that were sent.
#[derive(Clone, Debug, Default)]
pub struct MemoryDestination(Arc<Mutex<Documents>>);

#[derive(Debug, Default)]
struct Documents {
    kept: Vec<FailureDocument>,
    failures: u32,
}

impl MemoryDestination {
    /// The documents so far.
    pub fn documents(&self) -> Vec<FailureDocument> {
        lock(&self.0).kept.clone()
    }

    /// Refuses the next ones.
    pub fn fail(&self, times: u32) {
        lock(&self.0).failures = times;
    }
}

impl Destination for MemoryDestination {
    async fn send(&self, document: &FailureDocument) -> Result<(), DestinationError> {
        let mut documents = lock(&self.0);
        if documents.failures > 0 {
            documents.failures -= 1;
            return Err(DestinationError("refused on request".to_owned()));
        }
        documents.kept.push(document.clone());
        Ok(())
    }
}

/// Keeps positions, by mapping and shard.
#[derive(Clone, Default)]
pub struct MemoryPositions(Arc<Mutex<Positions>>);

type Watcher = Box<dyn FnMut(&str, &Position) + Send>;

#[derive(Default)]
struct Positions {
    kept: BTreeMap<String, BTreeMap<String, Position>>,
    failures: u32,
    saves: u64,
    watcher: Option<Watcher>,
}

impl MemoryPositions {
    /// A mapping's positions.
    pub fn of(&self, mapping: &str) -> BTreeMap<String, Position> {
        lock(&self.0).kept.get(mapping).cloned().unwrap_or_default()
    }

    /// How often a position was written.
    pub fn saves(&self) -> u64 {
        lock(&self.0).saves
    }

    /// Refuses the next writes.
    pub fn fail(&self, times: u32) {
        lock(&self.0).failures = times;
    }

    /// Tells each position before it is written, with its shard.
    pub fn watch(&self, watcher: impl FnMut(&str, &Position) + Send + 'static) {
        lock(&self.0).watcher = Some(Box::new(watcher));
    }
}

impl PositionStore for MemoryPositions {
    async fn load(&self, mapping: &str) -> Result<BTreeMap<String, Position>, PositionError> {
        Ok(self.of(mapping))
    }

    async fn save(&self, mapping: &str, shard: &str, position: &Position) -> Result<(), PositionError> {
        let mut positions = lock(&self.0);
        if positions.failures > 0 {
            positions.failures -= 1;
            return Err(PositionError("refused on request".to_owned()));
        }
        if let Some(watcher) = &mut positions.watcher {
            watcher(shard, position);
        }
        positions.saves += 1;
        positions.kept.entry(mapping.to_owned()).or_default().insert(shard.to_owned(), position.clone());
        Ok(())
    }

    async fn forget(&self, mapping: &str, shard: &str) -> Result<(), PositionError> {
        if let Some(shards) = lock(&self.0).kept.get_mut(mapping) {
            shards.remove(shard);
        }
        Ok(())
    }

    async fn forget_all(&self, mapping: &str) -> Result<(), PositionError> {
        lock(&self.0).kept.remove(mapping);
        Ok(())
    }
}

/// Keeps the trace.
#[derive(Clone, Debug, Default)]
pub struct MemoryTrace(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    kept: Vec<Entry>,
    are_dropped: bool,
}

impl MemoryTrace {
    /// The entries so far.
    pub fn entries(&self) -> Vec<Entry> {
        lock(&self.0).kept.clone()
    }

    /// Makes something of each entry after the first `seen`, and says how many
    /// there are now.
    pub fn since<T>(&self, seen: usize, make: impl FnMut(&Entry) -> T) -> (usize, Vec<T>) {
        let entries = lock(&self.0);
        (entries.kept.len(), entries.kept.iter().skip(seen).map(make).collect())
    }

    /// Whether some decision was taken.
    pub fn has(&self, is_it: impl Fn(&Decision) -> bool) -> bool {
        lock(&self.0).kept.iter().any(|entry| is_it(&entry.decision))
    }

    /// Whether entries are kept; they are at first.
    pub fn keep(&self, keeps: bool) {
        lock(&self.0).are_dropped = !keeps;
    }
}

impl TraceSink for MemoryTrace {
    fn entry(&self, entry: &Entry) {
        let mut entries = lock(&self.0);
        if !entries.are_dropped {
            entries.kept.push(entry.clone());
        }
    }
}
