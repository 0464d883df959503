//! What the decisions of the design cost, each against what was not chosen: the
//! shape of the contract, how guests are interrupted, what the pool keeps, and
//! how much address space a memory has.
//!
//! Everything that is compared is measured in turn, by
//! [`gristmill_bench::measure`]. Guests are small and call nothing but what is
//! measured: what gristmill costs as a whole, `gristmill-bench` measures.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on panics")]

mod bindings;
mod calls;
mod embedding;
mod guests;
mod interruption;
mod memory;
#[path = "../guests/order/src/lib.rs"]
#[allow(unreachable_pub, reason = "guests have it as a crate")]
mod order;
mod pool;
mod records;
mod sequence;
mod shape;
mod state;
mod tree;
mod variant;

use std::time::Duration;

use gristmill_bench::measure::{Contestant, in_turn, print};
use tokio::runtime::Runtime;

/// How long a group is measured.
pub const TIME: Duration = Duration::from_secs(4);

/// A run of the benchmark.
pub struct Session {
    runtime: Runtime,
    wanted: Vec<String>,
    time: Duration,
}

impl Session {
    /// A run of the groups whose titles have one of these parts, or of all if
    /// there are none, each measured for so long. However short that is, each
    /// is measured some twenty times.
    ///
    /// # Panics
    ///
    /// When the runtime for async calls does not start.
    pub fn new(wanted: Vec<String>, time: Duration) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Self { runtime, wanted, time }
    }

    /// Builds and compiles the guests, measures, and prints tables.
    ///
    /// # Panics
    ///
    /// When a guest does not build, compile or run, or answers something else
    /// than the same code does outside of it.
    pub fn run(&self) {
        shape::measure(self);
        calls::measure(self);
        interruption::measure(self);
        pool::measure(self);
        memory::measure(self);
    }

    /// Whether a group with one of these titles is wanted.
    fn wants_any(&self, titles: &[&str]) -> bool {
        titles.iter().any(|title| self.wants(title))
    }

    fn wants(&self, title: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|part| title.contains(part.as_str()))
    }

    /// Measures a group, if it is wanted, and prints its table, with ratios to
    /// the first. `unit` is what is measured, `units` how many of it a run works
    /// through.
    fn group(&self, title: &str, unit: &str, mut contestants: Vec<Contestant<'_>>, units: usize) {
        if self.wants(title) {
            let times = in_turn(&mut contestants, units, self.time);
            print(title, unit, &contestants, &times, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every guest is built and called, and every answer is the right one.
    #[test]
    #[ignore = "takes minutes; .ci/deep runs it"]
    fn all_groups_run() {
        Session::new(Vec::new(), Duration::ZERO).run();
    }
}
