//! The metrics that `bootstrap` writes, read back as CloudWatch would.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use gristmill_tests::events::{doing, event, record};
use gristmill_tests::project::TWO_HANDLERS;
use gristmill_tests::runtime_api::{Answer, Bootstrap, Deadline, package};
use gristmill_tests::{Project, root, target_dir};
use serde_json::{Value, json};

use crate::cases::COMMAND;

const AMPLE: Deadline = Deadline::In(std::time::Duration::from_secs(900));

/// What CloudWatch makes of documents: by dimensions, each metric with its
/// value.
type Read = BTreeMap<Vec<(String, String)>, BTreeMap<String, f64>>;

/// What a validator that is not ours finds wrong with a document.
fn against_the_schema(document: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("document.json");
    fs::write(&file, document.to_string()).unwrap();
    let mut check = Command::new(root().join("tests/tools/jsonschema"));
    check.arg(target_dir()).arg(root().join("tests/schemas/embedded-metric-format.json")).arg(file);
    let output = check.output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Reads documents as the specification says, and fails on what CloudWatch
/// refuses.
fn read(documents: &[Value]) -> Read {
    let mut read = Read::new();
    for document in documents {
        assert!(document.to_string().len() < 256 << 10);
        for directive in document["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            for names in directive["Dimensions"].as_array().unwrap() {
                let names = names.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                let dimensions: Vec<_> = names
                    .map(|name| {
                        let value = document[name].as_str().unwrap_or_else(|| panic!("{name} is no text: {document}"));
                        assert!((1..=1024).contains(&value.len()), "{name}");
                        (name.to_owned(), value.to_owned())
                    })
                    .collect();
                let metrics = read.entry(dimensions).or_default();
                for metric in directive["Metrics"].as_array().unwrap() {
                    let name = metric["Name"].as_str().unwrap();
                    let value = document[name].as_f64().unwrap_or_else(|| panic!("{name} is no number: {document}"));
                    assert!(value.is_finite() && value >= 0.0);
                    assert_eq!(metrics.insert(name.to_owned(), value), None, "{name} is there twice");
                }
            }
        }
    }
    read
}

