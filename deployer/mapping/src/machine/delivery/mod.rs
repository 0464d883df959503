//! One batch on its way: tries, waits, splits, giving up (AWS-FACTS, The
//! response and Golden traces).
//!
//! A batch is a stack of pieces. A piece is what one request id stands for: it
//! is tried until it is done, shortened, split or given up. The top one goes
//! first, to its end, so that a left half is over before the right one starts.

mod answer;
mod give_up;

use std::sync::Arc;

use super::context::Context;
use super::ledger::Ledger;
use super::shard::ShardTask;
use super::window::{self, Bounds};
use crate::Timestamp;
use crate::payload::{self, InWindow};
use crate::positions::Window;
use crate::record::Record;
use crate::target::Invocation;
use crate::trace::{Batch, Decision, InvokeWhy};
use give_up::GivingUp;

/// A record that was read, with its place in the ledger.
#[derive(Clone)]
pub(super) struct Queued {
    pub(super) place: u64,
    pub(super) record: Arc<Record>,
    pub(super) read_at: Timestamp,
}

/// What a delivery works on besides its own records.
pub(super) struct Surroundings<'s> {
    pub(super) shard: &'s str,
    pub(super) lane: usize,
    pub(super) ledger: &'s mut Ledger,
    pub(super) window: &'s mut Option<Window>,
    /// Whether the position is written, so that the next invoke may start.
    pub(super) position_is_written: bool,
}

pub(super) struct Delivery {
    /// The last one is the current one.
    pieces: Vec<Piece>,
    phase: Phase,
    /// The tumbling window of all records.
    bounds: Option<Bounds>,
}

struct Piece {
    /// Empty in a window's final call.
    records: Vec<Queued>,
    /// The final call of a window, without records.
    end: Option<End>,
    request_id: String,
    why: InvokeWhy,
    invokes: u32,
    retries: u32,
    /// Waits in a row that spent no retry.
    unspent: u32,
    first_try: Option<Timestamp>,
    /// The `functionError` of the last answer that failed.
    response: Option<Option<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    InTime,
    Early,
}

enum Phase {
    Ready,
    Waiting(Timestamp),
    InFlight,
    GivingUp(Box<GivingUp>),
}

impl Piece {
    fn new(records: Vec<Queued>, end: Option<End>, why: InvokeWhy, cx: &mut Context<'_>) -> Self {
        Self {
            records,
            end,
            request_id: cx.dice.uuid(),
            why,
            invokes: 0,
            retries: 0,
            unspent: 0,
            first_try: None,
            response: None,
        }
    }

    fn numbers(&self) -> Vec<&str> {
        self.records.iter().map(|queued| &*queued.record.sequence_number).collect()
    }
}

/// Sequence numbers for a trace.
pub(super) fn numbers(records: &[Queued]) -> Vec<String> {
    records.iter().map(|queued| queued.record.sequence_number.to_string()).collect()
}

impl Delivery {
    pub(super) fn of(records: Vec<Queued>, bounds: Option<Bounds>, cx: &mut Context<'_>) -> Self {
        let piece = Piece::new(records, None, InvokeWhy::NewBatch, cx);
        Self { pieces: vec![piece], phase: Phase::Ready, bounds }
    }

    /// The final call of the window that is open.
    pub(super) fn of_window_end(cx: &mut Context<'_>) -> Self {
        let piece = Piece::new(Vec::new(), Some(End::InTime), InvokeWhy::WindowEnd, cx);
        Self { pieces: vec![piece], phase: Phase::Ready, bounds: None }
    }

    /// Whether nothing is left to do.
    pub(super) fn is_over(&self) -> bool {
        self.pieces.is_empty() && matches!(self.phase, Phase::Ready)
    }

    /// Whether an invoke or a document is in flight.
    pub(super) fn is_in_flight(&self) -> bool {
        match &self.phase {
            Phase::InFlight => true,
            Phase::GivingUp(now) => now.in_flight,
            Phase::Ready | Phase::Waiting(_) => false,
        }
    }

