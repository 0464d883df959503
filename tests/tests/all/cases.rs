//! The table of cases in `tests/cases`: each through `gristmill invoke` and
//! through `bootstrap`, with an instance for each record and with one for each
//! invocation, and with the same result.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use gristmill_tests::project::TWO_HANDLERS;
use gristmill_tests::runtime_api::{self, Answer, Bootstrap, Deadline, Status};
use gristmill_tests::{Project, root};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::metrics;

pub(crate) const COMMAND: &str = env!("CARGO_BIN_EXE_gristmill-under-test");

const STREAM: &str = "arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871";

/// One file of `tests/cases`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Case {
    /// What it shows.
    pub(crate) about: String,
    /// The rules that it holds.
    pub(crate) rules: Vec<String>,
    /// The manifest, if it is not that of `TWO_HANDLERS`.
    manifest: Option<String>,
    /// Lines for each `[handler.…]` of the manifest.
    #[serde(default)]
    handler_keys: String,
    /// Other guests that the manifest names.
    #[serde(default)]
    guests: Vec<String>,
    /// `--handler`
    handler: Option<String>,
    /// `--response`
    #[serde(default)]
    response: Option<String>,
    /// The function's timeout.
    timeout_ms: Option<u64>,
    /// The deadline as a number, for `bootstrap` alone.
    deadline_ms: Option<u64>,
    /// The payload: as it is, or made of `records`, or by a generator.
    event: Option<String>,
    generate: Option<String>,
    #[serde(default)]
    records: Vec<RecordCase>,
    /// More members of the event.
    #[serde(default)]
    event_members: String,
    /// The answer, or the failure of the function.
    answer: Option<String>,
    error: Option<ErrorCase>,
    /// `SEQUENCE HANDLER OUTCOME[: part of the detail]`, in the order of the
    /// records and handlers.
    #[serde(default)]
    pub(crate) outcomes: Vec<String>,
    /// What some line of the log contains: `HANDLER: part of the message`.
    #[serde(default)]
    log: Vec<String>,
    /// Answer and outcomes where they are others with an instance for each
    /// invocation.
    per_invocation: Option<Box<PerInvocation>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PerInvocation {
    answer: String,
    outcomes: Vec<String>,
}

#[derive(Deserialize)]
struct RecordCase {
    /// The sequence number.
    seq: String,
    /// The item's key, as a string, or the whole `Keys`.
    #[serde(default)]
    key: String,
    keys: Option<String>,
    /// What the handlers do (`do`, `do-a` for handler `a`), and `name` and
    /// `event-id`.
    #[serde(flatten)]
    script: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorCase {
    r#type: String,
    contains: String,
}

impl Case {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The same with an instance for each invocation.
    fn per_invocation(mut self) -> Self {
        self.handler_keys.push_str("\ninstance-per = \"invocation\"");
        if let Some(other) = self.per_invocation.take() {
            (self.answer, self.outcomes) = (Some(other.answer), other.outcomes);
        }
        self
    }

    pub(crate) fn payload(&self) -> Vec<u8> {
        match (&self.event, self.generate.as_deref()) {
            (Some(event), None) => event.trim().as_bytes().to_vec(),
            (None, Some("invalid-utf8")) => b"{\"Records\":[],\"x\":\"\xff\"}".to_vec(),
            (None, Some("six-megabytes-of-nesting")) => nesting(),
            (None, None) => {
                let records: Vec<String> = self.records.iter().map(|record| record.json().to_string()).collect();
                format!("{{\"Records\":[{}]{}}}", records.join(","), self.event_members).into_bytes()
            }
            (_, other) => panic!("no such event: {other:?}"),
        }
    }

