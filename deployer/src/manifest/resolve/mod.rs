//! The manifest resolved: tables with their full names, handlers with paths
//! that were looked at. Knows nothing of TOML.

mod paths;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use gristmill_host::batch::RESERVE;
use gristmill_host::event::Arn;
use gristmill_host::settings::{self, HOST_MB, InstancePer, Limits, Order};

use super::fields::At;
use super::problem::{Problem, Report};
use super::written::{
    Alarms, Deploy, FunctionSettings, HandlerWritten, Iam, Keys, KindWritten, Mapping, SourceWritten, StreamWritten,
    TableWritten, Written, check_sids,
};
use crate::edge::{Misuse, escape, quoted};
use crate::language::{Engine, Language};
use crate::names;

pub(crate) use paths::inside;
pub(crate) use table::check_written as check_written_table;

/// A project: everything that is derived from it begins here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The project's folder, absolute and without symlinks.
    pub root: PathBuf,
    /// Its name.
    pub project: String,
    /// The environment, for example `dev`.
    pub env: String,
    /// The function that handlers share.
    pub function: FunctionSettings,
    /// What the user says of the rights of all functions.
    pub iam: Iam,
    /// The same, of the shared function alone.
    pub function_iam: Iam,
    /// How the project comes to AWS.
    pub deploy: Deploy,
    /// What tells when something is wrong there.
    pub alarms: Alarms,
    /// Tables that dev mode makes, in the order of the file.
    pub tables: Vec<Table>,
    /// In the order of the file.
    pub streams: Vec<Stream>,
    /// In the order of the file.
    pub handlers: Vec<Handler>,
    /// What is not wrong, but better otherwise.
    pub warnings: Vec<Problem>,
}

/// One table of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its full name.
    pub name: String,
    /// What it is made with.
    pub keys: Keys,
}

/// One stream of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its name in the manifest.
    pub name: String,
    /// The table's full name, or the ARN as it was written.
    pub source: settings::Source,
    /// R6.
    pub order: Order,
    /// Calls in flight at once; none is the number of vCPUs.
    pub concurrency: Option<usize>,
    /// The mapping's parameters.
    pub mapping: Mapping,
}

/// One handler of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// Its name in the manifest.
    pub name: String,
    /// The name of its stream, which is there.
    pub stream: String,
    /// Where its component comes from.
    pub kind: Kind,
    /// Patterns as JSON text, joined by OR; none is every record.
    pub filters: Vec<String>,
    /// What a call may use.
    pub limits: Limits,
    /// How long an instance lives.
    pub instance_per: InstancePer,
    /// Its own function; none is the shared one.
    pub own: Option<OwnFunction>,
}

/// A function that runs one handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFunction {
    /// What it is made with.
    pub settings: FunctionSettings,
    /// What the user says of its rights.
    pub iam: Iam,
}

/// Where a handler's component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is built.
    Source {
        /// The folder, absolute; it is there and in the project.
        dir: PathBuf,
        /// What it is written in.
        lang: Language,
        /// What runs it, when that is JavaScript.
        engine: Engine,
        /// The guest's stack in KiB, where the language leaves that to us.
        stack_kb: u32,
    },
    /// It is there.
    Component {
        /// The file, absolute; it is there and in the project.
        path: PathBuf,
    },
}