fn dimensions(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let all = [&[("FunctionName", "demo-function")][..], more].concat();
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The counts that are not 0.
fn counts(metrics: &BTreeMap<String, f64>) -> Vec<(&str, f64)> {
    const MEASURED: [&str; 3] = ["Duration", "GuestTime", "PeakGuestMemory"];
    let counts = metrics.iter().filter(|(name, value)| **value > 0.0 && !MEASURED.contains(&name.as_str()));
    counts.map(|(name, value)| (name.as_str(), *value)).collect()
}

fn run(manifest: &str, payload: &[u8]) -> Answer {
    let package = package(&Project::new(COMMAND, manifest), "partial");
    Bootstrap::start(package.path(), "demo").invoke(payload, AMPLE)
}

#[test]
fn what_became_of_an_invocation_is_read_back_by_function_table_and_handler() {
    let records = [
        record("11", "x", &[("do", "ok")]),
        record("12", "x", &[("do-a", "reject no"), ("do-b", "ok")]),
        record("13", "x", &[("do", "ok")]),
        record("14", "y", &[("do-a", "panic"), ("do-b", "retry later")]),
    ];
    let answer = run(TWO_HANDLERS, &event(&records));
    let read = read(&answer.metrics);
    let of_a =
        [("Calls", 3.0), ("Done", 1.0), ("Instances", 3.0), ("NotRun", 1.0), ("Rejected", 1.0), ("Trapped", 1.0)];
    assert_eq!(counts(&read[&dimensions(&[("Handler", "a")])]), of_a);
    let of_b = [("Calls", 4.0), ("Done", 3.0), ("Instances", 4.0), ("Retry", 1.0)];
    assert_eq!(counts(&read[&dimensions(&[("Handler", "b")])]), of_b);
    let of_function = [
        ("Calls", 7.0),
        ("ComeAgain", 3.0),
        ("Done", 4.0),
        ("Instances", 7.0),
        ("NotRun", 1.0),
        ("Records", 4.0),
        ("Rejected", 1.0),
        ("Retry", 1.0),
        ("Trapped", 1.0),
    ];
    for of in [dimensions(&[]), dimensions(&[("Table", "test-table")])] {
        assert_eq!(counts(&read[&of]), of_function, "{of:?}");
        // Zeros are data for an alarm.
        assert_eq!((read[&of]["TimedOut"], read[&of]["Malformed"]), (0.0, 0.0));
        // Time and memory are those of the calls.
        assert!(read[&of]["GuestTime"] > 0.0 && read[&of]["Duration"] > 0.0);
        assert!((1e5..64e6).contains(&read[&of]["PeakGuestMemory"]), "{}", read[&of]["PeakGuestMemory"]);
    }
    assert_eq!(read.len(), 4);
    for document in &answer.metrics {
        assert_eq!(document["requestId"], answer.request_id);
        assert_eq!(against_the_schema(document), "", "{document}");
    }
}

#[test]
fn the_schema_refuses_what_is_no_document() {
    let mut document = run(TWO_HANDLERS, &doing("ok")).metrics.remove(0);
    document["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"] = "Furlongs".into();
    let wrong = against_the_schema(&document);
    assert!(wrong.contains(".CloudWatchMetrics[0].Metrics[0].Unit: 'Furlongs' is not one of"), "{wrong}");
}

#[test]
fn an_instance_for_an_invocation_is_counted_once() {
    let manifest = TWO_HANDLERS.replace("[handler.a]", "concurrency = 1\n[handler.a]\ninstance-per = \"invocation\"");
    let records: Vec<Value> = (11..15).map(|number| record(&number.to_string(), "x", &[("do", "ok")])).collect();
    let read = read(&run(&manifest, &event(&records)).metrics);
    assert_eq!(counts(&read[&dimensions(&[("Handler", "a")])]), [("Calls", 4.0), ("Done", 4.0), ("Instances", 1.0)]);
    assert_eq!(counts(&read[&dimensions(&[("Handler", "b")])]), [("Calls", 4.0), ("Done", 4.0), ("Instances", 4.0)]);
}

#[test]
fn a_handler_whose_filter_declines_has_no_document_of_its_own() {
    let manifest = TWO_HANDLERS.replace("[handler.a]", "[handler.a]\nfilter = [{ eventName = [\"REMOVE\"] }]");
    let read = read(&run(&manifest, &doing("ok")).metrics);
    assert!(!read.contains_key(&dimensions(&[("Handler", "a")])), "{read:?}");
    assert_eq!(read[&dimensions(&[])]["Filtered"], 1.0);
    assert_eq!(read[&dimensions(&[])]["Done"], 1.0);
}

/// A line for each would be a flood: what is beyond the first hundred is in the
/// function's document alone, and all of it ran.
#[test]
fn of_a_thousand_handlers_that_run_a_hundred_have_a_document_of_their_own() {
    const HANDLERS: usize = 1_000;
    let project = Project::new(COMMAND, TWO_HANDLERS);
    let package = package(&project, "partial");
    let file = package.path().join("handlers.json");
    let mut settings: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let handlers = settings["functions"]["demo"]["handlers"].as_array_mut().unwrap();
    let first = handlers[0].clone();
    *handlers = (0..HANDLERS)
        .map(|number| {
            let mut handler = first.clone();
            handler["name"] = json!(format!("h{number}"));
            handler
        })
        .collect();
    fs::write(&file, settings.to_string()).unwrap();
    let mut bootstrap = Bootstrap::start(package.path(), "demo");
    let answer = bootstrap.invoke(&doing("ok"), AMPLE);
    assert_eq!(answer.response(), r#"{"batchItemFailures":[]}"#);
    let read = read(&answer.metrics);
    let own = (0..HANDLERS).filter(|number| read.contains_key(&dimensions(&[("Handler", &format!("h{number}"))])));
    assert_eq!(own.collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    let all = &read[&dimensions(&[])];
    assert_eq!((all["Done"], all["Calls"], all["Instances"]), (1_000.0, 1_000.0, 1_000.0));
}

#[test]
fn an_event_without_records_has_metrics_too() {
    let read = read(&run(TWO_HANDLERS, br#"{"Records":[]}"#).metrics);
    assert_eq!(read.keys().collect::<Vec<_>>(), [&dimensions(&[])], "an empty dimension is none");
    assert_eq!(counts(&read[&dimensions(&[])]), []);
}

#[test]
fn metrics_are_written_at_every_level_and_format_unless_they_are_off() {
    let package = package(&Project::new(COMMAND, TWO_HANDLERS), "partial");
    let metrics = |name: &str, value: &str| {
        let mut bootstrap = Bootstrap::start_with(package.path(), "demo", |vars| vars.with(name, value));
        bootstrap.invoke(&doing("ok"), AMPLE).metrics
    };
    // Lambda drops a line whose level is lower than the function's.
    for level in ["TRACE", "WARN", "FATAL"] {
        let documents = metrics("AWS_LAMBDA_LOG_LEVEL", level);
        assert_eq!(documents.len(), 3);
        assert!(documents.iter().all(|document| document["level"] == level), "{documents:?}");
    }
    assert_eq!(read(&metrics("AWS_LAMBDA_LOG_FORMAT", "Text")).len(), 4);
    assert_eq!(metrics("GRISTMILL_METRICS", "on").len(), 3);
    assert_eq!(metrics("GRISTMILL_METRICS", "off"), [Value::Null; 0]);
}

/// What the metrics of the function say other than a case's outcomes. An event
/// that fails before any handler runs has none.
pub(crate) fn wrong_outcomes(outcomes: &[String], documents: &[Value]) -> Vec<String> {
    if documents.is_empty() && outcomes.is_empty() {
        return Vec::new();
    }
    let read = read(documents);
    let mut expected: BTreeMap<String, f64> = BTreeMap::new();
    for outcome in outcomes {
        let kind = outcome.split(' ').nth(2).unwrap().trim_end_matches(':');
        let words = kind.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
        *expected.entry(words.collect()).or_default() += 1.0;
    }
    let of_function = read.get(&dimensions(&[])).cloned().unwrap_or_default();
    let other = ["Calls", "ComeAgain", "Instances", "Records"];
    let counted: BTreeMap<String, f64> = counts(&of_function)
        .into_iter()
        .filter(|(name, _)| !other.contains(name))
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    if counted == expected { Vec::new() } else { vec![format!("metrics {counted:?}, expected {expected:?}")] }
}
