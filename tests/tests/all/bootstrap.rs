//! `bootstrap` as a process, against a Runtime API that does what Lambda's
//! documentation says.

use std::process::Command;
use std::time::Duration;

use gristmill_tests::events::{doing, event, of_table, record, seed};
use gristmill_tests::project::TWO_HANDLERS;
use gristmill_tests::runtime_api::{Answer, Bootstrap, Deadline, SECRET, TRACE_HEADER, now_ms, package};
use gristmill_tests::{Project, cargo, root};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cases::COMMAND;

mod packaged;

/// More time than any of these invocations needs.
const AMPLE: Deadline = Deadline::In(Duration::from_secs(50));

const NOTHING_FAILED: &str = r#"{"batchItemFailures":[]}"#;

/// One handler, `a`, that runs one call at a time.
pub(crate) const ONE_HANDLER: &str = r#"
[project]
name = "demo"
namespace = false

[stream.test-table]
table = "test-table"
concurrency = 1

[handler.a]
component = "scripted.wasm"
stream = "test-table"
timeout-ms = 60000
"#;

/// `bootstrap` with the handlers of a manifest. The folder goes with the
/// process.
fn start(manifest: &str, response: &str) -> (Bootstrap, TempDir) {
    let package = package(&Project::new(COMMAND, manifest), response);
    (Bootstrap::start(package.path(), "demo"), package)
}

/// The messages of a handler's lines that have this member.
fn messages(answer: &Answer, member: &str) -> Vec<String> {
    let logs = answer.logs();
    let lines = logs.iter().filter(|line| line.get(member).is_some());
    lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

/// What the summary says of a handler.
fn outcomes(answer: &Answer, handler: &str) -> Value {
    let logs = answer.logs();
    let summary = logs.iter().find(|line| line.get("outcomes").is_some()).expect("an invocation has a summary");
    summary["outcomes"][handler].clone()
}

fn failed(sequence_number: &str) -> String {
    json!({ "batchItemFailures": [{ "itemIdentifier": sequence_number }] }).to_string()
}

#[test]
fn the_seed_event_is_answered() {
    let (mut bootstrap, _package) = start(TWO_HANDLERS, "partial");
    assert_eq!(bootstrap.invoke(&seed(None), AMPLE).response(), NOTHING_FAILED);
    let answer = bootstrap.invoke(&seed(Some("retry the printer is out of paper")), AMPLE);
    assert_eq!(answer.response(), r#"{"batchItemFailures":[{"itemIdentifier":"261800000000059086429283"}]}"#);
}

#[test]
fn where_the_mapping_would_not_read_the_answer_the_function_fails() {
    let (mut bootstrap, _package) = start(TWO_HANDLERS, "error");
    assert_eq!(bootstrap.invoke(&seed(None), AMPLE).response(), NOTHING_FAILED);
    let answer = bootstrap.invoke(&seed(Some("retry the printer is out of paper")), AMPLE);
    let (error_type, message) = answer.error();
    assert_eq!(error_type, "Gristmill.RecordsFailed");
    assert_eq!(
        message,
        "1 of 1 records must come again, from sequence number 261800000000059086429283 on: handler a: retry (the printer is out of paper)"
    );
    assert_eq!(bootstrap.invoke(&seed(None), AMPLE).response(), NOTHING_FAILED);
}

#[test]
fn nothing_is_left_in_memory_from_one_invocation_to_the_next() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    let records: Vec<Value> = ["11", "12", "13"].map(|number| record(number, "x", &[("do", "keep")])).into();
    for _ in 0..5 {
        assert_eq!(bootstrap.invoke(&event(&records), AMPLE).response(), NOTHING_FAILED);
    }
}

#[test]
fn a_guest_knows_the_invocation_and_its_attempt() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    for _ in 0..2 {
        assert_eq!(bootstrap.invoke(&doing("retry later"), AMPLE).response(), failed("100000000000000000001"));
    }
    let answer = bootstrap.invoke(&doing("context"), AMPLE);
    let messages = messages(&answer, "stream");
    let deadline = messages.iter().find_map(|message| message.strip_prefix("deadline-ms=Some(")).unwrap();
    let deadline: u64 = deadline.trim_end_matches(')').parse().unwrap();
    assert!((now_ms()..answer.deadline_ms).contains(&deadline), "{deadline}");
    assert_eq!(
        messages,
        [
            format!("request-id={}", answer.request_id),
            "handler=a".to_owned(),
            "function-name=demo-function".to_owned(),
            "function-version=$LATEST".to_owned(),
            "attempt=3".to_owned(),
            format!("deadline-ms=Some({deadline})"),
            format!("trace-header=Some(\"{TRACE_HEADER}\")"),
        ]
    );
    // What went well is not remembered as a failure, nor counted for others.
    let other = event(&[record("100000000000000000002", "1", &[("do", "context")])]);
    let answer = bootstrap.invoke(&other, AMPLE);
    assert!(answer.lines.iter().any(|line| line.contains("attempt=1")), "{:?}", answer.lines);
}

