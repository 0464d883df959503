//! What is given up: records that are too old, and batches whose tries are used
//! up. Their document goes to the destination before anything else of the batch
//! goes on.

use super::super::context::Context;
use super::{Delivery, End, Phase, Piece, Queued, Surroundings, batch, event};
use crate::Timestamp;
use crate::backoff;
use crate::destination::{DestinationError, FailureDocument};
use crate::payload::{self, GivenUp};
use crate::trace::{Condition, Decision, InvokeWhy};

/// The stream keeps a record 24 h (AWS-FACTS, The event source mapping): a
/// batch without a limit on retries is tried until then.
const RETENTION_MS: u64 = 86_400_000;

/// Records whose document is on its way.
pub(super) struct GivingUp {
    pub(super) records: Vec<Queued>,
    request_id: String,
    condition: Condition,
    pub(super) document: FailureDocument,
    pub(super) due: Timestamp,
    pub(super) in_flight: bool,
    failures: u32,
    ends_window: Option<End>,
}

impl Delivery {
    /// Gives up the records of the current piece that are too old: only those,
    /// and without an invoke (AWS-FACTS, Golden traces). False when there are
    /// none.
    pub(super) fn expire(&mut self, around: &mut Surroundings<'_>, cx: &mut Context<'_>) -> bool {
        let Some(piece) = self.pieces.last_mut() else { return false };
        let now = cx.now.ms();
        let is_past = |time: Option<Timestamp>, limit: u64| time.is_some_and(|time| now > time.ms() + limit);
        // Above 24 h a limit does nothing (AWS-FACTS, MaximumRecordAgeInSeconds).
        let limit = cx.rules.maximum_record_age_in_seconds.map(|seconds| u64::from(seconds) * 1_000);
        let limit = limit.filter(|limit| *limit < RETENTION_MS);
        let (old, fresh) = match (piece.end, limit.or(piece.first_try.is_some().then_some(RETENTION_MS))) {
            // A final call has no record that could be too old. It ends when a
            // record would that came as it was first tried.
            (Some(_), _) if is_past(piece.first_try, RETENTION_MS) => (Vec::new(), Vec::new()),
            (Some(_), _) | (None, None) => return false,
            (None, Some(limit)) => {
                let is_too_old = |queued: &Queued| is_past(queued.record.created_at, limit);
                if !piece.records.iter().any(is_too_old) {
                    return false;
                }
                std::mem::take(&mut piece.records).into_iter().partition(is_too_old)
            }
        };
        let Some(piece) = self.pieces.pop() else { return false };
        if !fresh.is_empty() {
            self.pieces.push(Piece::new(fresh, None, InvokeWhy::Remainder, cx));
        }
        self.give_up(Piece { records: old, ..piece }, Condition::RecordAgeExceeded, around, cx);
        true
    }

    /// Gives up a piece that was taken off the stack.
    pub(super) fn give_up(
        &mut self,
        piece: Piece,
        condition: Condition,
        around: &mut Surroundings<'_>,
        cx: &mut Context<'_>,
    ) {
        let destination = cx.rules.destination_config.as_ref();
        let document = destination.map(|to| {
            // A window's final call has no records: its document names the last
            // one of the window. Open as to Lambda's.
            let last_of_window = around.window.as_ref().map_or("", |window| &window.last_sequence_number);
            let end = |queued: Option<&'_ Queued>| {
                let created_at = queued.and_then(|queued| queued.record.created_at);
                (
                    queued.map_or(last_of_window.to_owned(), |queued| queued.record.sequence_number.to_string()),
                    created_at,
                )
            };
            let (first, last) = (end(piece.records.first()), end(piece.records.last()));
            // One that is too old has no responseContext (AWS-FACTS, Golden
            // traces).
            let response = match condition {
                Condition::RetryAttemptsExhausted => piece.response.as_ref().map(Option::as_deref),
                Condition::RecordAgeExceeded => None,
            };
            let given_up = GivenUp {
                request_id: &piece.request_id,
                function_arn: cx.function_arn,
                condition,
                invokes: piece.invokes,
                response,
                shard: around.shard,
                stream_arn: &cx.rules.event_source_arn,
                mapping: &cx.settings.uuid,
                first: (&first.0, first.1),
                last: (&last.0, last.1),
                batch_size: piece.records.len(),
                event: event(&piece, around.shard, around.window.as_ref(), cx),
            };
            payload::document(to, given_up, cx.now, &cx.dice.uuid())
        });
        cx.note(Decision::GivenUp {
            batch: batch(around, &piece.request_id, &piece.records),
            condition,
            destination: destination.map(|to| to.arn().to_owned()),
            key: document.as_ref().and_then(|document| document.key.clone()),
        });
        let Piece { records, end, request_id, .. } = piece;
        let Some(document) = document else {
            self.phase = Phase::Ready;
            gone(&records, condition, end, around, cx);
            return;
        };
        self.phase = Phase::GivingUp(Box::new(GivingUp {
            records,
            request_id,
            condition,
            document,
            due: cx.now,
            in_flight: false,
            failures: 0,
            ends_window: end,
        }));
    }

    /// Takes note of what the destination said.
    pub(in super::super) fn sent(
        &mut self,
        result: Result<(), DestinationError>,
        around: &mut Surroundings<'_>,
        cx: &mut Context<'_>,
    ) {
        let Phase::GivingUp(now) = &mut self.phase else { return };
        let (shard, lane, request_id) = (around.shard.to_owned(), around.lane, now.request_id.clone());
        match result {
            Ok(()) => {
                cx.note(Decision::Sent { shard, lane, request_id });
                cx.counts.in_destination += now.records.len() as u64;
                let Phase::GivingUp(now) = std::mem::replace(&mut self.phase, Phase::Ready) else { return };
                gone(&now.records, now.condition, now.ends_window, around, cx);
            }
            Err(error) => {
                now.failures += 1;
                now.in_flight = false;
                now.due = cx.now + backoff::call(now.failures);
                let again_at_ms = now.due;
                cx.note(Decision::SendFailed { shard, lane, request_id, error: error.to_string(), again_at_ms });
            }
        }
    }
}

/// Records are done in that they were given up.
fn gone(
    records: &[Queued],
    condition: Condition,
    end: Option<End>,
    around: &mut Surroundings<'_>,
    cx: &mut Context<'_>,
) {
    let count = records.len() as u64;
    match condition {
        Condition::RetryAttemptsExhausted => cx.counts.exhausted += count,
        Condition::RecordAgeExceeded => cx.counts.expired += count,
    }
    records.iter().for_each(|queued| around.ledger.settle(queued.place));
    if let Some(end) = end {
        super::answer::close_window(end, around, cx);
    }
}
