//! `gristmill.toml`: as written, then resolved.
//!
//! The first form (`written`) is what the user typed, with the place of each
//! value; reading it touches nothing but the text. The second ([`Manifest`])
//! has the names of tables joined and the paths looked at. Every problem of
//! both is reported in one go. Knows nothing of what is done with a manifest.

mod arn;
mod fields;
mod filter;
mod overlay;
mod problem;
mod resolve;
mod source;
pub(crate) mod written;

use std::path::Path;

pub use filter::check_pattern;
pub use problem::{Position, Problem, Problems};
pub use resolve::{Handler, Kind, Manifest, OwnFunction, Stream, Table};
pub use written::{
    Alarms, Deploy, Destination, FunctionSettings, Iam, Key, KeyType, Keys, Mapping, StartingPosition, StreamViewType,
    Vpc,
};

pub(crate) use arn::check as check_arn;
pub(crate) use resolve::{check_written_table, inside};
pub(crate) use source::Source;

use crate::edge::{Misuse, quoted};
use crate::names;
use overlay::Overlays;
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
    let manifest = read(&mut report, env).and_then(|written| resolve::manifest(root, &written, env, &mut report));
    let warnings = report.finish()?;
    // Without a problem, both forms are there.
    let mut manifest =
        manifest.ok_or_else(|| anyhow::anyhow!("{FILE_NAME} was not read, and nothing was found wrong with it"))?;
    manifest.warnings = warnings;
    Ok(manifest)
}

/// The same, for what runs or deploys its handlers: its warnings are told, and it
/// must have some.
///
/// # Errors
///
/// As [`load`], and [`Misuse`] when there are no handlers.
pub(crate) fn load_to_run(root: &Path, env: Option<&str>) -> anyhow::Result<Manifest> {
    let manifest = load(root, env)?;
    manifest.print_warnings();
    manifest.handlers_to_run()?;
    Ok(manifest)
}

/// The written form of a manifest whose handlers need not be there: all that
/// can be checked without a look at the disk has been checked.
pub(crate) fn read_written(source: &Source, env: Option<&str>) -> Result<Written, Problems> {
    let mut report = Report::new(source);
    let written = read(&mut report, env);
    if let Some(written) = &written {
        resolve::streams(written, env, &mut report);
    }
    report.finish()?;
    Ok(written.unwrap_or_default())
}

/// Checks a manifest's text before it is written, but for what stands on the disk.
///
/// # Errors
///
/// All that is wrong with it.
pub(crate) fn check_text(text: &str, env: Option<&str>) -> Result<(), Problems> {
    let source = Source { file: FILE_NAME.to_owned(), text: text.to_owned() };
    read_written(&source, env).map(drop)
}

/// The streams alone, with the full names of their tables.
pub(crate) fn read_streams(source: &Source, env: Option<&str>) -> Result<Vec<Stream>, Problems> {
    let mut report = Report::new(source);
    let streams = read(&mut report, env).map(|written| resolve::streams(&written, env, &mut report));
    report.finish()?;
    Ok(streams.unwrap_or_default())
}

/// The written form as it is in an environment, or none when the text is not
/// TOML: what a parser makes of the rest after a mistake are guesses, and not
/// worth a message each.
fn read(report: &mut Report<'_>, env: Option<&str>) -> Option<Written> {
    let (table, broken) = source::parse(report);
    let overlays = Overlays::of(table.into_inner(), report);
    let own = overlays.own_env().unwrap_or(written::DEFAULT_ENV);
    let chosen = env.unwrap_or(own);
    let written = written::read(&overlays.laid_over(chosen), report);
    // A mistake in another environment is told too, before it is deployed.
    for other in overlays.names().filter(|other| *other != chosen) {
        let mut seen = Report::new(report.source);
        let of_other = written::read(&overlays.laid_over(other), &mut seen);
        resolve::streams(&of_other, Some(other), &mut seen);
        report.take_problems(seen);
    }
    warn_of_unknown(&overlays, chosen, own, report);
    if broken {
        report.forget_all_but_syntax();
        return None;
    }
    Some(written)
}

/// Where some environments have tables of their own, one without is more often a
/// slip of the keyboard than meant.
fn warn_of_unknown(overlays: &Overlays<'_>, chosen: &str, own: &str, report: &mut Report<'_>) {
    let known: Vec<_> = overlays.names().collect();
    if !known.is_empty() && chosen != own && !known.contains(&chosen) {
        let message = format!("there is no [env.{chosen}]{}", names::suggest(chosen, &known));
        report.warning(0, message);
    }
}
