//! `gristmill build`: from sources to components, and from components to code
//! that a host loads.

mod cargo;
mod encode;
mod golang;
mod javascript;
mod kept;
mod python;
mod workshop;
mod zig;

pub(crate) use cargo::ensure_std;
pub use cargo::ensure_target;
pub(crate) use kept::LEFT_BY_TOOLS;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gristmill_host::guest::compile::{self, NATIVE_TARGET};
use serde_json::json;

use self::workshop::{Source, Workshop};
use crate::cli::{BuildArgs, Output};
use crate::component::{self, Class, Report};
use crate::edge::{Done, escape};
use crate::language::Language;
use crate::manifest::{self, Handler, Kind, Manifest};
use crate::{code, package, project};

/// Runs `gristmill build` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems, or no handlers;
/// * a source does not compile, or a component is none;
/// * the cache or the package cannot be written.
pub fn run(root: &Path, args: &BuildArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.as_deref())?;
    manifest.print_warnings();
    let built = all(&manifest, args.offline)?;
    if let Some(dir) = &args.package {
        package::lay_out(&manifest, &built, dir, args.bootstrap.as_deref(), args.response)?;
    }
    let failed = built.iter().any(|built| !built.report.is_handler());
    let stdout = match args.output {
        Output::Json => as_json(&built),
        Output::Text => as_text(&built, args.package.as_deref()),
    };
    Ok(Done { stdout, failed })
}

/// A handler, built.
pub struct Built {
    /// Its name in the manifest.
    pub name: String,
    /// The component.
    pub component: PathBuf,
    /// Its size in bytes.
    pub component_bytes: u64,
    /// The precompiled code in the user's cache, for the architecture that was
    /// asked for.
    pub code: PathBuf,
    /// Its size in bytes.
    pub code_bytes: u64,
    /// What it exports and imports.
    pub report: Report,
    /// How long building and compiling took.
    pub elapsed: Duration,
}

/// Builds every handler of a project, and compiles it for this machine.
///
/// # Errors
///
/// As [`run`].
pub fn all(manifest: &Manifest, offline: bool) -> anyhow::Result<Vec<Built>> {
    all_for(manifest, NATIVE_TARGET, offline)
}

/// Builds every handler of a project, and compiles it for a target: for this
/// machine too if that is another one, for only code that this machine runs
/// tells what a component imports and exports.
///
/// # Errors
///
/// As [`run`].
pub fn all_for(manifest: &Manifest, target: &str, offline: bool) -> anyhow::Result<Vec<Built>> {
    let handlers = manifest.handlers_to_run()?;
    let cache = code::cache(&manifest.root)?;
    let workshop = Workshop::of(manifest, cache.folder(), offline);
    let mut sources: Vec<(&Path, PathBuf)> = Vec::new();
    let mut codes = Vec::new();
    for (index, handler) in handlers.iter().enumerate() {
        let started = Instant::now();
        let place = format!("[{}/{}] {}", index + 1, handlers.len(), handler.name);
        if let Kind::Source { dir, lang, engine, stack_kb } = &handler.kind {
            // Several handlers may have one source: it is built once.
            let known = sources.iter().find(|(other, _)| other == dir).map(|(_, wasm)| wasm.clone());
            let wasm = match known {
                Some(wasm) => wasm,
                None => {
                    eprintln!("{place}: building {}", project::shown(dir));
                    let source = Source { dir, lang: *lang, engine: *engine, stack_kb: *stack_kb };
                    component_of(&workshop, &source, &code::target_dir(manifest))
                        .with_context(|| format!("handler {}", handler.name))?
                }
            };
            keep(&wasm, &code::component_path(manifest, handler))?;
            sources.push((dir, wasm));
        }
        let component = code::component_path(manifest, handler);
        let bytes = read(&component)?;
        let tell = telling(format!("{place}: "), bytes.len(), "");
        let native = cache.get(&bytes, NATIVE_TARGET, tell).with_context(|| failed(handler, &component))?;
        let code = if target == NATIVE_TARGET {
            native.clone()
        } else {
            let tell = telling(format!("{place}: "), bytes.len(), &format!(" for {target}"));
            cache.get(&bytes, target, tell).with_context(|| failed(handler, &component))?
        };
        codes.push((handler, component, bytes.len() as u64, native, code, started.elapsed()));
    }
    let guests = component::guests(manifest)?;
    let built = codes.into_iter().map(|(handler, component, component_bytes, native, code, elapsed)| {
        let report = Report::of(&guests, &native).with_context(|| failed(handler, &component))?;
        let code_bytes = fs::metadata(&code).with_context(|| code.display().to_string())?.len();
        Ok(Built { name: handler.name.clone(), component, component_bytes, code, code_bytes, report, elapsed })
    });
    built.collect()
}

