//! What the parts of the machine share while it decides: the time, the rules,
//! and where decisions are noted.

use serde::Serialize;

use crate::Timestamp;
use crate::backoff::Dice;
use crate::configuration::Configuration;
use crate::lifecycle::ProcessingResult;
use crate::machine::Settings;
use crate::record::Filter;
use crate::trace::{Decision, Entry};

pub(super) struct Context<'a> {
    pub(super) now: Timestamp,
    pub(super) rules: &'a Configuration,
    pub(super) function_arn: &'a str,
    pub(super) filter: &'a Filter,
    pub(super) settings: &'a Settings,
    /// Whether shards are read and batches made. Otherwise what is in flight
    /// ends, and no more.
    pub(super) runs: bool,
    pub(super) dice: &'a mut Dice,
    pub(super) trace: &'a mut Vec<Entry>,
    pub(super) counts: &'a mut Counts,
    pub(super) result: &'a mut ProcessingResult,
    /// When the machine has to be asked again, if nothing else happens.
    pub(super) wake: Option<Timestamp>,
}

impl Context<'_> {
    pub(super) fn note(&mut self, decision: Decision) {
        self.trace.push(Entry { at_ms: self.now, decision });
    }

    pub(super) fn wake_at(&mut self, time: Timestamp) {
        self.wake = Some(self.wake.map_or(time, |wake| wake.min(time)));
    }

    /// Whether a time has come. If not, the machine is to be asked again then.
    pub(super) fn is_due(&mut self, time: Timestamp) -> bool {
        let due = self.now >= time;
        if !due {
            self.wake_at(time);
        }
        due
    }
}

/// What became of the records. Each that was read is in the end in exactly one
/// of `delivered`, `filtered`, `exhausted`, `expired` and `skipped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Records that came from the stream, each once a reading.
    pub read: u64,
    /// Records of batches that succeeded.
    pub delivered: u64,
    /// Records that the filter declined.
    pub filtered: u64,
    /// Records that were given up with RetryAttemptsExhausted.
    pub exhausted: u64,
    /// Records that were given up with RecordAgeExceeded.
    pub expired: u64,
    /// Records that were read before, or are older than a LATEST start.
    pub skipped: u64,
    /// Of those given up, the ones whose document the destination has.
    pub in_destination: u64,
    /// Invokes.
    pub invokes: u64,
    /// Invokes that did not succeed.
    pub failed_invokes: u64,
    /// Records in invokes, each as often as it was sent.
    pub invoked: u64,
    /// Records in invokes that did not succeed.
    pub failed: u64,
}

impl Counts {
    /// The metrics of MetricsConfig's `EventCount`, by AWS's names.
    pub fn metrics(&self) -> [(&'static str, u64); 6] {
        [
            ("PolledEventCount", self.read),
            ("FilteredOutEventCount", self.filtered),
            ("InvokedEventCount", self.invoked),
            ("FailedInvokeEventCount", self.failed),
            ("DroppedEventCount", self.exhausted + self.expired - self.in_destination),
            ("OnFailureDestinationDeliveredEventCount", self.in_destination),
        ]
    }
}
