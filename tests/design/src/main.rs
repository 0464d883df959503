//! What the decisions of the design cost: `docs/benchmarks.md`, "Design
//! decisions".
//!
//! `cargo design [PART OF A TITLE ...]`
#![allow(missing_docs, reason = "a benchmark")]

use gristmill_design::{Session, TIME};

fn main() {
    Session::new(std::env::args().skip(1).collect(), TIME).run();
}
