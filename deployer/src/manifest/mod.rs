//! `gristmill.toml`: as written, then resolved.
//!
//! The first form (`written`) is what the user typed, with the place of each
//! value; reading it touches nothing but the text. The second ([`Manifest`])
//! has the names of tables joined and the paths looked at. Every problem of
//! both is reported in one go. Knows nothing of what is done with a manifest.

mod arn;
mod fields;
mod filter;
mod problem;
mod resolve;
mod source;
pub(crate) mod written;

use std::path::Path;

pub use filter::check_pattern;
pub use problem::{Position, Problem, Problems};
pub use resolve::{Handler, Kind, Manifest, Stream, Table};
pub use written::{Destination, Key, KeyType, Keys, Mapping, StartingPosition, StreamViewType};

pub(crate) use arn::check as check_arn;
pub(crate) use resolve::{check_written_table, inside};
pub(crate) use source::Source;

use crate::edge::{Misuse, quoted};
use crate::names;
use problem::Report;
use written::Written;

/// The manifest's file name.
pub const FILE_NAME: &str = "gristmill.toml";

/// Reads the manifest of the project at `root`, an absolute path without
/// symlinks. `env` is the environment, when it is not the manifest's own.
///
/// Reads the manifest and each handler's `Cargo.toml`, and looks at the paths
/// that it names.
///
/// # Errors
///
/// * [`Problems`]: all that is wrong with the manifest;
/// * [`Misuse`]: `env` is not a name.
pub fn load(root: &Path, env: Option<&str>) -> anyhow::Result<Manifest> {
    if let Some(env) = env {
        names::check(env).map_err(|why| Misuse::new(format!("--env {} {why}", quoted(env))))?;
    }
    let source = Source::read(&root.join(FILE_NAME))?;
    let mut report = Report::new(&source);
    let manifest = read(&mut report).and_then(|written| resolve::manifest(root, &written, env, &mut report));
    let warnings = report.finish()?;
    // Without a problem, both forms are there.
    let mut manifest =
        manifest.ok_or_else(|| anyhow::anyhow!("{FILE_NAME} was not read, and nothing was found wrong with it"))?;
    manifest.warnings = warnings;
    Ok(manifest)
}

/// The written form of a manifest whose handlers need not be there: all that
/// can be checked without a look at the disk has been checked.
pub(crate) fn read_written(source: &Source, env: Option<&str>) -> Result<Written, Problems> {
    let mut report = Report::new(source);
    let written = read(&mut report);
    if let Some(written) = &written {
        resolve::streams(written, env, &mut report);
    }
    report.finish()?;
    Ok(written.unwrap_or_default())
}

/// The streams alone, with the full names of their tables.
pub(crate) fn read_streams(source: &Source, env: Option<&str>) -> Result<Vec<Stream>, Problems> {
    let mut report = Report::new(source);
    let streams = read(&mut report).map(|written| resolve::streams(&written, env, &mut report));
    report.finish()?;
    Ok(streams.unwrap_or_default())
}

/// The written form, or none when the text is not TOML: what a parser makes of
/// the rest after a mistake are guesses, and not worth a message each.
fn read(report: &mut Report<'_>) -> Option<Written> {
    let (table, broken) = source::parse(report);
    let written = written::read(table.get_ref(), report);
    if broken {
        report.forget_all_but_syntax();
        return None;
    }
    Some(written)
}
