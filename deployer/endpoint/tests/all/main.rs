//! Tests of the endpoint from outside: over HTTP, in process, across kills, and
//! with AWS's own clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod clients;
mod durability;
mod hostile;
mod operations;
mod replay;
mod streams;
mod support;
