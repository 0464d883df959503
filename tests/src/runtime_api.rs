//! `bootstrap` against Lambda's Runtime API: the server, which the benchmarks
//! have too, and the process.

mod process;

pub use gristmill_runtime_api::{Deadline, Extension, InitError, RuntimeApi, Status, TRACE_HEADER, now_ms};
pub use process::{Answer, Bootstrap, Ended, Environment, SECRET, package};
