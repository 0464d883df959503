//! `gristmill invoke`: an event through the handlers, as Lambda would.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use gristmill_host::event::EventError;
use gristmill_host::guest::LogLine;
use gristmill_host::invoke::{CallEnded, Host, InvokeError, Invoked, Observer, Request};
use gristmill_host::log::{GuestLine, GuestLines, escape_json, escape_text};
use serde_json::{Value, json};

use crate::cli::{InvokeArgs, Output};
use crate::edge::{Done, Misuse, escape};
use crate::manifest::Manifest;
use crate::{build, function, manifest};

/// Stands for Lambda's id of an invocation.
const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Runs `gristmill invoke` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems, or no handlers;
/// * a handler is not built, or its component is refused;
/// * the event cannot be read.
pub fn run(root: &Path, args: &InvokeArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load_to_run(root, args.env.as_deref())?;
    if let Some(name) = &args.handler {
        manifest.handler(name)?;
    }
    let payload = match &args.event {
        Some(path) => read_event(path)?,
        None => without_event(&manifest, args)?,
    };
    if args.build {
        build::all(&manifest, false)?;
    }
    let host = Arc::new(function::host(&manifest, args.response.into())?);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let printer = Arc::new(Printer { output: args.output, lines: Mutex::default() });
    let result = match String::from_utf8(payload) {
        Ok(text) => {
            let mut request = function::request(&manifest, REQUEST_ID, text, args.timeout_ms);
            request.handler.clone_from(&args.handler);
            runtime.block_on(host.invoke(request, Arc::clone(&printer) as Arc<dyn Observer>))
        }
        Err(error) => Err(InvokeError::Event(EventError::NotUtf8 { valid_up_to: error.utf8_error().valid_up_to() })),
    };
    Ok(match args.output {
        Output::Text => as_text(&result),
        Output::Json => as_json(&result, &printer),
    })
}

#[cfg(feature = "dev")]
fn without_event(manifest: &Manifest, args: &InvokeArgs) -> anyhow::Result<Vec<u8>> {
    crate::from_stream::event(manifest, args)
}

#[cfg(not(feature = "dev"))]
fn without_event(_: &Manifest, _: &InvokeArgs) -> anyhow::Result<Vec<u8>> {
    Err(Misuse::new("there is no event; give --event").into())
}

pub(crate) fn read_event(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut payload = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut payload).context("cannot read the event from standard input")?;
        return Ok(payload);
    }
    std::fs::read(path)
        .map_err(|error| Misuse::new(format!("cannot read the event {}: {error}", path.display())).into())
}

/// Prints what handlers say as their calls end, or keeps it for the end.
struct Printer {
    output: Output,
    lines: Mutex<Vec<Value>>,
}

impl Observer for Printer {
    fn called(&self, call: &CallEnded<'_>) {
        match self.output {
            Output::Text => {
                let mut text = String::new();
                for line in GuestLines::of(call) {
                    let _ = writeln!(text, "{} {}", call.handler, line_text(&line));
                }
                let number = call.record.sequence_number().as_str();
                let name = call.record.name().map_or("", |name| name.as_str());
                let ms = call.elapsed.as_secs_f64() * 1e3;
                let outcome = escape_text(&call.outcome.to_string()).into_owned();
                let _ = writeln!(text, "{} {number} {name}: {outcome}, {ms:.2} ms", call.handler);
                // As in `edge`: a reader that has gone is no error.
                let _ = io::stdout().lock().write_all(text.as_bytes());
            }
            Output::Json => {
                let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.extend(GuestLines::of(call).map(|line| line_json(call, &line)));
            }
        }
    }
}

/// What a handler said, as a line for people, without the handler's name.
fn line_text(line: &GuestLine<'_>) -> String {
    match line {
        GuestLine::Printed { stream, text } => format!("[{stream}] {}", escape_text(text)),
        GuestLine::LeftOut { stream, bytes } => format!("[{stream}] … {bytes} bytes are left out here …"),
        GuestLine::Log(LogLine { level, message, fields }) => {
            let mut text = format!("[{}] {}", level.as_str().to_lowercase(), escape_text(message));
            for (name, value) in fields {
                text.push_str(&format!(" {}={}", escape_text(name), escape_text(&format!("{value:?}"))));
            }
            text
        }
    }
}

