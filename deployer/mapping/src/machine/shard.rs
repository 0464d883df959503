//! One shard: read, ledger, lanes and position together.

use std::sync::Arc;

use gristmill_host::event::SequenceNumber;

use super::context::Context;
use super::delivery::{Delivery, Queued, Surroundings};
use super::lane::Lane;
use super::ledger::Ledger;
use super::reader::{Call, Reader};
use crate::Timestamp;
use crate::backoff;
use crate::destination::{DestinationError, FailureDocument};
use crate::payload::MOST_PAYLOAD_BYTES;
use crate::positions::{Position, PositionError, Window};
use crate::record::{Record, Wanted};
use crate::source::{IteratorPosition, RecordPage, SourceError};
use crate::target::{Answer, Invocation};
use crate::trace::{Decision, SkipWhy};

/// What a shard wants done.
pub(super) enum ShardTask {
    ShardIterator(IteratorPosition),
    Records(String, usize),
    Invoke { lane: usize, invocation: Invocation },
    Send { lane: usize, document: FailureDocument },
    Save(Position),
}

pub(super) struct Shard {
    id: String,
    pub(super) parent: Option<String>,
    pub(super) stage: Stage,
    /// Whether the last description had it.
    pub(super) is_listed: bool,
    /// Whether the mapping has never read it.
    is_new: bool,
    position: Position,
    saving: Saving,
    reader: Reader,
    /// The last record that was read, so that none is taken twice.
    last_read: Option<String>,
    ledger: Ledger,
    lanes: Vec<Lane>,
    window: Option<Window>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// For its parent.
    Waiting,
    Started,
    /// Read to its end and all done: its children may start.
    Finished,
}

/// The position in the store.
enum Saving {
    Written,
    Due { at: Timestamp, failures: u32 },
    InFlight { failures: u32 },
}

impl Shard {
    pub(super) fn new(id: String, parent: Option<String>, position: Position, is_stored: bool) -> Self {
        let finished = is_stored && position == Position::Finished;
        let window = match &position {
            Position::After { window, .. } => window.clone(),
            Position::TrimHorizon | Position::Latest { .. } | Position::Finished => None,
        };
        Self {
            id,
            parent,
            stage: if finished { Stage::Finished } else { Stage::Waiting },
            is_listed: true,
            is_new: !is_stored,
            saving: if is_stored { Saving::Written } else { Saving::Due { at: Timestamp::default(), failures: 0 } },
            reader: Reader::at(&position, !is_stored),
            last_read: after(&position),
            ledger: Ledger::default(),
            lanes: Vec::new(),
            window,
            position,
        }
    }

    pub(super) fn start(&mut self, cx: &mut Context<'_>) {
        self.stage = Stage::Started;
        cx.note(Decision::ShardStarted { shard: self.id.clone(), from: self.position.clone() });
    }

    pub(super) fn hurry(&mut self) {
        self.reader.hurry();
    }

