//! `gristmill logs --remote`: what the deployed functions said, from CloudWatch
//! Logs. A line of the host is shown with its handler; what is none is shown as it
//! is.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::Running;
use crate::aws::{self, Aws, Refused as _};
use crate::cli::{LogsArgs, Output};
use crate::deploy;
use crate::edge::{Done, Misuse, escape};
use crate::function::now_ms;
use crate::lines::Filter;
use crate::manifest;

/// How often a log that is followed is looked at. CloudWatch has a quota of some
/// requests a second for an account.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How far back is shown where nobody says.
const DEFAULT_SINCE_MS: u64 = 10 * 60 * 1_000;

/// Lines come late and not in order: this much is looked at again.
const LATE_MS: u64 = 30_000;

/// Runs `gristmill logs --remote` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems, or there is no such handler;
/// * there is no stack, or AWS refuses to say.
pub fn logs(root: &Path, args: &LogsArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.as_deref())?;
    if let Some(name) = &args.name {
        manifest.handler(name)?;
    }
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.aws).await?;
        let running = Running::find(&aws, &manifest).await?;
        let is_wanted = |handlers: &[&crate::manifest::Handler]| {
            args.name.as_ref().is_none_or(|name| handlers.iter().any(|handler| handler.name == *name))
        };
        let groups: Vec<String> = running
            .functions
            .iter()
            .filter(|function| is_wanted(&function.handlers))
            .map(|function| format!("/aws/lambda/{}", function.name()))
            .collect();
        let mut reader = Reader {
            seen: BTreeSet::new(),
            filter: Filter::parse(&args.filter),
            name: args.name.clone(),
            output: args.output,
            shown: 0,
        };
        let mut since = now_ms().saturating_sub(args.since.map_or(DEFAULT_SINCE_MS, |since| since.ms));
        loop {
            let begun = now_ms();
            for group in &groups {
                if !reader.read(&aws, group, since).await? {
                    return Ok(Done::default());
                }
            }
            if !args.follow {
                if reader.shown == 0 && args.output == Output::Text {
                    eprintln!("{}", nothing(args));
                }
                return Ok(Done::default());
            }
            since = since.max(begun.saturating_sub(LATE_MS));
            reader.forget_before(since);
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    })
}

struct Reader {
    /// Times and ids of the events that were shown.
    seen: BTreeSet<(u64, String)>,
    filter: Filter,
    name: Option<String>,
    output: Output,
    /// How many lines.
    shown: usize,
}

impl Reader {
    /// Shows what is new in a group; false when nobody reads any more.
    async fn read(&mut self, aws: &Aws, group: &str, since: u64) -> anyhow::Result<bool> {
        let start = i64::try_from(since).unwrap_or(i64::MAX);
        let filter = aws.logs.filter_log_events().log_group_name(group).start_time(start);
        // The handler is a field of each line that is one's own.
        let pattern = self.name.as_ref().map(|name| format!("{{ $.handler = \"{name}\" }}"));
        let mut pages = filter.set_filter_pattern(pattern).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = match page.refused("logs:FilterLogEvents") {
                Err(refusal) if refusal.is("ResourceNotFoundException") => {
                    let why = format!("there is no log group {group}; `gristmill status` shows what is there");
                    return Err(Misuse::new(why).into());
                }
                other => other?,
            };
            for event in page.events() {
                let time = event.timestamp().and_then(|time| u64::try_from(time).ok()).unwrap_or_default();
                let key = (time, event.event_id().unwrap_or_default().to_owned());
                if self.seen.insert(key) && !self.show(group, time, event.message().unwrap_or_default().trim_end()) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn show(&mut self, group: &str, time: u64, line: &str) -> bool {
        let parsed: Option<Value> = serde_json::from_str(line).ok().filter(Value::is_object);
        // An emulator may not have the pattern.
        let handler = parsed.as_ref().and_then(|line| line["handler"].as_str());
        if self.name.is_some() && handler != self.name.as_deref() {
            return true;
        }
        let words = words(parsed.as_ref(), line);
        if !self.filter.wants(&words, line) {
            return true;
        }
        let text = match self.output {
            Output::Json => {
                let value = parsed.unwrap_or_else(|| json!(line));
                json!({ "time-ms": time, "log-group": group, "line": value }).to_string()
            }
            Output::Text => {
                let at = std::time::UNIX_EPOCH + Duration::from_millis(time);
                escape(&format!("{} {words}", humantime::format_rfc3339_millis(at)))
            }
        };
        self.shown += 1;
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}").and_then(|()| stdout.flush()).is_ok()
    }

    fn forget_before(&mut self, since: u64) {
        self.seen = self.seen.split_off(&(since.saturating_sub(LATE_MS), String::new()));
    }
}

/// What is said where there is no line, so that nobody takes it for a fault.
fn nothing(args: &LogsArgs) -> String {
    let since =
        humantime::format_duration(Duration::from_millis(args.since.map_or(DEFAULT_SINCE_MS, |since| since.ms)));
    let filtered = if args.filter.is_empty() && args.name.is_none() { "" } else { " that is asked for" };
    format!("there is no line{filtered} of the last {since}; --since 1h looks further back, -f waits for new ones")
}

/// A line for people: its level, its handler and what it says.
fn words(parsed: Option<&Value>, line: &str) -> String {
    let Some(parsed) = parsed else { return line.to_owned() };
    let text = |key: &str| parsed[key].as_str().unwrap_or_default();
    // Lambda's own lines, of starts and ends, have `type` and `record`.
    if let Some(kind) = parsed["type"].as_str().filter(|_| parsed.get("record").is_some()) {
        let id = parsed["record"]["requestId"].as_str().unwrap_or_default();
        return format!("{:<5} lambda {kind} {id}", "");
    }
    if parsed.get("message").is_none() {
        return line.to_owned();
    }
    let mut words = format!("{:<5} {} {}", text("level"), text("handler"), text("message"));
    for key in ["sequenceNumber", "outcome", "fields", "outcomes", "comeAgainFrom"] {
        match &parsed[key] {
            Value::Null => {}
            Value::String(value) => words += &format!(" {key}={value}"),
            other => words += &format!(" {key}={other}"),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_with_its_handler() {
        let line = r#"{"timestamp":"x","level":"INFO","message":"filed","handler":"clerk-file","sequenceNumber":"1","fields":{"a":"b"}}"#;
        let parsed = serde_json::from_str(line).unwrap();
        assert_eq!(words(Some(&parsed), line), r#"INFO  clerk-file filed sequenceNumber=1 fields={"a":"b"}"#);
        let platform = json!({ "type": "platform.report", "record": { "requestId": "r" } });
        assert_eq!(words(Some(&platform), ""), "      lambda platform.report r");
        assert_eq!(words(None, "plain"), "plain");
    }
}
