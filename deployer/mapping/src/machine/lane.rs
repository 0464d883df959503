//! One of a shard's lanes: what waits to be delivered, and when enough of it
//! has come for a batch (AWS-FACTS, BatchSize and
//! MaximumBatchingWindowInSeconds).

use std::collections::VecDeque;
use std::time::Duration;

use super::context::Context;
use super::delivery::{Delivery, Queued};
use super::window::{self, Bounds};
use crate::Timestamp;
use crate::payload::{AROUND_BYTES, MOST_PAYLOAD_BYTES};
use crate::positions::Window;

#[derive(Default)]
pub(super) struct Lane {
    pub(super) queue: VecDeque<Queued>,
    /// The records of `queue` as text, with a comma each.
    bytes: usize,
    pub(super) delivery: Option<Delivery>,
}

impl Lane {
    pub(super) fn push(&mut self, queued: Queued) {
        self.bytes += queued.record.json.len() + 1;
        self.queue.push_back(queued);
    }

    /// Puts records back that are before all others.
    pub(super) fn put_back(&mut self, records: Vec<Queued>) {
        for queued in records.into_iter().rev() {
            self.bytes += queued.record.json.len() + 1;
            self.queue.push_front(queued);
        }
    }

    /// The clock was set back: what waits is due now.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        for queued in &mut self.queue {
            queued.read_at = queued.read_at.min(now);
        }
        if let Some(delivery) = &mut self.delivery {
            delivery.set_back(now);
        }
    }

    /// Takes all that waits.
    pub(super) fn drain(&mut self) -> Vec<Queued> {
        self.bytes = 0;
        self.queue.drain(..).collect()
    }

    /// Makes a batch, if one can be made now. `has_ended` says that no more
    /// records will come.
    pub(super) fn form(&mut self, open: Option<&Window>, has_ended: bool, cx: &mut Context<'_>) -> bool {
        let Some(first) = self.queue.front() else {
            // A window that is open at the end of its shard has its final call
            // then: no record of a later window will come. Open as to Lambda's.
            if has_ended && open.is_some() {
                self.delivery = Some(Delivery::of_window_end(cx));
            }
            return self.delivery.is_some();
        };
        let bounds = window::bounds(&first.record, cx.rules.tumbling_window_in_seconds, open);
        let open_bounds: Option<Bounds> = open.map(|window| (window.start_ms, window.end_ms));
        if open_bounds.is_some() && open_bounds != bounds {
            self.delivery = Some(Delivery::of_window_end(cx));
            return true;
        }
        let (length, is_cut) = self.length(bounds, open, cx);
        let most = cx.rules.batch_size as usize;
        let wait = Duration::from_secs(cx.rules.maximum_batching_window_in_seconds.into());
        let until = first.read_at + wait;
        if length < most && !is_cut && !has_ended && !cx.is_due(until) {
            return false;
        }
        let records: Vec<Queued> = self.queue.drain(..length).collect();
        self.bytes -= records.iter().map(|queued| queued.record.json.len() + 1).sum::<usize>();
        self.delivery = Some(Delivery::of(records, bounds, cx));
        true
    }

    /// How many records the next batch has, and whether the one after them may
    /// not come with them, whatever the batch size.
    fn length(&self, bounds: Option<Bounds>, open: Option<&Window>, cx: &Context<'_>) -> (usize, bool) {
        let most = cx.rules.batch_size as usize;
        let state = open.map_or(2, |window| window.state.len());
        let room = MOST_PAYLOAD_BYTES.saturating_sub(AROUND_BYTES + state);
        if bounds.is_none() && self.bytes <= room {
            return (self.queue.len().min(most), false);
        }
        let mut bytes = 0;
        for (index, queued) in self.queue.iter().take(most).enumerate() {
            bytes += queued.record.json.len() + 1;
            // A record that is larger than a payload goes alone: better refused
            // than never tried.
            let is_too_large = bytes > room && index > 0;
            let is_of_next = window::bounds(&queued.record, cx.rules.tumbling_window_in_seconds, open) != bounds;
            if is_too_large || is_of_next {
                return (index, true);
            }
        }
        (self.queue.len().min(most), false)
    }
}