#[test]
fn what_is_no_event_for_it_fails_the_function_and_the_next_invocation_runs() {
    let (mut bootstrap, _package) = start(TWO_HANDLERS, "partial");
    let seed = seed(None);
    let sqs = json!({ "Records": [{ "messageId": "1", "body": "{}", "eventSource": "aws:sqs" }] }).to_string();
    let mut not_utf8 = seed.clone();
    not_utf8[100] = 0xff;
    let cases: [(&str, Vec<u8>, &str, &str); 8] = [
        ("unrouted", of_table(&seed, "other-table"), "Gristmill.Unrouted", "table/other-table/stream/"),
        ("an SQS event", sqs.into_bytes(), "Gristmill.BadEvent", "Records[0]"),
        ("not UTF-8", not_utf8, "Gristmill.BadEvent", "the event is not UTF-8: byte 100 starts no character"),
        ("truncated", seed[..seed.len() / 2].to_vec(), "Gristmill.BadEvent", "does not end"),
        ("two events", [seed.as_slice(), &seed].concat(), "Gristmill.BadEvent", "expected the end at byte"),
        ("nothing", Vec::new(), "Gristmill.BadEvent", "found the end of the text"),
        ("null", b"null".to_vec(), "Gristmill.BadEvent", "null"),
        ("no JSON", b"hello".to_vec(), "Gristmill.BadEvent", "not a DynamoDB stream event"),
    ];
    for (what, payload, expected_type, part) in cases {
        let answer = bootstrap.invoke(&payload, AMPLE);
        let (error_type, message) = answer.error();
        assert_eq!(error_type, expected_type, "{what}: {message}");
        assert!(message.contains(part), "{what}: {message}");
        let logs = answer.logs();
        let [line] = logs.as_slice() else { panic!("{what}: {logs:?}") };
        assert_eq!(
            (&line["level"], &line["message"], &line["errorType"], &line["requestId"]),
            (&json!("ERROR"), &json!(message), &json!(expected_type), &json!(answer.request_id)),
            "{what}"
        );
        assert_eq!(bootstrap.invoke(&seed, AMPLE).response(), NOTHING_FAILED, "after {what}");
    }
    assert_eq!(bootstrap.stderr(), "");
}

#[test]
fn why_a_record_cannot_be_read_is_in_the_log() {
    let (mut bootstrap, _package) = start(TWO_HANDLERS, "partial");
    let mut unreadable = record("102", "x", &[]);
    unreadable["dynamodb"]["Keys"] = json!({});
    let answer = bootstrap.invoke(&event(&[record("101", "x", &[]), unreadable, record("103", "y", &[])]), AMPLE);
    assert_eq!(answer.response(), failed("102"));
    let logs = answer.logs();
    let lines: Vec<&Value> = logs.iter().filter(|line| line["message"] == "the record cannot be read").collect();
    assert_eq!(lines.len(), 1, "{logs:#?}");
    assert_eq!(lines[0]["sequenceNumber"], "102");
    assert_eq!(lines[0]["outcome"], json!({ "kind": "malformed", "detail": "dynamodb.Keys: no key attributes" }));
}

