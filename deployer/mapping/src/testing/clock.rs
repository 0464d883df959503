//! Time that passes only when nothing else can happen.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::lock;
use crate::{Clock, Timestamp};

/// A clock for tests. It drives a future itself, without a runtime: while the
/// future can go on, time stands still; when it waits, time jumps to the next
/// sleeper. Cheap to clone; all clones are one clock.
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<Mutex<Time>>);

#[derive(Debug)]
struct Time {
    /// Never set, so that sleeps take as long as they take.
    steady: Timestamp,
    /// `steady` was this when the clock was set, to that.
    set: (Timestamp, Timestamp),
    /// By steady time and then by who came first.
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
    next_sleeper: u64,
}

#[derive(Debug)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl VirtualClock {
    /// A clock that stands at a time.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Time { steady: now, set: (now, now), sleepers: BTreeMap::new(), next_sleeper: 0 })))
    }

    /// Sets the clock, backwards too, as an administrator would. Sleepers sleep
    /// as long as they would have, which is what tokio's do.
    pub fn set(&self, now: Timestamp) {
        let mut time = lock(&self.0);
        time.set = (time.steady, now);
    }

    /// Drives a future for some time. True when it has ended; it must not be
    /// driven again then.
    pub fn advance(&self, time: Duration, mut future: Pin<&mut (dyn Future<Output = ()> + '_)>) -> bool {
        let end = lock(&self.0).steady + time;
        self.drive(Some(end), future.as_mut()).is_some()
    }

    /// Drives a future to its end.
    ///
    /// # Panics
    ///
    /// When it waits for something that is no sleep on this clock.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        self.drive(None, future.as_mut()).unwrap_or_else(|| panic!("the future waits for nothing that can happen"))
    }

    fn drive<F: Future + ?Sized>(&self, end: Option<Timestamp>, mut future: Pin<&mut F>) -> Option<F::Output> {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        loop {
            while woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return Some(output);
                }
            }
            let mut time = lock(&self.0);
            let next = time.sleepers.first_entry().filter(|next| end.is_none_or(|end| next.key().0 <= end));
            match next {
                Some(next) => {
                    let ((until, _), sleeper) = next.remove_entry();
                    time.steady = time.steady.max(until);
                    drop(time);
                    sleeper.wake();
                }
                None => {
                    time.steady = end.map_or(time.steady, |end| time.steady.max(end));
                    return None;
                }
            }
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let time = lock(&self.0);
        time.set.1 + time.steady.since(time.set.0)
    }

    async fn sleep_until(&self, until: Timestamp) {
        let wait = until.since(self.now());
        let until = lock(&self.0).steady + wait;
        Sleep { clock: self, until, id: None }.await;
    }
}

struct Sleep<'c> {
    clock: &'c VirtualClock,
    until: Timestamp,
    id: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut time = lock(&self.clock.0);
        if time.steady >= self.until {
            return Poll::Ready(());
        }
        let id = self.id.unwrap_or_else(|| {
            time.next_sleeper += 1;
            time.next_sleeper
        });
        time.sleepers.insert((self.until, id), cx.waker().clone());
        drop(time);
        self.id = Some(id);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            lock(&self.clock.0).sleepers.remove(&(self.until, id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_passes_at_once_and_in_order() {
        let clock = VirtualClock::at(Timestamp::from_ms(5));
        let seen = Mutex::new(Vec::new());
        let sleeper = async |ms: u64| {
            clock.sleep_until(Timestamp::from_ms(ms)).await;
            lock(&seen).push((ms, clock.now().ms()));
        };
        clock.run(async {
            let (mut a, mut b) = (pin!(sleeper(86_400_000)), pin!(sleeper(7)));
            std::future::poll_fn(|cx| {
                let first = b.as_mut().poll(cx);
                if first.is_ready() { first } else { a.as_mut().poll(cx) }
            })
            .await;
            sleeper(86_400_000).await;
        });
        assert_eq!(*lock(&seen), [(7, 7), (86_400_000, 86_400_000)]);
    }

    #[test]
    fn a_future_is_driven_for_some_time_only() {
        let clock = VirtualClock::at(Timestamp::from_ms(0));
        let mut future = Box::pin(async { clock.sleep_until(Timestamp::from_ms(1_500)).await });
        assert!(!clock.advance(Duration::from_secs(1), future.as_mut()));
        assert_eq!(clock.now().ms(), 1_000);
        assert!(clock.advance(Duration::from_secs(1), future.as_mut()));
        assert_eq!(clock.now().ms(), 1_500);
    }
}