impl Manifest {
    /// The stream by this name.
    pub fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.name == name)
    }

    /// Tells what is not wrong, but better otherwise, on standard error.
    pub fn print_warnings(&self) {
        for warning in &self.warnings {
            eprintln!("warning: {}", escape(&warning.to_string()));
        }
    }

    /// The handlers, at least one.
    ///
    /// # Errors
    ///
    /// [`Misuse`] when there are none: how to make one.
    pub fn handlers_to_run(&self) -> anyhow::Result<&[Handler]> {
        if self.handlers.is_empty() {
            let message = "gristmill.toml has no [handler.NAME], so there is nothing to run; `gristmill generate event \
                           NAME --trigger dynamodb --table TABLE` makes a handler";
            bail!(Misuse::new(message));
        }
        Ok(&self.handlers)
    }

    /// The handler by this name.
    ///
    /// # Errors
    ///
    /// [`Misuse`] when there is none: the nearest one, or all.
    pub fn handler(&self, name: &str) -> anyhow::Result<&Handler> {
        let known: Vec<_> = self.handlers_to_run()?.iter().map(|handler| handler.name.as_str()).collect();
        self.handlers.iter().find(|handler| handler.name == name).ok_or_else(|| {
            let wanted = quoted(&format!("[handler.{name}]"));
            Misuse::new(format!("there is no {wanted} in gristmill.toml{}", names::suggest(name, &known))).into()
        })
    }
}

impl Stream {
    /// The table's full name.
    pub fn table(&self) -> &str {
        table_of(&self.source)
    }

    /// The stream as `handlers.json` has it.
    pub fn to_settings(&self, response: settings::Response) -> settings::Stream {
        settings::Stream {
            name: self.name.clone(),
            source: self.source.clone(),
            response,
            order: self.order,
            concurrency: self.concurrency,
        }
    }
}

/// Resolves all of it. None when something was reported.
pub(super) fn manifest(root: &Path, written: &Written, env: Option<&str>, report: &mut Report<'_>) -> Option<Manifest> {
    let tables = tables(written, env, report);
    let streams = streams(written, env, report);
    let handlers = handlers(root, written, report);
    let project = written.project.as_ref()?;
    Some(Manifest {
        root: root.to_path_buf(),
        project: project.name.clone(),
        env: env.unwrap_or(&project.env).to_owned(),
        function: written.function.over(&FunctionSettings::default()),
        iam: written.iam.clone(),
        function_iam: written.function.iam.clone(),
        deploy: written.deploy.clone(),
        alarms: written.alarms.clone(),
        tables,
        streams,
        handlers,
        warnings: Vec::new(),
    })
}

/// Joins the names of tables that are to be made.
fn tables(written: &Written, env: Option<&str>, report: &mut Report<'_>) -> Vec<Table> {
    let Some(project) = &written.project else { return Vec::new() };
    let table = |table: &TableWritten| {
        // What is no table's name at all was reported.
        check_written_table(&table.name.value).ok()?;
        let name = table::full(project, env, &table.name.value, table.name.offset, report)?;
        Some(Table { name, keys: table.keys.clone() })
    };
    written.tables.iter().filter_map(table).collect()
}

/// Joins the names of tables, and reports two streams of one table. Looks at
/// no file.
pub(super) fn streams(written: &Written, env: Option<&str>, report: &mut Report<'_>) -> Vec<Stream> {
    let mut streams: Vec<Stream> = Vec::new();
    let mut of_table: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for stream in &written.streams {
        let Some(At { value: source, offset }) = &stream.source else { continue };
        let source = match source {
            SourceWritten::StreamArn(arn) => settings::Source::StreamArn(arn.clone()),
            SourceWritten::Table(table) => {
                // Without [project], which was reported, nothing can be joined.
                let Some(project) = &written.project else { continue };
                match table::full(project, env, table, *offset, report) {
                    Some(full) => settings::Source::Table(full),
                    None => continue,
                }
            }
        };
        let others = of_table.entry(table_of(&source).to_owned()).or_default();
        let other = others.iter().map(|index| &streams[*index]).find(|other| same_records(&other.source, &source));
        others.push(streams.len());
        if let Some(other) = other {
            let table = quoted(table_of(&source));
            let message = format!(
                "[stream.{}] and [stream.{}] are both the stream of the table {table}; a stream has any number of \
                 handlers, so one of them is enough",
                other.name, stream.name.value
            );
            report.problem(*offset, message);
        }
        streams.push(Stream {
            name: stream.name.value.clone(),
            source,
            order: stream.order,
            concurrency: stream.concurrency,
            mapping: stream.mapping.clone(),
        });
    }
    streams
}

