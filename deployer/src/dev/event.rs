//! What happens in dev mode, as data: one JSON object a line, for the log file,
//! for `--output json`, and for the terminal, which gets it in words.
//!
//! Holds what handlers print and what becomes of records. Of an item it holds
//! no more than a handler prints itself.

use std::fmt::Write as _;

use gristmill_host::log::escape_text;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// What.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields are named for what they are")]
pub enum Kind {
    /// Dev mode runs.
    Started { project: String, env: String, endpoint: String, data: String },
    /// A stream of the manifest is read, or why it is not.
    Stream { stream: String, table: String, state: StreamState, detail: String },
    /// A decision of a stream's event source mapping.
    Mapping { stream: String, entry: Value },
    /// What became of a record at a handler.
    Record {
        stream: String,
        handler: String,
        request_id: String,
        sequence_number: String,
        event_name: String,
        outcome: String,
        detail: String,
        milliseconds: f64,
    },
    /// What a handler said: a line that it printed or logged.
    Line {
        handler: String,
        request_id: String,
        sequence_number: String,
        /// `stdout`, `stderr` or `log`.
        source: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<String>,
        message: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<(String, String)>,
    },
    /// The function answered, or failed before a handler ran.
    Answer { stream: String, request_id: String, answer: Option<String>, error: Option<String>, milliseconds: f64 },
    /// A failure document was written.
    FailureDocument { stream: String, path: String },
    /// Handlers are being built, and why.
    Building { why: String },
    /// Handlers were built, and run from the next batch on.
    Swapped { handlers: Vec<String>, seconds: f64 },
    /// What was built or written is not taken; what ran before goes on.
    Refused { what: String, error: String },
    /// Something that a user should know.
    Note { message: String },
    /// Dev mode ends.
    Stopped {},
}

/// How a stream of the manifest stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamState {
    /// The table is not there.
    NoTable,
    /// The table has no stream.
    NoStream,
    /// It is read.
    Reading,
    /// All of it was read, and a newer one of the table is read next.
    Drained,
    /// The manifest says not to read it.
    Disabled,
    /// It cannot be read.
    Failed,
}

impl Event {
    /// The handler that this is about, if it is about one.
    pub fn handler(&self) -> Option<&str> {
        match &self.kind {
            Kind::Record { handler, .. } | Kind::Line { handler, .. } => Some(handler),
            Kind::Started { .. }
            | Kind::Stream { .. }
            | Kind::Mapping { .. }
            | Kind::Answer { .. }
            | Kind::FailureDocument { .. }
            | Kind::Building { .. }
            | Kind::Swapped { .. }
            | Kind::Refused { .. }
            | Kind::Note { .. }
            | Kind::Stopped {} => None,
        }
    }

    /// In words, on one line and harmless for a terminal. None for what only
    /// programs want.
    pub fn words(&self) -> Option<String> {
        let e = |text: &str| escape_text(text).into_owned();
        Some(match &self.kind {
            Kind::Started { project, env, endpoint, data } => {
                format!("{project} ({env}) on {endpoint}, data in {}", e(data))
            }
            Kind::Stream { stream, table, state, detail } => stream_words(stream, table, *state, detail),
            Kind::Mapping { stream, entry } => return mapping_words(stream, entry),
            Kind::Record { handler, sequence_number, event_name, outcome, detail, milliseconds, .. } => {
                let detail = if detail.is_empty() { String::new() } else { format!(": {}", e(detail)) };
                format!("{handler} {event_name} {sequence_number}: {outcome}{detail}, {milliseconds:.2} ms")
            }
            Kind::Line { handler, source, level, message, fields, .. } => {
                let mut text = format!("{handler} [{}] {}", level.as_deref().unwrap_or(source), e(message));
                for (name, value) in fields {
                    let _ = write!(text, " {}={:?}", e(name), e(value));
                }
                text
            }
            Kind::Answer { stream, error: Some(error), .. } => format!("{stream}: the function fails: {}", e(error)),
            Kind::Answer { .. } => return None,
            Kind::FailureDocument { stream, path } => format!("{stream}: the failure document is {}", e(path)),
            Kind::Building { why } => format!("building: {}", e(why)),
            Kind::Swapped { handlers, seconds } => {
                format!("{} from the next batch on, {seconds:.1} s", handlers.join(", "))
            }
            Kind::Refused { what, error } => format!("{}: {}", e(what), e(error)),
            Kind::Note { message } => e(message),
            Kind::Stopped {} => "stopped".to_owned(),
        })
    }

    /// Whether it tells of something that went wrong.
    pub fn is_bad(&self) -> bool {
        match &self.kind {
            Kind::Record { outcome, .. } => !matches!(outcome.as_str(), "done" | "filtered" | "already-done"),
            Kind::Refused { .. } | Kind::FailureDocument { .. } => true,
            Kind::Answer { error, .. } => error.is_some(),
            Kind::Stream { state, .. } => *state == StreamState::Failed,
            Kind::Started { .. }
            | Kind::Mapping { .. }
            | Kind::Line { .. }
            | Kind::Building { .. }
            | Kind::Swapped { .. }
            | Kind::Note { .. }
            | Kind::Stopped {} => false,
        }
    }
}