    /// The clock was set back: what waits is due now.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        match &mut self.phase {
            Phase::Waiting(until) => *until = now,
            Phase::GivingUp(giving_up) => giving_up.due = now,
            Phase::Ready | Phase::InFlight => {}
        }
    }

    /// What waits to be tried again is tried now.
    pub(super) fn retry_now(&mut self, shard: &str, lane: usize, cx: &mut Context<'_>) {
        let (Phase::Waiting(until), Some(piece)) = (&mut self.phase, self.pieces.last()) else { return };
        if *until > cx.now {
            *until = cx.now;
            let request_id = piece.request_id.clone();
            cx.note(Decision::RetryNow { shard: shard.to_owned(), lane, request_id });
        }
    }

    /// Gives back the records that are not done, in order.
    pub(super) fn put_back(self, shard: &str, lane: usize, cx: &mut Context<'_>) -> Vec<Queued> {
        let mut records = Vec::new();
        let request_id = self.pieces.last().map_or(String::new(), |piece| piece.request_id.clone());
        if let Phase::GivingUp(now) = self.phase {
            records.extend(now.records);
        }
        records.extend(self.pieces.into_iter().rev().flat_map(|piece| piece.records));
        // What is too old may have stood anywhere in its piece.
        records.sort_by_key(|queued| queued.place);
        cx.note(Decision::PutBack { shard: shard.to_owned(), lane, request_id });
        records
    }

    /// What to do now, if anything.
    pub(super) fn next(&mut self, around: &mut Surroundings<'_>, cx: &mut Context<'_>) -> Option<ShardTask> {
        loop {
            if !cx.runs {
                return None;
            }
            match &mut self.phase {
                Phase::InFlight => return None,
                Phase::Waiting(until) => {
                    if !cx.is_due(*until) {
                        return None;
                    }
                    self.phase = Phase::Ready;
                }
                Phase::GivingUp(now) => {
                    if now.in_flight || !cx.is_due(now.due) {
                        return None;
                    }
                    now.in_flight = true;
                    return Some(ShardTask::Send { lane: around.lane, document: now.document.clone() });
                }
                Phase::Ready => {
                    // The position is written before anything after it is
                    // delivered.
                    if self.pieces.is_empty() || !around.position_is_written {
                        return None;
                    }
                    if !self.expire(around, cx) {
                        return self.invoke(around, cx);
                    }
                }
            }
        }
    }

    fn invoke(&mut self, around: &mut Surroundings<'_>, cx: &mut Context<'_>) -> Option<ShardTask> {
        let piece = self.pieces.last_mut()?;
        if let (Some(bounds), None, Some(first)) = (self.bounds, &around.window, piece.records.first()) {
            *around.window = Some(window::open(bounds, &first.record.sequence_number));
        }
        let payload = event(piece, around.shard, around.window.as_ref(), cx);
        piece.invokes += 1;
        piece.first_try.get_or_insert(cx.now);
        cx.counts.invokes += 1;
        cx.counts.invoked += piece.records.len() as u64;
        cx.note(Decision::Invoked {
            batch: batch(around, &piece.request_id, &piece.records),
            why: piece.why,
            invoke: piece.invokes,
            payload_bytes: payload.len(),
        });
        let invocation =
            Invocation { request_id: piece.request_id.clone(), payload, function_arn: cx.function_arn.to_owned() };
        self.phase = Phase::InFlight;
        Some(ShardTask::Invoke { lane: around.lane, invocation })
    }
}

/// The event of a piece's invoke.
fn event(piece: &Piece, shard: &str, window: Option<&Window>, cx: &Context<'_>) -> String {
    let in_window = window.map(|window| InWindow {
        window,
        is_final: piece.end.is_some(),
        is_early: piece.end == Some(End::Early),
    });
    let records = piece.records.iter().map(|queued| &*queued.record);
    payload::event(records, shard, &cx.rules.event_source_arn, in_window)
}

fn batch(around: &Surroundings<'_>, request_id: &str, records: &[Queued]) -> Batch {
    Batch {
        shard: around.shard.to_owned(),
        lane: around.lane,
        request_id: request_id.to_owned(),
        sequence_numbers: numbers(records),
    }
}