    /// The project: its manifest and the guests beside it.
    pub(crate) fn project(&self) -> Project {
        let manifest = self.manifest.as_deref().unwrap_or(TWO_HANDLERS);
        let mut text = String::new();
        for line in manifest.lines() {
            let _ = writeln!(text, "{line}");
            if line.starts_with("[handler.") {
                let _ = writeln!(text, "{}", self.handler_keys);
            }
        }
        let project = Project::new(COMMAND, &text);
        self.guests.iter().for_each(|guest| project.add_guest(guest));
        project
    }
}

impl RecordCase {
    fn json(&self) -> Value {
        let keys: Value = match &self.keys {
            Some(keys) => serde_json::from_str(keys).unwrap(),
            None => json!({ "id": { "S": self.key } }),
        };
        let event_name = self.script.get("name").map_or("MODIFY", String::as_str);
        let event_id = self.script.get("event-id").unwrap_or(&self.seq);
        let known = |name: &str| name == "name" || name == "event-id" || name == "do" || name.starts_with("do-");
        assert!(self.script.keys().all(|name| known(name)), "{:?}", self.script);
        let mut image = json!({ "id": { "S": "1" } });
        for (name, script) in self.script.iter().filter(|(name, _)| name.starts_with("do")) {
            image[name] = json!({ "S": script });
        }
        json!({
            "eventID": event_id,
            "eventName": event_name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-west-2",
            "dynamodb": {
                "ApproximateCreationDateTime": 1550272599,
                "Keys": keys,
                "NewImage": image,
                "SequenceNumber": self.seq,
                "SizeBytes": 32,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": STREAM,
        })
    }
}

/// A record whose image is six megabytes of opened lists: no reader may
/// recurse on it.
fn nesting() -> Vec<u8> {
    let depth = 3 << 20;
    let record = RecordCase { seq: "1".into(), key: "1".into(), keys: None, script: Default::default() };
    let text = json!({ "Records": [record.json()] }).to_string();
    let nested = format!("\"OldImage\":{{\"x\":{}{}}},\"NewImage\"", "[".repeat(depth), "]".repeat(depth));
    text.replace("\"NewImage\"", &nested).into_bytes()
}

/// All cases, by name.
pub(crate) fn all() -> Vec<(String, Case)> {
    let mut paths: Vec<_> =
        fs::read_dir(root().join("tests/cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.iter().map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), Case::read(path))).collect()
}

/// What a door showed of a case.
struct Shown {
    answer: Option<String>,
    error: Option<(String, String)>,
}

impl Case {
    /// What is wrong with what a door showed.
    fn differences(&self, shown: &Shown) -> Vec<String> {
        let mut wrong = Vec::new();
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        match (&self.answer, &shown.answer) {
            (Some(expected), Some(answer)) if value(expected) == value(answer) => {}
            (None, None) => {}
            (expected, answer) => wrong.push(format!("answer {answer:?}, expected {expected:?}")),
        }
        match (&self.error, &shown.error) {
            (Some(expected), Some((kind, message)))
                if expected.r#type == *kind && message.contains(&expected.contains) => {}
            (None, None) => {}
            (expected, error) => {
                let expected = expected.as_ref().map(|expected| (&expected.r#type, &expected.contains));
                wrong.push(format!("error {error:?}, expected {expected:?}"));
            }
        }
        wrong
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn through_invoke(case: &Case) -> Vec<String> {
    let project = case.project();
    let mut arguments = vec!["invoke", "--output", "json", "--event", "-"];
    arguments.extend(case.handler.iter().flat_map(|handler| ["--handler", handler]));
    arguments.extend(case.response.iter().flat_map(|response| ["--response", response]));
    let timeout = case.timeout_ms.map(|ms| ms.to_string());
    arguments.extend(timeout.iter().flat_map(|ms| ["--timeout-ms", ms]));
    let ran = project.run_with_input(&arguments, &case.payload());
    if ran.code == 2 {
        return vec![format!("misuse: {}", ran.stderr)];
    }
    let json = ran.json();
    let shown = Shown {
        answer: json.get("answer").filter(|answer| !answer.is_null()).map(Value::to_string),
        error: json
            .get("error")
            .filter(|error| !error.is_null())
            .map(|error| (text_of(&error["errorType"]), text_of(&error["errorMessage"]))),
    };
    let mut wrong = case.differences(&shown);
    let again = !json["comeAgainFrom"].is_null() || shown.error.is_some();
    if ran.code != i32::from(again) {
        wrong.push(format!("exit code {}, and something must come again: {again}", ran.code));
    }
    let mut outcomes = Vec::new();
    for record in json["records"].as_array().unwrap() {
        for outcome in record["outcomes"].as_array().unwrap() {
            let number = text_of(&record["sequenceNumber"]);
            let (handler, kind) = (text_of(&outcome["handler"]), text_of(&outcome["outcome"]));
            outcomes.push((format!("{number} {handler} {kind}"), text_of(&outcome["detail"])));
        }
    }
    let matches = |(shown, detail): &(String, String), expected: &String| match expected.split_once(": ") {
        Some((outcome, part)) => shown == outcome && detail.contains(part),
        None => shown == expected,
    };
    let same = outcomes.len() == case.outcomes.len()
        && outcomes.iter().zip(&case.outcomes).all(|(shown, expected)| matches(shown, expected));
    if !same {
        let shown: Vec<String> = outcomes.iter().map(|(outcome, detail)| format!("{outcome}: {detail}")).collect();
        wrong.push(format!("outcomes\n    {}\n  expected\n    {}", shown.join("\n    "), case.outcomes.join("\n    ")));
    }
    let lines: Vec<String> = json["log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            format!(
                "{}: {}",
                text_of(&line["handler"]),
                line["message"].as_str().map_or(line.to_string(), str::to_owned)
            )
        })
        .collect();
    for expected in &case.log {
        let (handler, part) = expected.split_once(": ").unwrap();
        if !lines.iter().any(|line| line.starts_with(&format!("{handler}: ")) && line.contains(part)) {
            wrong.push(format!("no line {expected:?} in {lines:#?}"));
        }
    }
    wrong
}

impl Case {
    /// What `bootstrap` answers to its event.
    fn through_bootstrap(&self) -> Answer {
        let mut project = self.project();
        if let Some(handler) = &self.handler {
            project = alone(&project, handler);
        }
        let package = runtime_api::package(&project, self.response.as_deref().unwrap_or("partial"));
        let deadline = match (self.deadline_ms, self.timeout_ms) {
            (Some(ms), _) => Deadline::At(ms),
            (None, Some(ms)) => Deadline::In(Duration::from_millis(ms)),
            (None, None) => Deadline::In(Duration::from_secs(900)),
        };
        Bootstrap::start(package.path(), "demo").invoke(&self.payload(), deadline)
    }
}

fn through_bootstrap(case: &Case) -> Vec<String> {
    let answer = case.through_bootstrap();
    let shown = match &answer.status {
        Status::Response(text) => Shown { answer: Some(text.clone()), error: None },
        Status::Error { error_type, message } => {
            Shown { answer: None, error: Some((error_type.clone(), message.clone())) }
        }
    };
    let mut wrong = case.differences(&shown);
    wrong.extend(wrong_counts(case, &answer.logs()));
    wrong.extend(metrics::wrong_outcomes(&case.outcomes, &answer.metrics));
    wrong
}

/// The summary line counts the outcomes of each handler.
fn wrong_counts(case: &Case, logs: &[Value]) -> Option<String> {
    let mut expected: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for outcome in &case.outcomes {
        let mut words = outcome.splitn(3, ' ').skip(1);
        let (handler, kind) = (words.next().unwrap(), words.next().unwrap());
        let kind = kind.split(": ").next().unwrap();
        *expected.entry(handler.to_owned()).or_default().entry(kind.to_owned()).or_default() += 1;
    }
    let summary = logs.iter().find(|line| line.get("outcomes").is_some());
    let counted = summary.map(|line| line["outcomes"].clone()).unwrap_or_else(|| json!({}));
    (counted != json!(expected)).then(|| format!("the summary counts {counted}, expected {}", json!(expected)))
}

/// What `--handler` does, for a host that has no such flag: the handler alone,
/// on the table of the seed event.
fn alone(project: &Project, handler: &str) -> Project {
    let text = fs::read_to_string(project.path().join("gristmill.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let mut own = manifest["handler"][handler].as_table().unwrap().clone();
    own.insert("stream".to_owned(), "s".into());
    let stream = toml::Table::from_iter([("table".to_owned(), "test-table".into())]);
    let mut alone = toml::Table::new();
    alone.insert("project".to_owned(), toml::toml! { name = "demo" namespace = false }.into());
    alone.insert("stream".to_owned(), toml::Table::from_iter([("s".to_owned(), stream.into())]).into());
    alone.insert("handler".to_owned(), toml::Table::from_iter([(handler.to_owned(), own.into())]).into());
    Project::new(COMMAND, &alone.to_string())
}

fn run_all(door: &str, run: impl Fn(&Case) -> Vec<String>) {
    let cases = all();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let mut failed = String::new();
    for (name, case) in cases {
        let about = case.about.clone();
        for problem in run(&case) {
            let _ = writeln!(failed, "{name} ({about}) through {door}, an instance for each record: {problem}");
        }
        for problem in run(&case.per_invocation()) {
            let _ = writeln!(failed, "{name} ({about}) through {door}, an instance for each invocation: {problem}");
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn every_case_passes_through_bootstrap() {
    run_all("bootstrap", through_bootstrap);
}

#[test]
fn every_case_passes_through_invoke() {
    run_all("invoke", through_invoke);
}
