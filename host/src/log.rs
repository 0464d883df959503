//! Log lines: one JSON object a line, with the names of Lambda's own.
//!
//! What a guest says is only ever an escaped string value, and its fields stay
//! under `fields`, so that no guest can forge a line, or a metric (CloudWatch
//! reads metrics out of any line that is an object with `_aws`). The host logs
//! no image, no key and no environment value.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::batch::Outcome;
use crate::guest::{Gap, LogLevel, LogLine};
use crate::invoke::{CallEnded, Invoked, Observer};
use crate::metrics;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// Time, level, request id, message and the rest as JSON.
    Text,
}

/// Writes log lines to a stream of bytes.
pub struct Log {
    format: Format,
    level: LogLevel,
    write: fn(&[u8]) -> io::Result<()>,
}

impl Log {
    /// Lines to standard output, from a level on.
    pub fn to_stdout(format: Format, level: LogLevel) -> Self {
        Self::to(format, level, |line| io::stdout().lock().write_all(line))
    }

    /// Lines to whatever takes them, each with its end.
    pub fn to(format: Format, level: LogLevel, write: fn(&[u8]) -> io::Result<()>) -> Self {
        Self { format, level, write }
    }

    /// Writes a line. A line that cannot be written is lost: there is nowhere
    /// to say so.
    pub fn line(&self, level: LogLevel, message: &str, request_id: Option<&str>, more: Map<String, Value>) {
        if level < self.level {
            return;
        }
        let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let mut line = self.compose(&now, level, message, request_id, &more);
        if line.len() > MOST_LINE {
            let more = more.into_iter().map(|(name, value)| (name, shortened(value))).collect();
            line = self.compose(&now, level, &cut(message, MOST_MESSAGE), request_id, &more);
        }
        line.push('\n');
        let _ = (self.write)(line.as_bytes());
    }

    /// Writes a document in CloudWatch's embedded metric format: JSON whatever
    /// the format of the log, and never too low in level to be written.
    fn metrics(&self, document: &Value) {
        let mut line = escape_json(&document.to_string()).into_owned();
        line.push('\n');
        let _ = (self.write)(line.as_bytes());
    }

    fn compose(
        &self,
        now: &str,
        level: LogLevel,
        message: &str,
        request_id: Option<&str>,
        more: &Map<String, Value>,
    ) -> String {
        match self.format {
            Format::Json => {
                let line = Line { timestamp: now, level: level.as_str(), request_id, message, more };
                let json = serde_json::to_string(&line).unwrap_or_else(|error| json!(error.to_string()).to_string());
                escape_json(&json).into_owned()
            }
            Format::Text => {
                let message = escape_text(message);
                let mut line = format!("{now}\t{}\t{}\t{message}", request_id.unwrap_or("-"), level.as_str());
                if !more.is_empty() {
                    line.push('\t');
                    line.push_str(&escape_json(&json!(more).to_string()));
                }
                line
            }
        }
    }
}

/// A line of JSON, with Lambda's names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    timestamp: &'a str,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    message: &'a str,
    #[serde(flatten)]
    more: &'a Map<String, Value>,
}

/// What a line may have, in bytes. Lambda cuts one at 256 KB, and what comes
/// after the cut is a line of its own: one that a guest could have made up.
const MOST_LINE: usize = 250_000;

/// What a line that is too long keeps of its message, before escapes, which
/// make at most eight bytes of one.
const MOST_MESSAGE: usize = 16 << 10;

/// The same for each text in the rest of the line, and for a part of it as
/// JSON.
const MOST_TEXT: usize = 4 << 10;
const MOST_PART: usize = 64 << 10;

/// The start of a text, with the number of bytes that are missing.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    let start = &text[..text.floor_char_boundary(most)];
    format!("{start}… ({} bytes left out)", text.len() - start.len()).into()
}

