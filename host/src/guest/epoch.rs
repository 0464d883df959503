//! The beat on which guests yield.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

/// How often a guest that computes yields: so late at most is a timer of its
/// neighbours, or its own.
const BEAT: Duration = Duration::from_millis(5);

/// A thread that advances the engine's epoch while calls may be in flight, and
/// sleeps otherwise. It ends with the ticker.
pub(super) struct Ticker {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    beats: usize,
    ended: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and the counts would still
        // be right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticker {
    pub(super) fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let own = Arc::clone(&shared);
        thread::Builder::new().name("epoch".to_owned()).spawn(move || {
            let mut state = own.state();
            while !state.ended {
                state = if state.beats == 0 {
                    own.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
                } else {
                    drop(state);
                    thread::sleep(BEAT);
                    engine.increment_epoch();
                    own.state()
                };
            }
        })?;
        Ok(Self { shared })
    }

    /// Beats until the guard is dropped.
    pub(super) fn beat(&self) -> Beat {
        self.shared.state().beats += 1;
        self.shared.changed.notify_one();
        Beat { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.changed.notify_one();
    }
}

/// While it is held, guests yield. See [`super::Guests::beat`].
pub struct Beat {
    shared: Arc<Shared>,
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.shared.state().beats -= 1;
    }
}