/// Whether an event could belong to both, of tables of one name (R5): a name
/// matches in any account and Region, and an ARN's label never decides.
fn same_records(a: &settings::Source, b: &settings::Source) -> bool {
    match (a, b) {
        (settings::Source::StreamArn(a), settings::Source::StreamArn(b)) => {
            Arn::parse(a).map(|arn| arn.table_arn()) == Arn::parse(b).map(|arn| arn.table_arn())
        }
        (settings::Source::Table(_), _) | (_, settings::Source::Table(_)) => true,
    }
}

fn table_of(source: &settings::Source) -> &str {
    match source {
        settings::Source::Table(table) => table,
        settings::Source::StreamArn(arn) => Arn::parse(arn).map_or(arn, |arn| arn.table()),
    }
}

fn handlers(root: &Path, written: &Written, report: &mut Report<'_>) -> Vec<Handler> {
    let known: Vec<_> = written.streams.iter().map(|stream| stream.name.value.as_str()).collect();
    let shared = written.function.over(&FunctionSettings::default());
    check_sids([&written.iam, &written.function.iam].into_iter(), 0, report);
    let mut used = Vec::new();
    let mut handlers = Vec::new();
    let mut artifacts = BTreeMap::new();
    for handler in &written.handlers {
        let stream = handler.stream.as_ref().filter(|stream| {
            let found = known.contains(&stream.value.as_str());
            if !found {
                let message = if known.is_empty() {
                    format!(
                        "there is no stream {}; add [stream.NAME] with `table` or `stream-arn`",
                        quoted(&stream.value)
                    )
                } else {
                    format!("there is no stream {}{}", quoted(&stream.value), names::suggest(&stream.value, &known))
                };
                report.problem(stream.offset, message);
            }
            found
        });
        used.extend(stream.map(|stream| stream.value.as_str()));
        let kind = resolve_kind(root, handler, &mut artifacts, report);
        let own = handler.own.as_ref().map(|At { value: own, offset }| {
            check_sids([&written.iam, &own.iam].into_iter(), *offset, report);
            OwnFunction { settings: own.over(&shared), iam: own.iam.clone() }
        });
        warn_of_little_memory(handler, own.as_ref().map_or(&shared, |own| &own.settings), report);
        if let (Some(stream), Some(kind)) = (stream, kind) {
            handlers.push(Handler {
                name: handler.name.value.clone(),
                stream: stream.value.clone(),
                kind,
                filters: handler.filters.clone(),
                limits: handler.limits,
                instance_per: handler.instance_per,
                own,
            });
        }
    }
    for stream in &written.streams {
        warn_of_short_time(stream, written, &shared, report);
    }
    for stream in written.streams.iter().filter(|stream| !used.contains(&stream.name.value.as_str())) {
        let message = format!("[stream.{}] has no handler; an event of it fails the function", stream.name.value);
        report.warning(stream.name.offset, message);
    }
    handlers
}

/// What each component was first found to be made of, by the name that its
/// builder has for it.
type Artifacts = BTreeMap<String, Made>;

#[derive(Clone)]
struct Made {
    handler: String,
    dir: PathBuf,
    how: (Language, Engine, u32),
}