/// A part of a line that is too long.
fn shortened(value: Value) -> Value {
    let value = match value {
        Value::String(text) => cut(&text, MOST_TEXT).into(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, shortened(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    };
    let bytes = escape_json(&value.to_string()).len();
    if bytes > MOST_PART { format!("… ({bytes} bytes left out)").into() } else { value }
}

/// What must not reach a terminal or a reader of lines as it is: control
/// characters, and those that reorder or break text.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether nothing in a text is dangerous. Most lines are plain ASCII, which is
/// told without looking at characters.
fn is_safe(text: &str) -> bool {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte);
    text.bytes().fold(true, |plain, byte| plain & is_plain(byte)) || !text.contains(is_dangerous)
}

/// Makes JSON safe for a terminal and for one line: escapes what JSON's own
/// escapes leave. Outside of strings there is none.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if is_safe(json) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_dangerous(c) {
            // All of them are in the basic plane.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Makes text safe for a terminal and for one line: what is dangerous is
/// spelt out.
pub fn escape_text(text: &str) -> Cow<'_, str> {
    if is_safe(text) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_dangerous(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    Cow::Owned(escaped)
}

/// A guest's fields as one object. A name that comes twice is told apart.
fn fields(line: &LogLine) -> Value {
    let mut fields = Map::new();
    // A count for each name, so that a thousand fields of one name do not cost
    // a million look-ups.
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (name, value) in &line.fields {
        let count = counts.entry(name).or_insert(0);
        let unique = loop {
            *count += 1;
            let unique = if *count == 1 { name.clone() } else { format!("{name} ({count})") };
            if !fields.contains_key(&unique) {
                break unique;
            }
        };
        fields.insert(unique, value.as_str().into());
    }
    Value::Object(fields)
}

/// Writes the lines of one invocation.
pub struct InvocationLog {
    /// Where to.
    pub log: Arc<Log>,
    /// Lambda's id of the invocation.
    pub request_id: String,
    /// The function's name.
    pub function_name: String,
}

impl InvocationLog {
    /// The last line of an invocation: what became of its records.
    pub fn summary(&self, invoked: &Invoked) {
        if let Some(bad_deadline) = invoked.bad_deadline {
            self.log.line(LogLevel::Warn, &bad_deadline.to_string(), Some(&self.request_id), Map::new());
        }
        self.malformed(invoked);
        let mut outcomes = Map::new();
        for (index, name) in invoked.handlers.iter().enumerate() {
            outcomes.insert(name.to_string(), json!(invoked.report.counts(index)));
        }
        let again = invoked.report.answer.come_again_from();
        let mut more = Map::new();
        more.insert("records".to_owned(), invoked.event.len().into());
        more.insert("outcomes".to_owned(), Value::Object(outcomes));
        if let Some(arn) = invoked.event.stream() {
            more.insert("streamArn".to_owned(), arn.as_str().into());
        }
        if let Some(identifier) = again {
            more.insert("comeAgainFrom".to_owned(), identifier.into());
        }
        more.insert("durationMs".to_owned(), json!(invoked.elapsed.as_secs_f64() * 1e3));
        let (level, message) = match again {
            None => (LogLevel::Info, "invocation done"),
            Some(_) => (LogLevel::Warn, "invocation done; records must come again"),
        };
        self.log.line(level, message, Some(&self.request_id), more);
    }

    /// The metrics of an invocation.
    pub fn metrics(&self, invoked: &Invoked) {
        let now = SystemTime::now();
        let now_ms = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let about = metrics::About {
            function_name: &self.function_name,
            request_id: &self.request_id,
            now_ms: u64::try_from(now_ms).unwrap_or(u64::MAX),
            now: &humantime::format_rfc3339_millis(now).to_string(),
            level: self.log.level.as_str(),
        };
        for document in metrics::documents(invoked, &about) {
            self.log.metrics(&document);
        }
    }

    /// R4, R9: why a record cannot be read. Nothing was called with it, so no
    /// other line says so. It is a barrier, so there is one in an event.
    fn malformed(&self, invoked: &Invoked) {
        for (row, record) in invoked.report.outcomes.iter().zip(invoked.event.records()) {
            let why = row.iter().find_map(|outcome| match outcome {
                Outcome::Malformed(why) => Some(why),
                _ => None,
            });
            if let Some(why) = why {
                let mut more = Map::new();
                more.insert("eventId".to_owned(), record.event_id().unwrap_or_default().into());
                more.insert("sequenceNumber".to_owned(), record.sequence_number().as_str().into());
                more.insert("outcome".to_owned(), json!({ "kind": "malformed", "detail": why }));
                self.log.line(LogLevel::Error, "the record cannot be read", Some(&self.request_id), more);
            }
        }
    }

    fn guest_line(&self, call: &CallEnded<'_>, level: LogLevel, message: &str, own: Option<(&str, Value)>) {
        if level < self.log.level {
            return;
        }
        let mut more = Map::new();
        more.insert("handler".to_owned(), call.handler.into());
        more.insert("eventId".to_owned(), call.record.event_id().unwrap_or_default().into());
        more.insert("sequenceNumber".to_owned(), call.record.sequence_number().as_str().into());
        more.extend(own.map(|(name, value)| (name.to_owned(), value)));
        self.log.line(level, message, Some(&self.request_id), more);
    }
}

impl Observer for InvocationLog {
    fn called(&self, call: &CallEnded<'_>) {
        for line in GuestLines::of(call) {
            match line {
                GuestLine::Log(line) if line.level < self.log.level => {}
                GuestLine::Log(line) => {
                    let fields = (!line.fields.is_empty()).then(|| ("fields", fields(line)));
                    self.guest_line(call, line.level, &line.message, fields);
                }
                GuestLine::Printed { stream, text } => {
                    let level = if stream == "stderr" { LogLevel::Error } else { LogLevel::Info };
                    self.guest_line(call, level, text, Some(("stream", stream.into())));
                }
                GuestLine::LeftOut { stream, bytes } => {
                    let message = format!("{bytes} bytes of {stream} are left out here");
                    self.guest_line(call, LogLevel::Warn, &message, None);
                }
            }
        }
        if call.outcome.must_come_again() {
            let message = match call.outcome {
                Outcome::Rejected(_) => "the handler rejected the record",
                Outcome::Retry(_) => "the handler asked for the record again",
                Outcome::Trapped(_) => "the handler trapped",
                Outcome::Limit(..) => "the handler passed a limit",
                Outcome::TimedOut => "the handler timed out",
                Outcome::NotRun(_) => "the handler was cut: the invocation's time is over",
                Outcome::Malformed(_) | Outcome::Done | Outcome::Filtered | Outcome::AlreadyDone => {
                    "the record is not done"
                }
            };
            let outcome = json!({ "kind": call.outcome.kind(), "detail": call.outcome.detail() });
            self.guest_line(call, LogLevel::Error, message, Some(("outcome", outcome)));
        }
    }
}

/// Something that a guest said, or a gap in it.
pub enum GuestLine<'a> {
    /// Through the contract's `log`.
    Log(&'a LogLine),
    /// A line that it printed.
    Printed {
        /// `stdout` or `stderr`.
        stream: &'static str,
        /// The line.
        text: &'a str,
    },
    /// What is not kept.
    LeftOut {
        /// `stdout`, `stderr` or `log`.
        stream: &'static str,
        /// How much.
        bytes: u64,
    },
}

/// All that a guest said in a call: what it printed, then what it logged, then
/// what it printed as errors.
pub struct GuestLines;

impl GuestLines {
    /// The lines of a call.
    pub fn of<'a>(call: &CallEnded<'a>) -> impl Iterator<Item = GuestLine<'a>> {
        let called = call.called;
        let printed = |stream: &'static str, lines: &'a [String], gap: Option<Gap>| {
            let lines = lines.iter().map(move |text| GuestLine::Printed { stream, text });
            with_gap(stream, lines, gap)
        };
        let stdout = printed("stdout", &called.stdout, called.stdout_gap);
        let logged = with_gap("log", called.log.iter().map(GuestLine::Log), called.log_gap);
        stdout.chain(logged).chain(printed("stderr", &called.stderr, called.stderr_gap))
    }
}

