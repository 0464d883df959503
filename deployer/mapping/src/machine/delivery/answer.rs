//! What follows from an answer: the next batch, a split, a wait, or giving up.

use super::super::context::Context;
use super::{Delivery, End, Phase, Piece, Queued, Surroundings, numbers};
use crate::backoff;
use crate::lifecycle::ProcessingResult;
use crate::response::{NewState, Reading, Verdict};
use crate::target::Answer;
use crate::trace::{Condition, Decision, InvokeWhy, Meaning, WaitWhy};

impl Delivery {
    /// Takes note of how the invoke in flight ended.
    pub(in super::super) fn answered(&mut self, answer: &Answer, around: &mut Surroundings<'_>, cx: &mut Context<'_>) {
        let Some(piece) = self.pieces.last_mut() else { return };
        if cx.dice.per_mille(cx.settings.lose_answers_per_mille) {
            told(piece, Meaning::Lost, "lost on request", around, cx);
            return self.wait_unspent(WaitWhy::Lost, around, cx);
        }
        let sequence_numbers = piece.numbers();
        let reading = Reading {
            sequence_numbers: &sequence_numbers,
            reports_failures: cx.rules.function_response_types,
            in_window: around.window.is_some(),
        };
        match reading.verdict(answer) {
            Verdict::Throttled => {
                told(piece, Meaning::Throttled, "", around, cx);
                self.wait_unspent(WaitWhy::Throttled, around, cx);
            }
            Verdict::PermissionLost(reason) => {
                told(piece, Meaning::PermissionLost, &reason, around, cx);
                self.wait_unspent(WaitWhy::PermissionLost, around, cx);
            }
            Verdict::DoneBefore(0, _) if !piece.records.is_empty() => {
                piece.response = Some(None);
                told(piece, Meaning::Failure, "the first record is named", around, cx);
                self.failed(around, cx);
            }
            Verdict::DoneBefore(done, state) => {
                let is_all = done == piece.records.len();
                told(piece, if is_all { Meaning::Success } else { Meaning::Partial }, "", around, cx);
                self.done_before(done, state, around, cx);
            }
            Verdict::Failed { reason, function_error } => {
                piece.response = Some(function_error);
                told(piece, Meaning::Failure, &reason, around, cx);
                self.failed(around, cx);
            }
        }
    }

    /// The records before an index are done. The rest is a new batch, at once
    /// and with all tries (AWS-FACTS, Golden traces).
    fn done_before(
        &mut self,
        done: usize,
        state: Option<NewState>,
        around: &mut Surroundings<'_>,
        cx: &mut Context<'_>,
    ) {
        self.phase = Phase::Ready;
        let Some(mut piece) = self.pieces.pop() else { return };
        let rest = piece.records.split_off(done);
        if let Some(first) = rest.first() {
            cx.note(Decision::CutAt {
                shard: around.shard.to_owned(),
                lane: around.lane,
                request_id: piece.request_id,
                sequence_number: first.record.sequence_number.to_string(),
            });
            self.pieces.push(Piece::new(rest, None, InvokeWhy::Suffix, cx));
        }
        cx.counts.delivered += piece.records.len() as u64;
        let is_too_large = state.as_ref().is_some_and(|state| state.is_too_large);
        if let (Some(window), Some(state)) = (&mut *around.window, state) {
            window.state = state.json;
            if let Some(last) = piece.records.last() {
                window.last_sequence_number = last.record.sequence_number.to_string();
            }
        }
        settle(&piece.records, around);
        match piece.end {
            Some(end) => close_window(end, around, cx),
            // The window ends early, before anything else of it is delivered.
            // Its final call carries the large state: what the function made of
            // records that are done is in no other place. Open as to Lambda's.
            None if is_too_large => {
                self.pieces.push(Piece::new(Vec::new(), Some(End::Early), InvokeWhy::WindowEnd, cx));
            }
            None => {}
        }
    }

