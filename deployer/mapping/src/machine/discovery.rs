//! Which shards there are, and which may be read: a shard's records come after
//! those of its parent (AWS-FACTS, The event source mapping).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::context::Context;
use super::shard::{Shard, Stage};
use crate::Timestamp;
use crate::backoff;
use crate::configuration::StartingPosition;
use crate::lifecycle::ProcessingResult;
use crate::positions::Position;
use crate::source::{ShardDescription, ShardPage, SourceError};
use crate::trace::Decision;

/// A stream is described again after this time, and whenever a shard has ended.
/// Open as to Lambda's; a stream may be described ten times a second.
const DESCRIBE_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Discovery {
    /// What the store has of shards that were not found yet.
    stored: BTreeMap<String, Position>,
    /// Whether the mapping has never seen the stream: LATEST speaks of the
    /// shards of then. Later ones are read from their start.
    is_first: bool,
    /// Whether the stream was described since the mapping was switched on.
    is_complete: bool,
    pages: Vec<ShardDescription>,
    in_flight: bool,
    due: Timestamp,
    failures: u32,
}

impl Discovery {
    pub(super) fn new(stored: BTreeMap<String, Position>) -> Self {
        Self {
            is_first: stored.is_empty(),
            stored,
            is_complete: false,
            pages: Vec::new(),
            in_flight: false,
            due: Timestamp::default(),
            failures: 0,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The mapping was switched on again.
    pub(super) fn begin_again(&mut self) {
        self.is_complete = false;
        self.hurry();
    }

    /// Describes the stream now, in place of later.
    pub(super) fn hurry(&mut self) {
        self.due = Timestamp::default();
    }

    /// The page to ask for, if one is due: that after a shard.
    pub(super) fn next(&mut self, cx: &mut Context<'_>) -> Option<Option<String>> {
        if self.in_flight || !cx.is_due(self.due) {
            return None;
        }
        self.in_flight = true;
        Some(self.pages.last().map(|shard| shard.shard_id.clone()))
    }

    pub(super) fn described(
        &mut self,
        result: Result<ShardPage, SourceError>,
        shards: &mut BTreeMap<String, Shard>,
        to_forget: &mut Vec<String>,
        cx: &mut Context<'_>,
    ) {
        self.in_flight = false;
        match result {
            Ok(ShardPage { shards: page, more }) => {
                self.failures = 0;
                let has_next = more && !page.is_empty();
                self.pages.extend(page);
                if has_next {
                    self.due = cx.now;
                    return;
                }
                self.due = cx.now + DESCRIBE_EVERY;
                self.is_complete = true;
                let found = std::mem::take(&mut self.pages);
                self.compare(found, shards, to_forget, cx);
                self.is_first = false;
            }
            Err(error) => {
                // From the first page again.
                self.pages.clear();
                self.failures = self.failures.saturating_add(1);
                self.due = cx.now + backoff::call(self.failures);
                *cx.result = ProcessingResult::Problem;
                cx.note(Decision::SourceFailed {
                    shard: None,
                    call: "DescribeStream",
                    error: error.to_string(),
                    again_at_ms: self.due,
                });
            }
        }
    }

    /// Takes in the shards that are new, and lets go of those that have left
    /// the stream.
    fn compare(
        &mut self,
        found: Vec<ShardDescription>,
        shards: &mut BTreeMap<String, Shard>,
        to_forget: &mut Vec<String>,
        cx: &mut Context<'_>,
    ) {
        let listed: BTreeSet<&str> = found.iter().map(|shard| shard.shard_id.as_str()).collect();
        for (id, shard) in shards.iter_mut() {
            shard.is_listed = listed.contains(id.as_str());
        }
        let gone: Vec<String> = shards
            .iter()
            // One that is being read goes on: its records may be there still.
            .filter(|(_, shard)| !shard.is_listed && shard.stage != Stage::Started && shard.is_at_rest())
            .map(|(id, _)| id.clone())
            .chain(self.stored.keys().filter(|id| !listed.contains(id.as_str())).cloned())
            .collect();
        for id in gone {
            shards.remove(&id);
            self.stored.remove(&id);
            cx.note(Decision::ShardGone { shard: id.clone() });
            to_forget.push(id);
        }
        for description in found {
            let ShardDescription { shard_id: id, parent_shard_id: parent, ending_sequence_number: end, .. } =
                description;
            if shards.contains_key(&id) {
                continue;
            }
            let stored = self.stored.remove(&id);
            let is_stored = stored.is_some();
            let position = match (stored, self.is_first, cx.rules.starting_position) {
                (Some(position), _, _) => position,
                // Nothing will be written to a shard that is closed.
                (None, true, StartingPosition::Latest) if end.is_some() => Position::Finished,
                (None, true, position) => position.position(cx.now),
                (None, false, _) => Position::TrimHorizon,
            };
            cx.note(Decision::ShardFound { shard: id.clone(), parent: parent.clone() });
            shards.insert(id.clone(), Shard::new(id, parent, position, is_stored));
        }
    }

    /// Starts the shards whose parents are done, or have left the stream.
    pub(super) fn start_shards(&self, shards: &mut BTreeMap<String, Shard>, cx: &mut Context<'_>) {
        if !self.is_complete || shards.values().all(|shard| shard.stage != Stage::Waiting) {
            return;
        }
        let unfinished: BTreeSet<String> =
            shards.iter().filter(|(_, shard)| shard.stage != Stage::Finished).map(|(id, _)| id.clone()).collect();
        for shard in shards.values_mut().filter(|shard| shard.stage == Stage::Waiting) {
            if !shard.parent.as_ref().is_some_and(|parent| unfinished.contains(parent)) {
                shard.start(cx);
            }
        }
    }
}
