//! `examples/c`: the contract met from C, with bindings written by hand.
//!
//! The example is built as its README says, but for `wasm-tools`, for which
//! the crates stand in that it is made of.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gristmill_tests::{Project, root, target_dir};
use serde_json::{Value, json};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

use crate::cases::COMMAND;

/// For what has nothing to download.
const SOON: Duration = Duration::from_secs(120);

/// 413 MB unpacked; seconds on a good line.
const DOWNLOAD: Duration = Duration::from_secs(600);

const HANDLER: &str = "handlers/name-check/handler.c";
const HEADER: &str = "handlers/name-check/gristmill_events.h";

/// The core module and the component that `wasm-tools` would make of it, in
/// the words of the example's README and manifest.
const MODULE: &str = "name-check.core.wasm";
const COMPONENT: &str = "name-check.wasm";

/// What a command left.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs a command, and ends it when it has not ended by itself in time.
fn run_within(limit: Duration, command: &mut Command) -> Ran {
    fn reader(mut from: impl Read + Send + 'static) -> mpsc::Receiver<String> {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = from.read_to_end(&mut bytes);
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        });
        receiver
    }

    let end = Instant::now() + limit;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let outputs = [reader(child.stdout.take().unwrap()), reader(child.stderr.take().unwrap())];
    let [stdout, stderr] = outputs.map(|output| {
        output.recv_timeout(end.saturating_duration_since(Instant::now())).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("{command:?} has not ended after {limit:?}")
        })
    });
    Ran { code: child.wait().unwrap().code(), stdout, stderr }
}

/// The path of `zig`, which is installed when it is not there.
fn zig() -> &'static str {
    static PATH: LazyLock<String> = LazyLock::new(|| {
        let ran = run_within(DOWNLOAD, Command::new("/bin/sh").arg(root().join("tests/tools/zig")).arg(target_dir()));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.stdout.trim_end().to_owned()
    });
    &PATH
}

/// The arguments after `zig` of the README's build command.
fn readme_arguments() -> Vec<String> {
    let readme = example("README.md");
    let (_, command) = readme.split_once("\nzig cc ").expect("the README builds with `zig cc`");
    let mut arguments = vec!["cc".to_owned()];
    for line in command.lines() {
        let (words, goes_on) = line.strip_suffix('\\').map_or((line, false), |words| (words, true));
        arguments.extend(words.split_whitespace().map(str::to_owned));
        if !goes_on {
            break;
        }
    }
    arguments
}

fn contract() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).unwrap();
    (resolve, package)
}

/// `wasm-tools component embed` and `wasm-tools component new`.
fn component_of(mut module: Vec<u8>) -> Vec<u8> {
    let (resolve, package) = contract();
    let world = resolve.select_world(&[package], Some("stream-handler")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default();
    let encoded = encoder.validate(true).module(&module).and_then(ComponentEncoder::encode);
    encoded.unwrap_or_else(|error| panic!("{error:?}"))
}

/// A file of the example.
fn example(name: &str) -> String {
    fs::read_to_string(root().join("examples/c").join(name)).unwrap()
}

/// The example in a folder of its own, built with this as its `handler.c`.
fn built(handler: &str) -> Project {
    let project = Project::empty(COMMAND);
    project.write(HANDLER, handler.as_bytes());
    project.write(HEADER, example(HEADER).as_bytes());

    let cache = target_dir().join("tools/zig-cache");
    let zig = zig();
    let started = Instant::now();
    let ran = run_within(
        SOON,
        Command::new(zig)
            .args(readme_arguments())
            .current_dir(project.path())
            .env("ZIG_GLOBAL_CACHE_DIR", &cache)
            .env("ZIG_LOCAL_CACHE_DIR", &cache),
    );
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "built, and without a warning");
    let compiled = started.elapsed();
    let module = fs::read(project.path().join(MODULE)).unwrap();
    let module_bytes = module.len();
    let component = component_of(module);
    println!(
        "C guest: module {module_bytes} bytes in {compiled:?}, component {} bytes in {:?}",
        component.len(),
        started.elapsed() - compiled
    );
    assert!(component.len() < 100_000, "{} bytes", component.len());
    project.write(COMPONENT, &component);

    // The smallest memory that can be had: the stack that the README's command
    // sets leaves room in it, zig's own does not.
    let manifest = example("gristmill.toml");
    project.write("gristmill.toml", format!("{manifest}memory-mb = 1\n").as_bytes());
    project
}

/// The command's exit code, and the JSON object that it printed.
fn gristmill(project: &Project, arguments: &[&str]) -> (Option<i32>, Value) {
    let ran = run_within(SOON, &mut project.command(arguments));
    let printed = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}{}", ran.stdout, ran.stderr));
    (ran.code, printed)
}