#[test]
fn at_the_deadline_the_answer_names_the_first_record_that_was_not_run() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    bootstrap.invoke(&seed(None), AMPLE);
    let scripts = [("11", "ok"), ("12", "loop"), ("13", "ok")];
    let records: Vec<Value> = scripts.map(|(number, script)| record(number, number, &[("do", script)])).into();
    let answer = bootstrap.invoke(&event(&records), Deadline::In(Duration::from_secs(3)));
    assert_eq!(answer.response(), failed("12"));
    assert!(answer.at_ms < answer.deadline_ms, "{} ms late", answer.at_ms - answer.deadline_ms);
    assert_eq!(outcomes(&answer, "a"), json!({ "done": 1, "not-run": 2 }));
}

#[test]
fn the_lowest_record_that_is_cut_has_timed_out() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    bootstrap.invoke(&seed(None), AMPLE);
    let records = [record("11", "x", &[("do", "sleep-ms 40000")]), record("12", "y", &[])];
    let answer = bootstrap.invoke(&event(&records), Deadline::In(Duration::from_secs(2)));
    assert_eq!(answer.response(), failed("11"));
    assert!(answer.at_ms < answer.deadline_ms, "{} ms late", answer.at_ms - answer.deadline_ms);
    assert_eq!(outcomes(&answer, "a"), json!({ "timed-out": 1, "not-run": 1 }));
}

#[test]
fn a_deadline_that_is_none_is_ignored_with_a_warning() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    for (deadline_ms, part) in [(542_409_706_888, "before the invocation was received"), (u64::MAX, "an hour ahead")] {
        let answer = bootstrap.invoke(&seed(None), Deadline::At(deadline_ms));
        assert_eq!(answer.response(), NOTHING_FAILED);
        let logs = answer.logs();
        let warning = logs.iter().find(|line| line["level"] == "WARN").expect("a warning");
        let message = warning["message"].as_str().unwrap();
        assert!(message.contains(part) && message.contains(&deadline_ms.to_string()), "{message}");
    }
}

/// Record 11 is handed out first (R7) and runs until its timeout; 12 prints.
/// Which of them ends first tells whether 12 ran beside 11 or after it.
fn who_ends_first(concurrency: &str) -> Vec<Value> {
    let manifest = ONE_HANDLER
        .replace("concurrency = 1", &format!("concurrency = {concurrency}"))
        .replace("timeout-ms = 60000", "timeout-ms = 3000");
    let (mut bootstrap, _package) = start(&manifest, "partial");
    let records = [record("11", "x", &[("do", "loop")]), record("12", "y", &[("do", "print here")])];
    let answer = bootstrap.invoke(&event(&records), AMPLE);
    assert_eq!(answer.response(), failed("11"));
    assert_eq!(outcomes(&answer, "a"), json!({ "timed-out": 1, "done": 1 }));
    let numbers = answer.logs().into_iter().filter_map(|line| line.get("sequenceNumber").cloned());
    numbers.collect()
}

#[test]
fn two_calls_run_at_once() {
    assert_eq!(who_ends_first("2"), ["12", "11"]);
}

#[test]
fn with_a_concurrency_of_one_they_run_one_after_the_other() {
    assert_eq!(who_ends_first("1"), ["11", "12"]);
}

#[test]
fn a_termination_signal_ends_it_in_order() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    bootstrap.wait_until_initialised();
    let ended = bootstrap.terminate();
    assert_eq!((ended.code, ended.lines.len(), ended.stderr.as_str()), (Some(0), 0, ""));

    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    bootstrap.invoke(&seed(None), AMPLE);
    let ended = bootstrap.terminate();
    assert_eq!((ended.code, ended.lines.len(), ended.stderr.as_str()), (Some(0), 0, ""));
}

#[test]
fn a_termination_signal_ends_it_in_mid_invocation() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    bootstrap.api().push(&doing("loop"), AMPLE);
    bootstrap.wait_until_running();
    let ended = bootstrap.terminate();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