    /// The current piece failed as a whole.
    fn failed(&mut self, around: &mut Surroundings<'_>, cx: &mut Context<'_>) {
        let Some(mut piece) = self.pieces.pop() else { return };
        piece.unspent = 0;
        if cx.rules.bisect_batch_on_function_error && piece.records.len() > 1 {
            // A split spends no retry: two new batches, the left one first, at
            // once (AWS-FACTS, Golden traces).
            let right = piece.records.split_off(piece.records.len() / 2);
            cx.note(Decision::Bisected {
                shard: around.shard.to_owned(),
                lane: around.lane,
                request_id: piece.request_id,
                left: numbers(&piece.records),
                right: numbers(&right),
            });
            self.pieces.push(Piece::new(right, None, InvokeWhy::RightHalf, cx));
            self.pieces.push(Piece::new(piece.records, None, InvokeWhy::LeftHalf, cx));
            self.phase = Phase::Ready;
            return;
        }
        if cx.rules.maximum_retry_attempts.is_some_and(|most| piece.retries >= most) {
            return self.give_up(piece, Condition::RetryAttemptsExhausted, around, cx);
        }
        piece.retries += 1;
        piece.why = InvokeWhy::Retry;
        let wait = backoff::retry(piece.retries, cx.dice);
        self.wait(piece, WaitWhy::Retry, wait, around, cx);
    }

    /// The same batch again, and no retry spent.
    fn wait_unspent(&mut self, why: WaitWhy, around: &mut Surroundings<'_>, cx: &mut Context<'_>) {
        let Some(mut piece) = self.pieces.pop() else { return };
        piece.unspent += 1;
        piece.why = InvokeWhy::Again;
        let wait = backoff::retry(piece.unspent, cx.dice);
        self.wait(piece, why, wait, around, cx);
    }

    fn wait(
        &mut self,
        piece: Piece,
        why: WaitWhy,
        wait: std::time::Duration,
        around: &mut Surroundings<'_>,
        cx: &mut Context<'_>,
    ) {
        let until_ms = cx.now + wait;
        let (shard, request_id) = (around.shard.to_owned(), piece.request_id.clone());
        cx.note(Decision::Waits { shard, lane: around.lane, request_id, why, until_ms });
        self.pieces.push(piece);
        self.phase = Phase::Waiting(until_ms);
    }
}

/// Notes what an answer meant.
fn told(piece: &Piece, meaning: Meaning, reason: &str, around: &Surroundings<'_>, cx: &mut Context<'_>) {
    *cx.result = match meaning {
        Meaning::Success | Meaning::Partial | Meaning::Lost => ProcessingResult::Ok,
        Meaning::Failure => ProcessingResult::FunctionFailed,
        Meaning::Throttled | Meaning::PermissionLost => ProcessingResult::Problem,
    };
    match meaning {
        Meaning::Success | Meaning::Partial => {}
        Meaning::Failure | Meaning::Throttled | Meaning::PermissionLost | Meaning::Lost => {
            cx.counts.failed_invokes += 1;
            cx.counts.failed += piece.records.len() as u64;
        }
    }
    cx.note(Decision::Answered {
        shard: around.shard.to_owned(),
        lane: around.lane,
        request_id: piece.request_id.clone(),
        meaning,
        reason: reason.to_owned(),
    });
}

fn settle(records: &[Queued], around: &mut Surroundings<'_>) {
    records.iter().for_each(|queued| around.ledger.settle(queued.place));
}

/// The window has had its final call. What comes after it starts with `{}`.
pub(super) fn close_window(end: End, around: &mut Surroundings<'_>, cx: &mut Context<'_>) {
    if let Some(window) = around.window.take() {
        cx.note(Decision::WindowClosed {
            shard: around.shard.to_owned(),
            start_ms: window.start_ms,
            end_ms: window.end_ms,
            early: end == End::Early,
        });
    }
}