/// Builds a source by the tools of its language.
fn component_of(workshop: &Workshop<'_>, source: &Source<'_>, target_dir: &Path) -> anyhow::Result<PathBuf> {
    match source.lang {
        Language::Rust => {
            cargo::ensure_target(source.dir, workshop.offline)?;
            cargo::build(source.dir, target_dir, source.stack_kb, workshop.offline)
        }
        Language::Js | Language::Ts => javascript::build(workshop, source),
        Language::Python => python::build(workshop, source),
        Language::Go => golang::build(workshop, source),
        Language::C | Language::Zig => zig::build(workshop, source),
    }
}

fn failed(handler: &Handler, component: &Path) -> String {
    format!("handler {}: {}", handler.name, project::shown(component))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", project::shown(path)))
}

/// Copies what was made to where `invoke` and `check` find it. The next
/// build of another crate may replace the original.
fn keep(wasm: &Path, path: &Path) -> anyhow::Result<()> {
    let bytes = read(wasm)?;
    compile::check_kind(&bytes).with_context(|| project::shown(wasm))?;
    let folder = path.parent().context("a component's path has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", project::shown(folder)))?;
    compile::write_once(path, &bytes).with_context(|| format!("cannot write {}", project::shown(path)))
}

fn as_text(built: &[Built], package: Option<&Path>) -> String {
    let mut lines: Vec<String> = built
        .iter()
        .map(|built| {
            format!(
                "{}: component {} KiB, imports {}, compiled {} KiB, {:.1} s{}",
                built.name,
                built.component_bytes.div_ceil(1024),
                imports(&built.report),
                built.code_bytes.div_ceil(1024),
                built.elapsed.as_secs_f64(),
                if built.report.is_handler() { "" } else { "; NOT A HANDLER, see `gristmill check`" },
            )
        })
        .collect();
    lines.extend(package.map(|dir| format!("package: {}", escape(&dir.display().to_string()))));
    lines.join("\n") + "\n"
}

/// Tells on standard error that a component is compiled, and how far that is, a
/// line a quarter: the largest take most of a minute.
pub(crate) fn telling(place: String, bytes: usize, whither: &str) -> impl Fn(u32) + Send + Sync + use<> {
    let what = format!("{place}compiling {} KiB ahead of time{whither}", bytes / 1024);
    let quarter = AtomicU32::new(0);
    move |percent| {
        if percent == 0 {
            eprintln!("{what}");
        } else if quarter.fetch_max(percent / 25, Ordering::Relaxed) < percent / 25 {
            eprintln!("{what}: {} %", percent / 25 * 25);
        }
    }
}

/// What a component imports, in a few words.
fn imports(report: &Report) -> String {
    let of = |class| report.imports.iter().filter(|import| import.class == class).count();
    match (of(Class::Contract), of(Class::Inert)) {
        (contract, 0) => format!("{contract} of the contract"),
        (contract, inert) => format!("{contract} of the contract and {inert} with nothing behind them"),
    }
}

fn as_json(built: &[Built]) -> String {
    let handlers: Vec<_> = built
        .iter()
        .map(|built| {
            json!({
                "name": built.name,
                "component": built.component,
                "componentBytes": built.component_bytes,
                "imports": built.report.imports.iter().map(|import| &import.name).collect::<Vec<_>>(),
                "codeBytes": built.code_bytes,
                "seconds": built.elapsed.as_secs_f64(),
                "isHandler": built.report.is_handler(),
            })
        })
        .collect();
    json!({ "handlers": handlers }).to_string() + "\n"
}
