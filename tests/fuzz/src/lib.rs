//! Fuzzing of everything that reads bytes from outside.
//!
//! `tests/fuzz/run` builds the targets and runs them. What must hold is in
//! [`checks`], which a plain test of the workspace replays on the kept corpus.

pub mod checks;
pub mod mutate;
