//! The time, and waiting for it. A trait, so that tests have a day in a second.

use std::future::Future;

use crate::Timestamp;

/// A clock.
pub trait Clock: Send + Sync {
    /// The time now. May be set, backwards too: a mapping then does at once
    /// what it was waiting with.
    fn now(&self) -> Timestamp;

    /// Ends at that time or later.
    fn sleep_until(&self, time: Timestamp) -> impl Future<Output = ()> + Send;
}

/// Real time, on a tokio runtime whose timer is enabled.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioClock;

#[cfg(feature = "tokio")]
impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        Timestamp::from_ms(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    /// Sleeps for what is left by the clock now: one that is set back later does
    /// not make the sleep longer.
    async fn sleep_until(&self, time: Timestamp) {
        tokio::time::sleep(time.since(self.now())).await;
    }
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_sleep_ends_at_its_time_or_later() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let until = TokioClock.now() + Duration::from_millis(5);
            TokioClock.sleep_until(until).await;
            assert!(TokioClock.now() >= until);
        });
    }
}