fn with_gap<'a>(
    stream: &'static str,
    lines: impl Iterator<Item = GuestLine<'a>>,
    gap: Option<Gap>,
) -> impl Iterator<Item = GuestLine<'a>> {
    let mut lines = lines.enumerate().peekable();
    let mut gap = gap;
    std::iter::from_fn(move || {
        let at = lines.peek().map(|(index, _)| *index);
        if let Some(Gap { bytes, .. }) = gap.take_if(|gap| at.is_none_or(|index| index == gap.before_line)) {
            return Some(GuestLine::LeftOut { stream, bytes });
        }
        lines.next().map(|(_, line)| line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_or_breaks_a_line_is_left() {
        let text = "a\nb\r\u{1b}[2J\u{9b}31m\u{7f}\u{2028}\u{202e}\0é😀";
        let json = json!({ "message": text }).to_string();
        let escaped = escape_json(&json);
        assert!(!escaped.contains(is_dangerous), "{escaped}");
        assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap()["message"], text);
        let spelt = escape_text(text);
        assert!(!spelt.contains(is_dangerous), "{spelt}");
        assert!(spelt.ends_with("é😀"));
    }

    #[test]
    fn a_line_is_never_longer_than_lambda_takes() {
        static LINES: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
        let write = |line: &[u8]| {
            LINES.lock().unwrap().push(String::from_utf8(line.to_vec()).unwrap());
            Ok(())
        };
        let text = "\u{1b}".repeat(64 << 10);
        let many: Map<String, Value> = (0..10_000).map(|i| (format!("\u{1b}{i}"), "x".into())).collect();
        for format in [Format::Json, Format::Text] {
            let log = Log { format, level: LogLevel::Info, write };
            let outcome = json!({ "kind": "retry", "detail": text });
            for part in [json!(text), outcome, json!(many), json!({ text.as_str(): text })] {
                let more = Map::from_iter([("part".to_owned(), part), ("handler".to_owned(), "h".into())]);
                log.line(LogLevel::Info, &text, Some("id"), more);
            }
            log.line(LogLevel::Info, "short", Some("id"), Map::from_iter([("part".to_owned(), json!(many))]));
        }
        for line in LINES.lock().unwrap().iter() {
            assert!((10_000..=MOST_LINE + 1).contains(&line.len()), "{}", line.len());
            assert!(line.contains("left out") || line.contains("short"), "{line}");
        }
    }

    #[test]
    fn a_field_that_comes_twice_is_kept_twice() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let line = LogLine {
            level: LogLevel::Info,
            message: String::new(),
            fields: vec![pair("a", "1"), pair("a", "2"), pair("_aws", "{}")],
        };
        assert_eq!(fields(&line), json!({ "a": "1", "a (2)": "2", "_aws": "{}" }));
    }
}