struct Record {
    event_name: &'static str,
    /// Members of `dynamodb`, as text, for blanks and escapes to stay.
    images: String,
    /// Of both images, as the handler logs it.
    logged: [&'static str; 2],
    outcome: &'static str,
    detail: Option<&'static str>,
}

fn records() -> Vec<Record> {
    fn done(event_name: &'static str, images: &str, logged: [&'static str; 2]) -> Record {
        Record { event_name, images: images.to_owned(), logged, outcome: "done", detail: None }
    }
    fn failing(images: &str, logged: [&'static str; 2], outcome: &'static str, detail: Option<&'static str>) -> Record {
        Record { outcome, detail, ..done("MODIFY", images, logged) }
    }
    let large = format!(r#","NewImage":{{"a":{{"S":"{}"}},"name":{{"S":"last"}}}}"#, "ü\\\" ".repeat(50_000));
    vec![
        done("INSERT", r#","NewImage":{"id":{"S":"1"},"name":{"S":"Tung"}}"#, ["present", "absent"]),
        done("MODIFY", r#","NewImage":{"name":{"S":"Tung"}}"#, ["present", "absent"]),
        done("MODIFY", r#","NewImage":{"name":{"S":"Tung"}},"OldImage":{ }"#, ["present", "empty"]),
        done("MODIFY", r#","NewImage":{"name":{"N":"1"}},"OldImage":{"a":{"S":""}}"#, ["present", "present"]),
        done("REMOVE", r#","OldImage":{"name":{"S":"retry"}}"#, ["absent", "present"]),
        // Other places where the words stand that the handler looks for.
        failing(
            r#","NewImage":{"a":{"M":{"b":{"N":"1"},"name":{"S":"trap"}}},"b":{"S":"\",\"name\":{\"S\":\"trap\"}"},"c":{"L":[{"S":"name"}]}}"#,
            ["present", "absent"],
            "rejected",
            Some("no name"),
        ),
        failing(r#","NewImage":{}"#, ["empty", "absent"], "rejected", Some("no name")),
        failing(
            r#","NewImage" : {"a":{"S":"\"\\"}, "b":{"BOOL":true} ,  "name" : { "S" : "retry" } }"#,
            ["present", "absent"],
            "retry",
            Some("not yet: 108"),
        ),
        failing(r#","NewImage":{"name":{"S":"trap"}}"#, ["present", "absent"], "trapped", None),
        done("MODIFY", &large, ["present", "absent"]),
    ]
}

fn sequence_number(index: usize) -> String {
    (101 + index).to_string()
}

/// With a blank, which comes out as it went in.
fn keys(index: usize) -> String {
    format!(r#"{{"id": {{"S":"item {index}"}}}}"#)
}

fn event(records: &[Record]) -> String {
    let mut texts = Vec::new();
    for (index, record) in records.iter().enumerate() {
        texts.push(format!(
            r#"{{"eventID":"e{index}","eventName":"{}","eventSource":"aws:dynamodb","awsRegion":"us-west-2",
                "dynamodb":{{"SequenceNumber":"{}","Keys":{}{}}},
                "eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/c-dev_test-table/stream/2019-02-15T23:01:06.871"}}"#,
            record.event_name,
            sequence_number(index),
            keys(index),
            record.images,
        ));
    }
    format!(r#"{{"Records":[{}]}}"#, texts.join(","))
}

#[test]
fn a_handler_in_c_meets_the_contract() {
    let project = built(&example(HANDLER));

    let (code, checked) = gristmill(&project, &["check", "--output", "json"]);
    let import = |name: &str| json!({ "name": name, "class": "contract", "why": null });
    let expected = json!({ "handlers": [{
        "name": "name-check",
        "isHandler": true,
        "refusal": null,
        "exports": ["gristmill:events/handler@0.1.0"],
        "imports": [import("gristmill:events/types@0.1.0"), import("gristmill:events/log@0.1.0")],
    }] });
    assert_eq!((code, checked), (Some(0), expected));

    let records = records();
    project.write("event.json", event(&records).as_bytes());
    let (code, invoked) = gristmill(&project, &["invoke", "--event", "event.json", "--output", "json"]);
    assert_eq!(code, Some(1), "{invoked}");
    assert_eq!(invoked["answer"], json!({ "batchItemFailures": [{ "itemIdentifier": "106" }] }));
    assert_eq!(invoked["records"].as_array().unwrap().len(), records.len());
    assert_eq!(invoked["log"].as_array().unwrap().len(), records.len(), "{}", invoked["log"]);
    for (index, record) in records.iter().enumerate() {
        let number = sequence_number(index);
        let found = &invoked["records"][index];
        assert_eq!(found["sequenceNumber"], number);
        let outcome = &found["outcomes"][0];
        assert_eq!(outcome["outcome"], record.outcome, "{number}: {outcome}");
        match record.outcome {
            "trapped" => assert!(outcome["detail"].as_str().unwrap().contains("unreachable"), "{outcome}"),
            _ => assert_eq!(outcome["detail"], json!(record.detail), "{number}"),
        }
        // Calls end in any order, and each has logged one line.
        let lines: Vec<&Value> =
            invoked["log"].as_array().unwrap().iter().filter(|line| line["sequenceNumber"] == *number).collect();
        let [new_image, old_image] = record.logged;
        let expected = json!({
            "handler": "name-check",
            "sequenceNumber": number,
            "stream": "log",
            "level": "INFO",
            "message": record.event_name,
            "fields": [["keys", keys(index)], ["new-image", new_image], ["old-image", old_image]],
        });
        assert_eq!(lines, [&expected]);
    }
}

/// A handler that logs all that the contract tells.
const ALL_OF_IT: &str = r#"
#include "gristmill_events.h"
#define TEXT(literal) ((gm_string){literal, sizeof(literal) - 1})
static gm_field fields[32];
static size_t count;
static void add(gm_string name, gm_string value) { fields[count++] = (gm_field){name, value}; }
static void add_number(gm_string name, uint64_t value) {
    char *end = (char *)gm_realloc(0, 0, 1, 20) + 20, *at = end;
    do *--at = '0' + value % 10; while (value /= 10);
    add(name, (gm_string){at, end - at});
}
static void add_text(gm_string name, gm_option_string value) { if (value.some) add(name, value.value); }
static void add_u64(gm_string name, gm_option_u64 value) { if (value.some) add_number(name, value.value); }
#define RECORD(type, name, then) { type it; gm_##name(record, &it); then(TEXT(#name), it); }
#define INVOCATION(type, name, then) { type it; gm_##name(&it); then(TEXT(#name), it); }
static gm_result handle(gm_record record) {
    RECORD(gm_string, event_id, add)
    RECORD(gm_string, table, add)
    RECORD(gm_string, stream_arn, add)
    RECORD(gm_string, region, add)
    RECORD(gm_string, sequence_number, add)
    add_number(TEXT("event_name"), gm_record_event_name(record));
    RECORD(gm_option_u64, size_bytes, add_u64)
    RECORD(gm_option_u64, created_at_ms, add_u64)
    gm_option_identity identity;
    gm_user_identity(record, &identity);
    if (identity.some) { add(TEXT("type"), identity.type); add(TEXT("principal_id"), identity.principal_id); }
    RECORD(gm_string, keys, add)
    RECORD(gm_option_string, new_image, add_text)
    RECORD(gm_option_string, old_image, add_text)
    RECORD(gm_string, json, add)
    gm_record_drop(record);
    INVOCATION(gm_string, request_id, add)
    INVOCATION(gm_string, handler, add)
    INVOCATION(gm_string, function_name, add)
    INVOCATION(gm_string, function_version, add)
    add_number(TEXT("attempt"), gm_attempt());
    INVOCATION(gm_option_u64, deadline_ms, add_u64)
    INVOCATION(gm_option_string, trace_header, add_text)
    gm_log_write(GM_CRITICAL, "all", 3, fields, count);
    gm_log_print(0, "out\nmore", 8);
    gm_log_print(1, "err", 3);
    return (gm_result){0};
}
"#;

#[test]
fn every_call_of_the_contract_works_from_c() {
    let project = built(ALL_OF_IT);
    let arn = "arn:aws:dynamodb:us-west-2:112233445566:table/c-dev_test-table/stream/2019-02-15T23:01:06.871";
    let deleted = format!(
        r#"{{"eventID":"e1","eventName":"REMOVE","eventSource":"aws:dynamodb","awsRegion":"eu-west-1","dynamodb":{{"ApproximateCreationDateTime":1550272599.25,"SequenceNumber":"101","Keys":{{"id":{{"S":"1"}}}},"NewImage":{{"a":{{"N":"1"}}}},"OldImage":{{}},"SizeBytes":5000000000}},"userIdentity":{{"type":"Service","principalId":"dynamodb.amazonaws.com"}},"eventSourceARN":"{arn}"}}"#
    );
    let bare = format!(
        r#"{{"eventName":"INSERT","eventID":"e2","eventSource":"aws:dynamodb","dynamodb":{{"SequenceNumber":"102","Keys":{{"id":{{"S":"2"}}}}}},"eventSourceARN":"{arn}"}}"#
    );
    project.write("event.json", format!(r#"{{"Records":[{deleted},{bare}]}}"#).as_bytes());

    let arguments = ["invoke", "--event", "event.json", "--output", "json", "--timeout-ms", "60000"];
    let (code, mut invoked) = gristmill(&project, &arguments);
    assert_eq!(code, Some(0), "{invoked}");
    let printed = invoked["log"].as_array().unwrap().iter().filter(|line| line["stream"] != "log");
    let printed: Vec<_> = printed.map(|line| [&line["stream"], &line["message"]]).collect();
    assert_eq!(json!(printed), json!([["stdout", "out"], ["stdout", "more"], ["stderr", "err"]].repeat(2)));
    let mut logged = |number: &str| {
        let lines = invoked["log"].as_array_mut().unwrap();
        let is_this = |line: &&mut Value| line["sequenceNumber"] == number && line["stream"] == "log";
        let line = lines.iter_mut().find(is_this).unwrap();
        assert_eq!((line["level"].as_str(), line["message"].as_str()), (Some("FATAL"), Some("all")));
        let mut fields = line["fields"].take();
        // The one value that is another each time.
        let deadline = fields.as_array_mut().unwrap().pop().unwrap();
        assert_eq!(deadline[0], "deadline_ms");
        assert!(deadline[1].as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000_000, "{deadline}");
        fields
    };
    let invocation = [
        ["request_id", "00000000-0000-0000-0000-000000000000"],
        ["handler", "name-check"],
        ["function_name", "c"],
        ["function_version", "$LATEST"],
        ["attempt", "1"],
    ];
    let mut expected = vec![
        ["event_id", "e1"],
        ["table", "c-dev_test-table"],
        ["stream_arn", arn],
        ["region", "eu-west-1"],
        ["sequence_number", "101"],
        ["event_name", "2"],
        ["size_bytes", "5000000000"],
        ["created_at_ms", "1550272599250"],
        ["type", "Service"],
        ["principal_id", "dynamodb.amazonaws.com"],
        ["keys", r#"{"id":{"S":"1"}}"#],
        ["new_image", r#"{"a":{"N":"1"}}"#],
        ["old_image", "{}"],
        ["json", &deleted],
    ];
    expected.extend(invocation);
    assert_eq!(logged("101"), json!(expected));
    let mut expected = vec![
        ["event_id", "e2"],
        ["table", "c-dev_test-table"],
        ["stream_arn", arn],
        ["region", "us-west-2"],
        ["sequence_number", "102"],
        ["event_name", "0"],
        ["keys", r#"{"id":{"S":"2"}}"#],
        ["json", &bare],
    ];
    expected.extend(invocation);
    assert_eq!(logged("102"), json!(expected));
}

/// The name of a function of the contract, as a file spells its import.
type Spelling = fn(interface: &str, name: &str) -> String;

#[test]
fn each_layer_by_hand_has_every_function_of_the_contract() {
    let in_c: [Spelling; 1] = [|interface, name| match name.strip_prefix("[method]stream-record.") {
        Some(method) => format!("_METHOD(\"{method}\")"),
        None => format!("_FROM(\"{interface}\", \"{name}\")"),
    }];
    let in_zig: [Spelling; 2] = [
        |interface, name| format!("extern \"gristmill:events/{interface}@0.1.0\" fn @\"{name}\"("),
        |interface, name| format!("extern \"gristmill:events/{interface}@0.1.0\" fn {name}("),
    ];
    let in_go: [Spelling; 1] =
        [|interface, name| format!("//go:wasmimport gristmill:events/{interface}@0.1.0 {name}\n")];
    let (resolve, package) = contract();
    for (file, spellings) in [
        ("examples/c/handlers/name-check/gristmill_events.h", &in_c[..]),
        ("guest-sdk/c/src/events.h", &in_c[..]),
        ("guest-sdk/zig/src/abi.zig", &in_zig[..]),
        ("guest-sdk/go/internal/host/abi_wasip1.go", &in_go[..]),
    ] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        for interface in ["types", "invocation", "log"] {
            for name in resolve.interfaces[resolve.packages[package].interfaces[interface]].functions.keys() {
                let has = spellings.iter().any(|spelling| text.contains(&spelling(interface, name)));
                assert!(has, "{file} has no {name} of {interface}");
            }
        }
    }
}

#[test]
fn without_python_the_install_script_says_what_is_missing() {
    let empty = Project::empty(COMMAND);
    let ran = run_within(
        SOON,
        Command::new("/bin/sh").arg(root().join("tests/tools/zig")).arg(empty.path()).env("PATH", empty.path()),
    );
    let expected = "tests/tools/zig: zig 0.17.1 is installed from PyPI, and python3 is not on PATH; install it\n";
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (Some(1), "", expected));
}