fn stream_words(stream: &str, table: &str, state: StreamState, detail: &str) -> String {
    let detail = escape_text(detail);
    match state {
        StreamState::NoTable => format!("{stream}: there is no table {table} yet; {detail}"),
        StreamState::NoStream => format!("{stream}: the table {table} has no stream; {detail}"),
        StreamState::Reading => format!("{stream}: reading {detail}"),
        StreamState::Drained => format!("{stream}: {detail} was read to its end"),
        StreamState::Disabled => format!("{stream}: `enabled = false`: nothing is delivered"),
        StreamState::Failed => format!("{stream}: {detail}"),
    }
}

/// The decisions that somebody at a terminal wants to see: why a record came
/// again, or did not come.
fn mapping_words(stream: &str, entry: &Value) -> Option<String> {
    let Value::Object(entry) = entry else { return None };
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let words = match text("decision") {
        "invoked" => match text("why") {
            "new-batch" => format!("a batch of {}", records(entry, "sequence_numbers")),
            "retry" => format!("retry: the same {}, the same request id", records(entry, "sequence_numbers")),
            "again" => format!("again: the same {}; no retry was spent", records(entry, "sequence_numbers")),
            "suffix" => format!("the rest of the batch: {}, a new request id", records(entry, "sequence_numbers")),
            "left-half" => format!("the first half: {}, a new request id", records(entry, "sequence_numbers")),
            "right-half" => format!("the second half: {}, a new request id", records(entry, "sequence_numbers")),
            "remainder" => format!("what is not too old: {}", records(entry, "sequence_numbers")),
            other => format!("{other}: {}", records(entry, "sequence_numbers")),
        },
        "filtered" => format!("no handler's filter wants {}", records(entry, "sequence_numbers")),
        "filter-unreadable" => format!("a filter cannot be evaluated: {}", text("reason")),
        "bisected" => format!("bisect: {} and {}", records(entry, "left"), records(entry, "right")),
        "given-up" => match entry.get("destination").and_then(Value::as_str) {
            Some(destination) => {
                format!("given up ({}): {} to {destination}", text("condition"), records(entry, "sequence_numbers"))
            }
            None => format!(
                "given up ({}): {} is discarded, as there is no `on-failure`",
                text("condition"),
                records(entry, "sequence_numbers")
            ),
        },
        "waits" => {
            let number = |name: &str| entry.get(name).and_then(Value::as_u64).unwrap_or_default();
            let ms = number("until_ms").saturating_sub(number("at_ms"));
            format!("waits {ms} ms ({})", text("why"))
        }
        "source-failed" | "checkpoint-failed" | "send-failed" => {
            format!("{}: {}; tried again", text("decision"), text("error"))
        }
        _ => return None,
    };
    Some(format!("{stream}: {}", escape_text(&words)))
}

fn records(entry: &Map<String, Value>, name: &str) -> String {
    match entry.get(name).and_then(Value::as_array).map(Vec::len).unwrap_or_default() {
        1 => "1 record".to_owned(),
        count => format!("{count} records"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_read_back_as_it_was_written() {
        let event = Event {
            time_ms: 1_764_000_000_000,
            kind: Kind::Line {
                handler: "clerk-file".to_owned(),
                request_id: "r".to_owned(),
                sequence_number: "1".to_owned(),
                source: "log".to_owned(),
                level: Some("INFO".to_owned()),
                message: "a\nb".to_owned(),
                fields: vec![("k".to_owned(), "v".to_owned())],
            },
        };
        let json = serde_json::to_string(&event).unwrap();
        assert!(json.starts_with(r#"{"timeMs":1764000000000,"type":"line","handler":"clerk-file","requestId":"r""#));
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
        assert_eq!(event.words().as_deref(), Some("clerk-file [INFO] a\\nb k=\"v\""));
    }

    #[test]
    fn decisions_are_told_in_words() {
        let words = |entry: Value| mapping_words("orders", &entry);
        for (entry, expected) in [
            (
                json!({"decision":"invoked","why":"retry","sequence_numbers":["1","2"]}),
                Some("orders: retry: the same 2 records, the same request id"),
            ),
            (
                json!({"decision":"bisected","left":["1"],"right":["2","3"]}),
                Some("orders: bisect: 1 record and 2 records"),
            ),
            (
                json!({"decision":"given-up","condition":"RetryAttemptsExhausted","sequence_numbers":["1"],"destination":null}),
                Some("orders: given up (RetryAttemptsExhausted): 1 record is discarded, as there is no `on-failure`"),
            ),
            (
                json!({"decision":"waits","why":"retry","at_ms":1000,"until_ms":1250}),
                Some("orders: waits 250 ms (retry)"),
            ),
            (json!({"decision":"checkpoint"}), None),
            (json!([]), None),
        ] {
            assert_eq!(words(entry).as_deref(), expected);
        }
    }
}