/// Lambda sends the signal only to functions with an extension, and refuses
/// extensions once the runtime has asked for an invocation.
#[test]
fn the_extension_that_brings_the_signal_is_registered_in_time() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    bootstrap.wait_until_initialised();
    bootstrap.wait_until_extended();
    let extensions = bootstrap.api().extensions();
    let [extension] = extensions.as_slice() else { panic!("{extensions:?}") };
    assert_eq!((extension.name.as_str(), &extension.registration), ("gristmill-shutdown", &json!({ "events": [] })));
    assert_eq!(bootstrap.api().refused(), [""; 0]);
}

/// The members of a line and what they are.
fn assert_is_documented(line: &Value, request_id: &str) {
    let members = line.as_object().expect("a line is an object");
    assert_eq!(members["requestId"], request_id);
    let kind = |value: &Value| match value {
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Object(_) => "object",
        Value::Null | Value::Bool(_) | Value::Array(_) => "other",
    };
    for (name, value) in members {
        let expected = match name.as_str() {
            "timestamp" | "level" | "message" | "requestId" => "text",
            "handler" | "eventId" | "sequenceNumber" | "stream" | "errorType" => "text",
            "streamArn" | "comeAgainFrom" => "text",
            "fields" | "outcome" | "outcomes" => "object",
            "records" | "durationMs" => "number",
            other => panic!("{other:?} in {line}"),
        };
        assert_eq!(kind(value), expected, "{name:?} in {line}");
    }
    let timestamp = members["timestamp"].as_str().unwrap();
    assert!(timestamp.len() == 24 && timestamp.ends_with('Z') && timestamp.as_bytes()[10] == b'T', "{timestamp}");
}

#[test]
fn a_line_is_one_object_with_the_documented_members() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    let scripts = [
        "print to stdout",
        "print-error to stderr",
        "flood-log 2",
        "reject never",
        "panic ouch",
        "flood-stdout 200000",
    ];
    let records: Vec<Value> = (11..).zip(scripts).map(|(i, s)| record(&i.to_string(), s, &[("do", s)])).collect();
    let answer = bootstrap.invoke(&event(&records), AMPLE);
    assert_eq!(answer.response(), failed("14"));
    let logs = answer.logs();
    logs.iter().for_each(|line| assert_is_documented(line, &answer.request_id));
    let line = |message: &str| {
        let mut line =
            logs.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("{message}")).clone();
        line.as_object_mut().unwrap().remove("timestamp");
        line
    };
    let expected = |number: u32, level: &str, message: &str, name: &str, value: Value| {
        let mut line = json!({
            "level": level, "message": message, "requestId": answer.request_id, "handler": "a",
            "eventId": format!("1a87201789a6e14315b80000{number:0>8}"), "sequenceNumber": number.to_string(),
        });
        line[name] = value;
        line
    };
    assert_eq!(line("to stdout"), expected(11, "INFO", "to stdout", "stream", json!("stdout")));
    assert_eq!(line("to stderr"), expected(12, "ERROR", "to stderr", "stream", json!("stderr")));
    assert_eq!(line("flood"), expected(13, "INFO", "flood", "fields", json!({ "line": "0" })));
    let rejected = "the handler rejected the record";
    let outcome = json!({ "kind": "rejected", "detail": "never" });
    assert_eq!(line(rejected), expected(14, "ERROR", rejected, "outcome", outcome));
    let summary = line("invocation done; records must come again");
    assert_eq!(summary["level"], "WARN");
    assert_eq!(summary["comeAgainFrom"], "14");
    assert_eq!(summary["records"], 6);
    assert_eq!(summary["outcomes"], json!({ "a": { "done": 4, "rejected": 1, "trapped": 1 } }));
    assert_eq!(logs.iter().filter(|line| line.get("outcomes").is_some()).count(), 1);
    // Of lines of 64 bytes, and the first and last line, 512 are kept at each
    // end: what a line costs beyond its text is counted too.
    let left_out = 200_021 - (11 + 511 * 64) - (511 * 64 + 10);
    assert_eq!(line(&format!("{left_out} bytes of stdout are left out here"))["level"], "WARN");
}