/// R8: handlers that may take longer in sum than the function may run are cut,
/// the same record again and again. A handler of its own function has that
/// function's time for itself.
fn warn_of_short_time(stream: &StreamWritten, written: &Written, shared: &FunctionSettings, report: &mut Report<'_>) {
    let of_stream = |handler: &&HandlerWritten| handler.stream.as_ref().is_some_and(|at| at.value == stream.name.value);
    let handlers = || written.handlers.iter().filter(of_stream);
    let sum =
        handlers().filter(|handler| handler.own.is_none()).map(|handler| u64::from(handler.limits.timeout_ms)).sum();
    // A function of less than 1,769 MB has one vCPU at most, and that many
    // calls run at once.
    let at_once = stream.concurrency.unwrap_or(1).max(1) as u64;
    let who = format!("the handlers of [stream.{}]", stream.name.value);
    check_time(&who, "[function]", sum, at_once, shared, stream.name.offset, report);
    for handler in handlers() {
        let Some(own) = &handler.own else { continue };
        let (who, place) =
            (format!("[handler.{}]", handler.name.value), format!("[handler.{}.function]", handler.name.value));
        let settings = own.value.over(shared);
        check_time(&who, &place, handler.limits.timeout_ms.into(), 1, &settings, handler.name.offset, report);
    }
}

fn check_time(
    who: &str,
    place: &str,
    sum_ms: u64,
    at_once: u64,
    function: &FunctionSettings,
    offset: usize,
    report: &mut Report<'_>,
) {
    let timeout = u64::from(function.timeout_ms);
    let reserve = (timeout / 4).min(RESERVE.as_millis() as u64);
    let (needed, there_is) = (sum_ms.div_ceil(at_once), timeout - reserve);
    if needed > there_is {
        let message = format!(
            "{who} may take {needed} ms for one record, {at_once} at once, and {place} has {there_is} ms for it; raise its \
             `timeout-ms` or lower those of the handlers"
        );
        report.warning(offset, message);
    }
}

/// A call that takes more memory than the function has ends the host, and with
/// it all calls beside it.
fn warn_of_little_memory(handler: &HandlerWritten, function: &FunctionSettings, report: &mut Report<'_>) {
    let has = function.memory_mb.saturating_sub(HOST_MB);
    if handler.limits.memory_mb > has {
        let message = format!(
            "[handler.{}] may use {} MiB, and its function has {has} MiB beside the host; raise `memory-mb` of the function \
             or lower the handler's",
            handler.name.value, handler.limits.memory_mb
        );
        report.warning(handler.name.offset, message);
    }
}

fn resolve_kind(
    root: &Path,
    handler: &HandlerWritten,
    artifacts: &mut Artifacts,
    report: &mut Report<'_>,
) -> Option<Kind> {
    match handler.kind.as_ref()? {
        KindWritten::Component(path) => {
            let found = paths::component(root, &path.value);
            found.map_err(|why| report.problem(path.offset, why)).ok().map(|path| Kind::Component { path })
        }
        KindWritten::Source { dir: written, lang, engine, stack_kb } => {
            let read = paths::source(root, &written.value, *lang).and_then(|dir| {
                // Cargo makes one file of that name; the others are built each by itself.
                let artifact = match lang {
                    Language::Rust => paths::artifact(&dir)?,
                    _ => dir.to_string_lossy().into_owned(),
                };
                Ok((dir, artifact))
            });
            let (dir, artifact) = read.map_err(|why| report.problem(written.offset, why)).ok()?;
            let made = Made { handler: handler.name.value.clone(), dir: dir.clone(), how: (*lang, *engine, *stack_kb) };
            let other = artifacts.entry(artifact.clone()).or_insert_with(|| made.clone());
            // One folder for several handlers is one component, built once.
            if other.dir != dir {
                let message = format!(
                    "the crates of [handler.{}] and [handler.{}] are both built as {artifact}.wasm; rename one in \
                     its Cargo.toml",
                    other.handler, made.handler
                );
                report.problem(written.offset, message);
            } else if other.how != made.how {
                let message = format!(
                    "[handler.{}] and [handler.{}] are one component, and their `lang`, `js-engine` or `stack-kb` differ; \
                     give both the same",
                    other.handler, made.handler
                );
                report.problem(written.offset, message);
            }
            Some(Kind::Source { dir, lang: *lang, engine: *engine, stack_kb: *stack_kb })
        }
    }
}
