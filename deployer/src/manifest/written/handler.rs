//! `[handler.NAME]` as written.

use gristmill_host::settings::{InstancePer, Limits};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::fields::{At, Fields, Refused, kind};
use super::super::filter;
use super::super::problem::Report;
use super::check_name;
use super::function::{self, FunctionWritten};
use crate::edge::quoted;
use crate::language::{Engine, Language};

/// The stack of a guest that is built here, in KiB. 128: code that walks one
/// record needs little, and the linker's own 1 MiB would count against
/// `memory-mb` in every instance.
const DEFAULT_STACK_KB: u32 = 128;

const NO_GRANTS: &str = "grants are not there yet; a handler has no network, files or environment";
const STREAM: &str = "a handler names its stream, `stream = \"…\"`, and the table stands in [stream.NAME]";

const REFUSED: &[Refused] = &[
    ("allow", NO_GRANTS),
    ("environment", NO_GRANTS),
    ("env", NO_GRANTS),
    ("table", STREAM),
    ("stream-arn", STREAM),
    ("concurrency", "it is a stream's: `concurrency` in [stream.NAME]"),
    ("order", "it is a stream's: `order` in [stream.NAME]"),
    ("batch-size", "it is a stream's: `batch-size` in [stream.NAME]"),
];

/// `[handler.NAME]`.
#[derive(Clone, Debug)]
pub(crate) struct HandlerWritten {
    pub(crate) name: At<String>,
    /// None when it was reported, as with the kind.
    pub(crate) stream: Option<At<String>>,
    pub(crate) kind: Option<KindWritten>,
    pub(crate) filters: Vec<String>,
    pub(crate) instance_per: InstancePer,
    pub(crate) limits: Limits,
    /// None is the function that all share.
    pub(crate) own: Option<At<FunctionWritten>>,
}

/// Where a handler's component comes from.
#[derive(Clone, Debug)]
pub(crate) enum KindWritten {
    /// It is built from a folder.
    Source { dir: At<String>, lang: Language, engine: Engine, stack_kb: u32 },
    /// It is there.
    Component(At<String>),
}

pub(super) fn read<'t>(
    name: At<String>,
    offset: usize,
    table: &'t DeTable<'t>,
    report: &mut Report<'_>,
) -> HandlerWritten {
    check_name(&name, report);
    let mut fields = Fields::new(format!("[handler.{}]", name.value), offset, table, report);
    let kind = read_kind(&name, &mut fields);
    let written = fields.key_offset("stream").is_some();
    let stream = fields.string("stream", "the NAME of a [stream.NAME]");
    if !written {
        let message = format!("[handler.{}] has no `stream`; it takes the NAME of a [stream.NAME]", name.value);
        fields.report.problem(offset, message);
    }
    let filters = filters(&mut fields);
    let limits = limits(&mut fields);
    let instance_per = fields
        .choice("instance-per", &[("record", InstancePer::Record), ("invocation", InstancePer::Invocation)])
        .map_or(InstancePer::default(), |at| at.value);
    let own = own_function(&name, &mut fields);
    fields.finish(REFUSED);
    HandlerWritten { name, stream, kind, filters, instance_per, limits, own }
}

/// Every function of a project runs the same package.
const ONE_PACKAGE: &[Refused] =
    &[("architecture", "one package is for all functions of a project, so it is [function]'s")];

/// `function = "own"`, or a table of what is otherwise in it.
fn own_function(name: &At<String>, fields: &mut Fields<'_, '_, '_>) -> Option<At<FunctionWritten>> {
    let value = fields.value("function")?;
    let (takes, offset) = ("\"own\", or a table with what is otherwise than in [function]", value.span().start);
    match value.get_ref() {
        DeValue::String(text) if text == "own" => Some(At { value: FunctionWritten::default(), offset }),
        DeValue::Table(table) => {
            let place = format!("[handler.{}.function]", name.value);
            let written = function::read_table(place, offset, table, fields.report, ONE_PACKAGE);
            Some(At { value: written, offset })
        }
        DeValue::String(text) => {
            let message = format!("`function` takes {takes}, and this is {}", quoted(text));
            fields.report.problem(offset, message);
            None
        }
        other => fields.wrong_type("function", value, other, takes),
    }
}