#[test]
fn lines_are_text_where_lambda_asks_for_it() {
    let package = package(&Project::new(COMMAND, ONE_HANDLER), "partial");
    let mut bootstrap =
        Bootstrap::start_with(package.path(), "demo", |vars| vars.with("AWS_LAMBDA_LOG_FORMAT", "Text"));
    let answer = bootstrap.invoke(&doing("print to\tstdout"), AMPLE);
    let [line, summary] = answer.lines.as_slice() else { panic!("{:?}", answer.lines) };
    let columns: Vec<&str> = line.split('\t').collect();
    assert_eq!(columns[1..4], [answer.request_id.as_str(), "INFO", r"to\tstdout"]);
    let rest: Value = serde_json::from_str(columns[4]).unwrap();
    assert_eq!((&rest["handler"], &rest["sequenceNumber"]), (&json!("a"), &json!("100000000000000000001")));
    assert!(summary.contains("\tINFO\tinvocation done\t{"), "{summary}");
}

#[test]
fn lines_below_the_level_are_left_out() {
    let package = package(&Project::new(COMMAND, ONE_HANDLER), "partial");
    let lines = |level: &str, script: &str| {
        let mut bootstrap =
            Bootstrap::start_with(package.path(), "demo", |vars| vars.with("AWS_LAMBDA_LOG_LEVEL", level));
        let answer = bootstrap.invoke(&doing(script), AMPLE);
        answer.logs().iter().map(|line| line["level"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(lines("TRACE", "print x"), ["INFO", "INFO"]);
    assert_eq!(lines("info", "print x"), ["INFO", "INFO"]);
    assert_eq!(lines("WARN", "print x"), [""; 0]);
    assert_eq!(lines("WARN", "retry x"), ["ERROR", "WARN"]);
    assert_eq!(lines("ERROR", "retry x"), ["ERROR"]);
    assert_eq!(lines("ERROR", "print-error x"), ["ERROR"]);
    assert_eq!(lines("FATAL", "retry x"), [""; 0]);
}

/// Not in the guest, not in a log line.
#[test]
fn the_environment_of_the_host_is_nowhere() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    let answer = bootstrap.invoke(&doing("environment"), AMPLE);
    assert_eq!(answer.response(), NOTHING_FAILED, "{:?}", answer.lines);
    let answer = bootstrap.invoke(&doing("panic x"), AMPLE);
    assert!(!answer.lines.concat().contains(SECRET) && !bootstrap.stderr().contains(SECRET));
}

#[test]
fn an_image_is_in_no_line_of_the_host() {
    let (mut bootstrap, _package) = start(ONE_HANDLER, "partial");
    let secret = "4-of-clubs";
    for script in ["ok", "retry x", "panic x", "exit 1"] {
        let event = event(&[record("11", secret, &[("do", script), ("card", secret)])]);
        let answer = bootstrap.invoke(&event, AMPLE);
        assert!(!answer.lines.concat().contains(secret), "{:?}", answer.lines);
    }
}

#[test]
fn there_is_no_compiler_in_it() {
    let arguments = ["tree", "-p", "gristmill-host", "--features", "lambda", "-e", "normal", "--prefix", "none"];
    let tree = gristmill_tests::succeed(cargo(root()).args(arguments).args(["--locked", "--offline"]));
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("wasmtime v"), "{tree}");
    for compiler in ["cranelift-codegen v", "wasmtime-internal-cranelift v", "winch"] {
        assert!(!tree.contains(compiler), "{tree}");
    }
    // A library leaves the paths of its sources in what it is linked into: the
    // command, which has the compiler, shows that the search finds it.
    let has = |file: &str| {
        let status = Command::new("grep").args(["-q", "-a", "-F", "/cranelift-codegen-", file]).status().unwrap();
        status.code().filter(|code| *code < 2).expect("grep reads the file") == 0
    };
    assert!(has(COMMAND));
    assert!(!has(gristmill_tests::bootstrap().to_str().unwrap()));
}