    /// The clock was set back: what waits is due now.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        self.reader.set_back();
        if let Saving::Due { at, .. } = &mut self.saving {
            *at = now;
        }
        self.lanes.iter_mut().for_each(|lane| lane.set_back(now));
    }

    /// What waits to be tried again is tried now.
    pub(super) fn retry_now(&mut self, cx: &mut Context<'_>) {
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            if let Some(delivery) = &mut lane.delivery {
                delivery.retry_now(&self.id, index, cx);
            }
        }
    }

    /// Whether the stream should be described because this shard was not found.
    pub(super) fn take_lost(&mut self) -> bool {
        std::mem::take(&mut self.reader.is_lost)
    }

    /// What to do now, if anything.
    pub(super) fn next(&mut self, cx: &mut Context<'_>) -> Option<ShardTask> {
        if let Saving::Due { at, failures } = self.saving
            && cx.is_due(at)
        {
            self.saving = Saving::InFlight { failures };
            return Some(ShardTask::Save(self.position.clone()));
        }
        if self.stage != Stage::Started {
            return None;
        }
        if !cx.runs {
            self.put_back(cx);
            return None;
        }
        self.arrange_lanes(cx);
        for index in 0..self.lanes.len() {
            if let Some(task) = self.next_of_lane(index, cx) {
                return Some(task);
            }
        }
        if !self.finish(cx) && self.has_room(cx) {
            return self.reader.next(&self.id, cx).map(|call| match call {
                Call::ShardIterator(position) => ShardTask::ShardIterator(position),
                Call::Records(iterator, limit) => ShardTask::Records(iterator, limit),
            });
        }
        None
    }

    fn next_of_lane(&mut self, index: usize, cx: &mut Context<'_>) -> Option<ShardTask> {
        let can_form = self.lanes.len() == cx.rules.parallelization_factor as usize;
        loop {
            if self.lanes[index].delivery.is_none() {
                let forms = can_form
                    && self.is_written()
                    && self.lanes[index].form(self.window.as_ref(), self.reader.has_ended, cx);
                if !forms {
                    return None;
                }
            }
            let task = self.with_delivery(index, cx, |delivery, around, cx| delivery.next(around, cx)).flatten();
            if task.is_some() || self.lanes[index].delivery.is_some() {
                return task;
            }
        }
    }

    /// As many lanes as the ParallelizationFactor says. A change waits until
    /// nothing is being delivered, so that no item is in two lanes.
    fn arrange_lanes(&mut self, cx: &Context<'_>) {
        let wanted = cx.rules.parallelization_factor as usize;
        if self.lanes.len() == wanted || self.lanes.iter().any(|lane| lane.delivery.is_some()) {
            return;
        }
        let mut waiting: Vec<Queued> = self.lanes.iter_mut().flat_map(Lane::drain).collect();
        waiting.sort_by_key(|queued| queued.place);
        self.lanes = std::iter::repeat_with(Lane::default).take(wanted).collect();
        for queued in waiting {
            self.lanes[queued.record.lane(wanted)].push(queued);
        }
    }

    /// Whether more may be read: two full batches for each lane, in number or
    /// in bytes, and never less than a page. A lane that is stuck then holds
    /// back the shard, and not the memory.
    fn has_room(&self, cx: &Context<'_>) -> bool {
        let lanes = cx.rules.parallelization_factor as usize;
        let most = (2 * lanes * cx.rules.batch_size as usize).max(crate::STREAM_RECORDS_LIMIT);
        self.ledger.len() < most && self.ledger.bytes() < (lanes + 1) * MOST_PAYLOAD_BYTES
    }

    fn is_written(&self) -> bool {
        match self.saving {
            Saving::Written => true,
            Saving::Due { .. } | Saving::InFlight { .. } => false,
        }
    }

    /// Moves the position over what is done.
    fn advance(&mut self) {
        let window_of = |position: &Position| match position {
            Position::After { window, .. } => window.clone(),
            Position::TrimHorizon | Position::Latest { .. } | Position::Finished => None,
        };
        let moved = self.ledger.advance();
        let closed = window_of(&self.position).is_some() && self.window.is_none();
        if moved.is_none() && !closed {
            return;
        }
        if let Some(sequence_number) = moved.or_else(|| after(&self.position)) {
            self.move_to(Position::After { sequence_number, window: self.window.clone() });
        }
    }

    fn move_to(&mut self, position: Position) {
        self.position = position;
        self.saving = match self.saving {
            // Written again as soon as what is in flight has ended.
            Saving::InFlight { failures } => Saving::InFlight { failures },
            Saving::Written | Saving::Due { .. } => Saving::Due { at: Timestamp::default(), failures: 0 },
        };
    }

    /// Ends a shard that was read to its end, once all of it is done. True from
    /// then on.
    fn finish(&mut self, cx: &mut Context<'_>) -> bool {
        let idle = self.ledger.is_empty() && self.window.is_none();
        let idle = idle && self.lanes.iter().all(|lane| lane.delivery.is_none());
        if !self.reader.has_ended || !idle {
            return false;
        }
        if self.position != Position::Finished {
            self.move_to(Position::Finished);
            // The machine asks again until nothing is left to do.
            cx.wake_at(cx.now);
        } else if self.is_written() {
            self.stage = Stage::Finished;
            cx.note(Decision::ShardFinished { shard: self.id.clone() });
            cx.wake_at(cx.now);
        }
        true
    }

    /// Puts back what is not in flight, because the mapping stops.
    fn put_back(&mut self, cx: &mut Context<'_>) {
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            if let Some(delivery) = lane.delivery.take_if(|delivery| !delivery.is_in_flight()) {
                lane.put_back(delivery.put_back(&self.id, index, cx));
            }
        }
    }

    /// Whether nothing is in flight and the position is written.
    pub(super) fn is_at_rest(&self) -> bool {
        let delivers = self.lanes.iter().any(|lane| lane.delivery.is_some());
        self.is_written() && !self.reader.is_in_flight() && !delivers
    }

    /// Forgets all that is not in the position.
    pub(super) fn rest(&mut self) {
        self.ledger.clear();
        self.lanes.clear();
        self.is_new = self.is_new && self.stage == Stage::Waiting;
        self.reader = Reader::at(&self.position, self.is_new);
        self.last_read = after(&self.position);
    }

    /// Looks again at what waits, after the filter was changed.
    pub(super) fn judge_again(&mut self, cx: &mut Context<'_>) {
        let mut declined = Vec::new();
        for lane in &mut self.lanes {
            for queued in lane.drain() {
                if cx.filter.wants(&queued.record) == Wanted::No {
                    self.ledger.settle(queued.place);
                    declined.push((queued.place, queued.record.sequence_number.to_string()));
                } else {
                    lane.push(queued);
                }
            }
        }
        if !declined.is_empty() {
            declined.sort();
            self.filtered(declined.into_iter().map(|(_, number)| number).collect(), cx);
            self.advance();
        }
    }

    fn filtered(&self, sequence_numbers: Vec<String>, cx: &mut Context<'_>) {
        if !sequence_numbers.is_empty() {
            cx.counts.filtered += sequence_numbers.len() as u64;
            cx.note(Decision::Filtered { shard: self.id.clone(), sequence_numbers });
        }
    }

    pub(super) fn got_iterator(&mut self, result: Result<String, SourceError>, cx: &mut Context<'_>) {
        self.reader.got_iterator(&self.id, result, cx);
        self.end_if_gone();
    }

    /// Takes a page of records: into the ledger, and into their lanes.
    pub(super) fn got_page(&mut self, result: Result<RecordPage, SourceError>, cx: &mut Context<'_>) {
        let page = self.reader.got_page(&self.id, result, cx);
        self.end_if_gone();
        let Some(texts) = page else { return };
        match cx.filter.read(&texts, &cx.rules.event_source_arn) {
            Ok(records) if records.is_empty() => self.reader.read_up_to(None),
            Ok(records) => self.take(records, cx),
            // What cannot be read has no position: to go on would lose it.
            Err(error) => self.reader.cannot_read(&self.id, error, cx),
        }
    }

    fn take(&mut self, records: Vec<(Arc<Record>, Wanted)>, cx: &mut Context<'_>) {
        cx.counts.read += records.len() as u64;
        let numbers = |records: &[(Arc<Record>, Wanted)]| -> Vec<String> {
            records.iter().map(|(record, _)| record.sequence_number.to_string()).collect()
        };
        cx.note(Decision::Read { shard: self.id.clone(), sequence_numbers: numbers(&records) });
        self.arrange_lanes(cx);
        let (mut declined, mut repeated, mut early) = (Vec::new(), Vec::new(), Vec::new());
        for (record, wanted) in records {
            let number = &record.sequence_number;
            if self.last_read.as_deref().is_some_and(|last| !is_after(number, last)) {
                repeated.push(number.to_string());
                continue;
            }
            self.last_read = Some(number.to_string());
            let place = self.ledger.enter(Arc::clone(&record));
            if is_before(&record, self.reader.skip_before) {
                early.push(number.to_string());
                self.ledger.settle(place);
                continue;
            }
            self.reader.skip_before = None;
            match wanted {
                Wanted::No => {
                    declined.push(number.to_string());
                    self.ledger.settle(place);
                    continue;
                }
                // Open as to Lambda's. Delivered, so that nothing is lost
                // without a word; gristmill's host calls it malformed.
                Wanted::Unreadable(reason) => cx.note(Decision::FilterUnreadable {
                    shard: self.id.clone(),
                    sequence_number: number.to_string(),
                    reason,
                }),
                Wanted::Yes => {}
            }
            let lane = record.lane(self.lanes.len());
            self.lanes[lane].push(Queued { place, record, read_at: cx.now });
        }
        self.reader.read_up_to(self.last_read.as_deref());
        self.filtered(declined, cx);
        for (sequence_numbers, why) in [(repeated, SkipWhy::Repeated), (early, SkipWhy::BeforeLatest)] {
            if !sequence_numbers.is_empty() {
                cx.counts.skipped += sequence_numbers.len() as u64;
                cx.note(Decision::Skipped { shard: self.id.clone(), sequence_numbers, why });
            }
        }
        self.advance();
    }

    /// A shard that is neither in the stream's description nor found is read to
    /// its end.
    fn end_if_gone(&mut self) {
        if self.reader.is_lost && !self.is_listed {
            self.reader.has_ended = true;
        }
    }

    pub(super) fn answered(&mut self, lane: usize, answer: &Answer, cx: &mut Context<'_>) {
        self.with_delivery(lane, cx, |delivery, around, cx| delivery.answered(answer, around, cx));
    }

    pub(super) fn sent(&mut self, lane: usize, result: Result<(), DestinationError>, cx: &mut Context<'_>) {
        self.with_delivery(lane, cx, |delivery, around, cx| delivery.sent(result, around, cx));
    }

    /// Does something with what a lane delivers, if it delivers anything, and takes
    /// note of what is over and done then.
    fn with_delivery<'c, T>(
        &mut self,
        index: usize,
        cx: &mut Context<'c>,
        act: impl FnOnce(&mut Delivery, &mut Surroundings<'_>, &mut Context<'c>) -> T,
    ) -> Option<T> {
        let position_is_written = self.is_written();
        let lane = self.lanes.get_mut(index)?;
        let delivery = lane.delivery.as_mut()?;
        let mut around = Surroundings {
            shard: &self.id,
            lane: index,
            ledger: &mut self.ledger,
            window: &mut self.window,
            position_is_written,
        };
        let result = act(delivery, &mut around, cx);
        if delivery.is_over() {
            lane.delivery = None;
        }
        self.advance();
        Some(result)
    }

    pub(super) fn saved(&mut self, position: Position, result: Result<(), PositionError>, cx: &mut Context<'_>) {
        let Saving::InFlight { failures } = self.saving else { return };
        let shard = self.id.clone();
        match result {
            Ok(()) => {
                // It may have moved since.
                let is_current = position == self.position;
                self.saving =
                    if is_current { Saving::Written } else { Saving::Due { at: Timestamp::default(), failures: 0 } };
                cx.note(Decision::Checkpoint { shard, position });
            }
            Err(error) => {
                let at = cx.now + backoff::call(failures + 1);
                self.saving = Saving::Due { at, failures: failures + 1 };
                cx.note(Decision::CheckpointFailed { shard, error: error.to_string(), again_at_ms: at });
            }
        }
    }
}

fn after(position: &Position) -> Option<String> {
    match position {
        Position::After { sequence_number, .. } => Some(sequence_number.clone()),
        Position::TrimHorizon | Position::Latest { .. } | Position::Finished => None,
    }
}

/// Both were read from records, whose numbers are decimal, or from the store.
fn is_after(number: &str, last: &str) -> bool {
    SequenceNumber::new(number) > SequenceNumber::new(last)
}

/// Whether a record was written before a LATEST start. DynamoDB's times are
/// whole seconds: one of the same second is taken, since once too often is
/// better than never.
fn is_before(record: &Record, start: Option<Timestamp>) -> bool {
    start.is_some_and(|start| record.created_at.is_some_and(|created| created.ms() < start.ms() / 1_000 * 1_000))
}