fn read_kind(name: &At<String>, fields: &mut Fields<'_, '_, '_>) -> Option<KindWritten> {
    let source_at = fields.key_offset("source");
    let component_at = fields.key_offset("component");
    let source = fields.string("source", "the path of a folder");
    let component = fields.string("component", "the path of a .wasm file");
    let lang = fields.choice("lang", &Language::ALL.map(|language| (language.key(), language)));
    let engine = fields.choice("js-engine", &[Engine::QuickJs, Engine::StarlingMonkey].map(|e| (e.key(), e)));
    // Below 16 KiB not even Rust's formatting runs; 16 MiB is a quarter of
    // what `memory-mb` has by default.
    let stack_kb = fields.integer("stack-kb", &[16..=16_384]);
    let place = format!("[handler.{}]", name.value);
    match (source_at, component_at) {
        (None, None) => {
            let message = format!("{place} has no `source` and no `component`; it needs one of them");
            fields.report.problem(fields.offset(), message);
            None
        }
        (Some(source_at), Some(component_at)) => {
            let message = format!("{place} has `source` and `component`; it needs exactly one of them");
            fields.report.problem(source_at.max(component_at), message);
            None
        }
        (Some(_), None) => {
            if lang.is_none() && fields.key_offset("lang").is_some() {
                // Which language is not known, so nothing can be said of the source.
                return None;
            }
            let lang = lang.map_or(Language::Rust, |at| at.value);
            let is_js = matches!(lang, Language::Js | Language::Ts);
            for (key, fits) in [("stack-kb", lang.has_stack()), ("js-engine", is_js)] {
                if let Some(offset) = fields.key_offset(key).filter(|_| !fits) {
                    let message = format!("`{key}` means nothing for a handler in {}; leave it out", lang.name());
                    fields.report.problem(offset, message);
                }
            }
            let stack_kb = stack_kb.and_then(|at| u32::try_from(at.value).ok()).unwrap_or(DEFAULT_STACK_KB);
            let engine = engine.map_or(Engine::default(), |at| at.value);
            Some(KindWritten::Source { dir: source?, lang, engine, stack_kb })
        }
        (None, Some(_)) => {
            for key in ["lang", "stack-kb", "js-engine"] {
                if let Some(offset) = fields.key_offset(key) {
                    let message = format!("`{key}` is for a `source`: how a component was built is decided already");
                    fields.report.problem(offset, message);
                }
            }
            component.map(KindWritten::Component)
        }
    }
}

fn filters(fields: &mut Fields<'_, '_, '_>) -> Vec<String> {
    let Some(value) = fields.value("filter") else { return Vec::new() };
    let takes = "an array of patterns, each a string of JSON or a table";
    let DeValue::Array(patterns) = value.get_ref() else {
        fields.wrong_type::<()>("filter", value, value.get_ref(), takes);
        return Vec::new();
    };
    let mut filters = Vec::new();
    for pattern in patterns.iter() {
        match read_pattern(pattern) {
            Ok(text) => filters.push(text),
            Err(why) => fields.report.problem(pattern.span().start, why),
        }
    }
    filters
}

fn read_pattern(pattern: &Spanned<DeValue<'_>>) -> Result<String, String> {
    let text = match pattern.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Table(_) => filter::json(pattern.get_ref())?.to_string(),
        other => return Err(format!("a pattern is a string of JSON or a table, and this is {}", kind(other))),
    };
    filter::check_pattern(&text).map(|()| text)
}

fn limits(fields: &mut Fields<'_, '_, '_>) -> Limits {
    let mut limits = Limits::default();
    for (key, least, most) in Limits::RANGES {
        let read = fields.integer(key, &[i64::from(least)..=i64::from(most)]);
        let Some(value) = read.and_then(|at| u32::try_from(at.value).ok()) else { continue };
        set(&mut limits, key, value);
    }
    limits
}

/// Sets a limit by its key. A test holds that every key of
/// [`Limits::RANGES`] is here.
fn set(limits: &mut Limits, key: &str, value: u32) {
    let limit = match key {
        "memory-mb" => &mut limits.memory_mb,
        "timeout-ms" => &mut limits.timeout_ms,
        "output-kb" => &mut limits.output_kb,
        "log-kb" => &mut limits.log_kb,
        "failure-kb" => &mut limits.failure_kb,
        "host-call-mb" => &mut limits.host_call_mb,
        "handles" => &mut limits.handles,
        "table-elements" => &mut limits.table_elements,
        "instances" => &mut limits.instances,
        _ => return,
    };
    *limit = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_can_be_set_by_its_key() {
        for (index, (key, least, most)) in Limits::RANGES.into_iter().enumerate() {
            let mut limits = Limits::default();
            for value in [least, most] {
                set(&mut limits, key, value);
                assert_eq!(limits.values()[index], (key, value));
            }
        }
    }
}
