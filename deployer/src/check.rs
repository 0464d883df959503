//! `gristmill check`: the manifest, and what each component exports and
//! imports.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use crate::cli::{CheckArgs, Output};
use crate::component::{self, Class, Report};
use crate::edge::{Done, escape};
use crate::manifest::{self, Handler, Manifest};
use crate::{code, view};

/// Runs `gristmill check` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems;
/// * a component was not built, or is none.
pub fn run(root: &Path, args: &CheckArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.as_deref())?;
    manifest.print_warnings();
    let mut reports = Vec::new();
    if !manifest.handlers.is_empty() {
        let cache = code::cache(&manifest.root)?;
        let guests = component::guests(&manifest)?;
        for handler in &manifest.handlers {
            // Every component is looked at, and what is wrong with one is
            // part of the answer.
            let report = code::precompiled(&manifest, &cache, handler)
                .and_then(|code| Ok(Report::of(&guests, &code)?))
                .map_err(|error| format!("{error:#}"));
            if let Some(view) = view_of(&manifest, handler) {
                warn_of_view(handler, view, report.as_ref().ok());
            }
            reports.push((handler.name.as_str(), report));
        }
    }
    let failed = reports.iter().any(|(_, report)| !report.as_ref().is_ok_and(Report::is_handler));
    let stdout = match args.output {
        Output::Json => as_json(&reports),
        Output::Text => as_text(&reports, manifest.streams.len()),
    };
    Ok(Done { stdout, failed })
}

/// What the records of a handler's stream have, where the manifest says how its
/// table is made.
fn view_of(manifest: &Manifest, handler: &Handler) -> Option<&'static str> {
    let table = manifest.stream(&handler.stream)?.table();
    let table = manifest.tables.iter().find(|each| each.name == table)?;
    Some(table.keys.stream_view_type.as_str())
}

/// What a handler and its filter ask for, against what the table's records will
/// have.
fn warn_of_view(handler: &Handler, view: &str, report: Option<&Report>) {
    let warn = |text: &str| eprintln!("warning: {}; `stream-view-type` in the table's section", escape(text));
    for image in view::missing_images(view) {
        for pattern in view::patterns_with(handler, image) {
            warn(&format!(
                "handler {}: its filter asks for `{image}`, and the records of the stream {} have {view} alone: {pattern}",
                handler.name, handler.stream
            ));
        }
    }
    if let Some(warning) = report.and_then(|report| view::warning(&handler.name, &handler.stream, view, report)) {
        warn(&warning);
    }
}

type Found<'a> = (&'a str, Result<Report, String>);

fn as_text(reports: &[Found<'_>], streams: usize) -> String {
    let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let (streams, handlers) = (count(streams, "stream"), count(reports.len(), "handler"));
    let mut text = format!("gristmill.toml: {streams}, {handlers}, no problems\n");
    for (name, report) in reports {
        let _ = match report {
            Err(error) => writeln!(text, "\n{name}: {}", escape(error)),
            Ok(report) => {
                let verdict = match &report.refusal {
                    None => "a handler".to_owned(),
                    Some(refusal) => format!("REFUSED: {}", escape(refusal)),
                };
                let _ = writeln!(text, "\n{name}: {verdict}");
                for export in &report.exports {
                    let _ = writeln!(text, "  exports  {}", escape(export));
                }
                for class in [Class::Contract, Class::Inert, Class::Refused] {
                    for import in report.imports.iter().filter(|import| import.class == class) {
                        let why = match (class, &import.why) {
                            (Class::Contract, _) => String::new(),
                            (Class::Inert, _) => "  (served with nothing behind it)".to_owned(),
                            (Class::Refused, why) => format!("  ({})", why.as_deref().unwrap_or_default()),
                        };
                        let _ = writeln!(text, "  imports  {:<8}  {}{why}", class.as_str(), escape(&import.name));
                    }
                }
                Ok(())
            }
        };
    }
    text
}

fn as_json(reports: &[Found<'_>]) -> String {
    let handlers: Vec<_> = reports
        .iter()
        .map(|(name, report)| match report {
            Err(error) => json!({ "name": name, "isHandler": false, "refusal": error }),
            Ok(report) => {
                let imports: Vec<_> = report
                    .imports
                    .iter()
                    .map(|import| json!({ "name": import.name, "class": import.class.as_str(), "why": import.why }))
                    .collect();
                json!({
                    "name": name,
                    "isHandler": report.is_handler(),
                    "refusal": report.refusal,
                    "exports": report.exports,
                    "imports": imports,
                })
            }
        })
        .collect();
    json!({ "handlers": handlers }).to_string() + "\n"
}
