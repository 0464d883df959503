//! The command `gristmill` as a library: what each subcommand does, without
//! the parsing of arguments and the exit code, which are the binary's.
//!
//! In the order in which a project meets them: [`new`] makes its folder,
//! [`generate`] adds handlers to it, [`manifest`] reads what it says,
//! [`check`] and [`build`] turn its handlers into code, [`invoke`] runs them on
//! one event, `dev` on the streams of a database, `logs` reads what happened there,
//! and `doctor` says why nothing did. Those three are the feature `dev`.

pub mod architecture;
#[cfg(feature = "deploy")]
mod aws;
pub mod build;
pub mod check;
pub mod cli;
pub mod code;
pub mod completions;
pub mod component;
#[cfg(feature = "deploy")]
mod confirm;
pub mod conformance;
#[cfg(feature = "dev")]
pub mod database;
#[cfg(feature = "deploy")]
pub mod deploy;
#[cfg(feature = "dev")]
pub mod dev;
#[cfg(feature = "dev")]
pub mod doctor;
pub mod edge;
#[cfg(feature = "deploy")]
pub mod environment;
#[cfg(feature = "deploy")]
pub mod failed;
pub mod files;
#[cfg(feature = "dev")]
mod from_stream;
pub mod function;
pub mod functions;
pub mod generate;
pub mod invoke;
pub mod language;
#[cfg(feature = "dev")]
pub mod lines;
#[cfg(feature = "dev")]
pub mod logs;
pub mod manifest;
pub mod names;
pub mod new;
pub mod package;
pub mod plan;
pub mod policy;
pub mod printed;
pub mod project;
#[cfg(feature = "deploy")]
pub mod running;
#[cfg(feature = "deploy")]
mod stack;
pub mod template;
mod tools;
pub mod vendor;
mod view;
