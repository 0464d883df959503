//! How a shard is read: iterators, pages, and what to do when a call fails.

use super::context::Context;
use crate::backoff;
use crate::lifecycle::ProcessingResult;
use crate::positions::Position;
use crate::source::{IteratorPosition, RecordPage, SourceError};
use crate::trace::{Decision, IteratorWhy};
use crate::{STREAM_RECORDS_LIMIT, Timestamp};

pub(super) struct Reader {
    /// Where the next iterator begins: after the last record that was read.
    from: IteratorPosition,
    iterator: Option<String>,
    in_flight: bool,
    due: Timestamp,
    failures: u32,
    why: IteratorWhy,
    /// When the mapping began, if the iterator is of LATEST.
    latest_since: Option<Timestamp>,
    /// Records that are older were there before a LATEST start.
    pub(super) skip_before: Option<Timestamp>,
    /// The shard was read to its end.
    pub(super) has_ended: bool,
    /// A shard or stream is not there: the stream should be described.
    pub(super) is_lost: bool,
}

/// The next call.
pub(super) enum Call {
    ShardIterator(IteratorPosition),
    Records(String, usize),
}

impl Reader {
    /// Begins at a position. `is_first` says that the mapping never read the
    /// shard.
    pub(super) fn at(position: &Position, is_first: bool) -> Self {
        let (from, latest_since, skip_before) = match position {
            Position::TrimHorizon | Position::Finished => (IteratorPosition::TrimHorizon, None, None),
            Position::Latest { since_ms } if is_first => (IteratorPosition::Latest, Some(*since_ms), None),
            Position::Latest { since_ms } => (IteratorPosition::TrimHorizon, None, Some(*since_ms)),
            Position::After { sequence_number, .. } => (IteratorPosition::After(sequence_number.clone()), None, None),
        };
        Self {
            from,
            iterator: None,
            in_flight: false,
            due: Timestamp::default(),
            failures: 0,
            why: IteratorWhy::Start,
            latest_since,
            skip_before,
            has_ended: *position == Position::Finished,
            is_lost: false,
        }
    }

    pub(super) fn is_in_flight(&self) -> bool {
        self.in_flight
    }

    /// Reads at once, if it only waits to look again.
    pub(super) fn hurry(&mut self) {
        if self.failures == 0 {
            self.due = Timestamp::default();
        }
    }

    /// The clock was set back: what waits is due now.
    pub(super) fn set_back(&mut self) {
        self.due = Timestamp::default();
    }

    /// The next call, if one is due.
    pub(super) fn next(&mut self, shard: &str, cx: &mut Context<'_>) -> Option<Call> {
        if self.in_flight || self.has_ended || !cx.is_due(self.due) {
            return None;
        }
        self.in_flight = true;
        match &self.iterator {
            // Kept until the page is there: a call that fails is made again.
            Some(iterator) => Some(Call::Records(iterator.clone(), STREAM_RECORDS_LIMIT)),
            None => {
                let (r#type, sequence_number) = match &self.from {
                    IteratorPosition::TrimHorizon => ("TRIM_HORIZON", None),
                    IteratorPosition::Latest => ("LATEST", None),
                    IteratorPosition::At(number) => ("AT_SEQUENCE_NUMBER", Some(number.clone())),
                    IteratorPosition::After(number) => ("AFTER_SEQUENCE_NUMBER", Some(number.clone())),
                };
                cx.note(Decision::Iterator { shard: shard.to_owned(), r#type, sequence_number, why: self.why });
                Some(Call::ShardIterator(self.from.clone()))
            }
        }
    }

    pub(super) fn got_iterator(&mut self, shard: &str, result: Result<String, SourceError>, cx: &mut Context<'_>) {
        self.in_flight = false;
        match result {
            Ok(iterator) => self.iterator = Some(iterator),
            Err(error) => self.failed(shard, "GetShardIterator", error, cx),
        }
    }

    /// Takes note of a page; gives the records that came.
    pub(super) fn got_page(
        &mut self,
        shard: &str,
        result: Result<RecordPage, SourceError>,
        cx: &mut Context<'_>,
    ) -> Option<Vec<String>> {
        self.in_flight = false;
        match result {
            Ok(page) => {
                self.has_ended = page.next_iterator.is_none();
                self.iterator = page.next_iterator;
                // A full stream is read without a pause, an empty one some
                // times a second.
                let pause = if page.records.is_empty() { cx.settings.poll_interval } else { std::time::Duration::ZERO };
                self.due = cx.now + pause;
                Some(page.records)
            }
            Err(error) => {
                self.failed(shard, "GetRecords", error, cx);
                None
            }
        }
    }

    /// A page was read, up to that record: an iterator that expires is got
    /// again from there.
    pub(super) fn read_up_to(&mut self, sequence_number: Option<&str>) {
        self.failures = 0;
        if let Some(sequence_number) = sequence_number {
            self.from = IteratorPosition::After(sequence_number.to_owned());
        }
    }

    /// A page is none that can be read: the same page again, later.
    pub(super) fn cannot_read(&mut self, shard: &str, error: SourceError, cx: &mut Context<'_>) {
        self.has_ended = false;
        self.drop_iterator();
        self.failed(shard, "GetRecords", error, cx);
    }

    /// The next iterator is got from the position.
    fn drop_iterator(&mut self) {
        self.iterator = None;
        // LATEST again would miss what was written since.
        if self.from == IteratorPosition::Latest {
            self.from = IteratorPosition::TrimHorizon;
            self.skip_before = self.latest_since;
        }
    }

    fn failed(&mut self, shard: &str, call: &'static str, error: SourceError, cx: &mut Context<'_>) {
        self.failures = self.failures.saturating_add(1);
        let mut wait = backoff::call(self.failures);
        match &error {
            SourceError::ExpiredIterator => {
                self.why = IteratorWhy::Expired;
                wait = std::time::Duration::ZERO;
                self.drop_iterator();
            }
            SourceError::TrimmedDataAccess => {
                self.why = IteratorWhy::Trimmed;
                self.drop_iterator();
                self.from = IteratorPosition::TrimHorizon;
                wait = std::time::Duration::ZERO;
            }
            SourceError::ResourceNotFound(_) => {
                self.drop_iterator();
                self.is_lost = true;
            }
            SourceError::AccessDenied(_) | SourceError::Throttled | SourceError::Failed(_) => {}
        }
        // One that fails so twice in a row is broken, and is not asked in a
        // loop.
        if self.failures > 1 {
            wait = wait.max(backoff::call(self.failures - 1));
        }
        self.due = cx.now + wait;
        if !wait.is_zero() {
            *cx.result = ProcessingResult::Problem;
        }
        cx.note(Decision::SourceFailed {
            shard: Some(shard.to_owned()),
            call,
            error: error.to_string(),
            again_at_ms: self.due,
        });
    }
}