/// What a handler said, as an object for programs.
fn line_json(call: &CallEnded<'_>, line: &GuestLine<'_>) -> Value {
    let mut object = json!({
        "handler": call.handler,
        "sequenceNumber": call.record.sequence_number().as_str(),
    });
    let more = match line {
        GuestLine::Printed { stream, text } => json!({ "stream": stream, "message": text }),
        GuestLine::LeftOut { stream, bytes } => json!({ "stream": stream, "leftOutBytes": bytes }),
        GuestLine::Log(LogLine { level, message, fields }) => {
            json!({ "stream": "log", "level": level.as_str(), "message": message, "fields": fields })
        }
    };
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

fn as_text(result: &Result<Invoked, InvokeError>) -> Done {
    let invoked = match result {
        Ok(invoked) => invoked,
        Err(error) => {
            let stdout = format!("the function fails: {}: {}\n", error.kind(), escape_text(&error.to_string()));
            return Done { stdout, failed: true };
        }
    };
    let mut text = String::new();
    // What was called was told as it ended; here is the rest.
    for (row, record) in invoked.report.outcomes.iter().zip(invoked.event.records()) {
        for (outcome, handler) in row.iter().zip(&invoked.handlers) {
            if !outcome.is_attempt() {
                let number = record.sequence_number().as_str();
                let _ = writeln!(text, "{handler} {number}: {}", escape_text(&outcome.to_string()));
            }
        }
    }
    match &invoked.response {
        Ok(answer) => {
            // A window's state is in it, byte for byte as it came.
            let _ = writeln!(text, "{}", escape(answer));
        }
        Err(error) => {
            let _ = writeln!(text, "the function fails: {}: {}", error.kind, escape_text(&error.message));
        }
    }
    Done { stdout: text, failed: invoked.report.answer.come_again_from().is_some() }
}

/// Runs an event, and gives what `--output json` would print; an error when the
/// function fails as a whole.
pub(crate) async fn to_json(host: &Arc<Host>, request: Request) -> Result<Value, String> {
    let printer = Arc::new(Printer { output: Output::Json, lines: Mutex::default() });
    let result = host.invoke(request, Arc::clone(&printer) as Arc<dyn Observer>).await;
    let (value, _) = as_value(&result, &printer);
    match value["error"]["errorMessage"].as_str() {
        Some(error) => Err(format!("the function fails: {error}")),
        None => Ok(value),
    }
}

fn as_json(result: &Result<Invoked, InvokeError>, printer: &Printer) -> Done {
    let (value, failed) = as_value(result, printer);
    Done { stdout: format!("{}\n", escape_json(&value.to_string())), failed }
}

/// What was invoked, as an object for programs, and whether a record must come
/// again.
fn as_value(result: &Result<Invoked, InvokeError>, printer: &Printer) -> (Value, bool) {
    let log = std::mem::take(&mut *printer.lines.lock().unwrap_or_else(PoisonError::into_inner));
    match result {
        Err(error) => {
            let error = json!({ "errorType": error.kind(), "errorMessage": error.to_string() });
            (json!({ "answer": null, "error": error, "records": [], "log": log }), true)
        }
        Ok(invoked) => {
            let records: Vec<Value> = invoked
                .event
                .records()
                .zip(&invoked.report.outcomes)
                .map(|(record, row)| {
                    let outcomes: Vec<Value> = row.iter().zip(&invoked.handlers).map(|(outcome, handler)| {
                    json!({ "handler": &**handler, "outcome": outcome.kind(), "detail": outcome.detail() })
                }).collect();
                    json!({
                        "sequenceNumber": record.sequence_number().as_str(),
                        "eventId": record.event_id(),
                        "eventName": record.name().map(|name| name.as_str()),
                        "outcomes": outcomes,
                    })
                })
                .collect();
            let (answer, error) = match &invoked.response {
                Ok(answer) => (serde_json::from_str(answer).unwrap_or(Value::Null), Value::Null),
                Err(error) => (Value::Null, json!({ "errorType": error.kind, "errorMessage": error.message })),
            };
            let again = invoked.report.answer.come_again_from();
            let value =
                json!({ "answer": answer, "error": error, "comeAgainFrom": again, "records": records, "log": log });
            (value, again.is_some())
        }
    }
}
