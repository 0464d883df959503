//! What the benchmarks share: the work, the events, and how times are taken.
//!
//! Everything that is compared is measured in turn in one run, and what counts
//! is the ratio: machines are shared and noisy.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on panics")]

pub mod events;
pub mod functions;
pub mod measure;
pub mod native;
#[path = "../project/handlers/order.rs"]
#[allow(missing_docs, unreachable_pub, reason = "guests have it as their own module")]
pub mod order;
pub mod package;
pub mod process;
pub mod report;
pub mod rounds;
