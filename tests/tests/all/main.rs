//! Tests of gristmill as a whole: one binary, a module a subject.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod architecture;
mod behaviours;
mod bootstrap;
mod c_guest;
mod cases;
mod corpus;
mod deploy;
mod dev;
mod doctor;
mod emulator;
mod endpoint;
mod forged_logs;
mod guarantees;
mod hot_reload;
mod init_errors;
mod instances;
mod languages;
mod metrics;
mod package;
mod precompiled;
mod referee;
mod sdk_bindings;
mod templates;
mod walkthrough;
mod wrong_components;
