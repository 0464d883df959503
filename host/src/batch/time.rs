//! How long an invocation may run (R8). No clock: times come from outside.

use std::time::Duration;

/// Kept for the answer and the last log lines, where a quarter of the time
/// left is more. Answering takes milliseconds; the rest is for a machine that
/// is busy.
pub const RESERVE: Duration = Duration::from_millis(500);

/// Lambda runs a function for 15 minutes at most. A deadline beyond an hour is
/// another clock's.
const LATEST: Duration = Duration::from_secs(3_600);

/// The time of one invocation, counted from its receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    deadline: Option<Duration>,
    stop: Option<Duration>,
}

/// A deadline that is none, with the number that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDeadline {
    /// Before the invocation was received.
    #[error("the deadline {0} (Unix milliseconds) is before the invocation was received; it is ignored")]
    Past(u64),
    /// Further ahead than a function can run.
    #[error("the deadline {0} (Unix milliseconds) is more than an hour ahead; it is ignored")]
    TooFar(u64),
}

impl Budget {
    /// Nothing but the handlers' own timeouts.
    pub const UNLIMITED: Self = Self { deadline: None, stop: None };

    /// The budget of an invocation that was received and ends at these times,
    /// both in milliseconds since the Unix epoch.
    ///
    /// A deadline that is no deadline is ignored and told.
    pub fn new(received_ms: u64, deadline_ms: u64) -> (Self, Option<BadDeadline>) {
        match deadline_ms.checked_sub(received_ms).map(Duration::from_millis) {
            None | Some(Duration::ZERO) => (Self::UNLIMITED, Some(BadDeadline::Past(deadline_ms))),
            Some(left) if left > LATEST => (Self::UNLIMITED, Some(BadDeadline::TooFar(deadline_ms))),
            Some(left) => {
                let reserve = RESERVE.min(left / 4);
                (Self { deadline: Some(left), stop: Some(left - reserve) }, None)
            }
        }
    }

    /// When nothing more is handed out and calls in flight are stopped.
    pub fn stop(&self) -> Option<Duration> {
        self.stop
    }

    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.stop.is_some_and(|stop| now >= stop)
    }

    /// What a call that starts now may take, and whose limit that is.
    pub(super) fn limit(&self, now: Duration, timeout: Duration) -> CallLimit {
        let Some(stop) = self.stop else { return CallLimit { time: timeout, is_timeout: true } };
        let mut left = stop.saturating_sub(now);
        if left.is_zero() {
            // Only the one call that is always tried starts this late. It may
            // use half of what is left of the reserve; the answer needs the
            // other half.
            left = (self.deadline.unwrap_or(stop).saturating_sub(now) / 2).max(Duration::from_millis(1));
        }
        CallLimit { time: timeout.min(left), is_timeout: timeout <= left }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallLimit {
    pub(super) time: Duration,
    /// The handler's own timeout, and not what is left of the invocation.
    pub(super) is_timeout: bool,
}
