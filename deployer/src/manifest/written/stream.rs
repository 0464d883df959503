//! `[stream.NAME]` as written.

use gristmill_host::settings::Order;
use toml::de::DeTable;

use super::super::arn;
use super::super::fields::{At, Fields, Refused};
use super::super::problem::Report;
use super::check_name;
use super::mapping::{self, Mapping};
use crate::edge::quoted;

/// R12, and the reason in words that a user can act on.
const NO_WINDOWS: &str = "handlers cannot use tumbling windows yet, and a mapping that has one wants a state in every \
                          answer; take it out";

const REFUSED: &[Refused] = &[
    (
        "response",
        "what a function answers depends on its mapping: `gristmill build --response partial` is for one that has \
         ReportBatchItemFailures, and `gristmill invoke --response error` shows the other answer",
    ),
    (
        "function-response-types",
        "Lambda ignores the answer of a mapping without ReportBatchItemFailures, so every mapping that gristmill \
         makes has it; take it out",
    ),
    ("tumbling-window-in-seconds", NO_WINDOWS),
    ("tumbling-window", NO_WINDOWS),
    ("window", NO_WINDOWS),
    ("filter", FILTERS),
    ("filters", FILTERS),
    ("filter-criteria", FILTERS),
    ("event-source-arn", "the key is `stream-arn`"),
    ("arn", "the key is `stream-arn`"),
    ("function-name", "gristmill names the function; a handler names its stream by `stream` in [handler.NAME]"),
    ("handler", "a handler names its stream, not a stream its handlers: `stream` in [handler.NAME]"),
    ("handlers", "a handler names its stream, not a stream its handlers: `stream` in [handler.NAME]"),
];

const FILTERS: &str = "a filter is a handler's: `filter` in [handler.NAME]; that of the mapping follows from them";

/// `[stream.NAME]`.
#[derive(Clone, Debug)]
pub(crate) struct StreamWritten {
    pub(crate) name: At<String>,
    /// None when it was reported.
    pub(crate) source: Option<At<SourceWritten>>,
    pub(crate) order: Order,
    pub(crate) concurrency: Option<usize>,
    pub(crate) mapping: Mapping,
}

/// What a stream is the stream of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SourceWritten {
    /// The table's name before the namespace.
    Table(String),
    /// An ARN that was checked.
    StreamArn(String),
}

pub(super) fn read<'t>(
    name: At<String>,
    offset: usize,
    table: &'t DeTable<'t>,
    report: &mut Report<'_>,
) -> StreamWritten {
    check_name(&name, report);
    let mut fields = Fields::new(format!("[stream.{}]", name.value), offset, table, report);
    let source = source(&name, &mut fields);
    let order = fields.choice("order", &[("item", Order::Item), ("shard", Order::Shard)]);
    // 1,000 calls of the smallest guest fill a function of 10 GB.
    let concurrency = fields.integer("concurrency", &[1..=1_000]);
    let mapping = mapping::read(&mut fields);
    let order_is = order.as_ref().map_or(Order::Item, |order| order.value);
    if order_is == Order::Shard && mapping.parallelization_factor > 1 {
        let at = fields.key_offset("parallelization-factor").unwrap_or(offset);
        fields.report.problem(
            at,
            "`parallelization-factor` above 1 keeps order within an item only, and `order = \"shard\"` needs it within \
             the shard; set the factor to 1, or `order = \"item\"`",
        );
    }
    fields.finish(REFUSED);
    let concurrency = concurrency.and_then(|at| usize::try_from(at.value).ok());
    StreamWritten { name, source, order: order_is, concurrency, mapping }
}

fn source(name: &At<String>, fields: &mut Fields<'_, '_, '_>) -> Option<At<SourceWritten>> {
    let table_at = fields.key_offset("table");
    let arn_at = fields.key_offset("stream-arn");
    let table = fields.string("table", "a table's name");
    let stream_arn = fields.string("stream-arn", "an ARN");
    let place = format!("[stream.{}]", name.value);
    match (table_at, arn_at) {
        (None, None) => {
            let message = format!("{place} has no `table` and no `stream-arn`; it needs one of them");
            fields.report.problem(fields.offset(), message);
            return None;
        }
        (Some(table_at), Some(arn_at)) => {
            let message = format!("{place} has `table` and `stream-arn`; it needs exactly one of them");
            fields.report.problem(table_at.max(arn_at), message);
            return None;
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    if let Some(At { value, offset }) = table {
        let why = if value.starts_with("arn:") {
            "is an ARN; the key for it is `stream-arn`".to_owned()
        } else if let Some(bad) = value.chars().find(|c| !arn::table_char(*c)) {
            format!("has {}; DynamoDB takes a–z, A–Z, 0–9, `_`, `-` and `.`", quoted(&bad.to_string()))
        } else if value.is_empty() {
            "is empty".to_owned()
        } else {
            return Some(At { value: SourceWritten::Table(value), offset });
        };
        fields.report.problem(offset, format!("the table's name {} {why}", quoted(&value)));
        return None;
    }
    let At { value, offset } = stream_arn?;
    if let Err(why) = arn::check(&value) {
        fields.report.problem(offset, why);
        return None;
    }
    Some(At { value: SourceWritten::StreamArn(value), offset })
}
