//! The command `gristmill` as a library: what each subcommand does, without
//! the parsing of arguments and the exit code, which are the binary's.
//!
//! In the order in which a project meets them: [`new`] makes its folder,
//! [`generate`] adds handlers to it, [`manifest`] reads what it says,
//! [`check`] and [`build`] turn its handlers into code, [`invoke`] runs them on
//! one event, [`dev`] on the streams of a database, and [`logs`] reads what
//! happened there.

pub mod build;
pub mod check;
pub mod cli;
pub mod code;
pub mod completions;
pub mod component;
pub mod dev;
pub mod edge;
pub mod files;
pub mod function;
pub mod generate;
pub mod invoke;
pub mod logs;
pub mod manifest;
pub mod names;
pub mod new;
pub mod package;
pub mod project;
pub mod vendor;
